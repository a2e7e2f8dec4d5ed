"""Independent Poisson counts of many symbols: tables, and exact variates where the tables do not decide."""

import math

import numpy as np

from fastcollapse.kernels.counts.workspace import BLOCK
from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.discrete_variates import poisson
from fastcollapse.kernels.random.poisson_table import (
    COARSE_SHIFT,
    COARSE_STEP,
    COARSE_WORD_SHIFT,
    FINE_BITS,
    FINE_SHIFT,
    FRACTIONS,
    MEANS_BELOW,
    UNDECIDED,
    search_poisson,
)
from fastcollapse.kernels.random.streams import SUB_BULK, SUB_SPARE, fill_words, next_word, open_draw

# A piece of 16 bits, without the bits that its place in the fine table takes.
_PIECE_SHIFT = np.uint16(16 - FINE_BITS)
# An entry of 16 bits that does not decide has its highest bit set.
_UNDECIDED_BIT = np.uint16(15)
_FINE_MASK = np.uint64(COARSE_STEP - 1)
# Deferred symbols whose lists fit into the workspace; they take at most four words each.
_LISTED = BLOCK // 8
_UNIT_16 = 1.0 / 65536.0
_UNIT_48 = 1.0 / 281474976710656.0
# The tail of Poisson(1) beyond 20 is below 2^-60, less than a 53-bit uniform can reach (rounding aside).
_PART_LIMIT = 20


@kernel
def _part_poisson(part, u):
    """Return the Poisson variate of mean `part` < 1 at the uniform `u`, by inversion."""
    probability = math.exp(-part)
    cumulative = probability
    count = 0
    while u >= cumulative and count < _PART_LIMIT:
        count += 1
        probability *= part / count
        cumulative += probability
    return count


@kernel
def _draw_whole(weights, pieces, spare, tables, workspace, out):
    """Write Poisson counts of whole means: ``(m),(m),...->(m)``.

    The first loop vectorises and the second has no branches. They leave a list of the deferred symbols, whose piece of
    bits does not decide or whose mean is beyond the fine table.
    """
    guide, first, cumulative, coarse_guide, coarse_first, coarse_cumulative, undecided = tables
    places, deferred, words = workspace.places, workspace.deferred, workspace.more_words
    m = weights.shape[0]
    flat = guide.reshape(guide.size)
    for i in range(m):
        place = (np.int32(np.int64(weights[i]) & (COARSE_STEP - 1)) << FINE_BITS) + np.int32(pieces[i] >> _PIECE_SHIFT)
        places[i] = place if weights[i] < COARSE_STEP else undecided
    n_deferred = np.int64(0)
    for i in range(m):
        count = flat[np.uint32(places[i])]
        out[i] = count
        deferred[n_deferred] = i
        n_deferred += np.int64(count >> _UNDECIDED_BIT)
    fill_words(spare, words[:n_deferred])
    for j in range(n_deferred):
        i = int(deferred[j])
        mean = np.int64(weights[i])
        if mean >= MEANS_BELOW:
            out[i] = poisson(np.float64(mean), spare)
            continue
        row = np.uint64(mean) & _FINE_MASK
        count = np.int64(guide[row, np.uint64(pieces[i]) >> FINE_SHIFT])
        if count >= UNDECIDED:
            number = (np.uint64(pieces[i]) << np.uint64(48)) | (words[j] >> np.uint64(16))
            count = search_poisson(row, count, number, first, cumulative)
        if mean >= COARSE_STEP:
            row = np.uint64(mean) >> COARSE_SHIFT
            number = next_word(spare)
            more = np.int64(coarse_guide[row, number >> COARSE_WORD_SHIFT])
            if more >= UNDECIDED:
                more = search_poisson(row, more, number, coarse_first, coarse_cumulative)
            count += more
        out[i] = count


@kernel
def _decide_parts(means, pieces, spare, tables, workspace, n_decided, n_listed, out):
    """Write the counts of `n_listed` deferred symbols from the place `n_decided` on, of means below MEANS_BELOW.

    At most _LISTED symbols, with a list for each of the four parts of a variate: the branches of a single loop are
    mispredicted, and cost half of the time of a draw. A symbol takes its words in the order of the parts.
    """
    guide, first, cumulative, coarse_guide, coarse_first, coarse_cumulative, _ = tables
    deferred, words, m = workspace.deferred, workspace.more_words, means.shape[0]
    lists = workspace.places[: 8 * _LISTED].reshape(8, _LISTED)
    n_whole, n_coarse, n_parts, n_rest = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    n_words = np.int64(0)
    for j in range(n_decided, n_decided + n_listed):
        i = int(deferred[j])
        whole = np.int64(means[i])
        parts = (means[i] - whole) * FRACTIONS
        of_64 = np.int64(parts)
        rest = (parts - np.float64(of_64)) / FRACTIONS
        count = np.int64(guide[np.uint64(whole) & _FINE_MASK, np.uint64(pieces[i]) >> FINE_SHIFT])
        more = np.int64(guide[COARSE_STEP + of_64, np.uint64(pieces[m + i]) >> FINE_SHIFT])
        of_whole, of_parts = np.int64(count >= UNDECIDED), np.int64(more >= UNDECIDED)
        of_coarse = np.int64(whole >= COARSE_STEP)
        of_rest = np.int64((np.float64(pieces[2 * m + i]) + 1.0) * _UNIT_16 > 1.0 - rest)
        out[i] = count * (1 - of_whole) + more * (1 - of_parts)
        lists[0, n_whole], lists[1, n_whole] = i, n_words
        n_words += of_whole
        lists[2, n_coarse], lists[3, n_coarse] = i, n_words
        n_words += of_coarse
        lists[4, n_parts], lists[5, n_parts] = i, n_words
        n_words += of_parts
        lists[6, n_rest], lists[7, n_rest] = i, n_words
        n_words += of_rest
        n_whole += of_whole
        n_coarse += of_coarse
        n_parts += of_parts
        n_rest += of_rest
    fill_words(spare, words[:n_words])
    for j in range(n_whole):
        i = int(lists[0, j])
        piece, row = np.uint64(pieces[i]), np.uint64(np.int64(means[i])) & _FINE_MASK
        number = (piece << np.uint64(48)) | (words[lists[1, j]] >> np.uint64(16))
        out[i] += search_poisson(row, np.int64(guide[row, piece >> FINE_SHIFT]), number, first, cumulative)
    for j in range(n_coarse):
        i = int(lists[2, j])
        row, number = np.uint64(np.int64(means[i])) >> COARSE_SHIFT, words[lists[3, j]]
        count = np.int64(coarse_guide[row, number >> COARSE_WORD_SHIFT])
        if count >= UNDECIDED:
            count = search_poisson(row, count, number, coarse_first, coarse_cumulative)
        out[i] += count
    for j in range(n_parts):
        i = int(lists[4, j])
        piece = np.uint64(pieces[m + i])
        of_64 = COARSE_STEP + np.int64((means[i] - np.int64(means[i])) * FRACTIONS)
        number = (piece << np.uint64(48)) | (words[lists[5, j]] >> np.uint64(16))
        out[i] += search_poisson(of_64, np.int64(guide[of_64, piece >> FINE_SHIFT]), number, first, cumulative)
    for j in range(n_rest):
        # P(0) = exp(-rest) >= 1 - rest: a piece below that has decided by itself.
        i = int(lists[6, j])
        parts = (means[i] - np.int64(means[i])) * FRACTIONS
        rest = (parts - np.float64(np.int64(parts))) / FRACTIONS
        low = np.float64(words[lists[7, j]] >> np.uint64(16)) * _UNIT_48
        out[i] += _part_poisson(rest, (np.float64(pieces[2 * m + i]) + low) * _UNIT_16)


@kernel
def _draw_parts(means, pieces, spare, tables, workspace, out):
    """Write Poisson counts of any means: ``(m),(3m),...->(m)``.

    A variate is the sum of three: of the whole part of the mean, of its 64ths, and of the rest, which is nearly always
    0. The first loop vectorises and the second has no branches, as in `_draw_whole`.
    """
    guide, _, _, _, _, _, undecided = tables
    flat = guide.reshape(guide.size)
    # Entry i of `deferred` is the place of the 64ths until the second loop has read it.
    places, deferred = workspace.places, workspace.deferred
    m = means.shape[0]
    of_whole, of_parts, of_rest = pieces[:m], pieces[m : 2 * m], pieces[2 * m : 3 * m]
    for i in range(m):
        tabled = means[i] if means[i] < COARSE_STEP else 0.0
        whole_part = np.int32(tabled)
        parts = (tabled - np.float64(whole_part)) * np.float64(FRACTIONS)
        of_64 = np.int32(parts)
        left = (parts - np.float64(of_64)) / np.float64(FRACTIONS)
        spare_part = (1.0 - left) - (np.float64(np.int32(of_rest[i])) + 1.0) * _UNIT_16
        is_fine = (spare_part if means[i] < COARSE_STEP else -1.0) >= 0.0
        place = np.int32(whole_part << np.int32(FINE_BITS)) + np.int32(of_whole[i] >> _PIECE_SHIFT)
        places[i] = place if is_fine else undecided
        row_of_part = of_64 + np.int32(COARSE_STEP)
        deferred[i] = np.int32(row_of_part << np.int32(FINE_BITS)) + np.int32(of_parts[i] >> _PIECE_SHIFT)
    n_deferred = np.int64(0)
    for i in range(m):
        count = flat[np.uint32(places[i])]
        more = flat[np.uint32(deferred[i])]
        out[i] = np.int32(count) + np.int32(more)
        deferred[n_deferred] = i
        n_deferred += np.int64((count | more) >> _UNDECIDED_BIT)
    n_decided = np.int64(0)
    while n_decided < n_deferred:
        end = min(n_deferred, n_decided + _LISTED)
        stop = n_decided
        while stop < end and means[deferred[stop]] < MEANS_BELOW:
            stop += 1
        _decide_parts(means, pieces, spare, tables, workspace, n_decided, stop - n_decided, out)
        if stop < end:
            i = int(deferred[stop])
            out[i] = poisson(means[i], spare)
            stop += 1
        n_decided = stop


@kernel
def open_poisson(key, replicate, block, workspace):
    """Start the streams of the Poisson counts of a block, the main and the spare one."""
    open_draw(key, replicate, block, SUB_BULK, workspace.streams[0])
    open_draw(key, replicate, block, SUB_SPARE, workspace.streams[1])


@kernel
def poisson_of_counts(weights, tables, workspace, out):
    """Write independent Poisson counts with whole means of up to BLOCK symbols: ``(m),...->(m)``, 2 ns a symbol.

    Parameters
    ----------
    weights : counts (m), the means.
    tables : `PoissonTables`.
    workspace : `Workspace` of one thread, with the streams of `open_poisson`.
    out : counts (m).
    """
    m = weights.shape[0]
    fill_words(workspace.streams[0], workspace.words[: (m + 3) // 4])
    _draw_whole(weights, workspace.pieces, workspace.streams[1], tables, workspace, out)


@kernel
def poisson_of_means(means, tables, workspace, out):
    """Write independent Poisson counts of up to BLOCK symbols: ``(m),...->(m)``, 4 ns a symbol.

    Parameters
    ----------
    means : float64 (m), at least 0.
    tables, workspace, out : as in `poisson_of_counts`.
    """
    m = means.shape[0]
    fill_words(workspace.streams[0], workspace.words[: (3 * m + 3) // 4])
    _draw_parts(means, workspace.pieces, workspace.streams[1], tables, workspace, out)
