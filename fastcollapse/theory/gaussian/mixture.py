"""The refitted symmetric mixture (1/2) N(mu, sigma^2) + (1/2) N(-mu, sigma^2): its tail bound and its estimators."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integers, reals, require
from fastcollapse.theory.gaussian.tail_bounds import tail_theorem3


def tail_theorem4(sigma0: ArrayLike, eps: ArrayLike, n: int, k: ArrayLike) -> NDArray[np.float64]:
    """Return the published bound (sigma_0/eps) e^{-k/(4n)} of Pr(Sigma_k > eps) for the mixture (replace).

    It is published for the approximate joint ML. The exact joint ML does not violate it either.

    Parameters
    ----------
    sigma0 : standard deviation of a component of the truth, positive; broadcast against `eps` and `k`.
    eps : threshold, positive.
    n : samples per generation, at least 2.
    k : number of fits, at least 0.

    Returns
    -------
    float64, broadcast shape, cut at 1.

    References
    ----------
    Theorem 4 of arXiv:2412.17646; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> tail_theorem4(1, 0.1, 10, [20, 100, 200]).round(4)
    array([1.    , 0.8208, 0.0674])
    """
    return tail_theorem3(sigma0, eps, n, k, "4n")


def mixture_kurtosis(mu: ArrayLike, sigma: ArrayLike) -> NDArray[np.float64]:
    """Return the kurtosis E x^4/(E x^2)^2 of the mixture.

    It is 3 - 2 mu^4/(mu^2 + sigma^2)^2, not in excess of 3.

    Parameters
    ----------
    mu : half of the distance of the components, any sign; broadcast against `sigma`.
    sigma : standard deviation of a component, positive.

    Returns
    -------
    float64, broadcast shape, within [1, 3], exact.

    References
    ----------
    Derived; checked in tests/theory/gaussian/test_mixture.py.

    Examples
    --------
    >>> mixture_kurtosis([0, 1, 2], 1)
    array([3.  , 2.5 , 1.72])
    """
    mean, deviation = reals("mu", mu, -1e300, 1e300), reals("sigma", sigma, 0, np.inf, closed=False)
    larger = np.maximum(np.abs(mean), deviation)
    share = (mean / larger) ** 2 / ((mean / larger) ** 2 + (deviation / larger) ** 2)
    return 3 - 2 * share**2


def ml_root_exists(m2: ArrayLike, m4: ArrayLike) -> NDArray[np.bool_]:
    """Return whether the sample kurtosis is below 3, so that some mu > 0 is more likely than mu = 0.

    The joint ML solves t = mean(x tanh(t x/s^2)) with s^2 = m2 - t^2. The root t = 0 always exists. It is a
    local maximum if and only if the kurtosis m4/m2^2 is above 3. A positive root may exist even then.

    Parameters
    ----------
    m2 : mean of x^2, positive; broadcast against `m4`.
    m4 : mean of x^4, at least m2^2.

    Returns
    -------
    bool, broadcast shape.

    References
    ----------
    Derived (the fourth order of the likelihood at t = 0); checked in tests/theory/gaussian/test_mixture.py.

    Examples
    --------
    >>> ml_root_exists(1.0, [1.0, 2.9, 3.1])
    array([ True,  True, False])
    """
    second, fourth = reals("m2", m2, 0, 1e150, closed=False), reals("m4", m4, 0, 1e301)
    # The tolerance accepts rounding errors of a sample of equal squares. Subnormal squares have too few digits.
    require(second >= 1e-150, "m2", "at least 1e-150", m2)
    require(fourth >= second * second * (1 - 1e-9), "m4", "at least m2^2", m4)
    return fourth < 3 * second * second


def approximate_ml_kappa(n: ArrayLike, eta: float = 2.0) -> NDArray[np.float64]:
    """Return the constant kappa of the approximate joint ML.

    kappa = exp{(eta-1)((n-1)/2+4 eta)/(eta (n-1)(n+4 eta-1))} - 1.

    Parameters
    ----------
    n : sample size, any shape, at least 2.
    eta : at least 1; 2 in the published code.

    Returns
    -------
    float64, shape of `n`.

    References
    ----------
    Algorithm 1 of arXiv:2412.17646, as coded.

    Examples
    --------
    >>> float(approximate_ml_kappa(10).round(6))
    0.041695
    """
    size, power = integers("n", n, 2).astype(np.float64), reals("eta", eta, 1, 1e6)
    require(power.ndim == 0, "eta", "a single number", eta)
    return np.expm1((power - 1) * ((size - 1) / 2 + 4 * power) / (power * (size - 1) * (size + 4 * power - 1)))


def approximate_joint_ml(m1: ArrayLike, m2: ArrayLike, n: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mu and sigma of the approximate joint ML of a symmetric mixture.

    Parameters
    ----------
    m1 : mean of |x|, at least 0; broadcast against `m2`.
    m2 : mean of x^2, at least m1^2.
    n : sample size, at least 2; broadcast against `m1` and `m2`.

    Returns
    -------
    mu, sigma : float64, broadcast shape. The difference m2 - m1^2 loses its digits where sigma is below 1e-8
        mu.

    References
    ----------
    Algorithm 1 of arXiv:2412.17646, as coded (eta = 2); checked in tests/theory/gaussian/test_mixture.py.

    Examples
    --------
    >>> mu, sigma = approximate_joint_ml([0.0, 1.1, 1.9], [1.0, 1.5, 4.0], 10)
    >>> mu.round(4), sigma.round(4)
    (array([0.    , 1.0945, 1.8957]), array([1.    , 0.5496, 0.6374]))
    """
    first, second = np.broadcast_arrays(reals("m1", m1, 0, 1e75), reals("m2", m2, 0, 1e150))
    square = first * first
    require(second >= square * (1 - 1e-12), "m2", "at least m1^2", m2)
    spread = np.maximum(second - square, 0)
    inflation = 1 + approximate_ml_kappa(n)
    positive_second = np.where(second > 0, second, 1)
    # This is 1/a of the paper; it is 1/50 if the sample resembles two points.
    inverse = np.where(
        second > inflation * square, (second - inflation * square) / (2 * inflation * positive_second), 0.02
    )
    separated = second * (1 - 2 * inverse) <= 2 * square
    weight = np.where(separated & (second > 0), square + 2 * inverse * second, 1)
    variance = np.where(separated, second * spread / weight, second)
    return np.sqrt(np.maximum(second - variance, 0)), np.sqrt(variance)
