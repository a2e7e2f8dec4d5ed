"""Mean absolute deviations of a context whose real tokens stay in every fit.

A symbol with c of the N real tokens has x of the n synthetic tokens: x' ~ Bin(n, (c + x)/(N + n)), a chain of its own.

Notation
--------
counts : [K], real tokens of each symbol of a context, at least 1; N is their sum.
n : synthetic tokens of the context in each generation, 0 to 2000 for an exact result.
m : [B] or scalar, number of refits after the fit to the real tokens alone, at least 0.
"""

import numpy as np
import scipy  # scipy.stats is loaded at its first use, because it takes half a second
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit

from fastcollapse.theory.absorbing_chain import MAX_N, binomial_rows
from fastcollapse.theory.arguments import integer, integers, require
from fastcollapse.theory.ngram_table import are_small, rows_of

# Symbols with more synthetic tokens have nearly normal deviations. Ratios n/N are rounded to 5 %.
_FEW, _STEPS = 30.0, 20
# Steps of a chain times its counts, squared: about a second.
_MOST_WORK = 10**9


def context_l1(counts: ArrayLike, n: int, m: ArrayLike) -> NDArray[np.float64]:
    """Return E|p - p_1|_1 of one context after m refits; the total variation is half of it.

    Parameters
    ----------
    counts, n, m : see `Notation` of the module; max(m) (n+1)^2 is at most 1e9 for each different count.

    Returns
    -------
    float64, shape of `m`, exact given the real tokens.

    References
    ----------
    Setting of arXiv:2404.05090; derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> context_l1([9, 5, 3, 2, 1], 10, [1, 8]).round(10)
    array([0.15491975, 0.16254853])
    """
    real_tokens, size, refits = _checked(counts), integer("n", n, 0, MAX_N), integers("m", m, 0)
    last = int(refits.max(initial=0))
    require(last * (size + 1) ** 2 <= _MOST_WORK, "m", f"at most {_MOST_WORK // (size + 1) ** 2} for n = {size}", m)
    different, copies = np.unique(real_tokens, return_counts=True)
    total = int(real_tokens.sum())
    each = np.array([_deviations(int(count), total, size, last) for count in different])
    return np.asarray((copies @ each)[refits])


def context_l1_limit(counts: ArrayLike, n: int) -> float:
    """Return the limit of `context_l1` for many refits.

    Parameters
    ----------
    counts, n : see `Notation` of the module. The cost is O(n^3) for each different count.

    Returns
    -------
    float, exact given the real tokens.

    References
    ----------
    Setting of arXiv:2404.05090; derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> round(context_l1_limit([9, 5, 3, 2, 1], 10), 10)
    0.1625485354
    """
    real_tokens, size = _checked(counts), integer("n", n, 0, MAX_N)
    different, copies = np.unique(real_tokens, return_counts=True)
    total, sum_ = int(real_tokens.sum()), 0.0
    for count, number in zip(different.tolist(), copies.tolist(), strict=True):
        rows, distance = _chain(count, total, size)
        # The stationary law: law (I - rows) = 0, and its entries sum to 1.
        system = np.vstack([(np.eye(size + 1) - rows).T, np.ones(size + 1)])
        law = np.linalg.lstsq(system, np.append(np.zeros(size + 1), 1.0), rcond=None)[0]
        sum_ += number * float(law @ distance)
    return sum_


def context_l1_bound(counts: ArrayLike, n: int, m: ArrayLike) -> NDArray[np.float64]:
    """Return a bound of `context_l1`, the sum of the standard deviations of the symbols.

    It is sum_i sqrt(p_1i (1 - p_1i) v_m), with v_m of `contexts_squared_distance`. Times sqrt(2/pi) it is the value for
    many tokens.

    Parameters
    ----------
    counts, m : see `Notation` of the module.
    n : synthetic tokens of the context in each generation, at least 0.

    Returns
    -------
    float64, shape of `m`, an upper bound given the real tokens.

    References
    ----------
    Setting of arXiv:2404.05090; derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> context_l1_bound([9, 5, 3, 2, 1], 10, 8).round(4)
    np.float64(0.2006)
    """
    real_tokens, size, refits = _checked(counts), integer("n", n, 0), integers("m", m, 0)
    return np.asarray(_spread(real_tokens) * np.sqrt(_noise(int(real_tokens.sum()), size, refits)))


def contexts_total_variation(
    offsets: ArrayLike, counts: ArrayLike, totals: ArrayLike, m: ArrayLike
) -> NDArray[np.float64]:
    """Return sum_c pi_c E TV(p, p_1) of many contexts, with the weights pi_c = N_c/sum N.

    Small contexts are exact: N <= 50 and N n^2 <= 125,000. In the others a rare symbol has Poisson counts, and a
    frequent one a normal deviation.

    Parameters
    ----------
    offsets : [C+1], rising; the symbols of context c are offsets[c] to offsets[c+1] - 1.
    counts : [D], real tokens of each symbol, at least 1.
    totals : [C], synthetic tokens of each context in each generation, at least 0.
    m : [B] or scalar, number of refits after the fit to the real tokens alone, 0 to 10**4.

    Returns
    -------
    float64, shape of `m`, asymptotic for contexts of many tokens: within 0.5 % for the words of a text.

    References
    ----------
    Derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> contexts_total_variation([0, 5], [9, 5, 3, 2, 1], [10], [1, 8]).round(8)
    array([0.07745988, 0.08127427])
    """
    rows, sizes, refits = rows_of(offsets, counts), integers("totals", totals, 0), integers("m", m, 0, 10_000)
    require(sizes.shape == rows.totals.shape, "totals", f"of {rows.totals.size} contexts", sizes)
    flat, drawn, real_tokens = refits.ravel(), sizes[rows.context], rows.totals[rows.context]
    last, weight, share = int(flat.max(initial=0)), real_tokens / (2 * rows.totals.sum()), rows.shares
    varies, is_small = (drawn > 0) & (share < 1), are_small(rows.totals, sizes)[rows.context]
    found = np.zeros(flat.size)
    for (count, total, size), part in _groups(varies & is_small, weight, rows.counts, real_tokens, drawn):
        found += part * _deviations(count, total, size, last)[flat]
    large = varies & ~is_small
    scale = np.where(large, weight * np.sqrt(2 / np.pi * share * (1 - share)), 0.0)
    noise = np.array([np.sqrt(_noise(rows.totals, np.maximum(sizes, 1), index)) for index in flat])
    by_context = np.bincount(rows.context, weights=scale, minlength=sizes.size)
    found += noise @ by_context
    # Symbols with few synthetic tokens, in groups of one count and nearly one ratio n/N.
    # A frequent symbol deviates as the rest of its context does.
    fewer = np.minimum(rows.counts, real_tokens - rows.counts)
    is_rare = large & (fewer * drawn <= _FEW * real_tokens)
    step = np.rint(_STEPS * np.log(np.maximum(drawn, 1) / real_tokens)).astype(np.int64)
    for (count, place), members in _members(is_rare, fewer, step):
        excess = _poisson_ratio(count, float(np.exp(place / _STEPS)), last)[flat] - 1
        in_context = np.bincount(rows.context[members], weights=scale[members], minlength=sizes.size)
        found += excess * (noise @ in_context)
    return found.reshape(refits.shape)


def _checked(counts: ArrayLike) -> NDArray[np.int64]:
    real_tokens = integers("counts", counts, 1)
    require(real_tokens.ndim == 1 and real_tokens.size, "counts", "a vector with at least one entry", counts)
    return real_tokens


def _noise(N: ArrayLike, n: ArrayLike, m: ArrayLike) -> NDArray[np.float64]:
    """Return v_m."""
    square, size = np.square(np.add(N, n), dtype=np.float64), np.asarray(n, dtype=np.float64)
    decay = size * (size - 1) / square
    return np.asarray(size / square * (1 - decay ** np.asarray(m)) / (1 - decay))


def _spread(counts: NDArray[np.int64]) -> float:
    share = counts / counts.sum()
    return float(np.sqrt(share * (1 - share)).sum())


def _chain(count: int, total: int, size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the chain of the synthetic tokens of a symbol, and |p - p_1| at each of its states."""
    tokens = np.arange(size + 1)
    share = (count + tokens) / (total + size)
    return binomial_rows(size, logit(share)), np.abs(share - count / total)


def _groups(
    where: NDArray[np.bool_], weight: NDArray[np.float64], *keys: NDArray[np.int64]
) -> list[tuple[list[int], float]]:
    """Return the different keys of some cells, each with the sum of the weights."""
    return [(key, float(weight[members].sum())) for key, members in _members(where, *keys)]


def _members(where: NDArray[np.bool_], *keys: NDArray[np.int64]) -> list[tuple[list[int], NDArray[np.int64]]]:
    """Return the different keys of some cells, each with its cells."""
    cells = np.flatnonzero(where)
    different, which = np.unique(np.stack([key[cells] for key in keys], axis=1), axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(which.ravel(), minlength=len(different)))[:-1]
    return list(zip(different.tolist(), np.split(cells[order], ends), strict=True)) if cells.size else []


def _poisson_ratio(count: int, ratio: float, last: int) -> NDArray[np.float64]:
    """Return the mean over the normal deviation of a rare symbol after 0..last refits: x' ~ Poisson(a (c + x)).

    Parameters
    ----------
    ratio : n/N, so that a = n/(N + n).
    """
    a, mean = ratio / (1 + ratio), ratio * count
    most = int(mean + 12 * np.sqrt(mean * (1 + ratio)) + 20)
    tokens = np.arange(most + 1)
    rows = scipy.stats.poisson.pmf(tokens[None, :], a * (count + tokens[:, None]))
    law, found = scipy.stats.poisson.pmf(tokens, mean), np.ones(last + 1)
    for step in range(1, last + 1):
        found[step] = law @ np.abs(tokens - mean) / np.sqrt(2 / np.pi * (law @ (tokens - mean) ** 2))
        if abs(found[step] - found[step - 1]) <= 1e-12:
            found[step:] = found[step]  # stationary
            break
        law = law @ rows
    return found


def _deviations(count: int, total: int, size: int, last: int) -> NDArray[np.float64]:
    """Return E|p - p_1| of a symbol after 0..last refits, [last+1]."""
    found = np.zeros(last + 1)
    if size == 0 or count == total or last == 0:
        return found
    rows, distance = _chain(count, total, size)
    law = binomial_rows(size, logit(np.array([count / total])))[0]
    for step in range(1, last + 1):
        found[step] = law @ distance
        if abs(found[step] - found[step - 1]) <= 1e-15 * found[step]:
            found[step:] = found[step]  # stationary
            break
        law = law @ rows
    return found
