"""Corrections of drawn counts: tokens added or removed one by one, or by chains of conditional variates."""

import math

import numpy as np

from fastcollapse.kernels.counts.workspace import BLOCK
from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.discrete_variates import binomial, hypergeometric
from fastcollapse.kernels.random.streams import uniform

# With m symbols, more than m / _INDEX_FROM tokens use an index, and more than m _CHAIN_FROM tokens use a chain. A pick
# by chunks costs 40 ns, by an index 15 ns plus 3 ns a symbol; a link of a chain costs 60 to 120 ns.
_INDEX_FROM = 8
_CHAIN_FROM = 8
_CHUNK = 32
_CHUNKS = BLOCK // _CHUNK


@kernel
def _eight(values, i):
    """Return the sum of eight values, added in pairs: a running sum would wait for each addition."""
    pairs = (values[i] + values[i + 1]) + (values[i + 2] + values[i + 3])
    return pairs + ((values[i + 4] + values[i + 5]) + (values[i + 6] + values[i + 7]))


@kernel
def total_of(values):
    """Return the sum of `values` in a fixed order: ``(m)->()``."""
    n = values.shape[0]
    total = 0.0
    for i in range(0, n - n % 8, 8):
        total += _eight(values, i)
    for i in range(n - n % 8, n):
        total += values[i]
    return total


@kernel
def binomial_chain(weights, n, stream, out):
    """Write a multinomial draw of `n` tokens over `weights` by conditional binomials: ``(m),()->(m)``, O(m).

    `weights` is float64 and `out` int64, everywhere, so that it is compiled once.
    """
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
    """Write how many of `n` tokens taken without replacement fall on each symbol: ``(m),()->(m)``, O(m).

    `counts` and `out` are int64 and may be the same array.
    """
    rest = np.int64(0)
    for i in range(counts.shape[0]):
        rest += counts[i]
    for i in range(counts.shape[0]):
        count = counts[i]
        rest -= count
        taken = hypergeometric(count, rest, n, stream)
        out[i] = taken
        n -= taken


@kernel
def _index(weights, cumulative, guide):
    """Write running sums of `weights`, and the symbol in which each of m equal parts begins: ``(m)->(m),(m)``.

    Rounding may put a part into a neighbouring symbol: `_pick_by_index` steps back and forth. The loops have no
    branches that depend on the weights, because these would be mispredicted.

    Returns
    -------
    The total of the weights.
    """
    m = weights.shape[0]
    total = 0.0
    for i in range(m):
        total += weights[i]
        cumulative[i] = total
        guide[i] = 0
    parts = m / total
    for i in range(m - 1):
        part = np.int64(cumulative[i] * parts) + 1
        if part < m:
            guide[part] = i + 1
    latest = guide[0]
    for place in range(1, m):
        latest = max(latest, guide[place])
        guide[place] = latest
    return total


@kernel
def _pick_by_index(cumulative, guide, total, stream):
    """Return a symbol drawn from the indexed weights, and the place of the pick within the weight of that symbol."""
    m = guide.shape[0]
    u = uniform(stream)
    place = u * total
    i = np.int64(guide[min(np.int64(u * m), m - 1)])
    while i > 0 and cumulative[i - 1] > place:
        i -= 1
    # A part holds about one boundary between symbols. Two steps are added, because branches would be mispredicted.
    i += np.int64(cumulative[i] <= place) & np.int64(i < m - 1)
    i += np.int64(cumulative[i] <= place) & np.int64(i < m - 1)
    while cumulative[i] <= place and i < m - 1:
        i += 1
    return i, place - (cumulative[i - 1] if i > 0 else 0.0)


@kernel
def _sum_chunks(weights, cumulative):
    """Write running sums over chunks of `weights`, padded with infinity, and return the total: ``(m)->(chunks)``."""
    m = weights.shape[0]
    total = 0.0
    for chunk in range(_CHUNKS):
        start = chunk * _CHUNK
        if start < m:
            total += total_of(weights[start : min(start + _CHUNK, m)])
            cumulative[chunk] = total
        else:
            cumulative[chunk] = math.inf
    return total


@kernel
def _pick_by_chunks(weights, cumulative, total, stream):
    """Return a symbol drawn from the weights that `cumulative` was made of, or -1.

    -1 if the picked token was already removed. Comparisons are added, because branches would be mispredicted.
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
def add_tokens(n_tokens, weights, stream, workspace, drawn):
    """Add `n_tokens` tokens, drawn i.i.d. from `weights`, to `drawn`: ``(),(m),...->(m)``, O(n_tokens) or O(m).

    The cheapest of three ways to the same law: picks by sums over chunks, picks by an index, or a chain.

    Parameters
    ----------
    n_tokens : at least 0.
    weights : float64 (m), row 0 of `workspace.values`.
    stream : the stream of the correction.
    workspace : `Workspace` of one thread.
    drawn : counts (m).
    """
    m = weights.shape[0]
    cumulative = workspace.values[1]
    if n_tokens > m * _CHAIN_FROM:
        extra = workspace.whole[:m]
        binomial_chain(weights, n_tokens, stream, extra)
        for i in range(m):
            drawn[i] += extra[i]
    elif n_tokens * _INDEX_FROM > m:
        guide = workspace.deferred[:m]
        total = _index(weights, cumulative, guide)
        for _ in range(n_tokens):
            drawn[_pick_by_index(cumulative, guide, total, stream)[0]] += 1
    else:
        total = _sum_chunks(weights, cumulative)
        left = n_tokens
        while left > 0:
            # Rounding can carry a pick past the last weight of a chunk. Then it is drawn again.
            i = _pick_by_chunks(weights, cumulative, total, stream)
            if i >= 0:
                drawn[i] += 1
                left -= 1


@kernel
def remove_tokens(n_tokens, stream, workspace, drawn):
    """Remove `n_tokens` of the tokens in `drawn`, uniformly without replacement: ``(),...,(m)->(m)``.

    The ways are those of `add_tokens`. The removed tokens of a symbol (or of a chunk) count as its last ones, and a
    pick that falls on them is drawn again.
    """
    m = drawn.shape[0]
    cumulative = workspace.values[1]
    if n_tokens > m * _CHAIN_FROM:
        removed = workspace.whole[:m]
        for i in range(m):
            removed[i] = drawn[i]
        hypergeometric_chain(removed, n_tokens, stream, removed)
        for i in range(m):
            drawn[i] -= removed[i]
        return
    # Work on float64: the functions are compiled once, and only the counts that change are written.
    left_over = workspace.values[0, :m]
    for i in range(m):
        left_over[i] = drawn[i]
    left = n_tokens
    if n_tokens * _INDEX_FROM > m:
        guide = workspace.deferred[:m]
        total = _index(left_over, cumulative, guide)
        while left > 0:
            i, place = _pick_by_index(cumulative, guide, total, stream)
            if place < left_over[i]:
                left_over[i] -= 1.0
                drawn[i] -= 1
                left -= 1
    else:
        total = _sum_chunks(left_over, cumulative)
        while left > 0:
            i = _pick_by_chunks(left_over, cumulative, total, stream)
            if i >= 0:
                left_over[i] -= 1.0
                drawn[i] -= 1
                left -= 1
