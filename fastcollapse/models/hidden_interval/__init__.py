"""A consistent maximum likelihood that a hidden interval makes collapse."""

from fastcollapse.models.lazy_files import lazy_files

__getattr__ = lazy_files(__name__)
