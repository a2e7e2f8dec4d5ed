"""Limit of the points that a run of density estimates keeps."""

import math
import os

from fastcollapse.errors import InputError
from fastcollapse.models.pools import check_pool_memory


def check_memory(n_points: int, n_test: int, dimension: int, n_replicates: int) -> None:
    """Check the number of points and of held-out points that the replicates keep.

    Raises
    ------
    InputError
        They are more than a run may keep, or than the memory of the machine holds.
    """
    check_pool_memory(n_points * dimension * n_replicates)
    for key, what, n in (("workflow.n_samples", "points", n_points), ("truth.n_test", "held-out points", n_test)):
        n_bytes = 8 * n * dimension * n_replicates
        if n_bytes > _memory():
            limit = f"the {what} of all replicates in the memory of this machine, {_memory() / 1e9:,.0f} GB"
            raise InputError(f"{key} must keep {limit}, got {n_bytes / 1e9:,.0f} GB")


def _memory() -> float:
    """Return the memory of the machine in bytes; infinity if the system does not tell it."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return math.inf
