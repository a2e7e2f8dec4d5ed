"""Model families: one folder each."""

from fastcollapse.models.registry import families, family, register

__all__ = ["families", "family", "register"]
