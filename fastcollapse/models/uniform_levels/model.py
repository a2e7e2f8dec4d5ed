"""The uniform_levels family: one consistent maximum likelihood that collapses for every sample size.

The laws h have a parameter alpha_j in [0, 1/4] for each level j = 0, 1, ...: a point that reaches level j stays there
with probability 1 - alpha_j, uniformly on [j, j + 1 - 2 alpha_j], and otherwise goes on to level j + 1. The truth is
alpha = 0, U[0, 1]. The fit is alpha_j = min(1/4, (1 - M_j)/2), where M_j is the greatest offset in level j. The laws

    g = (1/2) U[0, J] + (1/2) U[J - beta, J - beta + f(J)],   0 < beta <= 1,

belong to the family too. A point in level J - 1 makes g the fit if f(J) is small enough against the data. That is so
from one level on, which depends on f and on the sample size; here it is a key. Laws g of lower levels never win.
"""

import dataclasses
from typing import Any

import numpy as np

from fastcollapse.config.fields import IntField, parameter
from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.schedule import Schedule
from fastcollapse.config.sections import ModelSection, TruthSection
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.models.base import ArrayModel, ModelBlock, State, run_key
from fastcollapse.models.pools import n_fixed_real
from fastcollapse.models.uniform_levels.kernels import NO_GAP, draw_real, refit
from fastcollapse.models.uniform_levels.metrics import METRICS, ROLES
from fastcollapse.variables import Variable


@dataclasses.dataclass(frozen=True)
class UniformLevelsParameters(ModelSection):
    """The level that collapses the model."""

    collapse_level: int = parameter(
        IntField(1, 100), "lowest level whose first point makes the narrow law the fit", default=1
    )


@dataclasses.dataclass(frozen=True)
class UniformLevelsTruth(TruthSection):
    """The uniform law of generation 0, without keys."""

    @property
    def source(self) -> str:
        """Description of the truth."""
        return "U[0, 1]"


@dataclasses.dataclass(eq=False)
class UniformLevelsState(State):
    """Smallest gaps of the pool by level, float64 (R, C + 1), and those of a fixed real batch, (R) or (0)."""

    gaps: np.ndarray
    real: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs."""
        return {"gaps": self.gaps}


class UniformLevels(ArrayModel):
    """Recursive training of uniform levels, from U[0, 1].

    Parameters
    ----------
    truth : without keys.
    parameters : the level that collapses the model.
    schedule : the workflow as arrays over generations.
    record : value of `run.record`; not used, because the states are always returned.

    References
    ----------
    Barzilai and Shamir, arXiv:2505.19046, Theorem 5.2, Lemmas F.2 and F.3.
    """

    PARAMETERS = UniformLevelsParameters
    TRUTH = UniformLevelsTruth
    BLOCK_BYTES = 4_000_000
    METRICS = METRICS
    ROLES = ROLES
    CAPABILITIES = frozenset({"pool", "fresh_real", "fixed_real"})

    def __init__(
        self, truth: Any, parameters: UniformLevelsParameters, schedule: Schedule, record: tuple[Any, ...] = ()
    ) -> None:
        self._n_levels = parameters.collapse_level + 1
        self._schedule = schedule
        self._kernel_schedule = kernel_schedule(schedule)

    def state_variables(self) -> dict[str, Variable]:
        """Return the variables of the states."""
        return {name: METRICS[name].variable for name in ("level", "total_variation")}

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state."""
        return {"level": np.array(0.0), "total_variation": np.array(0.0)}

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> UniformLevelsState:
        """Return the state of generation 0."""
        n_real = n_fixed_real(self._schedule)
        real = np.zeros(n_replicates if n_real else 0)
        if n_real:
            draw_real(n_real, run_key(seed, first_replicate), real)
        return UniformLevelsState(np.full((n_replicates, self._n_levels), NO_GAP), real)

    def generation_bytes(self, state: UniformLevelsState) -> int:
        """Return the size of the states of one generation, in bytes."""
        return 16 * len(state.gaps)

    def advance(
        self, state: UniformLevelsState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        shape = (len(state.gaps), n_generations)
        levels, distances = np.empty(shape), np.empty(shape)
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        refit(state.gaps, state.real, self._kernel_schedule, span, levels, distances)
        return ModelBlock({"level": levels, "total_variation": distances})


MODEL = UniformLevels
