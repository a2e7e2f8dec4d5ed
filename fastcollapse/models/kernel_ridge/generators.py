"""Chain of generations of a kernel ridge regression: samples of real inputs are labelled by the last fit and fitted."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError
from fastcollapse.kernels.random.streams import (
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SUBSAMPLE,
    PURPOSE_SYNTHETIC,
    StreamKey,
)
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.row_samples import draw_noise, draw_rows
from fastcollapse.models.base import State, run_key
from fastcollapse.models.kernel_ridge.fit import Fitter, Table
from fastcollapse.models.kernel_ridge.parameters import KernelRidgeParameters
from fastcollapse.models.kernel_ridge.truth import Labelled
from fastcollapse.models.pools import check_pool_memory, n_fixed_real, n_kept_after, pool_capacity

EMPTY = -1


@dataclass(eq=False)
class KernelState(State):
    """State of all replicates between two blocks.

    Parameters
    ----------
    rows : int64 (R, m), numbers of the rows z_i of a function, padded with -1; all -1 at generation 0.
    coefficients : float64 (R, C, m), coefficients a_i, padded with 0.
    real : rows (R, n) and labels (R, C, n) of fixed real samples; random streams can draw them again.
    pools : samples of the pools, `inputs` int64 (R, P) and `labels` float64 (R, P, C), used up to `n_kept`.
    n_kept : number of pool samples that the next generation keeps.
    """

    rows: np.ndarray
    coefficients: np.ndarray
    real: tuple[np.ndarray, np.ndarray]
    pools: dict[str, np.ndarray] = field(default_factory=dict)
    n_kept: int = 0

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs."""
        pools = {name: values[:, : self.n_kept] for name, values in self.pools.items()}
        return {"rows": self.rows, "coefficients": self.coefficients, **pools}


def stream_key(seed: int, first_replicate: int, generation: int, purpose: int) -> StreamKey:
    """Return the key of the random streams of a draw at a generation."""
    key = run_key(seed, first_replicate)
    return StreamKey(key.seed, key.first_replicate, np.uint64(generation), np.uint64(purpose))


class Chain:
    """Simulates the generations of all replicates.

    Raises
    ------
    InputError
        A generation has more samples than the data has rows, or the samples do not fit into memory.
    """

    def __init__(self, truth: Labelled, parameters: KernelRidgeParameters, schedule: Schedule, fitter: Fitter) -> None:
        self._truth, self._parameters, self._schedule, self._fitter = truth, parameters, schedule, fitter
        self._kernel_schedule = kernel_schedule(schedule)
        n_rows = len(truth.rows)
        for key, sizes in (("n_samples", schedule.n_synthetic), ("n_real", schedule.n_real)):
            if sizes.max() > n_rows:
                limit = f"at most the {n_rows:,} rows that are not held out"
                raise InputError(f"workflow.{key} must be {limit}, got {sizes.max()}")
        fitted = np.where(
            self._kernel_schedule.n_train > 0,
            self._kernel_schedule.n_train,
            self._kernel_schedule.n_kept + schedule.n_synthetic + schedule.n_real,
        )
        self.largest = int(min(fitted.max(), n_rows))
        fitter.check_memory(self.largest, "workflow.n_samples")
        self._has_pool = bool(self._kernel_schedule.n_kept.any()) or bool(schedule.n_train.any())

    def initial(self, n_replicates: int, seed: int, first_replicate: int) -> KernelState:
        """Return the state of generation 0."""
        n_outputs = len(self._truth.targets)
        pools = {}
        if self._has_pool:
            n = pool_capacity(self._kernel_schedule)
            check_pool_memory(n_replicates * n * (1 + n_outputs))
            pools = {"inputs": np.zeros((n_replicates, n), np.int64), "labels": np.zeros((n_replicates, n, n_outputs))}
        key = stream_key(seed, first_replicate, 0, PURPOSE_FIXED_REAL)
        rows = np.full((n_replicates, self.largest), EMPTY, np.int64)
        coefficients = np.zeros((n_replicates, n_outputs, self.largest))
        return KernelState(rows, coefficients, self._draw_real(n_replicates, n_fixed_real(self._schedule), key), pools)

    def advance(self, state: KernelState, generation: int, seed: int, first_replicate: int) -> None:
        """Run one generation and update `state`."""
        schedule, t = self._kernel_schedule, generation - 1
        n_replicates = len(state.rows)
        key = stream_key(seed, first_replicate, generation, PURPOSE_SYNTHETIC)
        inputs = self.draw(n_replicates, int(schedule.n_synthetic[t]), key)
        labels = self.label(state, inputs, self._parameters.synthetic_noise, key)
        if schedule.n_real[t]:
            fixed, real_key = (
                self._schedule.real == "fixed",
                stream_key(seed, first_replicate, generation, PURPOSE_REAL),
            )
            real = state.real if fixed else self._draw_real(n_replicates, int(schedule.n_real[t]), real_key)
            inputs, labels = np.hstack([inputs, real[0]]), np.concatenate([labels, real[1]], axis=2)
        if self._has_pool:
            inputs, labels = self._pool(state, inputs, labels, t)
            inputs, labels = self._subsample(
                inputs, labels, t, stream_key(seed, first_replicate, generation, PURPOSE_SUBSAMPLE)
            )
        self._fit(state, inputs, labels, first_replicate, generation)

    def draw(self, n_replicates: int, n: int, key: StreamKey, block: int = 0) -> np.ndarray:
        """Return the numbers of n distinct random rows for each replicate, int64 (R, n)."""
        out = np.empty((n_replicates, n), np.int64)
        draw_rows(len(self._truth.rows), False, key, np.uint64(block), out)
        return out

    def label(self, state: KernelState, at: np.ndarray, sigma: float, key: StreamKey, block: int = 0) -> np.ndarray:
        """Return noisy labels of rows `at` (R, n) by the functions of a state, float64 (R, C, n)."""
        return self.values(state, at) + sigma * self._noise(at.shape, key, block)

    def values(self, state: KernelState, at: np.ndarray | Table) -> np.ndarray:
        """Return the functions of a state at numbered rows (R, N) or at the held-out rows, float64 (R, C, N)."""
        truth, (n_replicates, n_outputs, _) = self._truth, state.coefficients.shape
        n_at = len(at.rows) if isinstance(at, Table) else at.shape[1]
        out = np.empty((n_replicates, n_outputs, n_at))
        sizes = (state.rows != EMPTY).sum(axis=1)
        n_values = n_at * (n_outputs + (0 if isinstance(at, Table) else truth.rows.shape[1]))
        for batch in self._fitter.batches(sizes, self.largest, n_values):
            n = sizes[batch.start]
            own = at if isinstance(at, Table) else at[batch]
            if n > 0:
                coefficients = np.ascontiguousarray(state.coefficients[batch, :, :n])
                out[batch] = self._fitter.values(state.rows[batch, :n], coefficients, own)
            elif isinstance(own, Table):
                out[batch] = truth.test_targets
            else:
                out[batch] = truth.targets[:, own].swapaxes(0, 1)
        return out

    def _noise(self, shape: tuple[Any, ...], key: StreamKey, block: int) -> np.ndarray:
        """Return standard normal variates (R, C, n)."""
        n_outputs = len(self._truth.targets)
        out = np.empty((shape[0], n_outputs * shape[1]))
        draw_noise(normal_table(), key, np.uint64(block), out)
        return out.reshape(shape[0], n_outputs, shape[1])

    def label_truly(self, at: np.ndarray, key: StreamKey, block: int = 0) -> np.ndarray:
        """Return given labels of rows `at` (R, n) with noise, float64 (R, C, n)."""
        given = self._truth.targets[:, at].swapaxes(0, 1)
        return given + self._parameters.sigma * self._noise(at.shape, key, block)

    def _draw_real(self, n_replicates: int, n: int, key: StreamKey) -> tuple[np.ndarray, np.ndarray]:
        """Return real samples: rows (R, n) and their given labels with noise (R, C, n)."""
        inputs = self.draw(n_replicates, n, key)
        return inputs, self.label_truly(inputs, key)

    def _pool(
        self, state: KernelState, inputs: np.ndarray, labels: np.ndarray, t: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Add samples to the pool and return all samples of the pool."""
        kept = int(self._kernel_schedule.n_kept[t])
        end = kept + inputs.shape[1]
        state.pools["inputs"][:, kept:end] = inputs
        state.pools["labels"][:, kept:end] = labels.swapaxes(1, 2)
        state.n_kept = n_kept_after(self._kernel_schedule, t + 1)
        return state.pools["inputs"][:, :end], state.pools["labels"][:, :end].swapaxes(1, 2)

    def _subsample(
        self, inputs: np.ndarray, labels: np.ndarray, t: int, key: StreamKey
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return a random subsample for generation t + 1, or all samples if the schedule has none."""
        n = int(self._kernel_schedule.n_train[t])
        if not n:
            return inputs, labels
        chosen = np.empty((len(inputs), n), np.int64)
        draw_rows(inputs.shape[1], bool(self._schedule.replacement), key, np.uint64(0), chosen)
        return np.take_along_axis(inputs, chosen, 1), np.take_along_axis(labels, chosen[:, None], 2)

    def _fit(self, state: KernelState, inputs: np.ndarray, labels: np.ndarray, first: int, generation: int) -> None:
        """Fit every replicate to its samples.

        A row that occurs c times is replaced by one row with the mean of its labels and the ridge divided by c. This
        gives the same function, and repeated rows do not make the matrix singular.
        """
        penalty = self._parameters.ridge * inputs.shape[1]
        folded = [fold(inputs[r], labels[r]) for r in range(len(inputs))]
        sizes = np.array([len(rows) for rows, _, _ in folded])
        state.rows[:], state.coefficients[:] = EMPTY, 0.0
        for batch in self._fitter.batches(sizes, self.largest, 2 * state.coefficients[0].size):
            rows, counts, means = (np.stack(parts) for parts in zip(*folded[batch], strict=True))
            coefficients, conditions = self._fitter.fit(rows, means, penalty / counts)
            n = rows.shape[1]
            ridge = self._parameters.ridge
            self._fitter.check(conditions, "model.ridge", ridge, n, first + batch.start, generation)
            state.rows[batch, :n], state.coefficients[batch, :, :n] = rows, coefficients


def fold(inputs: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sorted distinct rows, their counts and their mean labels: ``(n),(C,n)->(m),(m),(C,m)``."""
    rows, place, counts = np.unique(inputs, return_inverse=True, return_counts=True)
    sums = np.array([np.bincount(place, weights=one, minlength=len(rows)) for one in labels])
    return rows, counts.astype(np.float64), sums / counts
