"""A refitted Gaussian whose points are drawn with lam times its deviation: the sampling bias lambda, or a filter.

A hard filter that keeps points within c deviations of the mean has the second moments of lam^2 =
`truncated_variance_factor(c)`. `expected_gaussian` has the same expectations under any schedule, with `bias`.

Notation
--------
lam : the bias lambda, above 0, at most 1e6; below 1 samples are sharper than the model, above 1 wilder.
n : points per generation, at least 2.
t : number of fits, any shape, at least 0.
estimator : "unbiased" (divisor n-1) or "mle" (divisor n).
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from fastcollapse.theory.arguments import (
    MAX_GENERATIONS,
    integer,
    integers,
    is_unbiased,
    over_fits,
    real,
    require,
    sizes_and_fits,
)
from fastcollapse.theory.gaussian.univariate import log_sigma_mean


def bias_replace_variance(lam: float, n: ArrayLike, t: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return E sigma_t^2/sigma_0^2 under replacement: lam^(2t), times (1-1/n)^t for "mle".

    Parameters
    ----------
    n : points per generation, at least 2: one number, or a vector with entry s-1 for fit s.
    lam, t, estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `t`, exact.

    References
    ----------
    Setting: arXiv:2307.01850. Derived; checked in tests/verification/test_gaussian_maps.py.

    Examples
    --------
    >>> bias_replace_variance(0.9, 10, [0, 1, 2], "mle").round(6)
    array([1.      , 0.729   , 0.531441])
    """
    sizes, index = sizes_and_fits(n, t, 2, "t")
    divisor = np.zeros_like(sizes) if is_unbiased(estimator) else np.log1p(-1 / sizes)
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(over_fits(divisor + 2 * math.log(_bias(lam)), index)), dtype=np.float64)


def bias_replace_log_sigma(lam: float, n: ArrayLike, t: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return E ln(sigma_t/sigma_0) under replacement: t ln lam more than without a bias.

    Parameters
    ----------
    n : points per generation, at least 2: one number, or a vector with entry s-1 for fit s.
    lam, t, estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `t`, exact.

    References
    ----------
    Setting: arXiv:2307.01850. Derived; checked in tests/verification/test_gaussian_maps.py.

    Examples
    --------
    >>> bias_replace_log_sigma(0.9, 10, [1, 100], "unbiased").round(6)
    array([ -0.162964, -16.296375])
    """
    return np.asarray(log_sigma_mean(n, t, estimator) + math.log(_bias(lam)) * integers("t", t, 0), dtype=np.float64)


def bias_accumulate_moments(lam: float, n: int, t: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return E sigma_t^2 and E (mu_t-mu_0)^2 over sigma_0^2 under accumulation, by maximum likelihood.

    The first n points are real. E sigma_t^2 is (1-1/n) prod_{s=2..t} [1 - (1-lam^2)/s - lam^2/(n s^2)]; the error of
    the mean grows by lam^2 E sigma_t^2/(n (t+1)^2) a generation.

    Parameters
    ----------
    t : number of fits, any shape, 0 to 10**7.
    lam, n : see `Notation` of the module.

    Returns
    -------
    variance, mean_error : float64, shape of `t`, exact. Cost O(max t).

    References
    ----------
    Setting: arXiv:2307.01850. Derived; checked in tests/verification/test_gaussian_maps.py.

    Examples
    --------
    >>> variance, mean_error = bias_accumulate_moments(0.8, 10, [1, 40])
    >>> variance.round(12), mean_error.round(6)
    (array([0.9       , 0.25289866]), array([0.1     , 0.127801]))
    """
    square, size, index = _bias(lam) ** 2, integer("n", n, 2), integers("t", t, 0, MAX_GENERATIONS)
    s = np.arange(2.0, max(2, index.max(initial=0) + 1))
    with np.errstate(over="ignore"):
        variance = (1 - 1 / size) * np.append(1.0, np.cumprod(1 - (1 - square) / s - square / (size * s * s)))
        error = 1 / size + np.append(0.0, np.cumsum(square * variance[:-1] / (size * s * s)))
    return np.append(1.0, variance)[index], np.append(0.0, error)[index]


def bias_accumulate_power_law(lam: float, n: int) -> tuple[float, float]:
    """Return C and a of E sigma_t^2/sigma_0^2 ~ C t^(-a) under accumulation, with a = 1-lam^2.

    However small a bias is, accumulation collapses, or explodes for lam above 1, as a power of t. C follows from
    E sigma_t^2/sigma_0^2 = (1-1/n) Gamma(t+1-r1) Gamma(t+1-r2)/((1-r1)(1-r2) Gamma(1-r1) Gamma(1-r2) Gamma(t+1)^2),
    with the roots r1 and r2 of r^2 - (1-lam^2) r - lam^2/n.

    Parameters
    ----------
    lam, n : see `Notation` of the module.

    Returns
    -------
    C, a : float, exact.

    References
    ----------
    Derived; checked in tests/theory/gaussian/test_sampling_bias.py and by simulation in
    tests/verification/test_gaussian_maps.py.

    Examples
    --------
    >>> C, a = bias_accumulate_power_law(0.8, 10)
    >>> round(C * 40**-a, 4), round(a, 2)
    (0.2532, 0.36)
    """
    square, size = _bias(lam) ** 2, integer("n", n, 2)
    a = (1 - lam) * (1 + lam)
    # (1-r1)(1-r2) = lam^2 (1-1/n).
    first, second = _roots(a, square / size)
    return float(np.exp(-gammaln(1 - first) - gammaln(1 - second)) / square), a


def bias_fresh_moments(lam: float, n_r: int, n_s: int, t: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return E sigma_t^2 and E (mu_t-mu_0)^2 over sigma_0^2 with fresh real points, by maximum likelihood.

    With N = n_r + n_s, q the error of the mean and s the variance: q' = (n_r + n_s lam^2 s + n_s^2 q)/N^2 and s' =
    (n_r + n_s (q + lam^2 s))/N - q'.

    Parameters
    ----------
    n_r, n_s : real and synthetic points of each generation, at least 0, together at least 1.
    t : number of fits, any shape, 0 to 10**7.
    lam : see `Notation` of the module.

    Returns
    -------
    variance, mean_error : float64, shape of `t`, exact. Cost O(max t).

    References
    ----------
    Setting: arXiv:2307.01850. Derived; checked in tests/verification/test_gaussian_maps.py.

    Examples
    --------
    >>> bias_fresh_moments(0.7, 5, 15, [1, 15])[0].round(8)
    array([0.586625  , 0.37769504])
    """
    square, real_points, synthetic = _bias(lam) ** 2, integer("n_r", n_r, 0), integer("n_s", n_s, 0)
    index = integers("t", t, 0, MAX_GENERATIONS)
    N = real_points + synthetic
    require(N >= 1, "n_r", "at least 1 if n_s is 0", n_r)
    share, other = real_points / N, synthetic / N
    moments = np.empty((int(index.max(initial=0)) + 1, 2))
    s, q = 1.0, 0.0
    moments[0] = s, q
    for step in range(1, len(moments)):
        drawn = share + other * square * s
        # s' as a sum of positive terms.
        s, q = (1 - 1 / N) * drawn + other * share * q, drawn / N + other * other * q
        moments[step] = s, q
    return moments[index, 0], moments[index, 1]


def bias_fresh_limit(lam: float, f: float) -> float:
    """Return the limit of sigma_t^2/sigma_0^2 for many points of which a share f is fresh real data: f/(1-(1-f)lam^2).

    Parameters
    ----------
    f : share of real data, above 0, at most 1; (1-f) lam^2 must be below 1.
    lam : see `Notation` of the module.

    Returns
    -------
    float, for many fits, asymptotic in the number of points.

    References
    ----------
    Derived; checked in tests/theory/gaussian/test_sampling_bias.py and by simulation in
    tests/verification/test_gaussian_maps.py.

    Examples
    --------
    >>> round(bias_fresh_limit(0.7, 0.25), 6)
    0.395257
    """
    square, share = _bias(lam) ** 2, real("f", f, 0, 1)
    require(share > 0 and (1 - share) * square < 1, "f", "above 0 and above 1 - 1/lam^2", f)
    return share / (1 - (1 - share) * square)


def _bias(lam: float) -> float:
    """Return the checked bias."""
    bias = real("lam", lam, 0, 1e6)
    require(bias > 0, "lam", "above 0", lam)
    return bias


def _roots(a: float, c: float) -> tuple[float, float]:
    """Return the roots of r^2 - a r - c, c > 0, without cancellation."""
    big = (a + math.copysign(math.sqrt(a * a + 4 * c), a)) / 2
    return big, -c / big
