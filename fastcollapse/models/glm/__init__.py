"""Generalised linear models refitted to labels that they generate on fixed rows."""

from fastcollapse.models.lazy_files import lazy_files

__getattr__ = lazy_files(__name__)
