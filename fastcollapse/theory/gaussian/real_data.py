"""Closed forms of a refitted Gaussian whose training data is partly real, drawn anew or fixed.

Notation
--------
n : points per generation, 2 to 10**12.
m_s : synthetic points per generation, 0 to n with fresh real data, 1 to 10**12 with fixed real data.
n_r : number of fixed real points, 1 to 10**12; xbar_r is their mean.
t : number of fits, any shape, at least 0.
estimator : "unbiased" (divisor one less than the number of fitted points) or "mle" (divisor that number).
v_r : variance of the fixed real points with divisor n_r, at least 0; on average (1-1/n_r) sigma_0^2.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, integers, is_unbiased, reals, require

# Larger sizes affect the results only through their ratios.
_LARGEST_N = 10**12


def gaussian_fresh_moments(
    n: int, m_s: int, t: ArrayLike, estimator: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the expected variance and squared error of the mean with fresh real data.

    The n - m_s real points of each generation are drawn anew. Both results are exact and relative to sigma_0^2:
    E sigma_t^2 and E (mu_t - mu_0)^2. For "mle" the mean error is e_t = 1 - variance, with e_{t+1} = 1/n + m_s
    (m_s-1)/n^2 e_t.

    Parameters
    ----------
    n, m_s, t, estimator : see `Notation` of the module.

    Returns
    -------
    variance, mean_error : float64, shape of `t`.

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> variance, mean_error = gaussian_fresh_moments(10, 5, [0, 1, 100], "mle")
    >>> variance.round(4), mean_error.round(4)
    (array([1.   , 0.9  , 0.875]), array([0.   , 0.1  , 0.125]))
    """
    step = _fresh_step(n, m_s, estimator)
    moments = _iterate(step, np.array([1.0, 0.0, 1.0]), integers("t", t, 0))
    return moments[..., 0], moments[..., 1]


def gaussian_fresh_limits(n: int, m_s: int, estimator: str) -> tuple[float, float]:
    """Return the limits of `gaussian_fresh_moments` for many fits.

    For "mle" the mean error tends to n/(n^2 - m_s (m_s-1)), about 1/(n lam (2-lam)) with the share lam of real
    points.

    Parameters
    ----------
    m_s : synthetic points per generation, 0 to n-1.
    n, estimator : see `Notation` of the module.

    Returns
    -------
    variance, mean_error : float, exact.

    References
    ----------
    Derived; checked in tests/theory/gaussian/test_real_data.py.

    Examples
    --------
    >>> variance, mean_error = gaussian_fresh_limits(10, 5, "mle")
    >>> round(variance, 4), round(mean_error, 4)
    (0.875, 0.125)
    """
    size, synthetic = integer("n", n, 2, _LARGEST_N), integer("m_s", m_s, 0)
    require(synthetic < size, "m_s", "below n for a limit to exist", m_s)
    return _fixed_point(_fresh_step(size, synthetic, estimator))


def gaussian_fixed_moments(
    n_r: int,
    m_s: int,
    t: ArrayLike,
    estimator: str,
    v_r: float = 1.0,
    w0: float = 1.0,
    q0: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the expected variance and squared distance of the mean with fixed real data.

    The same n_r real points are in every fit. The results are w_t = E sigma_t^2 and q_t = E (mu_t - xbar_r)^2.

    Parameters
    ----------
    w0, q0 : start of the recursion, at least 0: v_r and 0 for a fit to the real points; sigma_0^2 and (mu_0 -
        xbar_r)^2, on average sigma_0^2/n_r, for the truth.
    n_r, m_s, t, estimator, v_r : see `Notation` of the module.

    Returns
    -------
    variance, mean_error : float64, shape of `t`, exact.

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> variance, mean_error = gaussian_fixed_moments(10, 10, [0, 1, 100], "mle", v_r=0.9, w0=0.9)
    >>> variance.round(4), mean_error.round(4)
    (array([0.9   , 0.8775, 0.871 ]), array([0.    , 0.0225, 0.029 ]))
    """
    step = _fixed_step(n_r, m_s, estimator, v_r)
    start = [float(_finite("w0", w0)), float(_finite("q0", q0)), 1.0]
    moments = _iterate(step, np.array(start), integers("t", t, 0))
    return moments[..., 0], moments[..., 1]


def gaussian_fixed_limits(n_r: int, m_s: int, estimator: str, v_r: float = 1.0) -> tuple[float, float]:
    """Return the limits of `gaussian_fixed_moments` for many fits, which do not depend on the start.

    Parameters
    ----------
    n_r, m_s, estimator, v_r : see `Notation` of the module.

    Returns
    -------
    variance, mean_error : float, exact.

    References
    ----------
    Derived; checked in tests/theory/gaussian/test_real_data.py.

    Examples
    --------
    >>> variance, mean_error = gaussian_fixed_limits(10, 10, "mle", 0.9)
    >>> round(variance, 4), round(mean_error, 4)
    (0.871, 0.029)
    """
    return _fixed_point(_fixed_step(n_r, m_s, estimator, v_r))


def fresh_risk_factor(lam: ArrayLike, t: ArrayLike) -> NDArray[np.float64]:
    """Return the excess risk of fit t divided by that of fit 1, for large n and a share of fresh real data.

    The factor is (1-(1-lam)^{2t})/(lam (2-lam)), which tends to 1/(lam (2-lam)) for many fits.

    Parameters
    ----------
    lam : share of real points, 1e-15 to 1; broadcast against `t`.
    t : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape, asymptotic in n.

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> fresh_risk_factor(0.5, [1, 2, 100]).round(4)
    array([1.    , 1.25  , 1.3333])
    """
    share, index = reals("lam", lam, 0, 1), integers("t", t, 0)
    require(share >= 1e-15, "lam", "at least 1e-15", lam)
    synthetic = np.where(share == 1, 0.5, share)
    shrunk = -np.expm1(2 * index * np.log1p(-synthetic))
    return np.where(share == 1, np.minimum(index, 1), shrunk / (share * (2 - share)))


def _fresh_step(n: int, m_s: int, estimator: str) -> NDArray[np.float64]:
    """Return the matrix that moves (variance, mean error, 1) by one generation."""
    size, synthetic = integer("n", n, 2, _LARGEST_N), integer("m_s", m_s, 0)
    require(synthetic <= size, "m_s", "at most n", m_s)
    real, m = float(size - synthetic), float(synthetic)
    share = 1 / (float(size) * (size - is_unbiased(estimator)))
    variance = np.array([m * (m - 1) + m * real, m * real, real * (m + real - 1)]) * share
    mean_error = np.array([m, m * m, real]) / float(size) ** 2
    return np.array([variance, mean_error, [0.0, 0.0, 1.0]])


def _fixed_step(n_r: int, m_s: int, estimator: str, v_r: float) -> NDArray[np.float64]:
    """Return the matrix that moves (w, q, 1) by one generation."""
    real, m = float(integer("n_r", n_r, 1, _LARGEST_N)), float(integer("m_s", m_s, 1, _LARGEST_N))
    spread = float(_finite("v_r", v_r))
    total = real + m
    between = real * m / total
    variance = np.array([m - 1 + between / m, between, real * spread]) / (total - is_unbiased(estimator))
    mean_error = (m / total) ** 2 * np.array([1 / m, 1.0, 0.0])
    return np.array([variance, mean_error, [0.0, 0.0, 1.0]])


def _finite(key: str, value: float) -> NDArray[np.float64]:
    number = reals(key, value, 0, 1e100)
    require(number.ndim == 0, key, "a single number", value)
    return number


def _iterate(step: NDArray[np.float64], start: NDArray[np.float64], t: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return step^t start for every t, by squaring."""
    moments = np.broadcast_to(start, (*t.shape, start.size))
    for bit in range(int(t.max(initial=0)).bit_length()):
        bit_set = (t >> bit & 1).astype(bool)[..., None]
        moments = np.where(bit_set, moments @ step.T, moments)
        step = step @ step
    return moments


def _fixed_point(step: NDArray[np.float64]) -> tuple[float, float]:
    moments = np.linalg.solve(np.eye(2) - step[:2, :2], step[:2, 2])
    return float(moments[0]), float(moments[1])
