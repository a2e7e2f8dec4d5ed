"""The state of a run with count spectra: its checks, and its spectra as rows of a block."""

from dataclasses import dataclass

import numpy as np

from fastcollapse.config.fields import MAX_COUNT
from fastcollapse.kernels.spectrum.rows import Rows
from fastcollapse.models.base import State
from fastcollapse.models.saved_arrays import require
from fastcollapse.variables import SampleRows


@dataclass(eq=False)
class SpectrumState(State):
    """State of all replicates between two blocks.

    Parameters
    ----------
    rows : key, count and number of the rows of each replicate.
    lengths : int64 (R), number of rows in use.
    generation : int64 (R), generation of the state.
    real : int64 (1 or R, K), fixed real data of each key, or (1, 0).
    first_weights : float64 (1 or R, M), weights of the rows of generation 0.
    owners : int64 (1 or R, K), class of the truth of each key, or group of classes if these are the keys.
    """

    rows: Rows
    lengths: np.ndarray
    generation: np.ndarray
    real: np.ndarray
    first_weights: np.ndarray
    owners: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs, without the columns that no replicate uses."""
        end = int(self.lengths.max())
        rows = {name: values[:, :end] for name, values in self.rows._asdict().items()}
        return {**rows, "lengths": self.lengths, "generation": self.generation}


def check_rows(state: SpectrumState, sizes: np.ndarray, n_symbols: int) -> None:
    """Refuse saved rows that no run has: the kernels do not check.

    Parameters
    ----------
    state : with the arrays of a file.
    sizes : int64 (T), number of tokens of each generation.
    n_symbols : number of symbols of the truth.

    Raises
    ------
    ValueError
        An array has a value that no run has.
    """
    n_keys = max(1, state.owners.shape[1])
    generation = int(state.generation[0])
    total = int(sizes[generation - 1])
    for r, length in enumerate(state.lengths):
        keys, counts, numbers = (values[r, :length] for values in state.rows)
        require("keys", ((keys >= 0) & (keys < n_keys)).all(), f"from 0 to {n_keys - 1}")
        require("counts", ((counts >= 0) & (counts <= MAX_COUNT)).all(), f"from 0 to {MAX_COUNT}")
        require("numbers", ((numbers >= 1) & (numbers <= n_symbols)).all(), f"from 1 to {n_symbols}")
        require("numbers", float(numbers.sum(dtype=np.float64)) <= n_symbols, f"of {n_symbols} symbols")
        if generation:
            tokens = float(counts.astype(np.float64) @ numbers)
            is_sample = abs(tokens - total) <= 1e-6 * total and int(counts @ numbers) == total
            require("counts", is_sample, "a sample of the size of the state")
            ascending = (np.diff(keys) > 0) | ((np.diff(keys) == 0) & (np.diff(counts) > 0))
            require("keys", ascending.all(), "in order, each with its counts in order")


def points_of(state: SpectrumState, replicate: int) -> np.ndarray:
    """Return the spectrum of a replicate: counts and numbers of symbols, float64 (n, 2), ascending."""
    end = state.lengths[replicate]
    counts, numbers = state.rows.counts[replicate, :end], state.rows.numbers[replicate, :end]
    distinct, where = np.unique(counts, return_inverse=True)
    points = np.column_stack([distinct, np.bincount(where, numbers, len(distinct))])
    return points[points[:, 0] > 0]


def samples_of(points: list[np.ndarray]) -> dict[str, SampleRows]:
    """Return the rows of a block from the spectra of its generations and replicates."""
    indptr = np.concatenate([[0], np.cumsum([len(rows) for rows in points])]).astype(np.int64)
    return {"spectrum": SampleRows(indptr, np.concatenate(points).astype(np.float64))}
