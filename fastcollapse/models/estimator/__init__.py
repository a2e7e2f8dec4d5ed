"""The estimator family: any object with `fit` and `sample`, refitted to points that it generates."""

from fastcollapse.models.lazy_files import lazy_files

__getattr__ = lazy_files(__name__)
