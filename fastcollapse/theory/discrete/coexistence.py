"""Bounds of the probability that a discrete distribution has not collapsed after k refits (replace).

Two symbols of true probabilities p0 and q0 = 1-p0 are both alive while the fitted probability P_k is neither 0
nor 1. Upper bounds are cut at 1.

Notation
--------
p0 : true probability of one of the symbols, within [0, 1]; broadcast against `k`.
n : samples per generation, at least 1.
k : number of refits, at least 0; at k = 0 both bounds are the exact value.
"""

import numpy as np
from numpy.typing import ArrayLike

from fastcollapse.theory.arguments import integer, integers, real, reals, require
from fastcollapse.theory.discrete.survival import Pair, survival_bounds, survival_bounds_published


def coexistence_bounds_published(p0: ArrayLike, n: int, k: ArrayLike) -> Pair:
    """Return the published bounds of the probability that both symbols are alive.

    Parameters
    ----------
    p0, n, k : see `Notation` of the module.

    Returns
    -------
    lower, upper : float64, broadcast shape, cut to [0, 1].

    References
    ----------
    Theorem 1 of arXiv:2412.17646, applied to p0 and to 1-p0.

    Examples
    --------
    >>> lower, upper = coexistence_bounds_published(0.2, 100, 1)
    >>> bool(0 <= lower <= upper <= 1)
    True
    """
    p = reals("p0", p0, 0, 1)
    low, high = survival_bounds_published(p, n, k)
    low_rest, high_rest = survival_bounds_published(1 - p, n, k)
    return np.clip(low + low_rest - 1, 0, 1), np.clip(high + high_rest - 1, 0, 1)


def coexistence_bounds(p0: ArrayLike, n: int, k: ArrayLike) -> Pair:
    """Return the sharpest bounds known here of the probability that both symbols are alive.

    They combine `survival_bounds` of p0 and of 1-p0 with `seddik_bounds_sharp`.

    Parameters
    ----------
    p0, n, k : see `Notation` of the module.

    Returns
    -------
    lower, upper : float64, broadcast shape.

    References
    ----------
    Derived; checked against the exact chain in tests/theory/discrete/test_coexistence.py.

    Examples
    --------
    >>> lower, upper = coexistence_bounds(0.2, 100, [1, 200])
    >>> bool((lower <= upper).all())
    True
    """
    p = reals("p0", p0, 0, 1)
    low, high = survival_bounds(p, n, k)
    low_rest, high_rest = survival_bounds(1 - p, n, k)
    slow_low, slow_high = seddik_bounds_sharp(p, n, k)
    return np.maximum(low + low_rest - 1, slow_low), np.minimum(high + high_rest - 1, slow_high)


def seddik_bounds(p0: ArrayLike, n: int, k: ArrayLike) -> Pair:
    """Return the published geometric bounds of the probability that both symbols are alive.

    The bounds are 4 p0 q0 (1-1/n)^k and 2 n p0 q0 (1-1/n)^k.

    Parameters
    ----------
    p0, n, k : see `Notation` of the module.

    Returns
    -------
    lower, upper : float64, broadcast shape.

    References
    ----------
    arXiv:2404.05090, as used in the notebook of arXiv:2412.17646.

    Examples
    --------
    >>> lower, upper = seddik_bounds(0.2, 100, 500)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.0042, 0.2103)
    """
    return _heterozygosity_pair(p0, n, k, published=True)


def seddik_bounds_sharp(p0: ArrayLike, n: int, k: ArrayLike) -> Pair:
    """Return sharper geometric bounds of the probability that both symbols are alive.

    The bounds are 4 p0 q0 (1-1/n)^k and n p0 q0 (1-1/n)^{k-1}. The diffusion has 6 p0 q0 as its late-time
    constant.

    Parameters
    ----------
    p0, n, k : see `Notation` of the module.

    Returns
    -------
    lower, upper : float64, broadcast shape.

    References
    ----------
    Derived: p(1-p) on the lattice j/n is between (1-1/n)/n and 1/4; checked against the exact chain in
    tests/theory/discrete/test_coexistence.py.

    Examples
    --------
    >>> lower, upper = seddik_bounds_sharp(0.2, 100, 500)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.0042, 0.1062)
    """
    return _heterozygosity_pair(p0, n, k, published=False)


def not_collapsed_bounds(h0: float, m: int, n: int, k: ArrayLike) -> Pair:
    """Return bounds of the probability that at least two of m symbols are alive.

    The bounds are H_0 (1-1/n)^k/(1-1/m) and (n/2) H_0 (1-1/n)^{k-1}.

    Parameters
    ----------
    h0 : heterozygosity H_0 = 1 - sum p^2 of the truth, within [0, 1-1/m].
    m : number of symbols, at least 2.
    k : number of refits, at least 1, any shape.
    n : see `Notation` of the module.

    Returns
    -------
    lower, upper : float64, shape of `k`.

    References
    ----------
    Derived, as `seddik_bounds_sharp`; checked by simulation in tests/theory/discrete/test_coexistence.py.

    Examples
    --------
    >>> lower, upper = not_collapsed_bounds(0.75, 4, 10, 30)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.0424, 0.1766)
    """
    support, size, index = integer("m", m, 2), integer("n", n, 1), integers("k", k, 1)
    start = real("h0", h0, 0, 1)
    require(start <= 1 - 1 / support + 1e-12, "h0", f"within [0, 1-1/m] with m = {support}", h0)
    decay = 1 - 1 / size
    lower = start * decay**index / (1 - 1 / support)
    return np.minimum(lower, 1), np.minimum(size / 2 * start * decay ** (index - 1), 1)


def _heterozygosity_pair(p0: ArrayLike, n: int, k: ArrayLike, *, published: bool) -> Pair:
    p, size, index = reals("p0", p0, 0, 1), integer("n", n, 1), integers("k", k, 0)
    spread, decay = p * (1 - p), 1 - 1 / size
    high = 2 * size * spread * decay**index if published else size * spread * decay ** np.maximum(index - 1, 0)
    start = (spread > 0) * 1.0
    lower = np.where(index == 0, start, 4 * spread * decay**index)
    return lower, np.where(index == 0, start, np.minimum(high, 1))
