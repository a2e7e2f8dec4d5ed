"""Sizes, bandwidths and evaluated generations of a run, from its schedule."""

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError
from fastcollapse.models.kde.bandwidths import bandwidths
from fastcollapse.models.kde.parameters import KdeParameters
from fastcollapse.models.pools import n_fixed_real

# Metrics that cost the whole pool are evaluated at generations with equal ratios, and at 1, 2, 5, 10, 20, 50, ...
N_SPACED = 25


class KdePlan:
    """The schedule of density estimates; index t - 1 of an array is generation t.

    Parameters
    ----------
    parameters : the bandwidth.
    schedule : the workflow as arrays over generations.
    dimension : number of coordinates d.

    Attributes
    ----------
    bandwidths : float64 (T).
    is_scaled : whether a bandwidth is a factor of the root of the sample covariance.
    is_beside : whether the real data is beside the pool, as with a weight or a window, and not a part of it.
    n_points, n_kept, n_batch : int64 (T), size of the pool, number of its last points that are kept from the generation
        before, and number of points that are added.
    starts : int64 (T), first point that the sums over the pool do not have yet; 0 where all points are new.
    kernel_starts : as `starts`, for sums that depend on the bandwidth.
    has_fixed_sums : whether the sums of kernels over fixed real data are the same in all generations.
    observed : bool (T), whether the points are drawn; the others are skipped.
    evaluated : bool (T), whether metrics that need the sums of kernels are evaluated.

    Raises
    ------
    InputError
        Generations are skipped in another workflow than replace, a bandwidth is out of range, or it is scaled and the
        run has weights or a fit to at most d points.
    """

    def __init__(self, parameters: KdeParameters, schedule: Schedule, dimension: int) -> None:
        self.schedule = schedule
        self.is_scaled = parameters.bandwidth == "scaled"
        self.bandwidths = bandwidths(parameters, schedule, dimension)
        self.is_beside = schedule.weight is not None or schedule.window > 0
        if self.is_beside:
            self.n_points = np.rint(schedule.synthetic_sizes()).astype(np.int64)
            self.n_batch = schedule.n_synthetic
        else:
            self.n_points = schedule.pool_totals()
            self.n_batch = schedule.n_synthetic + schedule.n_real
        self.n_kept = self.n_points - self.n_batch
        self.n_fixed = n_fixed_real(schedule)
        self.is_subsampled = bool(schedule.n_train.any())
        is_same = not self.is_scaled and np.ptp(self.bandwidths) == 0
        self.has_fixed_sums = self.n_fixed > 0 and is_same and not self.is_subsampled
        before = np.concatenate([[0], self.n_points[:-1]])
        keeps_all = (self.n_kept == before) & (self.n_kept > 0) & (not self.is_subsampled)
        changes = np.concatenate([[False], np.diff(self.bandwidths) != 0]) | self.is_scaled
        self.grows = bool(keeps_all.any())
        self.starts = np.where(keeps_all, self.n_kept, 0)
        self.observed = _observed(parameters, schedule)
        self.kernel_starts, self.evaluated = self.starts, self.observed
        if (keeps_all & changes).any():
            self.evaluated = _spaced(schedule.n_generations)
            self.kernel_starts = np.zeros_like(self.starts)
        if self.is_scaled:
            self._check_scaled(dimension)

    def _check_scaled(self, dimension: int) -> None:
        if self.schedule.weight is not None:
            raise InputError("model.bandwidth must not be 'scaled' with workflow.weight: the covariance has no weights")
        sizes = self.schedule.fitted_sizes()
        if sizes.min() <= dimension:
            t = int(sizes.argmin())
            needed = f"at least {dimension + 1} points, for a covariance in {_dimensions(dimension)}"
            where = f"got {sizes[t]} at generation {t + 1}"
            raise InputError(
                f"{self.schedule.size_key(t)} must give {needed}, where model.bandwidth is 'scaled', {where}"
            )

    @property
    def n_fitted(self) -> np.ndarray:
        """Number of points of each fit, int64 (T)."""
        return self.schedule.fitted_sizes()

    def settings(self, n_generations: int) -> tuple[bool | bytes, ...]:
        """Return what the first generations depend on, see `Model.length_settings`."""
        by_generation = self.bandwidths, self.observed, self.evaluated, self.kernel_starts
        return (self.grows, self.has_fixed_sums, *(values[:n_generations].tobytes() for values in by_generation))

    def last_observed(self, t: int) -> int:
        """Return the last observed generation before t; 0 for none."""
        before = np.flatnonzero(self.observed[: t - 1])
        return int(before[-1]) + 1 if before.size else 0

    def weights(self, t: int) -> tuple[float, float]:
        """Return the weights of the pool and of the real data beside it in the fit of generation t."""
        n, n_real = int(self.n_points[t - 1]), int(self.schedule.n_real[t - 1]) if self.is_beside else 0
        if n == 0 or n_real == 0:
            return (1.0, 0.0) if n_real == 0 else (0.0, 1.0)
        share = n_real / (n + n_real) if self.schedule.weight is None else float(self.schedule.weight[t - 1])
        return 1.0 - share, share

    def drawing_weight(self, t: int) -> float:
        """Return the weight of the real data of generation t for draws; below 0 where all points have the same."""
        return -1.0 if self.schedule.weight is None else self.weights(t)[1]


def _spaced(n_generations: int) -> np.ndarray:
    """Return whether each generation is one of about 30 in equal ratios, bool (T)."""
    spaced = np.rint(np.geomspace(1, n_generations, N_SPACED))
    decades = np.outer(10 ** np.arange(8), [1, 2, 5])
    return np.isin(np.arange(1, n_generations + 1), [*spaced, *decades.ravel()])


def _observed(parameters: KdeParameters, schedule: Schedule) -> np.ndarray:
    """Return whether each generation is observed, bool (T)."""
    given, n_generations = parameters.observed, schedule.n_generations
    if given is None:
        return np.ones(n_generations, bool)
    if not schedule.is_replace_only:
        raise InputError(
            "model.observed must be absent unless workflow.name is 'replace' without other keys: "
            "a generation of other workflows needs all points before it"
        )
    if parameters.bandwidth == "scaled":
        raise InputError("model.observed must be absent where model.bandwidth is 'scaled', which needs all points")
    if given == "log":
        return _spaced(n_generations)
    if max(given) > n_generations:
        raise InputError(f"model.observed must be generations of the run, at most {n_generations}, got {max(given)}")
    return np.isin(np.arange(1, n_generations + 1), [1, *given, n_generations])


def _dimensions(dimension: int) -> str:
    """Return a number of dimensions in words."""
    return f"{dimension} dimension{'s' if dimension > 1 else ''}"
