"""Sizes and limits of pools, fixed real batches and training sets, and the state that holds a pool."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fastcollapse.config.kernel_schedule import KernelSchedule
from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError
from fastcollapse.models.base import State

# Limit of the values that a run may keep for all replicates: 32 GB.
_MAX_KEPT_VALUES = 4 * 10**9


@dataclass(eq=False)
class PooledState(State):
    """Moments of R replicates, a fixed real batch and the points of a pool.

    Parameters
    ----------
    moments : float64 (k, R), one row for each name in `MOMENTS`.
    real : float64, the fixed real batch; empty without one.
    pool : float64 (R, K), the points of the pool; (R, 0) without a pool.
    n_kept : number of pool points that the next generation keeps.

    Attributes
    ----------
    MOMENTS : names of the rows of `moments`.
    """

    MOMENTS: ClassVar[tuple[str, ...]]

    moments: np.ndarray
    real: np.ndarray
    pool: np.ndarray
    n_kept: int = 0

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs."""
        return {**dict(zip(self.MOMENTS, self.moments, strict=True)), "pool": self.pool[:, : self.n_kept]}


def check_fitted(schedule: Schedule, sizes: np.ndarray) -> None:
    """Check that each generation fits a deviation to at least two points; `sizes` int64 (T) are the fitted sizes.

    Raises
    ------
    InputError
        Names the key of the size and the first generation with too few points.
    """
    too_few = np.flatnonzero(sizes < 2)
    if too_few.size:
        t = int(too_few[0])
        key, where = schedule.size_key(t), ""
        if schedule.weight is not None and schedule.weight[t] == 1 and schedule.n_real[t] > 0:
            key, where = "workflow.n_real", " where workflow.weight is 1"
        got = f"got {sizes[t]} at generation {t + 1}"
        raise InputError(f"{key} must give at least 2 points to fit a deviation to{where}, {got}")


def check_pool_memory(n_values: int, key: str = "workflow.n_samples") -> None:
    """Check the number of values that a run keeps for all replicates; `key` is the one that their number follows from.

    Raises
    ------
    InputError
        The run keeps more than 4e9 values.
    """
    if n_values > _MAX_KEPT_VALUES:
        raise InputError(
            f"{key} must keep the points of all replicates at most {_MAX_KEPT_VALUES} numbers, got {n_values}"
        )


def n_fixed_real(schedule: Schedule) -> int:
    """Return the size of the fixed real batch; 0 without one."""
    return int(schedule.n_real[0]) if schedule.real == "fixed" else 0


def pool_capacity(kernel_schedule: KernelSchedule) -> int:
    """Return the largest number of points that the pool of a replicate holds."""
    return int((kernel_schedule.n_kept + kernel_schedule.n_synthetic + kernel_schedule.n_real).max())


def n_kept_after(kernel_schedule: KernelSchedule, generation: int) -> int:
    """Return the number of pool points that a state keeps after a generation: those that the next generation needs.

    After the last generation these are all points, if a generation has kept any: a longer run needs them.
    """
    kept = kernel_schedule.n_kept
    if generation < len(kept):
        return int(kept[generation])
    if not kept[1:].any():
        return 0
    return int(kept[-1] + kernel_schedule.n_synthetic[-1] + kernel_schedule.n_real[-1])
