"""Expected loss of entropy, in nats, of a discrete distribution refitted to n of its own samples (replace).

Notation
--------
n : samples per generation, at least 1.
"""

import functools

import numpy as np
import scipy  # scipy.stats is loaded at its first use, because it takes half a second
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, integers, real, reals, require, symbol_classes
from fastcollapse.theory.discrete.survival import survival_bounds

# Count from which on the expansion of phi in 1/c has a relative error below 1e-9.
_LARGE_COUNT = 1000
# Below this count a symbol has at most one token, up to a relative error of 1e-4.
_SMALLEST_COUNT = 1e-4


def entropy_slope(expected_unique: ArrayLike, n: int) -> NDArray[np.float64]:
    """Return the expected change of the entropy in one refit, in the diffusion limit.

    dE[H]/dk = -(E uniq_k - 1)/(2n), with the number uniq_k of distinct symbols after k refits.

    Parameters
    ----------
    expected_unique : expected number of distinct symbols, any shape, at least 1.
    n : see `Notation` of the module.

    Returns
    -------
    float64, shape of `expected_unique`, nats per generation. It is accurate if most counts are well above 1;
        use `entropy_loss` otherwise.

    References
    ----------
    Derived; checked by simulation in tests/theory/discrete/test_entropy.py.

    Examples
    --------
    >>> float(entropy_slope(11, 100))
    -0.05
    """
    return -(reals("expected_unique", expected_unique, 1, np.inf) - 1) / (2 * integer("n", n, 1))


def phi(c: ArrayLike) -> NDArray[np.float64]:
    """Return the function phi that gives the expected loss of entropy by one symbol in one refit.

    phi(c) = E ln(1+Pois(c)) - ln c. A symbol of count c loses (c/n) phi(c) nats.

    Parameters
    ----------
    c : expected count n p, any shape, above 0.

    Returns
    -------
    float64, shape of `c`; about 1/(2c) for large c. The relative error is below 1e-8.

    References
    ----------
    Derived, E[X ln X] = c E ln(1+X) for X ~ Pois(c); checked by simulation in
    tests/theory/discrete/test_entropy.py.

    Examples
    --------
    >>> phi([1, 10, 1e6]).round(9)
    array([5.73402809e-01, 5.09414270e-02, 5.00000000e-07])
    """
    counts = reals("c", c, 0, np.inf, closed=False)
    large = counts >= _LARGE_COUNT
    inverse = 1 / np.maximum(counts, _LARGE_COUNT)
    series = inverse / 2 + inverse**2 / 12 + inverse**3 / 12
    flat = np.unique(counts[~large])
    small = np.empty_like(flat)
    for i, mean in enumerate(flat):
        x = np.arange(np.ceil(mean + 12 * np.sqrt(mean) + 40))
        small[i] = scipy.stats.poisson.pmf(x, mean) @ np.log1p(x) - np.log(mean)
    if flat.size == 0:
        return series
    return np.where(large, series, small[np.minimum(np.searchsorted(flat, counts), flat.size - 1)])


def entropy_loss(p: ArrayLike, n: int, copies: ArrayLike | None = None) -> float:
    """Return the expected loss of entropy in the next refit, for large n.

    The loss is sum_i p_i phi(n p_i).

    Parameters
    ----------
    p : [K], the probabilities of the state, zeros allowed.
    n : samples per generation, at least 1, much larger than each n p.
    copies : [K], number of symbols of each probability, for a state without an array over symbols; 1 by default.

    Returns
    -------
    float, nats, asymptotic in n.

    References
    ----------
    Derived; checked by simulation in tests/theory/discrete/test_entropy.py.

    Examples
    --------
    >>> round(entropy_loss([0.001] * 1000, 1000), 4)
    0.5734
    """
    state = reals("p", p, 0, 1).ravel()
    numbers = np.ones(state.shape) if copies is None else reals("copies", copies, 0, np.inf).ravel()
    require(numbers.shape == state.shape, "copies", f"of the shape of p, {state.shape}", numbers)
    size = integer("n", n, 1)
    alive = state > 0
    return float((numbers[alive] * state[alive]) @ phi(size * state[alive])) if alive.any() else 0.0


def entropy_path(p: ArrayLike, n: int, k: ArrayLike, copies: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return the expected entropy after k refits, for large n.

    Each refit loses (sum_i s_i c_i phi(c_i) - 1/2)/n, where s_i is the probability that symbol i is alive by then and
    c_i = n p_i/s_i its mean count if it is alive. The first loss is that of `entropy_loss`.

    Parameters
    ----------
    p : [K], the true probabilities, which sum to 1. The cost is O(distinct p x log k).
    n : see `Notation` of the module.
    k : [B] or scalar, number of refits, at least 0.
    copies : [K], number of symbols of each probability, for a truth without an array over symbols; 1 by default.

    Returns
    -------
    float64, shape of `k`, nats, asymptotic in n. The mean count in place of its law moves the losses by up to 3 %
        where symbols have few tokens, and by less for larger counts.

    References
    ----------
    Derived; checked in tests/verification/test_discrete.py.

    Examples
    --------
    >>> entropy_path([0.001] * 1000, 100_000, [0, 1, 10]).round(4)
    array([6.9078, 6.9028, 6.8577])
    """
    (values, numbers), size, index = symbol_classes(p, copies), integer("n", n, 1), integers("k", k, 0)
    start = -float(numbers @ (values * np.log(values)))
    last = int(index.max(initial=0))
    # All refits up to 100, then steps of 2 %: the loss changes slowly.
    steps = np.unique(
        np.concatenate([np.arange(min(max(last, 1), 100)), np.geomspace(100, max(last, 101), 350).astype(int)])
    )
    steps = steps[steps < max(last, 1)]
    losses = np.array([_loss_after(int(step), values, numbers, size) for step in steps])
    every = np.interp(np.arange(last), steps, losses)
    total = np.concatenate([[0.0], np.cumsum(every)])
    return np.asarray(np.maximum(start - total, 0.0)[index])


def _loss_after(k: int, p: NDArray[np.float64], copies: NDArray[np.float64], n: int) -> float:
    """Return the expected loss of entropy in the refit after k refits."""
    lower, upper = survival_bounds(p, n, k)
    alive = 0.5 * (lower + upper)
    return max(0.0, float(copies @ (alive * _count_times_phi(n * p / alive))) - 0.5) / n


def _count_times_phi(c: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return c phi(c), above 1e-4 from a table with a relative error below 1e-7."""
    grid, values = _table_of_phi()
    inside = np.clip(np.log(c), grid[0], grid[-1])
    found = scipy.interpolate.CubicSpline(grid, values)(inside)
    large, small = c >= _LARGE_COUNT, c < _SMALLEST_COUNT
    found[large] = c[large] * phi(c[large])
    found[small] = c[small] * (c[small] * np.log(2) - np.log(c[small]))  # at most one token
    return np.asarray(found)


@functools.cache
def _table_of_phi() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    grid = np.linspace(np.log(_SMALLEST_COUNT), np.log(_LARGE_COUNT), 600)
    return grid, np.exp(grid) * phi(np.exp(grid))


def late_entropy(h0: float, n: int, k: ArrayLike) -> NDArray[np.float64]:
    """Return the expected entropy late in the collapse, when at most two symbols are left.

    It is 3 sum_{i<j} p_i p_j (1-1/n)^k, with the probabilities p of the truth.

    Parameters
    ----------
    h0 : heterozygosity 1 - sum p^2 = 2 sum_{i<j} p_i p_j of the truth, within [0, 1].
    k : number of refits, at least 0, any shape.
    n : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`, nats, asymptotic for k much larger than n.

    References
    ----------
    Derived (two symbols, uniform quasi-stationary law); checked in tests/theory/discrete/test_entropy.py.

    Examples
    --------
    >>> late_entropy(0.5, 100, [300, 1000]).round(6)
    array([3.6781e-02, 3.2000e-05])
    """
    start, size, index = real("h0", h0, 0, 1), integer("n", n, 1), integers("k", k, 0)
    return 1.5 * start * np.power(1 - 1 / size, index)
