"""Exact law of the standard deviation Sigma_k of the refitted Gaussian (replace), and its median collapse time.

Notation
--------
sigma0 : standard deviation of the truth, positive; broadcast against the other arrays.
eps : threshold, positive.
n : samples per generation, at least 2, and at most 10**12 for `median_collapse_time`.
k : number of fits, at least 0.
estimator : "unbiased" (divisor D = n-1) or "mle" (maximum likelihood, D = n).
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import polygamma

from fastcollapse.theory.arguments import choice, integer, integers, is_unbiased, reals
from fastcollapse.theory.gaussian.log_chi import log_chi_mean, log_chi_moment, log_chi_variance
from fastcollapse.theory.gaussian.tail_bounds import chernoff_power

# Numbers of nodes and of values that are computed at once: 20 MB.
_NODES = 64
_VALUES = 1024
# The longest integral, for one fit to two points, has 700 nodes.
_MOST_BLOCKS = 100
_LARGEST_N = 10**12


def tail_exact(sigma0: ArrayLike, eps: ArrayLike, n: int, k: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the exact probability Pr(Sigma_k > eps).

    Parameters
    ----------
    sigma0, eps, n, k, estimator : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape; the relative error is about 1e-11, also in the far tail. Cost 10 us to 0.1 ms a
        value.

    References
    ----------
    Derived: the inversion formula of Gil-Pelaez for ln Sigma_k, a sum of k independent ln sqrt(chi2/D), along
    the line through the saddle point; checked in tests/theory/gaussian/test_collapse_time.py.

    Examples
    --------
    >>> tail_exact(1, 0.1, 10, [1, 45, 89, 200], "unbiased").round(4)
    array([1.    , 0.436 , 0.1142, 0.004 ])
    """
    saddle = chernoff_power(sigma0, eps, n, k, estimator)
    size, index = integer("n", n, 2), integers("k", k, 0)
    log_ratio = np.log(reals("sigma0", sigma0, 0, np.inf)) - np.log(reals("eps", eps, 0, np.inf))
    divisor = 0.0 if is_unbiased(estimator) else np.log1p(-1 / size) / 2
    columns = [np.ravel(a) for a in np.broadcast_arrays(log_ratio, index.astype(np.float64), saddle)]
    probability = np.empty(saddle.size)
    for start in range(0, saddle.size, _VALUES):
        part = slice(start, start + _VALUES)
        ratio, fits, power = (a[part] for a in columns)
        inverted = _invert(ratio, np.maximum(fits, 1), power, size - 1, divisor)
        probability[part] = np.where(fits == 0, ratio > 0, inverted)
    return probability.reshape(saddle.shape)


def median_collapse_time(
    sigma0: float, eps: ArrayLike, n: int, estimator: str, form: str = "exact"
) -> NDArray[np.float64]:
    """Return the number of fits after which Sigma_k is below eps with probability 1/2.

    Parameters
    ----------
    form : "exact" (the smallest k with Pr(Sigma_k > eps) <= 1/2) or "law" (the k at which the mean of ln
        Sigma_k is ln eps, about 2 (n-1) ln(sigma_0/eps) for "unbiased" and n ln(sigma_0/eps) for "mle").
    sigma0, eps, n, estimator : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape, whole numbers for "exact"; 0 where `eps` is at least `sigma0`.

    References
    ----------
    Derived; checked in tests/theory/gaussian/test_collapse_time.py.

    Examples
    --------
    >>> median_collapse_time(1, [0.1, 0.01], 100, "unbiased")
    array([455., 910.])
    >>> median_collapse_time(1, [0.1, 0.01], 100, "unbiased", "law").round(2)
    array([454.38, 908.76])
    """
    kind = choice("form", form, ("exact", "law"))
    start = reals("sigma0", sigma0, 0, np.inf, closed=False)
    threshold = reals("eps", eps, 0, np.inf, closed=False)
    size = integer("n", n, 2, _LARGEST_N)
    drift = log_chi_mean(size - 1) + (0.0 if is_unbiased(estimator) else np.log1p(-1 / size) / 2)
    law = np.asarray(np.maximum(0, np.log(start) - np.log(threshold)) / -drift)
    if kind == "law" or law.size == 0:
        return law
    low, high = np.zeros(law.shape), np.where(law > 0, np.ceil(2 * law) + 8, 0)
    # The median of ln Sigma_k is within a few steps of its mean, so twice the mean time is an upper bound.
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        above = tail_exact(start, threshold, size, middle, estimator) > 0.5
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return high


def _invert(
    log_ratio: NDArray[np.float64],
    fits: NDArray[np.float64],
    saddle: NDArray[np.float64],
    nu: int,
    divisor: float,
) -> NDArray[np.float64]:
    """Return Pr(S > -log_ratio) for the sum S of `fits` steps with the cumulant function K.

    It is 1/(2 pi i) times the integral of e^{K(z) + z log_ratio}/z along Re z = c > 0, and 1 plus that for c < 0.
    """

    def exponent(z: NDArray[Any]) -> NDArray[Any]:
        ratio, k = (a.reshape(a.shape + (1,) * (z.ndim - 1)) for a in (log_ratio, fits))
        return k * (log_chi_moment(z, nu) + z * divisor) + z * ratio

    # The line passes through the saddle point, but at least a standard deviation away from the pole at 0. On
    # the left the probability is close to 1, and half the distance to the pole at -nu is sufficient.
    least = 1 / np.sqrt(fits * log_chi_variance(nu))
    line = np.where(saddle >= 0, np.maximum(saddle, least), -np.minimum(np.maximum(-saddle, least), nu / 2))
    variance = fits * polygamma(1, (line + nu) / 2) / 4
    # The error of the midpoint rule is e^{-2 pi distance/step}, with the distance of the nearest pole.
    step = np.minimum(0.15 / np.sqrt(variance), np.minimum(np.abs(line), line + nu) / 6.5)
    height = exponent(line)
    total = np.zeros_like(line)
    for block in range(_MOST_BLOCKS):
        t = step[:, None] * (block * _NODES + np.arange(_NODES) + 0.5)
        z = line[:, None] + 1j * t
        terms = np.exp(exponent(z) - height[:, None]) / z
        total += terms.real.sum(axis=1)
        if np.all(np.abs(terms[:, -1]) < 1e-17 * np.abs(1 / line)):
            break
    upper = np.exp(np.minimum(height, 700)) * total * step / np.pi
    return np.clip(np.where(line > 0, upper, 1 + upper), 0, 1)
