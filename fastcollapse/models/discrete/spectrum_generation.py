"""One generation of count spectra: the kernels run again with more room where an array is too short."""

import math

import numpy as np

from fastcollapse.kernels.random.streams import StreamKey
from fastcollapse.kernels.spectrum.bag import TOO_SHORT
from fastcollapse.kernels.spectrum.law_sample import Law, sample_law
from fastcollapse.kernels.spectrum.refit import SHORT, WAITING, Step, Weights, refit_spectra
from fastcollapse.kernels.spectrum.rows import N_SUMS, Rows, new_rows
from fastcollapse.models.discrete.spectrum_buffers import SpectrumBuffers
from fastcollapse.models.discrete.spectrum_state import SpectrumState


def refit_rows(
    state: SpectrumState, step: Step, key: StreamKey, weights: Weights, n_alive: int, buffers: SpectrumBuffers
) -> tuple[np.ndarray, np.ndarray]:
    """Replace the rows of all replicates by those of the next generation.

    Parameters
    ----------
    state : the rows and lengths change.
    step, weights : the generation, and its inputs besides the state.
    key : stream key of the run.
    n_alive : number of keys or rows whose live symbols are counted, see `Step`.
    buffers : work arrays; they grow.

    Returns
    -------
    tuple of ndarray
        Sums, float64 (R, N_SUMS), and numbers of live symbols, int64 (R, n_alive).
    """
    n_replicates = len(state.lengths)
    out = np.zeros((n_replicates, N_SUMS)), np.zeros((n_replicates, n_alive), np.int64)
    status = np.full(n_replicates, WAITING, np.int64)
    while True:
        n_rows = state.rows.counts.shape[1]
        work, bags = buffers.arrays(step.n_threads, n_rows)
        refit_spectra(state.rows, state.lengths, weights, step, key, work, bags, (status, *out))
        if not (status == SHORT).any():
            return out
        status[status == SHORT] = WAITING
        state.rows = _with_columns(state.rows, 2 * n_rows)
        buffers.grow(n_rows)


def sample_rows(
    state: SpectrumState, step: Step, key: StreamKey, law: Law, with_lost: bool, buffers: SpectrumBuffers
) -> tuple[np.ndarray, np.ndarray]:
    """Replace the rows of all replicates by those of a sample of a Zipf-Mandelbrot law.

    Parameters
    ----------
    state : the rows and lengths change.
    step : the generation.
    key : stream key of the run.
    law : the law.
    with_lost : whether the lost mass is computed, otherwise it is 0.
    buffers : sizes of the work arrays; they grow.

    Returns
    -------
    tuple of ndarray
        Sums, float64 (R, N_SUMS), and lost mass, float64 (R).
    """
    n_replicates = len(state.lengths)
    sums, lost = np.zeros((n_replicates, N_SUMS)), np.zeros(n_replicates)
    while True:
        # A sample has at most so many different counts. The system gives memory only to the pages that are written.
        rows = new_rows(n_replicates, min(law.size, math.isqrt(2 * step.n_tokens) + 2))
        bags = buffers.bags(step.n_threads)
        sample_law(law, step, key, with_lost, bags, rows, state.lengths, (sums, lost))
        if not bags.info[:, TOO_SHORT].any():
            break
        buffers.grow_far()
    state.rows = _with_columns(rows, 2 * int(state.lengths.max()) + 16)
    return sums, lost


def _with_columns(rows: Rows, n_columns: int) -> Rows:
    """Return the rows with another number of columns; those beyond the old ones are 0 and take no memory."""
    new = new_rows(len(rows.counts), n_columns)
    end = min(n_columns, rows.counts.shape[1])
    for target, values in zip(new, rows, strict=True):
        target[:, :end] = values[:, :end]
    return new
