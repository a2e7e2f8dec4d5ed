"""The n-gram family: counts of the n-grams of a text, refitted to sentences drawn from the last counts."""

from fastcollapse.models.lazy_files import lazy_files

__getattr__ = lazy_files(__name__)
