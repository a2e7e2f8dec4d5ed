"""Sums over the live cells and contexts of a state, for its metrics."""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel

# Columns of the sums. Those from HETEROZYGOSITY on are weighted by the contexts of the corpus.
WORDS_ALIVE, CELLS, CONTEXTS, ENTROPY, EMISSIONS, ENDS, COVERED, HETEROZYGOSITY, VARIATION, SQUARES = range(10)
N_SUMS = 10
_LOGARITHMS = np.log(np.maximum(np.arange(4096), 1))


@kernel
def _log(count):
    """Return the logarithm of a count of at least 1; most are small."""
    return _LOGARITHMS[count] if count < _LOGARITHMS.shape[0] else math.log(count)


@kernel
def _add_context(counts, truth, first, last, total, out):
    """Add the distances of the law of a context to that of the corpus, weighted by its count in the corpus.

    A context without counts has no law: all of its mass is lost.
    """
    size = np.int64(0)
    for cell in range(first, last):
        size += truth[cell]
    mixed, gaps, squares = 0.0, 0.0, 0.0
    for cell in range(first, last):
        p = counts[cell] / total if total > 0 else 0.0
        gap = p - truth[cell] / size
        mixed += p * (1.0 - p)
        gaps += abs(gap)
        squares += gap * gap
    out[HETEROZYGOSITY] += size * mixed
    out[VARIATION] += 0.5 * size * (gaps if total > 0 else 2.0)
    out[SQUARES] += size * squares


@kernel
def cell_sums(table, counts, with_distances, alive, out):
    """Write the sums of one state: ``(D)->(V),(N_SUMS)``, O(D).

    Parameters
    ----------
    table : `CellTable`.
    counts : int32 (D).
    with_distances : whether the columns from HETEROZYGOSITY on are computed.
    alive : uint8 (V + 1), work space: whether a symbol is alive.
    out : float64 (N_SUMS); ENTROPY is the sum of x ln(N/x) over cells of count x in contexts of count N.
    """
    offsets, words, truth = table.offsets, table.words, table.counts
    alive[:] = 0
    out[:] = 0.0
    n_cells, n_contexts, n_emissions, n_covered = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    entropy = 0.0
    n_ends = np.int64(0)
    for context in range(offsets.shape[0] - 1):
        first, last = offsets[context], offsets[context + 1]
        total, n_live = np.int64(0), np.int64(0)
        for cell in range(first, last):
            count = counts[cell]
            if count > 0:
                total += count
                n_live += 1
                n_covered += truth[cell]
                alive[words[cell]] = 1
        if n_live > 1:
            log_total = _log(total)
            for cell in range(first, last):
                if counts[cell] > 0:
                    entropy += counts[cell] * (log_total - _log(counts[cell]))
        if n_live > 0:
            n_contexts += 1
            if words[last - 1] == table.n_words:
                n_ends += counts[last - 1]
        n_cells += n_live
        n_emissions += total
        if with_distances:
            _add_context(counts, truth, first, last, total, out)
    n_alive = np.int64(0)
    for word in range(table.n_words):
        n_alive += alive[word]
    out[WORDS_ALIVE], out[CELLS], out[CONTEXTS] = n_alive, n_cells, n_contexts
    out[ENTROPY], out[EMISSIONS], out[ENDS], out[COVERED] = entropy, n_emissions, n_ends, n_covered
