"""The mean of data of a symmetric alpha-stable law, whose characteristic function is exp(-|scale k|^alpha).

The error of a fit is a weighted sum of independent stable variates, so that it is stable itself.

Notation
--------
alpha : stability, above 0 and at most 2.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import zeta

from fastcollapse.theory.arguments import MAX_GENERATIONS, choice, integers, real, reals, require
from fastcollapse.theory.schedule_recursion import check_schedule

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_NEAR_CAUCHY = 0.04


def stable_mean_factor(alpha: float, k: ArrayLike, workflow: str = "replace") -> NDArray[np.float64]:
    """Return the scale of the error after k fits over that of the first fit.

    It is k^(1/alpha) for "replace" and (sum_{s<=k} s^-alpha)^(1/alpha) for "accumulate". For a Cauchy law that is k and
    1 + 1/2 + ... + 1/k.

    Parameters
    ----------
    k : number of fits, 0 to 10**7.
    workflow : "replace" or "accumulate" (each fit is to all points so far).
    alpha : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`, exact for a constant number of points.

    References
    ----------
    Derived; checked in tests/verification/test_counterexamples.py.

    Examples
    --------
    >>> stable_mean_factor(1, [1, 2, 3], "accumulate")
    array([1.        , 1.5       , 1.83333333])
    """
    a, index = _stability(alpha), integers("k", k, 0, MAX_GENERATIONS)
    if choice("workflow", workflow, ("replace", "accumulate")) == "replace":
        powers = index.astype(float)
    else:
        s = np.arange(1, int(index.max(initial=0)) + 1, dtype=float)
        powers = np.append(0.0, np.cumsum(s**-a))[index]
    with np.errstate(over="ignore"):
        return powers ** (1 / a)


def stable_mean_limit(alpha: float) -> float:
    """Return the limit of the scale of the error over that of the first fit in workflow accumulate.

    It is zeta(alpha)^(1/alpha), pi/sqrt 6 for a Gaussian, and infinite for alpha <= 1.

    Parameters
    ----------
    alpha : see `Notation` of the module.

    Returns
    -------
    float, exact.

    References
    ----------
    Derived; checked in tests/verification/test_counterexamples.py.

    Examples
    --------
    >>> stable_mean_limit(1.5), stable_mean_limit(1)
    (1.8968095081..., inf)
    """
    a = _stability(alpha)
    return float(zeta(a) ** (1 / a)) if a > 1 else math.inf


def stable_mean_scale(
    alpha: float, n_synthetic: ArrayLike, n_real: ArrayLike = 0, keep: ArrayLike = 0, real: str = "fresh"
) -> NDArray[np.float64]:
    """Return the scale of the error of each generation t = 0..T under any schedule without subsamples.

    Parameters
    ----------
    n_synthetic : [T], points of each generation.
    n_real : [T] or scalar, real points.
    keep : [T] or scalar, 1 where a generation keeps the points of the earlier ones, otherwise 0.
    real : "none", "fresh" (real points are new in each generation) or "fixed" (the same in all).
    alpha : see `Notation` of the module.

    Returns
    -------
    float64, [T+1], exact, in units of the scale of the law.

    References
    ----------
    Derived; checked in tests/verification/test_counterexamples.py.

    Examples
    --------
    >>> stable_mean_scale(1, [10, 10, 10], keep=1)
    array([0.        , 1.        , 1.5       , 1.83333333])
    """
    a = _stability(alpha)
    schedule = check_schedule(n_synthetic, n_real, keep, 0, real)
    # The error is a sum of new batches with the scale `moving`, and of the fixed batch with the weight `fixed`.
    moving, fixed, pool = [0.0], [0.0], 0
    for generation in schedule:
        pool = pool * generation.keep + generation.n_synthetic + generation.n_fresh
        size = pool + schedule.n_fixed
        require(size > 0, "n_synthetic", "above 0 where no other points are fitted", n_synthetic)
        batches = sum((n / size) ** a * n ** (1 - a) for n in (generation.n_synthetic, generation.n_fresh) if n)
        stays = 1 - (generation.n_fresh + schedule.n_fixed) / size
        moving.append(stays**a * moving[-1] + batches)
        fixed.append(stays * fixed[-1] + schedule.n_fixed / size)
    of_fixed = np.array(fixed) ** a * (schedule.n_fixed ** (1 - a) if schedule.n_fixed else 0.0)
    return (np.array(moving) + of_fixed) ** (1 / a)


def stable_quantile(alpha: float, q: ArrayLike) -> NDArray[np.float64]:
    """Return a quantile of the absolute value of a stable variate of scale 1.

    Parameters
    ----------
    q : probability, 0.001 to 0.999.
    alpha : see `Notation` of the module; at least 0.05.

    Returns
    -------
    float64, shape of `q`, to seven digits; to six for extreme q and alpha close to 1.

    References
    ----------
    Chambers, Mallows and Stuck, JASA 71 (1976), whose representation is integrated over its exponential variate.

    Examples
    --------
    >>> stable_quantile(1, [0.5]), stable_quantile(2, [0.5]).round(6)
    (array([1.]), array([0.953873]))
    """
    a, level = _stability(alpha), reals("q", q, 0.001, 0.999)
    require(a >= 0.05, "alpha", "at least 0.05", alpha)
    if abs(a - 1) < _NEAR_CAUCHY / 2:
        # The integrand is steep there: a polynomial in alpha through five values.
        offsets = np.arange(-2, 3)
        place = (a - 1) / _NEAR_CAUCHY
        values = [
            np.log(np.tan(np.pi / 2 * level) if i == 0 else _quantile(1 + _NEAR_CAUCHY * i, level)) for i in offsets
        ]
        return np.exp(
            sum(
                value * np.prod([(place - j) / (i - j) for j in offsets if j != i])
                for i, value in zip(offsets, values, strict=True)
            )
        )
    return _quantile(a, level)


def _quantile(a: float, level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a quantile of |S| by bisection, for alpha not close to 1."""
    low, high = np.full(level.shape, -700.0), np.full(level.shape, 700.0)
    for _ in range(70):
        middle = (low + high) / 2
        is_below = _distribution(a, middle) < level
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    return np.exp((low + high) / 2)


def _distribution(a: float, log_x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Pr(|S| <= x): the exponential variate of each angle is above or below a power of x."""
    # Panels that narrow towards both ends of (0, pi/2), where the powers of sine and cosine are steep.
    half = np.pi / 4 * np.append(0.0, np.exp2(np.arange(-160, 1) / 8))
    edges = np.concatenate([half, np.pi / 2 - half[-2::-1]])
    centre, width = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    angle = (centre[:, None] + width[:, None] * _NODES).ravel()
    weight = (width[:, None] * _WEIGHTS).ravel() / (np.pi / 2)
    log_cos = np.log(np.cos(angle))
    log_front = np.log(np.sin(a * angle)) - log_cos / a + (1 / a - 1) * np.log(np.cos((1 - a) * angle))
    with np.errstate(over="ignore"):
        waiting = np.exp((log_front - log_x[..., None]) * a / (1 - a))
    survival = np.exp(-waiting)
    return np.sum(weight * (survival if a < 1 else 1 - survival), axis=-1)


def _stability(alpha: float) -> float:
    """Return alpha, which must be above 0 and at most 2."""
    a = real("alpha", alpha, 0, 2)
    require(a > 0, "alpha", "above 0", alpha)
    return a
