"""Chains on mixed labels, real and synthetic, for a grid of weights and ridges beside the chain of a run."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import StreamKey, span_of
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.designs import REDUCED
from fastcollapse.kernels.regression.mixed_labels import (
    Decompositions,
    MixedLabels,
    MixedTruth,
    decompose_designs,
    mix_fresh,
    mix_shared,
)
from fastcollapse.models.pools import check_pool_memory
from fastcollapse.models.ridge.generators import NormalEquationsChain
from fastcollapse.models.ridge.parameters import RidgeParameters
from fastcollapse.models.ridge.truth import Regression


@dataclass(eq=False)
class MixedState:
    """State of the chains of all replicates between two blocks.

    Parameters
    ----------
    gaps : float64 (R, C, k or d), weights less w0 of C chains: along the rows that all generations share, or all.
    designs : decompositions of the inputs that all generations share, or None; random streams can draw them again.
    """

    gaps: np.ndarray
    designs: Decompositions | None


class MixedChains(NormalEquationsChain):
    """Chains for every weight and ridge of `[model.mixed_labels]`, with the same inputs and noise.

    Raises
    ------
    InputError
        The workflow is not `replace`, or the inputs do not fit into memory.
    """

    def __init__(self, truth: Regression, parameters: RidgeParameters, schedule: Schedule) -> None:
        super().__init__(truth, parameters, schedule)
        assert parameters.mixed_labels is not None
        if not schedule.is_replace_only:
            raise InputError("workflow.name must be 'replace' with model.mixed_labels, and no weight or map")
        self._truth_arrays = MixedTruth(truth.spectrum, truth.weights, truth.is_isotropic)
        weights, ridges = parameters.mixed_labels.weights(), parameters.mixed_labels.ridges()
        noise = parameters.sigma, parameters.synthetic_noise
        laws = parameters.real_labels == "fixed", parameters.from_previous
        self._mixed = MixedLabels(weights, ridges, schedule.n_synthetic, *noise, *laws)
        self.shape = len(weights), len(ridges)
        n = int(schedule.n_synthetic.max())
        self._n_rows = min(n, truth.dimension) if self._design.law == REDUCED else n
        check_pool_memory(self._n_rows * truth.dimension)

    def initial(self, n_replicates: int, shared: Any) -> MixedState:
        """Return the state of generation 0; `shared` float64 (R, m, d) are the inputs of a run that shares them."""
        d = self._truth.dimension
        k = min(self._n_rows, d) if self._dependent else d
        n_chains = self.shape[0] * self.shape[1]
        check_pool_memory(n_replicates * n_chains * k, "model.mixed_labels")
        gaps = np.zeros((n_replicates, n_chains, k))
        if not self._dependent:
            return MixedState(gaps, None)
        m = self._n_rows
        check_pool_memory(n_replicates * k * (m + d))
        designs = Decompositions(
            np.empty((n_replicates, m, k)), np.empty((n_replicates, k)), np.empty((n_replicates, k, d))
        )
        decompose_designs(shared, designs)
        return MixedState(gaps, designs)

    def follow(self, state: MixedState, first: int, n_generations: int, key: StreamKey) -> np.ndarray:
        """Run generations from `first` on, update `state` and return the errors, float64 (R, B, W, L)."""
        out = np.empty((len(state.gaps), n_generations, *self.shape))
        rest = self._truth_arrays, self._mixed, normal_table()
        span = span_of(key, first, n_generations, current_threads())
        if state.designs is None:
            mix_fresh(state.gaps, self._design, *rest, span, out)
        else:
            mix_shared(state.gaps, state.designs, *rest, span, out)
        return out
