"""Multinomial and multivariate hypergeometric draws over many symbols, parallel over replicates and blocks of symbols.

A multinomial of n tokens is drawn as independent Poisson counts, one a symbol, whose sum N is then corrected to n: missing tokens are
drawn one by one, surplus ones are removed uniformly without replacement. `poisson_pass` draws and shares the difference out over the
blocks, `settle` corrects one block. Blocks are fixed ranges of BLOCK symbols, so streams belong to symbols and not to threads.

Counts and weights are float64: counts are whole and exact up to 1e15 (below 2^53).
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse._jit import inlined, kernel, parallel_kernel, prange
from fastcollapse.kernels.poisson_table import (
    COARSE_SHIFT,
    COARSE_STEP,
    COARSE_WORD_SHIFT,
    FINE_BITS,
    FINE_SHIFT,
    FRACTIONS,
    MEANS_BELOW,
    UNDECIDED,
    settled_poisson,
)
from fastcollapse.kernels.variates import binomial, hypergeometric, poisson
from fastcollapse.rng import (
    STREAM_WORDS,
    SUB_BULK,
    SUB_CORRECT,
    SUB_SPARE,
    SUB_SPLIT,
    fill_words,
    next_word,
    open_stream,
    uniform,
)

BLOCK = 4096
_FINE_MASK = np.uint64(COARSE_STEP - 1)
_FRACTION_ROW = np.uint64(COARSE_STEP)
_PIECE_MASK = np.uint64(0xFFFF)
_UNIT_16 = 1.0 / 65536.0
_UNIT_48 = 1.0 / 281474976710656.0
# A symbol takes one piece of sixteen bits for a whole mean, and two more for a mean that is not.
_WORDS = 3 * BLOCK // 4
# Up to so many symbols a chain of binomials is cheaper than Poisson counts and their correction.
FEW_SYMBOLS = 8
# Corrections: a pick by chunks costs 40 ns, one by an index 15 ns and 3 a symbol for the index, a link of a chain 60 to 120 ns.
_INDEX_FROM = 8
_CHAIN_FROM = 8
_CHUNK = 32
_CHUNKS = BLOCK // _CHUNK
# The tail of Poisson(1) beyond 20 is below 2^-60: more than a 53-bit uniform can reach, but for rounding.
_PART_LIMIT = 20


class StreamKey(NamedTuple):
    """What names the streams of one draw: `seed`, the number of the first replicate here, generation and purpose (all uint64)."""

    seed: np.uint64
    first_replicate: np.uint64
    generation: np.uint64
    purpose: np.uint64


class Draw(NamedTuple):
    """A draw under way, of R replicates over K symbols in N blocks.

    weights: float64 (R, K), or (1, K) for weights shared by all replicates; drawn: float64 (R, K), aligned with the weights;
    corrections: int64 (R, N), the tokens that a block still has to gain (or, negative, to lose).
    """

    weights: np.ndarray
    drawn: np.ndarray
    corrections: np.ndarray


@inlined
def _open(key, replicate, block, sub, stream):
    open_stream(key.seed, key.first_replicate + np.uint64(replicate), key.generation, np.uint64(block), key.purpose + np.uint64(sub), stream)


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
def _table_poisson(row, piece, spare, guide, first, cumulative):
    count = np.int64(guide[row, piece >> FINE_SHIFT])
    if count >= UNDECIDED:
        number = (piece << np.uint64(48)) | (next_word(spare) >> np.uint64(16))
        count = settled_poisson(row, count, number, first, cumulative)
    return count


@kernel
def _count_parts(weights):
    """Return how many weights are not whole."""
    n_parts = 0
    for i in range(weights.shape[0]):
        n_parts += np.int64(np.float64(np.int64(weights[i])) != weights[i])
    return n_parts


@kernel
def _draw_whole(weights, pieces, spare, tables, room, out):
    """Write Poisson counts of whole means: a table where one piece of bits decides, about 2 ns; the others afterwards.

    The first loop vectorises and the second has no branches; together they leave a list of the symbols that are late.
    """
    guide, first, cumulative, coarse_guide, coarse_first, coarse_cumulative = tables
    entries, late, words = room
    m = weights.shape[0]
    flat = guide.reshape(guide.size)
    for i in range(m):
        entries[i] = ((np.int64(weights[i]) & (COARSE_STEP - 1)) << FINE_BITS) + (np.int64(pieces[i]) >> (16 - FINE_BITS))
    n_late = 0
    for i in range(m):
        count = np.int64(flat[np.uint64(entries[i])])
        out[i] = count
        late[n_late] = i
        n_late += np.int64(count >= UNDECIDED) | np.int64(weights[i] >= COARSE_STEP)
    fill_words(spare, words[:n_late])
    for j in range(n_late):
        i = np.int64(late[j])
        mean = weights[i]
        if mean >= MEANS_BELOW:
            out[i] = poisson(mean, spare)
            continue
        row = np.uint64(mean) & _FINE_MASK
        count = np.int64(flat[np.uint64(entries[i])])
        if count >= UNDECIDED:
            number = (np.uint64(pieces[i]) << np.uint64(48)) | (words[j] >> np.uint64(16))
            count = settled_poisson(row, count, number, first, cumulative)
        if mean >= COARSE_STEP:
            row = np.uint64(mean) >> COARSE_SHIFT
            number = next_word(spare)
            more = np.int64(coarse_guide[row, number >> COARSE_WORD_SHIFT])
            if more >= UNDECIDED:
                more = settled_poisson(row, more, number, coarse_first, coarse_cumulative)
            count += more
        out[i] = count


@kernel
def _draw_parts(weights, scale, pieces, spare, tables, room, out):
    """Write Poisson counts of any means: that of the whole part, of its 64ths, and of the rest, which is nearly always 0."""
    guide, first, cumulative, coarse_guide, coarse_first, coarse_cumulative = tables
    late = room[1]
    m = weights.shape[0]
    n_late = 0
    for i in range(m):
        mean = weights[i] * scale
        whole = np.int64(mean)
        parts = (mean - whole) * FRACTIONS
        row = np.uint64(parts)
        rest = (parts - np.float64(row)) / FRACTIONS
        count = np.int64(guide[np.uint64(whole) & _FINE_MASK, np.uint64(pieces[i]) >> FINE_SHIFT])
        more = np.int64(guide[_FRACTION_ROW + row, np.uint64(pieces[m + i]) >> FINE_SHIFT])
        out[i] = count + more
        late[n_late] = i
        n_late += (
            np.int64((count | more) >= UNDECIDED)
            | np.int64(mean >= COARSE_STEP)
            | np.int64((np.float64(pieces[2 * m + i]) + 1.0) * _UNIT_16 > 1.0 - rest)
        )
    for j in range(n_late):
        i = np.int64(late[j])
        mean = weights[i] * scale
        if mean >= MEANS_BELOW:
            out[i] = poisson(mean, spare)
            continue
        whole = np.int64(mean)
        count = _table_poisson(np.uint64(whole) & _FINE_MASK, np.uint64(pieces[i]), spare, guide, first, cumulative)
        if whole >= COARSE_STEP:
            row = np.uint64(whole) >> COARSE_SHIFT
            number = next_word(spare)
            more = np.int64(coarse_guide[row, number >> COARSE_WORD_SHIFT])
            if more >= UNDECIDED:
                more = settled_poisson(row, more, number, coarse_first, coarse_cumulative)
            count += more
        parts = (mean - whole) * FRACTIONS
        row = np.uint64(parts)
        rest = (parts - np.float64(row)) / FRACTIONS
        count += _table_poisson(_FRACTION_ROW + row, np.uint64(pieces[m + i]), spare, guide, first, cumulative)
        u = np.float64(pieces[2 * m + i])
        if (u + 1.0) * _UNIT_16 > 1.0 - rest:
            # P(0) = exp(-rest) >= 1 - rest: a piece below that needs no more bits.
            low = np.float64(next_word(spare) >> np.uint64(16)) * _UNIT_48
            count += _part_poisson(rest, (u + low) * _UNIT_16)
        out[i] = count


@kernel
def _poisson_room():
    """Return the room that `poisson_counts` works in: table entries, the list of late symbols and their words, bulk words."""
    return np.empty(BLOCK, np.int64), np.empty(BLOCK + 1, np.int32), np.empty(BLOCK, np.uint64), np.empty(_WORDS, np.uint64)


@kernel
def poisson_counts(weights, scale, key, replicate, block, tables, room, out):
    """Write independent Poisson(weights * scale) counts for up to BLOCK symbols and return their sum.

    ``(m),(),...->(m),()``; O(m), 2 ns a symbol for small whole means, 5 ns with fractions; `room` from `_poisson_room`.
    """
    stream = np.empty(STREAM_WORDS, np.uint64)
    spare = np.empty(STREAM_WORDS, np.uint64)
    m = weights.shape[0]
    _open(key, replicate, block, SUB_BULK, stream)
    _open(key, replicate, block, SUB_SPARE, spare)
    entries, late, late_words, words = room
    pieces = words.view(np.uint16)
    if scale == 1.0 and _count_parts(weights) == 0:
        fill_words(stream, words[: (m + 3) // 4])
        _draw_whole(weights, pieces, spare, tables, (entries, late, late_words), out)
    else:
        fill_words(stream, words[: (3 * m + 3) // 4])
        _draw_parts(weights, scale, pieces, spare, tables, (entries, late, late_words), out)
    return np.int64(_sum(out))


@kernel
def _eight(values, i):
    """Return the sum of eight values, added in pairs: a third of the waiting of a running sum."""
    pairs = (values[i] + values[i + 1]) + (values[i + 2] + values[i + 3])
    return pairs + ((values[i + 4] + values[i + 5]) + (values[i + 6] + values[i + 7]))


@kernel
def _sum(values):
    """Return the sum of `values`, in a fixed order."""
    n = values.shape[0]
    total = 0.0
    for i in range(0, n - n % 8, 8):
        total += _eight(values, i)
    for i in range(n - n % 8, n):
        total += values[i]
    return total


@kernel
def binomial_chain(weights, n, stream, out):
    """Write a multinomial of `n` tokens over `weights` by conditional binomials: ``(m),()->(m)``, O(m)."""
    m = weights.shape[0]
    rest = 0.0
    last = 0
    for i in range(m):
        rest += weights[i]
        if weights[i] > 0:
            last = i
    for i in range(m):
        if i == last:
            out[i] = n
        elif i > last or n == 0:
            out[i] = 0
        else:
            out[i] = binomial(n, min(1.0, weights[i] / rest), stream)
        n -= out[i]
        rest -= weights[i]


@kernel
def hypergeometric_chain(counts, n, stream, out):
    """Write how many of `n` tokens drawn without replacement from `counts` fall on each symbol: ``(m),()->(m)``, O(m)."""
    rest = np.int64(0)
    for i in range(counts.shape[0]):
        rest += np.int64(counts[i])
    for i in range(counts.shape[0]):
        count = np.int64(counts[i])
        rest -= count
        taken = hypergeometric(count, rest, n, stream)
        out[i] = taken
        n -= taken


@kernel
def _index(weights, cumulative, guide):
    """Write the running sums of `weights` and, for each of m equal parts of the whole, the symbol that it begins in; return the sum."""
    m = weights.shape[0]
    total = 0.0
    for i in range(m):
        total += weights[i]
        cumulative[i] = total
    i = 0
    for part in range(m):
        while cumulative[i] <= part * (total / m) and i < m - 1:
            i += 1
        guide[part] = i
    return total


@kernel
def _pick_by_index(cumulative, guide, total, stream):
    """Return a symbol drawn from the indexed weights and the place of the pick within the symbol's own weight."""
    m = guide.shape[0]
    u = uniform(stream)
    place = u * total
    i = guide[min(np.int64(u * m), m - 1)]
    while i > 0 and cumulative[i - 1] > place:
        i -= 1
    while cumulative[i] <= place and i < m - 1:
        i += 1
    return i, place - (cumulative[i - 1] if i > 0 else 0.0)


@kernel
def _sum_chunks(weights, cumulative):
    """Write the running sums over chunks of `weights`, filled up with infinity, and return the sum of all."""
    m = weights.shape[0]
    total = 0.0
    for chunk in range(_CHUNKS):
        start = chunk * _CHUNK
        if start < m:
            total += _sum(weights[start : min(start + _CHUNK, m)])
            cumulative[chunk] = total
        else:
            cumulative[chunk] = math.inf
    return total


@kernel
def _pick_by_chunks(weights, cumulative, total, stream):
    """Return a symbol drawn from the weights that `cumulative` was made from, or -1 for a place that lost its weight since.

    Steps are added, not branched on: a pick would mispredict four branches, 5 ns each.
    """
    m = weights.shape[0]
    place = uniform(stream) * total
    chunk = np.int64(0)
    step = _CHUNKS // 2
    while step > 0:
        chunk += step * np.int64(cumulative[chunk + step - 1] <= place)
        step //= 2
    if chunk > 0:
        place -= cumulative[chunk - 1]
    i = chunk * _CHUNK
    stop = i + _CHUNK
    if stop <= m:
        passed = 0.0
        skipped = 0.0
        for start in range(i, stop - 8, 8):
            passed += _eight(weights, start)
            i += 8 * np.int64(passed <= place)
            skipped = passed if passed <= place else skipped
        found = i
        passed = skipped
        for k in range(i, i + 8):
            passed += weights[k]
            found += np.int64(passed <= place)
        return found if passed > place else -1
    while i < m:
        if place < weights[i]:
            return i
        place -= weights[i]
        i += 1
    return -1


@kernel
def _add_tokens(weights, n_tokens, stream, drawn):
    """Add `n_tokens` tokens drawn i.i.d. from `weights` to `drawn`: ``(m),(),...->(m)``.

    Three ways of one law, by which is the cheapest: picks found by sums over chunks, picks found by an index, a chain.
    """
    m = weights.shape[0]
    if n_tokens > m * _CHAIN_FROM:
        extra = np.empty(m)
        binomial_chain(weights, n_tokens, stream, extra)
        for i in range(m):
            drawn[i] += extra[i]
    elif n_tokens * _INDEX_FROM > m:
        cumulative = np.empty(m)
        guide = np.empty(m, np.int32)
        total = _index(weights, cumulative, guide)
        for _ in range(n_tokens):
            drawn[_pick_by_index(cumulative, guide, total, stream)[0]] += 1.0
    else:
        cumulative = np.empty(_CHUNKS)
        total = _sum_chunks(weights, cumulative)
        left = n_tokens
        while left > 0:
            # Rounding can carry a pick past the last weight of a chunk: it is drawn again.
            i = _pick_by_chunks(weights, cumulative, total, stream)
            if i >= 0:
                drawn[i] += 1.0
                left -= 1


@kernel
def _remove_tokens(n_tokens, stream, drawn):
    """Remove `n_tokens` of the tokens in `drawn`, uniformly without replacement: ``(),...,(m)->(m)``, ways as in `_add_tokens`.

    The tokens of a symbol (by index), or of a chunk, that are gone count as its last ones: a pick there is drawn again.
    """
    m = drawn.shape[0]
    if n_tokens > m * _CHAIN_FROM:
        removed = np.empty(m)
        hypergeometric_chain(drawn, n_tokens, stream, removed)
        for i in range(m):
            drawn[i] -= removed[i]
    elif n_tokens * _INDEX_FROM > m:
        cumulative = np.empty(m)
        guide = np.empty(m, np.int32)
        total = _index(drawn, cumulative, guide)
        left = n_tokens
        while left > 0:
            i, place = _pick_by_index(cumulative, guide, total, stream)
            if place < drawn[i]:
                drawn[i] -= 1.0
                left -= 1
    else:
        cumulative = np.empty(_CHUNKS)
        total = _sum_chunks(drawn, cumulative)
        left = n_tokens
        while left > 0:
            i = _pick_by_chunks(drawn, cumulative, total, stream)
            if i >= 0:
                drawn[i] -= 1.0
                left -= 1


@kernel
def _block_sums(weights, starts, lengths, replicate):
    """Return the sum of the weights of every block of a replicate."""
    row = np.int64(replicate) if weights.shape[0] > 1 else np.int64(0)
    sums = np.zeros(lengths.shape[1])
    for block in range(lengths.shape[1]):
        start = starts[replicate, block]
        sums[block] = _sum(weights[row, start : start + lengths[replicate, block]])
    return sums


def block_grid(n_replicates: int, n_symbols: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts and lengths, int64 (R, N), of blocks that hold every symbol.

    Examples
    --------
    >>> block_grid(1, 5000)
    (array([[   0, 4096]]), array([[4096,  904]]))
    """
    starts = np.arange(0, n_symbols, BLOCK)
    return np.tile(starts, (n_replicates, 1)), np.tile(np.minimum(BLOCK, n_symbols - starts), (n_replicates, 1))


@kernel
def _share_out(missing, sums, draw, starts, lengths, replicate, key):
    """Write how many of the `missing` tokens of a replicate (or, negative, surplus ones) each block has to gain."""
    corrections = draw.corrections[replicate]
    if missing == 0:
        corrections[:] = 0
        return
    stream = np.empty(STREAM_WORDS, np.uint64)
    _open(key, replicate, 0, SUB_SPLIT, stream)
    if missing > 0:
        binomial_chain(_block_sums(draw.weights, starts, lengths, replicate), missing, stream, corrections)
    else:
        hypergeometric_chain(sums, -missing, stream, corrections)
        for block in range(corrections.shape[0]):
            corrections[block] = -corrections[block]


@parallel_kernel
def poisson_pass(draw, starts, lengths, n_tokens, weight_total, key, tables, n_threads):
    """Draw independent Poisson counts and share what is missing to `n_tokens`, or too much, out over the blocks.

    ``(Q,K),(R,N),(R,N),(),(),...->(R,K),(R,N)`` with Q = R, or 1; writes `draw.drawn` and `draw.corrections`, see `multinomial`.
    """
    n_replicates, n_blocks = lengths.shape
    n_units = n_replicates * n_blocks
    weights = draw.weights
    sums = np.zeros((n_replicates, n_blocks), np.int64)
    scale = n_tokens / np.float64(weight_total)
    for thread in prange(n_threads):
        room = _poisson_room()
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            length = lengths[replicate, block]
            if length == 0:
                continue
            row = replicate if weights.shape[0] > 1 else 0
            start = starts[replicate, block]
            mine = weights[row, start : start + length]
            out = draw.drawn[replicate, start : start + length]
            if n_blocks == 1 and length <= FEW_SYMBOLS:
                stream = np.empty(STREAM_WORDS, np.uint64)
                _open(key, replicate, block, SUB_BULK, stream)
                binomial_chain(mine, n_tokens, stream, out)
                sums[replicate, block] = n_tokens
            else:
                sums[replicate, block] = poisson_counts(mine, scale, key, replicate, block, tables, room, out)
    for replicate in prange(n_replicates):
        _share_out(n_tokens - sums[replicate].sum(), sums[replicate], draw, starts, lengths, replicate, key)


@kernel
def settle(draw, start, stop, replicate, block, key):
    """Add or remove the tokens that `poisson_pass` left to one block, whose columns are start..stop-1."""
    n_missing = draw.corrections[replicate, block]
    if n_missing == 0:
        return
    stream = np.empty(STREAM_WORDS, np.uint64)
    _open(key, replicate, block, SUB_CORRECT, stream)
    drawn = draw.drawn[replicate, start:stop]
    if n_missing > 0:
        row = np.int64(replicate) if draw.weights.shape[0] > 1 else np.int64(0)
        _add_tokens(draw.weights[row, start:stop], n_missing, stream, drawn)
    else:
        _remove_tokens(-n_missing, stream, drawn)


@parallel_kernel
def multinomial(draw, starts, lengths, n_tokens, weight_total, key, tables, n_threads):
    """Draw multinomial counts of `n_tokens` tokens over the symbols of every replicate into `draw.drawn`.

    ``(Q,K),(R,N),(R,N),(),(),...->(R,K)`` with Q = R, or 1 for weights shared by all replicates.

    Parameters
    ----------
    draw: weights >= 0, counts (whole, exact up to 1e15) or probabilities, and the arrays to fill
    starts, lengths: int64, the column where the weights of each of the N blocks begin, and how many there are
    n_tokens: 0..1e15
    weight_total: the sum of the weights of a replicate, > 0
    """
    n_replicates, n_blocks = lengths.shape
    poisson_pass(draw, starts, lengths, n_tokens, weight_total, key, tables, n_threads)
    for thread in prange(n_threads):
        for unit in range(thread, n_replicates * n_blocks, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            start = starts[replicate, block]
            settle(draw, start, start + lengths[replicate, block], replicate, block, key)


@parallel_kernel
def subsample(counts, n_tokens, key, n_threads, drawn):
    """Write how many of `n_tokens` tokens drawn without replacement from `counts` fall on each symbol: ``(R,K),()->(R,K)``.

    `counts` is dense (every symbol of every block, zeros included); each row sums to at least `n_tokens`. It may be `drawn` itself.
    """
    n_replicates, n_symbols = counts.shape
    n_blocks = (n_symbols + BLOCK - 1) // BLOCK
    n_units = n_replicates * n_blocks
    sums = np.zeros((n_replicates, n_blocks), np.int64)
    shares = np.zeros((n_replicates, n_blocks), np.int64)
    for unit in prange(n_units):
        replicate = unit // n_blocks
        block = unit - replicate * n_blocks
        sums[replicate, block] = np.int64(_sum(counts[replicate, block * BLOCK : (block + 1) * BLOCK]))
    for replicate in prange(n_replicates):
        stream = np.empty(STREAM_WORDS, np.uint64)
        _open(key, replicate, 0, SUB_SPLIT, stream)
        hypergeometric_chain(sums[replicate], n_tokens, stream, shares[replicate])
    for thread in prange(n_threads):
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            start = block * BLOCK
            stop = min(start + BLOCK, n_symbols)
            stream = np.empty(STREAM_WORDS, np.uint64)
            _open(key, replicate, block, SUB_BULK, stream)
            hypergeometric_chain(counts[replicate, start:stop], shares[replicate, block], stream, drawn[replicate, start:stop])
