"""Chains of regressions that are weighted means of a fit to real data and a fit to synthetic data."""

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import StreamKey, span_of
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.generator_pooled import FixedData, Pools
from fastcollapse.kernels.regression.generator_weighted import (
    FitLaw,
    WeightedSchedule,
    draw_real_fits,
    follow_weighted,
    refit_weighted,
)
from fastcollapse.models.base import run_key
from fastcollapse.models.pools import n_fixed_real
from fastcollapse.models.ridge.generators import Chain, ChainState, PooledChain, check_chain, no_overlaps
from fastcollapse.models.ridge.parameters import RidgeParameters
from fastcollapse.models.ridge.truth import Regression, RidgeTruth


def create_weighted_chain(truth: Regression, parameters: RidgeParameters, schedule: Schedule) -> Chain:
    """Return the fastest chain that has the law of a run with weights.

    Raises
    ------
    InputError
        The parameters are incompatible with the truth or the schedule.
    """
    check_chain(truth, parameters, schedule)
    if parameters.follow == "overlaps":
        raise no_overlaps()
    drawn = parameters.sampler == "exact" and parameters.designs == "independent" and parameters.ridge == 0
    parts = np.concatenate([schedule.n_synthetic, schedule.n_real[schedule.n_real > 0]])
    # A generation without synthetic samples has no fit to them.
    drawn = drawn and bool(schedule.n_synthetic.all())
    # For other inputs the minimum-norm fit to fewer samples than inputs has no simple law.
    if drawn and not schedule.keep[1:].any() and (truth.is_isotropic or bool((parts >= truth.dimension).all())):
        return WeightedLawChain(truth, parameters, schedule)
    return WeightedChain(truth, parameters, schedule)


def least_squares_errors(
    truth: RidgeTruth, parameters: RidgeParameters, schedule: Schedule
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the errors of both fits and the part of the generator's error that is kept, see `Model.fit_errors`.

    They are exact for least squares of normal inputs, sigma^2 d/(T - d - 1). With a ridge, or other inputs, they are
    those of large samples, sigma^2 d/T.

    Raises
    ------
    InputError
        Least squares on so few rows has an infinite error, or has no simple one.
    """
    d = _dimension(truth)
    lost = d + 1 if parameters.ridge == 0 and truth.design == "gaussian" else 0
    least = d + 2 if parameters.ridge == 0 else 1
    for key, rows in (("n_real", schedule.n_real), ("n_samples", schedule.n_synthetic)):
        few = np.flatnonzero((rows > 0) & (rows < least))
        if few.size:
            needed = f"at least {least} rows for {d} inputs where workflow.weight is 'optimal'"
            raise InputError(f"workflow.{key} must be {needed}, got {rows[few[0]]} at generation {few[0] + 1}")
    real = np.full(schedule.n_generations, np.inf)
    is_real = schedule.n_real > 0
    real[is_real] = parameters.sigma**2 * d / (schedule.n_real[is_real] - lost)
    return real, parameters.synthetic_noise**2 * d / (schedule.n_synthetic - lost), np.ones_like(real)


def _dimension(truth: RidgeTruth) -> int:
    """Return the number of inputs of a truth whose files are not read."""
    for given in (truth.spectrum, truth.covariance):
        if isinstance(given, tuple):
            return len(given)
    if truth.dimension is None:
        raise InputError("truth.dimension must be given beside a file where workflow.weight is 'optimal'")
    return int(truth.dimension)


def _weighted_schedule(schedule: Schedule, n_kept: np.ndarray) -> WeightedSchedule:
    weight = np.ascontiguousarray(schedule.weight, np.float64)
    return WeightedSchedule(n_kept, schedule.n_synthetic, schedule.n_real, weight)


class WeightedLawChain:
    """Chain of mixes with fresh normal inputs and no ridge: each part is sampled from a few variates."""

    def __init__(self, truth: Regression, parameters: RidgeParameters, schedule: Schedule) -> None:
        self._law = FitLaw(truth.spectrum, truth.weights, parameters.synthetic_noise, parameters.sigma)
        self._schedule = _weighted_schedule(schedule, np.zeros_like(schedule.n_synthetic))
        self._n_fixed = n_fixed_real(schedule)

    def initial(self, start: np.ndarray, seed: int, first_replicate: int) -> ChainState:
        """Return the state of generation 0."""
        fits = np.empty((len(start) if self._n_fixed else 0, start.shape[1]))
        draw_real_fits(self._law, self._n_fixed, normal_table(), run_key(seed, first_replicate), fits)
        return ChainState(start, redrawn=fits)

    def advance(self, state: ChainState, first: int, n_generations: int, key: StreamKey, out: np.ndarray) -> None:
        """Run generations from `first` on."""
        span = span_of(key, first, n_generations, current_threads())
        follow_weighted(state.now, state.redrawn, self._law, self._schedule, normal_table(), span, out)


class WeightedChain(PooledChain):
    """Chain of generations with the normal equations of a pool and, beside it, those of the real data."""

    def __init__(self, truth: Regression, parameters: RidgeParameters, schedule: Schedule) -> None:
        super().__init__(truth, parameters, schedule)
        self._weighted = _weighted_schedule(schedule, self._kernel_schedule.n_kept)

    def advance(self, state: ChainState, first: int, n_generations: int, key: StreamKey, out: np.ndarray) -> None:
        """Run generations from `first` on."""
        shared, real = state.redrawn
        pools, span = Pools(state.now, **state.pools), span_of(key, first, n_generations, current_threads())
        fixed = FixedData(shared.rows, real.rows, real.labels)
        refit_weighted(pools, self._design, fixed, self._weighted, self._refit, normal_table(), span, out)
