"""Model families, one folder for each."""

from fastcollapse.models.registry import families, family, register

__all__ = ["families", "family", "register"]
