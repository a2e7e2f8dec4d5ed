"""The sample mean of alpha-stable data."""

from fastcollapse.models.lazy_files import lazy_files

__getattr__ = lazy_files(__name__)
