"""The ridge family: linear regressions with or without a ridge."""

from fastcollapse.models.lazy_files import lazy_files

__getattr__ = lazy_files(__name__)
