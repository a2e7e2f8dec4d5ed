"""Bounds of the expected number of distinct symbols after k refits of a discrete distribution (replace).

Notation
--------
p : [K], the true probabilities, which sum to 1. The cost is O(distinct p x B); more than 8192 distinct values
    are put in bins.
copies : [K], number of symbols of each probability, for a truth without an array over symbols; 1 by default.
n : samples per generation, at least 1.
k : [B] or scalar, number of refits, at least 0; at k = 0 both bounds are the number of symbols in the truth.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, integers, symbol_classes
from fastcollapse.theory.discrete.collapse_constants import g_at
from fastcollapse.theory.discrete.survival import Pair, survival_bounds, survival_bounds_published

Term = Callable[[NDArray[Any], int, NDArray[Any]], NDArray[Any]]

# Number of values in a block of the (symbols x generations) table: 16 MB for each temporary array.
_BLOCK_CELLS = 2_000_000
# Largest number of distinct probabilities without bins, and the relative width of a bin.
_EXACT_DISTINCT = 8192
_BIN_WIDTH = 1e-3


def unique_symbols_bounds(p: ArrayLike, n: int, k: ArrayLike, copies: ArrayLike | None = None) -> Pair:
    """Return sharp bounds of the expected number of distinct symbols after k refits.

    Parameters
    ----------
    p, n, k, copies : see `Notation` of the module.

    Returns
    -------
    lower, upper : float64, shape of `k`; the sums of `survival_bounds` over the symbols. Bins move the sums by
        about 1e-7 relative. The bounds stay valid, because the summands are concave in p.

    References
    ----------
    Corollary 1 of arXiv:2412.17646, with the derived bounds in place of Theorem 1; checked against the exact
    chain in tests/theory/discrete/test_unique_symbols.py.

    Examples
    --------
    >>> lower, upper = unique_symbols_bounds([0.01] * 100, 1000, [0, 10, 100])
    >>> lower.round(2), upper.round(2)
    (array([100.  ,  82.17,  17.75]), array([100.  ,  82.37,  18.24]))
    """
    return _bounds(p, copies, n, k, _sharp_lower, _concave_lower, _sharp_upper)


def unique_symbols_bounds_published(p: ArrayLike, n: int, k: ArrayLike, copies: ArrayLike | None = None) -> Pair:
    """Return the published bounds of the expected number of distinct symbols after k refits.

    Parameters
    ----------
    p, n, k, copies : see `Notation` of the module.

    Returns
    -------
    lower, upper : float64, shape of `k`; a lower bound below 1 is raised to 1. Bins move the sums by at most
        1e-6 relative, the upper one up or down.

    References
    ----------
    Corollary 1 of arXiv:2412.17646.

    Examples
    --------
    >>> lower, upper = unique_symbols_bounds_published([0.01] * 100, 1000, [0, 10])
    >>> lower.round(2), upper.round(2)
    (array([100.  ,  82.14]), array([100.  ,  92.86]))
    """
    return _bounds(p, copies, n, k, _published_lower, _published_lower, _published_upper)


def _bounds(
    p: ArrayLike,
    given_copies: ArrayLike | None,
    n: int,
    k: ArrayLike,
    lower_term: Term,
    concave_lower: Term,
    upper_term: Term,
) -> Pair:
    """Return the sums of two terms over the symbols; `concave_lower` replaces the lower term in bins."""
    (values, copies), size, index = symbol_classes(p, given_copies), integer("n", n, 1), integers("k", k, 0)
    generations = index.ravel()
    if values.size <= _EXACT_DISTINCT:
        lower = _weighted_sum(lower_term, values, copies, size, generations)
        upper = _weighted_sum(upper_term, values, copies, size, generations)
    else:
        low, high, mean, members = _bins(values, copies)
        with np.errstate(invalid="ignore"):
            share = np.where(high > low, (mean - low) / (high - low), 0.0)
        # For concave terms the chord over a bin is a lower bound of its sum, and the value at the mean an upper one.
        lower = _weighted_sum(concave_lower, low, members * (1 - share), size, generations)
        lower += _weighted_sum(concave_lower, high, members * share, size, generations)
        upper = _weighted_sum(upper_term, mean, members, size, generations)
    support = float(copies.sum())
    lower = np.where(generations == 0, support, np.maximum(lower, 1))
    upper = np.where(generations == 0, support, upper)
    return lower.reshape(index.shape), upper.reshape(index.shape)


def _weighted_sum(term: Term, p: NDArray[Any], weights: NDArray[Any], n: int, k: NDArray[Any]) -> NDArray[np.float64]:
    """Return sum_i weights_i term(p_i, n, k), (K),(K),(),(B)->(B), in blocks of symbols."""
    total = np.zeros(k.size)
    rows = max(1, _BLOCK_CELLS // max(1, k.size))
    for first in range(0, p.size, rows):
        block = slice(first, first + rows)
        total += weights[block] @ term(p[block, None], n, k[None, :])
    return total


def _bins(values: NDArray[Any], copies: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return smallest, largest and mean value and number of members of each bin of the ascending values."""
    label = np.floor(np.log(values) / _BIN_WIDTH)
    first = np.append(0, np.flatnonzero(np.diff(label)) + 1)
    low, high = values[first], values[np.append(first[1:], values.size) - 1]
    members = np.add.reduceat(copies, first)
    mean = np.clip(np.add.reduceat(values * copies, first) / members, low, high)
    return low, high, mean, members


def _sharp_lower(p: NDArray[Any], n: int, k: NDArray[Any]) -> NDArray[Any]:
    return np.maximum(_concave_lower(p, n, k), p)


def _concave_lower(p: NDArray[Any], n: int, k: NDArray[Any]) -> NDArray[Any]:
    """Return 1-(1-p g_k)^n: `survival_bounds` without its floor p, whose kink is not concave."""
    with np.errstate(divide="ignore"):
        return -np.expm1(n * np.log1p(-p * g_at(np.maximum(k, 1))))


def _sharp_upper(p: NDArray[Any], n: int, k: NDArray[Any]) -> NDArray[Any]:
    return survival_bounds(p, n, k)[1]


def _published_lower(p: NDArray[Any], n: int, k: NDArray[Any]) -> NDArray[Any]:
    return survival_bounds_published(p, n, k)[0]


def _published_upper(p: NDArray[Any], n: int, k: NDArray[Any]) -> NDArray[Any]:
    return survival_bounds_published(p, n, k)[1]
