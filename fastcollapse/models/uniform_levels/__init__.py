"""A consistent maximum likelihood that climbs levels until it collapses."""

from fastcollapse.models.lazy_files import lazy_files

__getattr__ = lazy_files(__name__)
