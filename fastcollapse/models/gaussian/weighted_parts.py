"""Numbers of points of the parts of a fit, and the fits that they leave undefined."""

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError
from fastcollapse.models.pools import check_fitted


def check_parts(schedule: Schedule, bias: int) -> None:
    """Check that each generation fits a deviation to at least two points, and each part that has its own.

    Parameters
    ----------
    bias : 1 if parts have unbiased variances, 0 if all points are weighted.

    Raises
    ------
    InputError
        Names the key of the size and the first generation with too few points.
    """
    check_fitted(schedule, fitted_points(schedule) if schedule.is_real_beside else schedule.fitted_sizes())
    apart = schedule.discount > 0
    if not bias or not (apart or schedule.weight is not None):
        return
    real, synthetic = counted_parts(schedule)
    if apart:  # a single batch of one point has no variance, whatever its weight
        synthetic = np.where(synthetic > 0, schedule.n_synthetic, 0)
    for key, sizes in (("workflow.n_real", real), ("workflow.n_samples", synthetic)):
        one = np.flatnonzero(sizes == 1)
        if one.size:
            raise InputError(
                f"{key} must give at least 2 points for estimator 'unbiased' with a weight or a discount, "
                f"got 1 at generation {one[0] + 1}"
            )


def counted_parts(schedule: Schedule) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of real and of synthetic points of each fit, 0 for a part of weight 0: int64 (T) each.

    Of discounted batches only the last counts: the weight of earlier ones may be as small as rounding errors.
    """
    real = schedule.n_real
    synthetic = schedule.n_synthetic if schedule.discount else schedule.synthetic_sizes().astype(np.int64)
    if schedule.weight is None:
        return real, synthetic
    both = (real > 0) & (synthetic > 0)
    return np.where(both & (schedule.weight == 0), 0, real), np.where(both & (schedule.weight == 1), 0, synthetic)


def fitted_points(schedule: Schedule) -> np.ndarray:
    """Return the least number of points of each fit that have a weight: int64 (T)."""
    real, synthetic = counted_parts(schedule)
    older = (synthetic > 0) & (schedule.synthetic_sizes() > synthetic)  # of a discounted pool
    return real + synthetic + older


def fitted_rank(schedule: Schedule, bias: int) -> np.ndarray:
    """Return the rank of each fitted covariance in a space of many dimensions: int64 (T)."""
    if not schedule.is_real_beside:
        return schedule.fitted_sizes() - 1
    real, synthetic = counted_parts(schedule)
    if bias and (schedule.weight is not None or schedule.discount):
        return np.maximum(real - 1, 0) + np.maximum(synthetic - 1, 0)
    return real + synthetic - 1
