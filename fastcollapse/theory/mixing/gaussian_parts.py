"""Second moments of Gaussian covariances that are weighted means of two unbiased covariances.

Each generation averages the unbiased covariance of n fresh real points, with weight w, and that of m points of the
previous model, with weight 1 - w. Its expectation is Sigma_0 in every generation.

Notation
--------
w : weight of the real points, 0 to 1, [T] or scalar.
n, m : real and synthetic points per generation, at least 2, [T] or scalar.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import covariance_spectrum, integers, reals, require, together


def weighted_variance_spread(w: ArrayLike, n: ArrayLike, m: ArrayLike) -> NDArray[np.float64]:
    """Return v_1..v_T = Var(sigma_t^2)/sigma_0^4 in one dimension.

    v_t = 2 w^2/(n-1) + (1-w)^2 (v_(t-1) + 2(1+v_(t-1))/(m-1)), bounded if and only if (1-w)^2 (m+1)/(m-1) < 1.

    Parameters
    ----------
    w, n, m : see `Notation` of the module.

    Returns
    -------
    float64 [T], exact.

    References
    ----------
    Derived; checked in tests/verification/test_mixing.py.

    Examples
    --------
    >>> weighted_variance_spread([0.4] * 12, 10, 15)[-1].round(12)
    np.float64(0.147785088508)
    """
    spreads, v = [], 0.0
    for share, real, synthetic in _rows(w, n, m):
        v = 2 * share**2 / (real - 1) + (1 - share) ** 2 * (v + 2 * (1 + v) / (synthetic - 1))
        spreads.append(v)
    return np.array(spreads)


def weighted_covariance_moments(
    spectrum: ArrayLike, w: ArrayLike, n: ArrayLike, m: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return E tr Sigma_t^2 and E (tr Sigma_t)^2 for t = 1..T, in any dimension.

    E|Sigma_t - Sigma_0|_F^2 is the first minus tr Sigma_0^2.

    Parameters
    ----------
    spectrum : [d], eigenvalues of Sigma_0.
    w, n, m : see `Notation` of the module.

    Returns
    -------
    trace_square, square_trace : float64 [T] each, exact.

    References
    ----------
    Derived, from the moments of Wishart's law; checked in tests/verification/test_mixing.py.

    Examples
    --------
    >>> trace_square, square_trace = weighted_covariance_moments([1, 1, 1], [0.4] * 6, 10, 15)
    >>> (trace_square[-1] - 3).round(12)
    np.float64(0.865839269047)
    """
    values = covariance_spectrum("spectrum", spectrum)
    start = np.array([(values**2).sum(), values.sum() ** 2])
    moments, found = start, []
    for share, real, synthetic in _rows(w, n, m):
        parts = share**2 * _wishart(start, real - 1) + (1 - share) ** 2 * _wishart(moments, synthetic - 1)
        moments = parts + 2 * share * (1 - share) * start
        found.append(moments)
    trace_square, square_trace = np.array(found).T
    return trace_square, square_trace


def _wishart(moments: NDArray[np.float64], freedom: float) -> NDArray[np.float64]:
    """Return E tr S^2 and E (tr S)^2 of an unbiased covariance S of data whose covariance has these moments."""
    square, trace = moments
    return np.array([(1 + 1 / freedom) * square + trace / freedom, trace + 2 * square / freedom])


def _rows(w: ArrayLike, n: ArrayLike, m: ArrayLike) -> list[tuple[float, float, float]]:
    """Return weight, real and synthetic points of each generation."""
    arrays = together(w=reals("w", w, 0, 1), n=integers("n", n, 2), m=integers("m", m, 2))
    require(arrays[0].ndim <= 1, "w, n and m", "numbers or vectors", arrays[0].ndim)
    return list(zip(*(array.ravel().tolist() for array in arrays), strict=True))
