"""Chain of generations of a kernel ridge regression: samples of real inputs are labelled by the last fit and fitted.

If fits start from the previous function, the fit of what it lacks at the samples is added to it. The function then has
the rows of all generations, at most those of the data, and its values at the held-out rows are continued: a generation
costs the kernels of its own rows only.
"""

from collections.abc import Iterator
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
from fastcollapse.models.base import run_key
from fastcollapse.models.kernel_ridge.fit import Table
from fastcollapse.models.kernel_ridge.parameters import KernelRidgeParameters
from fastcollapse.models.kernel_ridge.setting import KernelRidgeSetting
from fastcollapse.models.kernel_ridge.state import EMPTY, KernelState
from fastcollapse.models.pools import check_pool_memory, n_fixed_real, n_kept_after, pool_capacity


def stream_key(seed: int, first_replicate: int, generation: int, purpose: int) -> StreamKey:
    """Return the key of the random streams of a draw at a generation."""
    key = run_key(seed, first_replicate)
    return StreamKey(key.seed, key.first_replicate, np.uint64(generation), np.uint64(purpose))


class Chain:
    """Simulates the generations of all replicates.

    Parameters
    ----------
    setting : what the run is made from.

    Raises
    ------
    InputError
        The workflow does not go with the parameters, a generation has more samples than the data has rows, or the
        samples do not fit into memory.
    """

    def __init__(self, setting: KernelRidgeSetting) -> None:
        self._truth, self._test, self._fitter = setting.truth, setting.test, setting.fitter
        self._parameters, self._schedule = parameters, schedule = setting.parameters, setting.schedule
        self._has_expected = setting.has_expected
        self._kernel_schedule = kernel_schedule(schedule)
        check_workflow(parameters, schedule)
        n_rows = len(self._truth.rows)
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
        # The most rows of a function.
        self.n_rows = int(min(fitted.sum(), n_rows)) if parameters.from_previous else self.largest
        self._fitter.check_memory(self.largest, "workflow.n_samples")
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
        real = self._draw_real(n_replicates, n_fixed_real(self._schedule), key)
        state = self._functions(n_replicates, n_outputs, "workflow.n_samples", real, pools)
        if self._gathers_noise:
            state.expected = np.zeros(n_replicates)
        return state

    @property
    def _gathers_noise(self) -> bool:
        """Whether a function is the given labels plus fits of noise, and what is expected of them is computed."""
        return self._parameters.from_previous and self._has_expected and self._schedule.is_replace_only

    def _functions(self, n_replicates: int, n_outputs: int, key: str, *rest: Any) -> KernelState:
        """Return a state of functions without a row; `key` is the one that their number follows from."""
        rows = np.full((n_replicates, self.n_rows), EMPTY, np.int64)
        changes = None
        check_pool_memory(n_replicates * n_outputs * self.n_rows, key)
        if self._parameters.from_previous:
            check_pool_memory(n_replicates * n_outputs * len(self._test.rows), key)
            changes = np.zeros((n_replicates, n_outputs, len(self._test.rows)))
        state = KernelState(rows, np.zeros((n_replicates, n_outputs, self.n_rows)), *rest)
        state.changes = changes
        return state

    def resume(self, state: KernelState, seed: int, first_replicate: int) -> None:
        """Compute what a restored state has besides its arrays."""

    def beside(self, state: KernelState, generation: int) -> dict[str, np.ndarray]:
        """Return metrics besides those of the functions of the run, name -> float64 (R, ...)."""
        if not (self._parameters.from_previous and self._has_expected):
            return {}
        unknown = np.full(len(state.rows), np.nan if generation else 0.0)
        return {"generator_expected": unknown if state.expected is None else state.expected.copy()}

    def advance(self, state: KernelState, generation: int, seed: int, first_replicate: int) -> None:
        """Run one generation and update `state`."""
        schedule, t = self._kernel_schedule, generation - 1
        n_replicates = len(state.rows)
        key = stream_key(seed, first_replicate, generation, PURPOSE_SYNTHETIC)
        inputs = self.draw(n_replicates, int(schedule.n_synthetic[t]), key)
        if self._parameters.from_previous:
            # What the function lacks of its own labels is their noise.
            labels = self._parameters.synthetic_noise * self._noise(inputs.shape, key)
        else:
            labels = self.label(state, inputs, self._parameters.synthetic_noise, key)
        if schedule.n_real[t]:
            fixed, real_key = (
                self._schedule.real == "fixed",
                stream_key(seed, first_replicate, generation, PURPOSE_REAL),
            )
            rows, given = state.real if fixed else self._draw_real(n_replicates, int(schedule.n_real[t]), real_key)
            if self._parameters.from_previous:
                given = given - self.values(state, rows)
            inputs, labels = np.hstack([inputs, rows]), np.concatenate([labels, given], axis=2)
        if self._has_pool:
            inputs, labels = self._pool(state, inputs, labels, t)
            inputs, labels = self._subsample(
                inputs, labels, t, stream_key(seed, first_replicate, generation, PURPOSE_SUBSAMPLE)
            )
        self._fit(state, inputs, labels, first_replicate, generation)
        if self._gathers_noise:
            self._gather(state, inputs)

    def _gather(self, state: KernelState, inputs: np.ndarray) -> None:
        """Add the expected mean square of a fit of noise at the held-out rows, given its rows (R, n)."""
        assert state.expected is not None
        n_replicates, n = inputs.shape
        n_test = len(self._test.rows)
        for batch in self._fitter.batches(np.full(n_replicates, n), self.largest, n * (2 * n + n_test)):
            units = np.tile(np.eye(n), (batch.stop - batch.start, 1, 1))
            shifts = np.full(inputs[batch].shape, n * self._parameters.ridge)
            fits, _ = self._fitter.fit(inputs[batch], units, shifts)
            values = self._fitter.values(inputs[batch], fits, self._test)
            square = np.einsum("gnm,gnm->g", values, values) / n_test
            state.expected[batch] += self._parameters.synthetic_noise**2 * square

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
        n_at = len(at.rows) if isinstance(at, Table) else at.shape[1]
        out = np.empty((*state.coefficients.shape[:2], n_at))
        for batch, values in self._batches(state, at):
            out[batch] = values
        return out

    def _batches(self, state: KernelState, at: np.ndarray | Table) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield batches of replicates with their values, float64 (G, C, N), see `values`."""
        n_outputs, d = state.coefficients.shape[1], self._truth.rows.shape[1]
        n_at = len(at.rows) if isinstance(at, Table) else at.shape[1]
        sizes = (state.rows != EMPTY).sum(axis=1)
        n_values = n_at * (n_outputs + (0 if isinstance(at, Table) else d)) + (self.n_rows - self.largest) * d
        if n_outputs > len(self._truth.targets):
            # Chains on mixed labels: labels and coefficients, and the decomposition of a kernel matrix.
            n_values += 3 * n_at * n_outputs + 2 * self.largest**2
        for batch in self._fitter.batches(sizes, self.largest, n_values):
            n, own = sizes[batch.start], at if isinstance(at, Table) else at[batch]
            given = np.zeros(1)
            if n == 0 or state.changes is not None:
                targets = self._truth.test_targets[:, None] if isinstance(own, Table) else self._truth.targets[:, own]
                # Several chains have the same given labels.
                given = np.tile(targets.swapaxes(0, 1), (1, n_outputs // len(targets), 1))
            if n == 0:
                shape = batch.stop - batch.start, n_outputs, n_at
                yield batch, np.broadcast_to(given, shape)
            elif state.changes is not None and isinstance(own, Table):
                yield batch, given + state.changes[batch]
            else:
                coefficients = np.ascontiguousarray(state.coefficients[batch, :, :n])
                values = self._fitter.values(state.rows[batch, :n], coefficients, own)
                yield batch, values if state.changes is None else given + values

    def _noise(self, shape: tuple[Any, ...], key: StreamKey, block: int = 0) -> np.ndarray:
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
        for batch in self._fitter.batches(sizes, self.largest, 2 * state.coefficients[0].size):
            rows, counts, means = (np.stack(parts) for parts in zip(*folded[batch], strict=True))
            coefficients, conditions = self._fitter.fit(rows, means, penalty / counts)
            n = rows.shape[1]
            ridge = self._parameters.ridge
            self._fitter.check(conditions, "model.ridge", ridge, n, first + batch.start, generation)
            self._keep(state, batch, rows, coefficients)

    def _keep(self, state: KernelState, batch: slice, rows: np.ndarray, coefficients: np.ndarray) -> None:
        """Replace the functions of a batch by fitted ones, or add them."""
        if state.changes is None:
            state.replace(batch, rows, coefficients)
        else:
            state.add(batch, rows, coefficients, self._fitter.values(rows, coefficients, self._test))


def check_workflow(parameters: KernelRidgeParameters, schedule: Schedule) -> None:
    """Refuse a workflow that the parameters do not go with."""
    needed = ""
    if parameters.mixed_labels is not None and not schedule.is_replace_only:
        needed = "'replace' with model.mixed_labels"
    elif parameters.is_dependent and not schedule.is_replace_only:
        needed = "'replace' where model.designs is 'dependent'"
    elif parameters.from_previous and schedule.needs & {"pool", "subsample"}:
        needed = "'replace' or 'mix' where model.start is 'previous'"
    if needed:
        raise InputError(f"workflow.name must be {needed}")
    if parameters.is_dependent and np.ptp(schedule.n_synthetic) > 0:
        raise InputError("workflow.n_samples must be one number where model.designs is 'dependent'")


def fold(inputs: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sorted distinct rows, their counts and their mean labels: ``(n),(C,n)->(m),(m),(C,m)``."""
    rows, place, counts = np.unique(inputs, return_inverse=True, return_counts=True)
    sums = np.array([np.bincount(place, weights=one, minlength=len(rows)) for one in labels])
    return rows, counts.astype(np.float64), sums / counts
