"""The hidden_interval family: a consistent maximum likelihood that collapses at the second fit.

The law with the parameter a in [0, 1/4] is

    (1/2) U[0, 1] + (1/2) {(1 - a) U[0, 1 - 2a] + (a/2) U[2, 3] + (a/2) U[mu, mu + f(a)]},   mu in [2, 3 - f(a)],

and the truth is a = 0. A first fit has a of the order 1/n. Where one of the n points that it generates is in [2, 3],
the narrow interval covers it at the next fit, although all real data are still there. The width is f(a) = 1/39 for
a < 1/4, and f(1/4) is so small that one point decides. The paper lets f fall from a = 1/10 on instead; then such a fit
has a just below 1/4. The distance of total variation to the truth is a.
"""

import dataclasses
from typing import Any

import numpy as np

from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.schedule import Schedule
from fastcollapse.config.sections import TruthSection
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.models.base import ArrayModel, ModelBlock, State, run_key
from fastcollapse.models.hidden_interval.kernels import N_GAPS, NO_GAP, draw_real, refit
from fastcollapse.models.hidden_interval.metrics import METRICS, ROLES
from fastcollapse.models.pools import n_fixed_real
from fastcollapse.variables import Variable


@dataclasses.dataclass(frozen=True)
class HiddenIntervalTruth(TruthSection):
    """The uniform law of generation 0, without keys."""

    @property
    def source(self) -> str:
        """Description of the truth."""
        return "U[0, 1]"


@dataclasses.dataclass(eq=False)
class HiddenIntervalState(State):
    """Fits (R), counts inside and outside (R, 2), smallest gaps of the pool (R, K), and of a fixed real batch."""

    fits: np.ndarray
    counts: np.ndarray
    gaps: np.ndarray
    real: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs."""
        return {"fits": self.fits, "counts": self.counts, "gaps": self.gaps}


class HiddenInterval(ArrayModel):
    """Recursive training of the law with a hidden interval, from U[0, 1].

    Parameters
    ----------
    truth, parameters : without keys.
    schedule : the workflow as arrays over generations.
    record : value of `run.record`; not used, because the states are always returned.

    References
    ----------
    Barzilai and Shamir, arXiv:2505.19046, Theorem 5.1.
    """

    TRUTH = HiddenIntervalTruth
    BLOCK_BYTES = 4_000_000
    METRICS = METRICS
    ROLES = ROLES
    CAPABILITIES = frozenset({"pool", "fresh_real", "fixed_real"})

    def __init__(self, truth: Any, parameters: Any, schedule: Schedule, record: tuple[Any, ...] = ()) -> None:
        self._schedule = schedule
        self._kernel_schedule = kernel_schedule(schedule)

    def state_variables(self) -> dict[str, Variable]:
        """Return the variables of the states."""
        return {"total_variation": METRICS["total_variation"].variable}

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state."""
        return {"total_variation": np.array(0.0)}

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> HiddenIntervalState:
        """Return the state of generation 0."""
        n_real = n_fixed_real(self._schedule)
        real = np.zeros((n_replicates if n_real else 0, N_GAPS))
        if n_real:
            draw_real(n_real, run_key(seed, first_replicate), real)
        gaps = np.full((n_replicates, N_GAPS), NO_GAP)
        return HiddenIntervalState(np.zeros(n_replicates), np.zeros((n_replicates, 2)), gaps, real)

    def generation_bytes(self, state: HiddenIntervalState) -> int:
        """Return the size of the states of one generation, in bytes."""
        return 8 * len(state.fits)

    def advance(
        self, state: HiddenIntervalState, first: int, n_generations: int, seed: int, first_replicate: int = 0
    ) -> ModelBlock:
        """Run `n_generations` generations from `first` on, update `state` and return the block."""
        out = np.empty((len(state.fits), n_generations))
        span = span_of(run_key(seed, first_replicate), first, n_generations, current_threads())
        refit(state.fits, state.counts, state.gaps, state.real, self._kernel_schedule, span, out)
        return ModelBlock({"total_variation": out})


MODEL = HiddenInterval
