"""The symmetric Gaussian mixture (1/2) N(mu, s^2) + (1/2) N(-mu, s^2) refitted to points that it generates.

Only absolute values matter: those of mu + s z, z standard normal. Their two means have no simple joint law, so the
points are drawn."""

import dataclasses
import math
from typing import NamedTuple

import numpy as np

from fastcollapse.config.fields import ChoiceField, FloatField, parameter
from fastcollapse.config.schedule import Schedule, kernel_schedule
from fastcollapse.config.sections import ModelSection, TruthSection
from fastcollapse.kernels.jit import current_threads, kernel, parallel_kernel, prange
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SUBSAMPLE,
    PURPOSE_SYNTHETIC,
    STREAM_WORDS,
    generation_stream,
    span_of,
)
from fastcollapse.kernels.random.subsample import copy_chosen
from fastcollapse.kernels.random.ziggurat import normal_table, ziggurat
from fastcollapse.models.base import (
    ArrayModel,
    ModelBlock,
    PooledState,
    check_fitted,
    check_kept,
    n_kept_after,
    run_key,
)
from fastcollapse.models.mixture.fit import SATURATED, fit_approximate, fit_joint
from fastcollapse.models.mixture.metrics import METRICS
from fastcollapse.variables import Variable

_SYNTHETIC, _REAL = np.uint64(PURPOSE_SYNTHETIC), np.uint64(PURPOSE_REAL)
_SUBSAMPLE, _FIXED_REAL = np.uint64(PURPOSE_SUBSAMPLE), np.uint64(PURPOSE_FIXED_REAL)
ESTIMATORS = ("approximate", "joint_ml")


@dataclasses.dataclass(frozen=True)
class MixtureTruth(TruthSection):
    """The mixture of generation 0."""

    mu: float = parameter(FloatField(0, 1e150), "half the distance of the two means")
    sigma: float = parameter(FloatField(0, 1e150, above=True), "standard deviation of each half")


@dataclasses.dataclass(frozen=True)
class MixtureParameters(ModelSection):
    """How a mixture is fitted."""

    estimator: str = parameter(
        ChoiceField(lambda: ESTIMATORS), "approximate joint maximum likelihood of the paper, or the true one"
    )


@kernel
def _fill(mu, sigma, normals, stream, out):
    for i in range(out.shape[0]):
        out[i] = abs(mu + sigma * ziggurat(normals, stream))


@parallel_kernel
def _draw_real(mu, normals, key, real):
    """Draw the fixed real batch of every replicate: ``->(R,n)``, O(n) each."""
    for replicate in prange(real.shape[0]):
        stream = np.empty(STREAM_WORDS, np.uint64)
        generation_stream(key, replicate, 0, _FIXED_REAL, stream)
        _fill(mu, 1.0, normals, stream, real[replicate])


class _States(NamedTuple):
    """The states that a block writes, float64 (R, B) each, in the units of the truth."""

    mu: np.ndarray
    log_sigma: np.ndarray


class _Pools(NamedTuple):
    """The points that replicates keep: `pool` float64 (R, K), and `real` (Q, n), a fixed real batch, Q = R or 0."""

    pool: np.ndarray
    real: np.ndarray


@parallel_kernel
def _refit_alone(state, n_points, joint, truth, normals, span, out):
    """Refit R replicates over B generations to synthetic points alone: ``(2,R),...,(3)->(R,B),(R,B)``, O(n) a step.

    The points are drawn in units of the deviation, so that nothing underflows. Once mu is far above the deviation no
    sign changes, and mu is an offset.

    Parameters
    ----------
    state : float64 (2, R), mu and ln s in units of the deviation of the truth; updated.
    n_points : int64 (T), index generation - 1.
    joint : whether the fit is by joint maximum likelihood.
    truth : float64 (3), mu, sigma and ln sigma of the truth.
    normals : the table of the normal law.
    span : `Span`.
    out : `_States`.
    """
    n_replicates = state.shape[1]
    first, n_generations, n_threads = span.first, span.n_generations, span.n_threads
    mus, logs = out
    for thread in prange(n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        buffer = np.empty(n_points[first - 1 : first - 1 + n_generations].max())
        for replicate in range(thread, n_replicates, n_threads):
            mu, log_sigma = state[0, replicate], state[1, replicate]
            for step in range(n_generations):
                generation = first + step
                points = buffer[: n_points[generation - 1]]
                sigma = math.exp(log_sigma)
                height = mu / sigma
                generation_stream(span, replicate, generation, _SYNTHETIC, stream)
                offset = 0.0
                if height >= SATURATED:
                    offset = height
                    for i in range(points.shape[0]):
                        points[i] = ziggurat(normals, stream)
                else:
                    _fill(height, 1.0, normals, stream, points)
                move, variance = fit_joint(points, offset) if joint else fit_approximate(points, offset)
                mu = sigma * move + (mu if offset > 0.0 else 0.0)
                log_sigma += 0.5 * math.log(variance)
                mus[replicate, step] = truth[1] * mu
                logs[replicate, step] = truth[2] + log_sigma
            state[0, replicate], state[1, replicate] = mu, log_sigma


@parallel_kernel
def _refit_pools(state, pools, schedule, joint, truth, normals, span, out):
    """Refit as `_refit_alone` to a pool, or to subsamples of it: ``(2,R),(R,K),...->(R,B),(R,B)``, O(points) a step.

    Parameters
    ----------
    pools : `_Pools`; the points are updated.
    schedule : `KernelSchedule`.
    state, joint, truth, normals, span, out : as in `_refit_alone`.
    """
    n_replicates = state.shape[1]
    first, n_generations, n_threads = span.first, span.n_generations, span.n_threads
    pool, real = pools
    mus, logs = out
    for thread in prange(n_threads):
        stream = np.empty(STREAM_WORDS, np.uint64)
        kept_points, n_synthetic = schedule.n_kept, schedule.n_synthetic
        n_real, n_train = schedule.n_real, schedule.n_train
        buffer = np.empty(max(1, n_train[first - 1 : first - 1 + n_generations].max()))
        for replicate in range(thread, n_replicates, n_threads):
            points = pool[replicate]
            mu, log_sigma = state[0, replicate], state[1, replicate]
            for step in range(n_generations):
                generation = first + step
                end = kept_points[generation - 1] + n_synthetic[generation - 1]
                generation_stream(span, replicate, generation, _SYNTHETIC, stream)
                _fill(mu, math.exp(log_sigma), normals, stream, points[kept_points[generation - 1] : end])
                n = n_real[generation - 1]
                if n > 0 and real.shape[0] > 0:
                    points[end : end + n] = real[replicate]
                elif n > 0:
                    generation_stream(span, replicate, generation, _REAL, stream)
                    _fill(truth[0] / truth[1], 1.0, normals, stream, points[end : end + n])
                end += n
                size = n_train[generation - 1]
                chosen = points[:end]
                if size > 0:
                    chosen = buffer[:size]
                    generation_stream(span, replicate, generation, _SUBSAMPLE, stream)
                    copy_chosen(points, end, schedule.replacement, stream, chosen)
                mu, variance = fit_joint(chosen, 0.0) if joint else fit_approximate(chosen, 0.0)
                log_sigma = 0.5 * math.log(variance)
                mus[replicate, step] = truth[1] * mu
                logs[replicate, step] = truth[2] + log_sigma
            state[0, replicate], state[1, replicate] = mu, log_sigma


class MixtureState(PooledState):
    """mu and ln s in units of the deviation of the truth, a fixed real batch float64 (R, n) or (0, 0), and a pool."""

    MOMENTS = ("mu", "log_sigma")


class Mixture(ArrayModel):
    """Recursive training of a symmetric Gaussian mixture.

    Parameters
    ----------
    truth: the law of generation 0
    parameters: the estimator
    schedule: the workflow as arrays over generations
    record: what a run records; the states are given whatever it holds

    Raises
    ------
    InputError
        The fit to so few points is not defined.

    References
    ----------
    Suresh et al., arXiv:2412.17646, section 4.2 and Algorithm 1.
    """

    PARAMETERS = MixtureParameters
    TRUTH = MixtureTruth
    BLOCK_BYTES = 4_000_000
    METRICS = METRICS
    CAPABILITIES = frozenset({"pool", "subsample", "fresh_real", "fixed_real", "subsample_with_real"})

    def __init__(
        self, truth: MixtureTruth, parameters: MixtureParameters, schedule: Schedule, record: tuple = ()
    ) -> None:
        self._truth = np.array([truth.mu, truth.sigma, math.log(truth.sigma)])
        self._joint = parameters.estimator == "joint_ml"
        self._schedule = schedule
        self._plan = kernel_schedule(schedule)
        check_fitted(schedule, self._plan.divisor)
        self._alone = not (self._plan.n_kept.any() or schedule.n_real.any() or schedule.n_train.any())

    def state_variables(self) -> dict[str, Variable]:
        """Return what the states are."""
        return {
            "mu": Variable("half the distance of the means"),
            "log_sigma": Variable("log of the deviation of a half", limits=(-math.inf,)),
        }

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state."""
        return {"mu": self._truth[0], "log_sigma": self._truth[2]}

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> MixtureState:
        """Return the state of generation 0."""
        check_kept(int(self._schedule.n_synthetic.max()))
        n_points = 0 if self._alone else int(self._schedule.pool_totals(None).max())
        n_real = int(self._schedule.n_real[0]) if self._schedule.real == "fixed" else 0
        check_kept((n_points + n_real) * n_replicates)
        real = np.zeros((n_replicates if n_real else 0, n_real))
        if n_real:
            _draw_real(self._truth[0] / self._truth[1], normal_table(), run_key(seed, first_replicate), real)
        moments = np.zeros((2, n_replicates))
        moments[0] = self._truth[0] / self._truth[1]
        return MixtureState(moments, real, np.zeros((n_replicates, n_points)))

    def generation_bytes(self, state: MixtureState) -> int:
        """Return the bytes of the states of one generation."""
        return 16 * state.moments.shape[1]

    def advance(
        self, state: MixtureState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run generations `first` and following and return their block; `state` moves on with them."""
        shape = (state.moments.shape[1], n_generations)
        out = _States(np.empty(shape), np.empty(shape))
        normals = normal_table()
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        if self._alone:
            _refit_alone(state.moments, self._schedule.n_synthetic, self._joint, self._truth, normals, span, out)
        else:
            pools = _Pools(state.pool, state.real)
            _refit_pools(state.moments, pools, self._plan, self._joint, self._truth, normals, span, out)
            state.n_kept = n_kept_after(self._plan.n_kept, first + n_generations - 1)
        return ModelBlock(out._asdict())


MODEL = Mixture
