"""The mixture family: symmetric mixtures of two Gaussian laws."""

from fastcollapse.models.lazy_files import lazy_files

__getattr__ = lazy_files(__name__)
