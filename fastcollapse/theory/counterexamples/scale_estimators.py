"""Relative errors of a scale: the mean of exponential data, and the maximum of uniform data.

A fit multiplies the estimate by an independent factor, so that the moments of the relative error have a recursion.

Notation
--------
n : points of a fit, at least 1; one number.
k : number of fits, 0 to 10**7.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import MAX_GENERATIONS, choice, integer, integers, per_generation, require

_ORDERS = 4


def exponential_mean_square(n: int, k: ArrayLike, workflow: str = "replace") -> NDArray[np.float64]:
    """Return E(mean_k/mean_0)^2 after k fits of the mean of exponential data.

    It is (1 + 1/n)^k for "replace" and prod_{s<=k} (1 + 1/(n s^2)) for "accumulate". It also holds for the density
    theta x^(theta - 1) on [0, 1] with theta = 1/mean, by -ln x.

    Parameters
    ----------
    workflow : "replace" or "accumulate" (each fit is to all points so far).
    n, k : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`, exact.

    References
    ----------
    Derived; checked in tests/verification/test_counterexamples.py.

    Examples
    --------
    >>> exponential_mean_square(20, [1, 2, 100], "accumulate").round(6)
    array([1.05    , 1.063125, 1.083761])
    """
    size, index = integer("n", n, 1), integers("k", k, 0, MAX_GENERATIONS)
    kind = choice("workflow", workflow, ("replace", "accumulate"))
    s = np.arange(1, int(index.max(initial=0)) + 1, dtype=float)
    logs = np.log1p(1 / (size * (s**2 if kind == "accumulate" else np.ones_like(s))))
    with np.errstate(over="ignore"):
        return np.exp(np.append(0.0, np.cumsum(logs))[index])


def exponential_mean_square_limit(n: int) -> float:
    """Return the limit of E(mean_k/mean_0)^2 in workflow accumulate, sinh(pi/sqrt n)/(pi/sqrt n).

    Parameters
    ----------
    n : see `Notation` of the module.

    Returns
    -------
    float, exact.

    References
    ----------
    Derived; checked in tests/verification/test_counterexamples.py.

    Examples
    --------
    >>> round(exponential_mean_square_limit(20), 12)
    1.084300067543
    """
    x = math.pi / math.sqrt(integer("n", n, 1))
    return math.sinh(x) / x


def exponential_mean_moments(n_synthetic: ArrayLike, keep: ArrayLike = 0, order: int = 2) -> NDArray[np.float64]:
    """Return E(mean_t/mean_0 - 1)^order after each generation t = 0..T, for the mean of exponential data.

    Parameters
    ----------
    n_synthetic : [T], points of each generation, at least 1.
    keep : [T] or scalar, 1 where a generation keeps the points of the earlier ones, otherwise 0.
    order : 1 to 4.

    Returns
    -------
    float64, [T+1], exact; inf where it exceeds the largest number.

    References
    ----------
    Derived; checked in tests/verification/test_counterexamples.py.

    Examples
    --------
    >>> exponential_mean_moments([20, 20], keep=1).round(6)
    array([0.      , 0.05    , 0.063125])
    """
    n = integers("n_synthetic", n_synthetic, 1)
    require(n.ndim == 1, "n_synthetic", "a vector, one entry for each generation", n_synthetic)
    keeps = per_generation("keep", keep, n.size)
    require(keeps <= 1, "keep", "0 or 1", keep)
    size = np.zeros(n.size)
    total = 0.0
    for t in range(n.size):
        total = total * keeps[t] + n[t]
        size[t] = total
    # Central moments of a gamma variate of shape n over the size of the fit: the factor is 1 + (G - n)/size.
    shape = n.astype(float)
    central = [
        np.ones(n.size),
        np.zeros(n.size),
        shape / size**2,
        2 * shape / size**3,
        3 * shape * (shape + 2) / size**4,
    ]
    return _relative_moments(np.array(central).T, 1)[:, integer("order", order, 1, _ORDERS)]


def uniform_maximum_moments(n: ArrayLike, k: ArrayLike, order: int = 1) -> NDArray[np.float64]:
    """Return E(1 - theta_k/theta_0)^order after k fits of the maximum of uniform data that is replaced.

    For one n the order 1 is 1 - (n/(n+1))^k and the order 2 is 1 - 2 (n/(n+1))^k + (n/(n+2))^k. Where data accumulate,
    theta stays that of the first fit: k = 1.

    Parameters
    ----------
    n : points of each fit, at least 1: one number, or a vector with an entry for each fit.
    order : 1 to 4.
    k : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`, exact.

    References
    ----------
    Derived; checked in tests/verification/test_counterexamples.py.

    Examples
    --------
    >>> uniform_maximum_moments(10, [1, 2], order=2).round(6)
    array([0.015152, 0.041552])
    """
    index = integers("k", k, 0, MAX_GENERATIONS)
    last = int(index.max(initial=0))
    sizes = integers("n", n, 1)
    require(sizes.ndim == 0 or (sizes.ndim == 1 and sizes.size >= last), "n", f"a number or {last} numbers", n)
    size = np.broadcast_to(sizes[:last] if sizes.ndim else sizes, (last,)).astype(float)
    steps = np.ones((last, _ORDERS + 1))
    for i in range(1, _ORDERS + 1):
        steps[:, i] = steps[:, i - 1] * i / (size + i)
    return _relative_moments(steps, -1)[index, integer("order", order, 1, _ORDERS)]


def _relative_moments(steps: NDArray[np.float64], sign: int) -> NDArray[np.float64]:
    """Return the moments E d^p of d' = d + g (1 + sign d), [T+1, 5], from those of each g, [T, 5]; d starts at 0."""
    moments = np.zeros((len(steps) + 1, _ORDERS + 1))
    moments[0, 0] = 1
    # E d'^p is the sum over i <= p and j <= i of these numbers times E g^i E d^(p - i + j).
    terms = [
        (p, i, p - i + j, math.comb(p, i) * math.comb(i, j) * sign**j)
        for p in range(_ORDERS + 1)
        for i in range(p + 1)
        for j in range(i + 1)
    ]
    matrix = np.zeros((_ORDERS + 1, _ORDERS + 1, _ORDERS + 1))
    for p, i, power, number in terms:
        matrix[p, i, power] += number
    with np.errstate(over="ignore", invalid="ignore"):
        for t, step in enumerate(steps):
            moments[t + 1] = np.einsum("piq,i,q->p", matrix, step, moments[t])
    # Infinite moments of which another multiple is 0.
    return np.where(np.isnan(moments), np.inf, moments)
