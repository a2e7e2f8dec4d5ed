"""The kernel density family: density estimates with normal kernels, refitted to points that they generate."""

from fastcollapse.models.lazy_files import lazy_files

__getattr__ = lazy_files(__name__)
