"""The mixture family: the symmetric mixture (1/2) N(mu, s^2) + (1/2) N(-mu, s^2), refitted to points that it generates.

The fits depend only on the absolute values of mu + s z with z standard normal. The joint law of the sums that a fit
needs is not simple, so that the points are drawn one by one.
"""

import dataclasses
import math
from typing import Any

import numpy as np

from fastcollapse.config.fields import ChoiceField, FloatField, parameter
from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.schedule import Schedule
from fastcollapse.config.sections import ModelSection, TruthSection
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.models.base import ArrayModel, ModelBlock, run_key
from fastcollapse.models.mixture.kernels import MixturePools, MixtureStates, draw_real, refit_pools, refit_replace_only
from fastcollapse.models.mixture.metrics import METRICS, ROLES
from fastcollapse.models.pools import (
    PooledState,
    check_fitted,
    check_pool_memory,
    n_fixed_real,
    n_kept_after,
    pool_capacity,
)
from fastcollapse.variables import Variable

ESTIMATORS = ("approximate", "joint_ml")


@dataclasses.dataclass(frozen=True)
class MixtureTruth(TruthSection):
    """The mixture of generation 0."""

    mu: float = parameter(FloatField(0, 1e150), "half the distance between the two means")
    sigma: float = parameter(FloatField(0, 1e150, above=True), "standard deviation of each component")


@dataclasses.dataclass(frozen=True)
class MixtureParameters(ModelSection):
    """Estimator of a mixture."""

    estimator: str = parameter(
        ChoiceField(lambda: ESTIMATORS),
        "approximate joint maximum likelihood (Algorithm 1 of the paper), or exact joint maximum likelihood",
    )


class MixtureState(PooledState):
    """Values of mu and ln s relative to the deviation of the truth, a fixed real batch (R, n) or (0, 0), and a pool."""

    MOMENTS = ("mu", "log_sigma")


class Mixture(ArrayModel):
    """Recursive training of a symmetric Gaussian mixture.

    Parameters
    ----------
    truth : the law of generation 0.
    parameters : the estimator.
    schedule : the workflow as arrays over generations.
    record : value of `run.record`; not used, because the states are always returned.

    Raises
    ------
    InputError
        A generation has too few points for the fit.

    References
    ----------
    Suresh et al., arXiv:2412.17646, section 4.2 and Algorithm 1.
    """

    PARAMETERS = MixtureParameters
    TRUTH = MixtureTruth
    BLOCK_BYTES = 4_000_000
    METRICS = METRICS
    ROLES = ROLES
    CAPABILITIES = frozenset({"pool", "subsample", "fresh_real", "fixed_real", "subsample_with_real"})

    def __init__(
        self, truth: MixtureTruth, parameters: MixtureParameters, schedule: Schedule, record: tuple[Any, ...] = ()
    ) -> None:
        self._truth = np.array([truth.mu, truth.sigma, math.log(truth.sigma)])
        self._joint = parameters.estimator == "joint_ml"
        self._schedule = schedule
        self._kernel_schedule = kernel_schedule(schedule)
        check_fitted(schedule, self._kernel_schedule.divisor)

    def state_variables(self) -> dict[str, Variable]:
        """Return the variables of the states."""
        return {
            "mu": Variable("half the distance of the means"),
            "log_sigma": Variable("log of the deviation of a half", limits=(-math.inf,)),
        }

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state."""
        return {"mu": self._truth[0], "log_sigma": self._truth[2]}

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> MixtureState:
        """Return the state of generation 0."""
        check_pool_memory(int(self._schedule.n_synthetic.max()))
        n_points = 0 if self._schedule.is_replace_only else pool_capacity(self._kernel_schedule)
        n_real = n_fixed_real(self._schedule)
        check_pool_memory((n_points + n_real) * n_replicates)
        real = np.zeros((n_replicates if n_real else 0, n_real))
        if n_real:
            draw_real(self._truth[0] / self._truth[1], normal_table(), run_key(seed, first_replicate), real)
        moments = np.zeros((2, n_replicates))
        moments[0] = self._truth[0] / self._truth[1]
        return MixtureState(moments, real, np.zeros((n_replicates, n_points)))

    def generation_bytes(self, state: MixtureState) -> int:
        """Return the size of the states of one generation, in bytes."""
        return 16 * state.moments.shape[1]

    def advance(
        self, state: MixtureState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        shape = (state.moments.shape[1], n_generations)
        out = MixtureStates(np.empty(shape), np.empty(shape))
        normals = normal_table()
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        if self._schedule.is_replace_only:
            refit_replace_only(state.moments, self._schedule.n_synthetic, self._joint, self._truth, normals, span, out)
        else:
            pools = MixturePools(state.pool, state.real)
            refit_pools(state.moments, pools, self._kernel_schedule, self._joint, self._truth, normals, span, out)
            state.n_kept = n_kept_after(self._kernel_schedule, first + n_generations - 1)
        return ModelBlock(out._asdict())


MODEL = Mixture
