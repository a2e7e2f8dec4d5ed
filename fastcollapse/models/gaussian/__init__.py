"""The Gaussian family, in one dimension and in d dimensions."""

from fastcollapse.models.lazy_files import lazy_files

__getattr__ = lazy_files(__name__)
