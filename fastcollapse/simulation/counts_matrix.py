"""Counts of a replicate in all generations, as a sparse matrix."""

from typing import TYPE_CHECKING

import numpy as np

from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def counts_matrix(run: RecordedRun, replicate: int) -> "csr_array":
    """Return the counts of a replicate, int64 or float64 [T + 1, K], see `Results.counts_matrix`."""
    from scipy.sparse import csr_array  # start-up time

    first = 0 if run.has_real_counts else 1
    rows = [run.counts(replicate, generation) for generation in range(first, run.last + 1)]
    sizes = [*([0] * min(first, run.last + 1)), *(len(symbols) for symbols, _ in rows)]
    dtype = np.float64 if run.reader.header.weighted else np.int64
    symbols = np.concatenate([np.empty(0, np.int64), *(symbols for symbols, _ in rows)])
    counts = np.concatenate([np.empty(0, dtype), *(counts.astype(dtype) for _, counts in rows)])
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    return csr_array((counts, symbols, indptr), shape=(run.last + 1, run.reader.header.n_columns))
