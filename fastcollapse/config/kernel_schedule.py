"""The compiled forms of a schedule, for kernels: sizes, and the weights, shares, window and discount of its stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    from fastcollapse.config.schedule import Schedule


class KernelSchedule(NamedTuple):
    """A schedule for kernels: int64 arrays over generations, index generation - 1, and two flags.

    Parameters
    ----------
    n_kept : number of points that the pool keeps from the previous generation.
    n_synthetic, n_real, n_train, replacement : see `Schedule`.
    divisor : divisor of the sum of squares of the fit.
    fixed_real : whether real data is drawn once per replicate.
    """

    n_kept: np.ndarray
    n_synthetic: np.ndarray
    n_real: np.ndarray
    n_train: np.ndarray
    divisor: np.ndarray
    replacement: bool
    fixed_real: bool


def kernel_schedule(schedule: Schedule, truth_total: int | None = None, bias: int = 0) -> KernelSchedule:
    """Return the compiled form of a schedule.

    Parameters
    ----------
    truth_total : size of the real data; needed when the pool starts with it.
    bias : 0 or 1, subtracted from the size of the fit to give the divisor.
    """
    pools = schedule.pool_totals(truth_total)
    return KernelSchedule(
        pools - schedule.n_synthetic - schedule.n_real,
        schedule.n_synthetic,
        schedule.n_real,
        schedule.n_train,
        schedule.fitted_sizes(truth_total) - bias,
        bool(schedule.replacement),
        schedule.real == "fixed",
    )


class KernelStages(NamedTuple):
    """Weights, shares, window and discount of a schedule for kernels; arrays over generations, index generation - 1.

    Parameters
    ----------
    weight, share : float64 (T), or (0) where there is none; see `Schedule.weight` and `Schedule.real_share`.
    n_pool : float64 (T), the size of the synthetic part, see `Schedule.synthetic_sizes`.
    window : number of batches in the pool; 0 for all.
    discount : weight of a batch relative to the next younger one; 1.0 without a discount.
    """

    weight: np.ndarray
    share: np.ndarray
    n_pool: np.ndarray
    window: int
    discount: float


def kernel_stages(schedule: Schedule) -> KernelStages:
    """Return the compiled form of the weights, shares, window and discount of a schedule."""
    import numpy as np  # start-up time of the command line

    none = np.zeros(0)
    return KernelStages(
        none if schedule.weight is None else np.ascontiguousarray(schedule.weight, np.float64),
        none if schedule.real_share is None else np.ascontiguousarray(schedule.real_share, np.float64),
        schedule.synthetic_sizes(),
        int(schedule.window),
        float(schedule.discount or 1.0),
    )
