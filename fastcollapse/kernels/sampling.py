"""Multinomial and multivariate hypergeometric draws over many symbols, parallel over replicates and blocks of symbols.

A multinomial of n tokens is drawn as independent Poisson counts, one a symbol, whose sum N is then corrected to n: missing tokens are
drawn one by one, surplus ones are removed uniformly without replacement (see `multinomial`). Blocks are fixed ranges of BLOCK symbols, so streams
belong to symbols and not to threads; the live symbols of a block stay together.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse._jit import inlined, kernel, parallel_kernel, prange
from fastcollapse.kernels.poisson_table import (
    COARSE_SHIFT,
    COARSE_STEP,
    COARSE_WORD_SHIFT,
    FINE_SHIFT,
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
    next_word,
    open_stream,
    philox,
    uniform,
    uniform_below,
)

BLOCK = 4096
_FINE_MASK = np.uint64(COARSE_STEP - 1)
# Up to so many symbols a chain of binomials is cheaper than Poisson counts and their correction.
FEW_SYMBOLS = 8
# Corrections: a pick of a scan costs a sort, a pick by an index 15 ns and 3 a symbol for the index, a link of a chain 60 to 120 ns.
_SCAN_UP_TO = 16
_CHAIN_FROM = 8
# The tail of Poisson(1) beyond 20 is below 2^-60: more than a 53-bit uniform can reach, but for rounding.
_PART_LIMIT = 20


class StreamKey(NamedTuple):
    """What names the streams of one draw: `seed`, the number of the first replicate here, generation and purpose (all uint64)."""

    seed: np.uint64
    first_replicate: np.uint64
    generation: np.uint64
    purpose: np.uint64


@inlined
def _open(key, replicate, block, sub, stream):
    open_stream(key.seed, key.first_replicate + np.uint64(replicate), key.generation, np.uint64(block), key.purpose + np.uint64(sub), stream)


@kernel
def _part_poisson(part, u):
    """Return the Poisson variate of mean `part` < 1 at the uniform `u`, by inversion; the first four steps do not branch."""
    probability = math.exp(-part)
    cumulative = probability
    count = np.int64(u >= cumulative)
    for k in range(1, 4):
        probability *= part / k
        cumulative += probability
        count += np.int64(u >= cumulative)
    while u >= cumulative and count < _PART_LIMIT:
        probability *= part / count
        cumulative += probability
        count += np.int64(u >= cumulative)
    return count


@kernel
def poisson_counts(weights, scale, key, replicate, block, tables, out):
    """Write independent Poisson(weights * scale) counts for up to BLOCK symbols and return their sum.

    ``(n),(),...->(n),()``; O(n). A whole mean below COARSE_STEP takes sixteen bits and a table, about 3.5 ns; one below MEANS_BELOW
    two tables; a mean that is not whole adds a variate of its fraction; larger means take `poisson`.
    """
    spare = np.empty(STREAM_WORDS, np.uint64)
    _open(key, replicate, block, SUB_SPARE, spare)
    number = key.first_replicate + np.uint64(replicate)
    purpose = key.purpose + np.uint64(SUB_BULK)
    n = weights.shape[0]
    words = np.empty(BLOCK // 4, np.uint64)
    for draw in range((n + 15) // 16):
        w0, w1, w2, w3 = philox(np.uint64(draw + 1), key.generation, np.uint64(block), purpose, key.seed, number)
        words[4 * draw] = w0
        words[4 * draw + 1] = w1
        words[4 * draw + 2] = w2
        words[4 * draw + 3] = w3
    pieces = words.view(np.uint16)
    # The guides are read here and not in a callee: passing the tuple on counts references, 40 ns a symbol.
    guide, first, cumulative, coarse_guide, coarse_first, coarse_cumulative = tables
    total = np.int64(0)
    for i in range(n):
        mean = weights[i] * scale
        if mean < MEANS_BELOW:
            whole = np.int64(mean)
            row = np.uint64(whole) & _FINE_MASK
            piece = np.uint64(pieces[i])
            count = np.int64(guide[row, piece >> FINE_SHIFT])
            if count >= UNDECIDED:
                number = (piece << np.uint64(48)) | (next_word(spare) >> np.uint64(16))
                count = settled_poisson(row, count, number, first, cumulative)
            if whole >= COARSE_STEP:
                row = np.uint64(whole) >> COARSE_SHIFT
                number = next_word(spare)
                more = np.int64(coarse_guide[row, number >> COARSE_WORD_SHIFT])
                if more >= UNDECIDED:
                    more = settled_poisson(row, more, number, coarse_first, coarse_cumulative)
                count += more
            if whole != mean:
                count += _part_poisson(mean - whole, uniform(spare))
        else:
            count = poisson(mean, spare)
        out[i] = count
        total += count
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
    """Write how many of `n` tokens drawn without replacement from `counts` (int64) fall on each symbol: ``(m),()->(m)``, O(m)."""
    rest = np.int64(0)
    for i in range(counts.shape[0]):
        rest += counts[i]
    for i in range(counts.shape[0]):
        rest -= counts[i]
        out[i] = hypergeometric(counts[i], rest, n, stream)
        n -= out[i]


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
def _pick(cumulative, guide, total, stream):
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
def _add_tokens(weights, n_tokens, stream, drawn):
    """Add `n_tokens` tokens drawn i.i.d. from `weights` to `drawn`: ``(m),(),...->(m)``.

    Three ways of one law, by which is the cheapest: ordered picks met on one way through the weights, picks by an index, a chain.
    """
    m = weights.shape[0]
    if n_tokens > m * _CHAIN_FROM:
        extra = np.empty(m, np.int64)
        binomial_chain(weights, n_tokens, stream, extra)
        for i in range(m):
            drawn[i] += extra[i]
    elif n_tokens * _SCAN_UP_TO > m:
        cumulative = np.empty(m)
        guide = np.empty(m, np.int32)
        total = _index(weights, cumulative, guide)
        for _ in range(n_tokens):
            drawn[_pick(cumulative, guide, total, stream)[0]] += 1
    else:
        _scan_add(weights, n_tokens, stream, drawn)


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
    for i in range(n // 8):
        total += _eight(values, 8 * i)
    for i in range(n - n % 8, n):
        total += values[i]
    return total


@kernel
def _block_sums(weights, starts, lengths, replicate):
    """Return the sum of the weights of every block of a replicate."""
    row = np.int64(replicate) if weights.shape[0] > 1 else np.int64(0)
    sums = np.zeros(lengths.shape[1])
    for block in range(lengths.shape[1]):
        start = starts[replicate, block]
        sums[block] = _sum(weights[row, start : start + lengths[replicate, block]])
    return sums


@kernel
def _scan_add(weights, n_tokens, stream, drawn):
    m = weights.shape[0]
    total = _sum(weights)
    picks = np.empty(n_tokens)
    for i in range(n_tokens):
        picks[i] = uniform(stream) * total
    picks.sort()
    passed = 0.0
    i = 0
    for pick in picks:
        while i + 8 < m and passed + _eight(weights, i) <= pick:
            passed += _eight(weights, i)
            i += 8
        at = passed
        j = i
        while j < m - 1 and at + weights[j] <= pick:
            at += weights[j]
            j += 1
        # Rounding can carry a pick past the last symbol that has weight.
        while weights[j] == 0.0:
            j -= 1
        drawn[j] += 1


@kernel
def _remove_tokens(n_tokens, stream, drawn):
    """Remove `n_tokens` of the tokens in `drawn`, uniformly without replacement: ``(),...,(m)->(m)``, ways as in `_add_tokens`."""
    m = drawn.shape[0]
    if n_tokens > m * _CHAIN_FROM:
        removed = np.empty(m, np.int64)
        hypergeometric_chain(drawn, n_tokens, stream, removed)
        for i in range(m):
            drawn[i] -= removed[i]
    elif n_tokens * _SCAN_UP_TO > m:
        cumulative = np.empty(m)
        guide = np.empty(m, np.int32)
        total = _index(drawn, cumulative, guide)
        left = n_tokens
        while left > 0:
            # Of a symbol's tokens the last ones count as removed: a pick there is drawn again.
            i, place = _pick(cumulative, guide, total, stream)
            if place < drawn[i]:
                drawn[i] -= 1
                left -= 1
    else:
        _scan_remove(n_tokens, stream, drawn)


@kernel
def _scan_remove(n_tokens, stream, drawn):
    m = drawn.shape[0]
    total = drawn.sum()
    picks = np.empty(n_tokens, np.int64)
    filled = 0
    # Distinct tokens: a repeated pick is drawn again, which leaves a uniform subset.
    while filled < n_tokens:
        for i in range(filled, n_tokens):
            picks[i] = uniform_below(total, stream)
        picks.sort()
        filled = 1
        for i in range(1, n_tokens):
            if picks[i] != picks[filled - 1]:
                picks[filled] = picks[i]
                filled += 1
    passed = np.int64(0)
    i = 0
    taken = 0
    for pick in picks:
        while passed + drawn[i] <= pick:
            passed += drawn[i]
            drawn[i] -= taken
            taken = 0
            if i + 9 < m and passed + _eight(drawn, i + 1) <= pick:
                while i + 9 < m and passed + _eight(drawn, i + 1) <= pick:
                    passed += _eight(drawn, i + 1)
                    i += 8
            i += 1
        taken += 1
    drawn[i] -= taken


def block_grid(n_replicates: int, n_symbols: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the starts and lengths, int64 (R, N), of blocks that hold every symbol.

    Examples
    --------
    >>> block_grid(1, 5000)
    (array([[   0, 4096]]), array([[4096,  904]]))
    """
    starts = np.arange(0, n_symbols, BLOCK)
    return np.tile(starts, (n_replicates, 1)), np.tile(np.minimum(BLOCK, n_symbols - starts), (n_replicates, 1))


@parallel_kernel
def multinomial(weights, starts, lengths, n_tokens, weight_total, key, tables, n_threads, drawn):
    """Write multinomial counts of `n_tokens` tokens over the symbols of every replicate.

    ``(Q,K),(R,N),(R,N),(),(),...->(R,K)`` with Q = R, or 1 for weights shared by all replicates.

    Parameters
    ----------
    weights: float64 >= 0, counts (whole, exact up to 1e15) or probabilities
    starts, lengths: int64, the column where the weights of each of the N blocks begin, and how many there are
    n_tokens: 0..1e15
    weight_total: the sum of the weights of a replicate, > 0
    drawn: int64, aligned with `weights`
    """
    n_replicates, n_blocks = lengths.shape
    n_units = n_replicates * n_blocks
    sums = np.zeros((n_replicates, n_blocks), np.int64)
    corrections = np.zeros((n_replicates, n_blocks), np.int64)
    scale = n_tokens / np.float64(weight_total)
    for thread in prange(n_threads):
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            length = lengths[replicate, block]
            if length == 0:
                continue
            row = replicate if weights.shape[0] > 1 else 0
            start = starts[replicate, block]
            mine = weights[row, start : start + length]
            out = drawn[replicate, start : start + length]
            if n_blocks == 1 and length <= FEW_SYMBOLS:
                stream = np.empty(STREAM_WORDS, np.uint64)
                _open(key, replicate, block, SUB_BULK, stream)
                binomial_chain(mine, n_tokens, stream, out)
                sums[replicate, block] = n_tokens
            else:
                sums[replicate, block] = poisson_counts(mine, scale, key, replicate, block, tables, out)
    for replicate in prange(n_replicates):
        missing = n_tokens - sums[replicate].sum()
        if missing != 0:
            stream = np.empty(STREAM_WORDS, np.uint64)
            _open(key, replicate, 0, SUB_SPLIT, stream)
            if missing > 0:
                weight_sums = _block_sums(weights, starts, lengths, replicate)
                binomial_chain(weight_sums, missing, stream, corrections[replicate])
            else:
                hypergeometric_chain(sums[replicate], -missing, stream, corrections[replicate])
                corrections[replicate] *= -1
    for thread in prange(n_threads):
        for unit in range(thread, n_units, n_threads):
            replicate = unit // n_blocks
            block = unit - replicate * n_blocks
            n_missing = corrections[replicate, block]
            if n_missing == 0:
                continue
            row = replicate if weights.shape[0] > 1 else 0
            start = starts[replicate, block]
            stop = start + lengths[replicate, block]
            stream = np.empty(STREAM_WORDS, np.uint64)
            _open(key, replicate, block, SUB_CORRECT, stream)
            if n_missing > 0:
                _add_tokens(weights[row, start:stop], n_missing, stream, drawn[replicate, start:stop])
            else:
                _remove_tokens(-n_missing, stream, drawn[replicate, start:stop])


@parallel_kernel
def subsample(counts, n_tokens, key, n_threads, drawn):
    """Write how many of `n_tokens` tokens drawn without replacement from `counts` fall on each symbol: ``(R,K),()->(R,K)``.

    `counts` (int64) is dense (every symbol of every block, zeros included); each row sums to at least `n_tokens`. It may be `drawn` itself.
    """
    n_replicates, n_symbols = counts.shape
    n_blocks = (n_symbols + BLOCK - 1) // BLOCK
    n_units = n_replicates * n_blocks
    sums = np.zeros((n_replicates, n_blocks), np.int64)
    shares = np.zeros((n_replicates, n_blocks), np.int64)
    for unit in prange(n_units):
        replicate = unit // n_blocks
        block = unit - replicate * n_blocks
        sums[replicate, block] = counts[replicate, block * BLOCK : (block + 1) * BLOCK].sum()
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
