"""Closed forms for least squares refitted to a mix of synthetic rows and rows with labels of the truth.

The sizes are the same in each generation, and N = T0 + n_real. `expected_regression` gives any schedule of
fresh real rows. Errors are expected excess errors E|w_n - w_0|_Sigma^2.

Notation
--------
d : number of dimensions, 1 to 10**9.
T0 : synthetic rows of a generation, at least 0; all are new, with labels of fit n-1.
n_real : real rows of a generation, at least 0; N is at least d.
n : number of fits, any shape, at least 0.
sigma0, sigma : standard deviation of the noise on synthetic and on real labels, 0 to 1e30.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, integers, real, require, together

MAX_DIMENSIONS = 10**9


def mix_error(d: int, T0: int, n_real: int, n: ArrayLike, sigma0: float, sigma: float) -> NDArray[np.float64]:
    """Return the expected error of fit n to synthetic rows and new real rows.

    It is e (1-g^n)/(1-g), with g = `mix_contraction` and the error e = (sigma0^2 T0 + sigma^2 n_real) d/[N
    (N-d-1)] of one fit.

    Parameters
    ----------
    d, T0, n_real, n, sigma0, sigma : see `Notation` of the module.

    Returns
    -------
    float64, shape of `n`, exact for any covariance; inf for d or d+1 rows.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> mix_error(20, 30, 10, [0, 1, 2, 3, 10**9], 0.5, 0.5).round(5)
    array([0.     , 0.26316, 0.46294, 0.6146 , 1.09266])
    """
    dimensions = integer("d", d, 1, MAX_DIMENSIONS)
    synthetic, real_rows = integer("T0", T0, 0), integer("n_real", n_real, 0)
    noises = real("sigma0", sigma0, 0, 1e30), real("sigma", sigma, 0, 1e30)
    rows = synthetic + real_rows
    require(rows >= dimensions, "n_real", f"such that T0 + n_real is at least d = {dimensions}", n_real)
    fits, spare = integers("n", n, 0).astype(np.float64), rows - dimensions - 1
    noise = (noises[0] ** 2 * synthetic + noises[1] ** 2 * real_rows) / rows
    if noise == 0:
        return np.zeros(fits.shape)
    if spare <= 0:
        return np.where(fits > 0, np.inf, 0.0)
    one_fit, complement = noise * dimensions / spare, float(_one_minus_contraction(dimensions, synthetic, real_rows))
    if complement == 0:
        return one_fit * fits
    with np.errstate(over="ignore", divide="ignore"):
        return np.where(fits > 0, one_fit * -np.expm1(np.maximum(fits, 1.0) * np.log1p(-complement)) / complement, 0.0)


def mix_contraction(d: int, T0: ArrayLike, n_real: ArrayLike) -> NDArray[np.float64]:
    """Return the factor g by which the error of a state enters the error of the next fit.

    g = E|S^{-1} S_0 v|_Sigma^2/|v|_Sigma^2 = 1 - n_real/[N(N+2)] [N+T0+2 - T0 (N+1)(d-1)/((N-1)(N-d-1))]. For
    g > 1 the expected error grows without bound although every fit has real rows.

    Parameters
    ----------
    T0, n_real : synthetic and real rows, at least 0, broadcast; N is at least d.
    d : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape, exact; inf for N = d or d+1 and d >= 2.

    References
    ----------
    Derived (S_0 is a matrix-variate beta share of S); checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> mix_contraction(20, [30, 300, 22], [10, 100, 2]).round(5)
    array([0.75916, 0.57283, 1.33157])
    """
    dimensions = integer("d", d, 1, MAX_DIMENSIONS)
    synthetic, real_rows = together(T0=integers("T0", T0, 0), n_real=integers("n_real", n_real, 0))
    require(
        synthetic + real_rows >= dimensions, "n_real", f"such that T0 + n_real is at least d = {dimensions}", n_real
    )
    return 1 - _one_minus_contraction(dimensions, synthetic, real_rows)


def mix_fixed_error(d: int, T0: int, n_real: int, n: ArrayLike, sigma0: float, sigma: float) -> NDArray[np.float64]:
    """Return the error of fit n to new synthetic rows and one fixed real set, to first order in d/N.

    With p = T0/N it is d/N [sigma0^2 p (1-p^{2n})/(1-p^2) + sigma^2 (1-p) ((1-p^n)/(1-p))^2].

    Parameters
    ----------
    n_real : real rows, at least 0, the same rows and labels in every generation; N is at least d.
    d, T0, n, sigma0, sigma : see `Notation` of the module.

    Returns
    -------
    float64, shape of `n`, asymptotic with a relative error O(d/N).

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> mix_fixed_error(3, 500, 500, [0, 1, 2, 100], 1.0, 1.0).round(6)
    array([0.     , 0.003  , 0.00525, 0.008  ])
    """
    dimensions = integer("d", d, 1, MAX_DIMENSIONS)
    synthetic, real_rows = integer("T0", T0, 0), integer("n_real", n_real, 0)
    noise, own = real("sigma0", sigma0, 0, 1e30), real("sigma", sigma, 0, 1e30)
    rows = synthetic + real_rows
    require(rows >= dimensions, "n_real", f"such that T0 + n_real is at least d = {dimensions}", n_real)
    fits, share = integers("n", n, 0).astype(np.float64), synthetic / rows
    if share == 1:
        return dimensions / rows * noise**2 * fits
    share_power = share**fits
    synthetic_part = noise**2 * share * (1 - share_power**2) / (1 - share**2)
    return dimensions / rows * (synthetic_part + own**2 * (1 - share_power) ** 2 / (1 - share))


def _one_minus_contraction(d: int, synthetic: ArrayLike, real_rows: ArrayLike) -> NDArray[np.float64]:
    """Return 1 - g of `mix_contraction` without cancellation."""
    old, new = np.asarray(synthetic, dtype=np.float64), np.asarray(real_rows, dtype=np.float64)
    rows = old + new
    spare = rows - d - 1
    safe = np.where(spare > 0, spare, 1.0)
    cross_term = old * (rows + 1) / np.maximum(rows - 1, 1.0) * ((d - 1) / safe)
    complement = new / (rows * (rows + 2)) * (rows + old + 2 - cross_term)
    return np.where((spare <= 0) & (old > 0) & (new > 0) & (d > 1), -np.inf, complement)
