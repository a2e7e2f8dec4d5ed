"""The sample mean of exponential data."""

from fastcollapse.models.lazy_files import lazy_files

__getattr__ = lazy_files(__name__)
