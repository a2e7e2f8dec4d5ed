"""Chains of kernel ridge regressions whose generations share their rows: one decomposition of their kernel matrix.

The chain of a run, and chains on mixed labels beside it, are followed along the eigenvectors.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.random.streams import PURPOSE_FIXED_REAL, PURPOSE_REAL, PURPOSE_SYNTHETIC
from fastcollapse.kernels.regression.shared_rows import (
    Chains,
    SharedRows,
    errors_of_chains,
    expected_errors,
    refit_shared,
    turn,
)
from fastcollapse.models.kernel_ridge.fit import Table, reciprocal_conditions
from fastcollapse.models.kernel_ridge.generators import Chain, stream_key
from fastcollapse.models.kernel_ridge.setting import KernelRidgeSetting
from fastcollapse.models.kernel_ridge.state import EMPTY, KernelState
from fastcollapse.models.pools import check_pool_memory
from fastcollapse.models.saved_arrays import require


@dataclass(eq=False)
class SharedState(KernelState):
    """State of all replicates between two blocks.

    Everything but the number of the generation can be computed again. So what is saved does not depend on the
    eigenvectors, whose signs differ between processors, and takes no space.

    Parameters
    ----------
    shared : the decomposition.
    inputs : int64 (R, n), numbers of the rows.
    along : float64 (R, 1, C, n), coefficients of the chain of the run along the eigenvectors.
    along_mixed : float64 (R, W*L, C, n), those of the chains on mixed labels; empty without them.
    fixed : float64 (R, C, n), noise of fixed real labels along the eigenvectors; empty without them.
    generation : int64 (1), number of the generation.
    is_decomposed : whether `shared`, `inputs` and `fixed` have been computed.
    """

    shared: Any = None
    inputs: np.ndarray = field(default_factory=lambda: np.empty(0))
    along: np.ndarray = field(default_factory=lambda: np.empty(0))
    along_mixed: np.ndarray = field(default_factory=lambda: np.empty(0))
    fixed: np.ndarray = field(default_factory=lambda: np.empty(0))
    generation: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    is_decomposed: bool = False

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs."""
        return {"generation": self.generation}


class SharedChain(Chain):
    """Chain of a run whose generations have the same rows, and chains on mixed labels beside it."""

    def __init__(self, setting: KernelRidgeSetting) -> None:
        super().__init__(setting)
        parameters, n = setting.parameters, int(setting.schedule.n_synthetic[0])
        self._n = self.n_rows = n
        mixed = parameters.mixed_labels
        noise = parameters.sigma, parameters.synthetic_noise
        laws = parameters.real_labels == "fixed", parameters.from_previous
        self._own = Chains(np.zeros(1), np.full(1, n * parameters.ridge), *noise, *laws)
        weights, ridges = (np.empty(0), np.empty(0)) if mixed is None else (mixed.weights(), mixed.ridges())
        self._grid = Chains(np.repeat(weights, len(ridges)), n * np.tile(ridges, len(weights)), *noise, *laws)
        self._shape = len(weights), len(ridges)
        # Differences to the given labels have the targets 0, which are left out.
        self._targets = setting.truth.test_targets[: 0 if parameters.from_previous else None]

    def initial(self, n_replicates: int, seed: int, first_replicate: int) -> SharedState:
        """Return the state of generation 0; the rows are decomposed at its first refit."""
        n, n_outputs, n_test = self._n, len(self._truth.targets), len(self._test.rows)
        n_chains = len(self._grid.weights)
        check_pool_memory(n_replicates * n * (n + n_test))
        check_pool_memory(n_replicates * n_chains * n_outputs * n, "model.mixed_labels")
        shared = SharedRows(
            np.empty((n_replicates, n)),
            np.empty((n_replicates, n, n)),
            np.empty((n_replicates, n_outputs, n)),
            np.empty((n_replicates, n, n_test)),
            np.empty((n_replicates, n)),
        )
        none = np.empty((n_replicates, 0), np.int64), np.empty((n_replicates, n_outputs, 0))
        return SharedState(
            np.full((n_replicates, n), EMPTY, np.int64),
            np.zeros((n_replicates, n_outputs, n)),
            none,
            shared=shared,
            inputs=np.empty((n_replicates, n), np.int64),
            along=np.zeros((n_replicates, 1, n_outputs, n)),
            along_mixed=np.zeros((n_replicates, n_chains, n_outputs, n)),
            fixed=np.zeros((n_replicates if self._grid.fixed else 0, n_outputs, n)),
        )

    def _decompose(self, state: SharedState, seed: int, first_replicate: int) -> None:
        """Draw the rows of all replicates and decompose their kernel matrices."""
        n, shared = self._n, state.shared
        state.inputs[:] = self.draw(len(state.rows), n, stream_key(seed, first_replicate, 0, PURPOSE_SYNTHETIC))
        n_values = n * (2 * n + len(self._test.rows))
        for batch in self._fitter.batches(np.full(len(state.rows), n), n, n_values):
            values, vectors = self._fitter.diagonalize(state.inputs[batch])
            for name, chains in (("model.ridge", self._own), ("model.mixed_labels.ridge", self._grid)):
                penalty = float(chains.penalties.min(initial=np.inf))
                if np.isfinite(penalty):
                    conditions = reciprocal_conditions(values, penalty)
                    self._fitter.check(conditions, name, penalty / n, n, first_replicate + batch.start, 1)
            shared.values[batch], shared.vectors[batch] = values, vectors
            shared.basis[batch] = self._fitter.values(state.inputs[batch], vectors, self._test)
        shared.spread[:] = np.einsum("rnm,rnm->rn", shared.basis, shared.basis) / len(self._test.rows)
        given = np.ascontiguousarray(self._truth.targets[:, state.inputs].swapaxes(0, 1))
        turn(given, shared.vectors, True, shared.given)
        if self._grid.fixed:
            key = stream_key(seed, first_replicate, 0, PURPOSE_FIXED_REAL)
            turn(self._noise(state.inputs.shape, key), shared.vectors, True, state.fixed)
        state.is_decomposed = True

    def advance(self, state: KernelState, generation: int, seed: int, first_replicate: int) -> None:
        """Run one generation and update `state`."""
        assert isinstance(state, SharedState)
        self._refit(state, generation, seed, first_replicate)
        self._turn_back(state)

    def resume(self, state: KernelState, seed: int, first_replicate: int) -> None:
        """Compute the state of a restored generation: all refits before it, without their errors."""
        assert isinstance(state, SharedState)
        last = int(state.generation[0])
        require("generation", 0 <= last <= len(self._schedule.n_synthetic), "a generation of the run")
        for generation in range(1, last + 1):
            self._refit(state, generation, seed, first_replicate)
        if last:
            self._turn_back(state)

    def _refit(self, state: SharedState, generation: int, seed: int, first_replicate: int) -> None:
        """Refit all chains along the eigenvectors."""
        if not state.is_decomposed:
            self._decompose(state, seed, first_replicate)
        noise = np.zeros((2, *state.coefficients.shape))
        key = stream_key(seed, first_replicate, generation, PURPOSE_SYNTHETIC)
        turn(self._noise(state.inputs.shape, key), state.shared.vectors, True, noise[1])
        refit_shared(state.shared, self._own, noise, generation == 1, state.along)
        if len(self._grid.weights):
            if self._grid.fixed:
                noise[0] = state.fixed
            else:
                real_key = stream_key(seed, first_replicate, generation, PURPOSE_REAL)
                turn(self._noise(state.inputs.shape, real_key), state.shared.vectors, True, noise[0])
            refit_shared(state.shared, self._grid, noise, generation == 1, state.along_mixed)
        state.generation[0] = generation

    def _turn_back(self, state: SharedState) -> None:
        """Write the rows of the chain of the run and their coefficients."""
        state.rows[:] = state.inputs
        turn(state.along[:, 0].copy(), state.shared.vectors, False, state.coefficients)

    def values(self, state: KernelState, at: np.ndarray | Table) -> np.ndarray:
        """Return the functions of a state at numbered rows (R, N) or at the held-out rows, float64 (R, C, N)."""
        assert isinstance(state, SharedState)
        if not state.generation[0]:
            return super().values(state, at)
        is_sum = self._parameters.from_previous
        if isinstance(at, np.ndarray):
            values = super().values(state, at)
            return values + self._truth.targets[:, at].swapaxes(0, 1) if is_sum else values
        out = np.empty((*state.coefficients.shape[:2], len(at.rows)))
        turn(state.along[:, 0].copy(), state.shared.basis, False, out)
        return out + self._truth.test_targets if is_sum else out

    def beside(self, state: KernelState, generation: int) -> dict[str, np.ndarray]:
        """Return errors of the chains on mixed labels, and expectations given the rows, name -> float64 (R, ...)."""
        assert isinstance(state, SharedState)
        n_replicates, found = len(state.rows), {}
        for name, chains, along, shape in (
            ("generator", self._own, None, ()),
            ("mixed", self._grid, state.along_mixed, self._shape),
        ):
            out = np.zeros((2, n_replicates, len(chains.weights)))
            if not out.size:
                continue
            if generation and along is not None:
                errors_of_chains(along, state.shared.basis, self._targets, current_threads(), out[0])
            if along is not None:
                found[f"{name}_error"] = out[0].reshape(n_replicates, *shape)
            if self._has_expected:
                if generation:
                    rest = float(generation), current_threads(), out[1]
                    expected_errors(state.shared, chains, self._targets, *rest)
                found[f"{name}_expected"] = out[1].reshape(n_replicates, *shape)
        return found
