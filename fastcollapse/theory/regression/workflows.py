"""Closed forms for least squares under accumulate and subsampling, with fresh rows or the same rows in every round.

Fit n is made with labels of fit n-1; fit 1 with labels of the truth. With the same T rows X in every round,
w_n = X^+ (mean of the labels so far) is one fit with noise of variance s_n sigma^2, so that its whole law is
known. Fresh rows make better fits. Errors are expected excess errors E|w_n - w_0|_Sigma^2, where not stated
otherwise. `expected_regression` gives any schedule with fresh rows.

Notation
--------
d : number of dimensions, 1 to 10**9.
T : rows of a round, at least d.
n : number of fits, any shape, 0 to 10**7.
sigma : standard deviation of the noise on all labels, 0 to 1e30.
rows : "fresh" (new rows X in each round) or "same" (the rows of round 1 in every round).
w0_square : |w0|^2, 0 to 1e60.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, zeta

from fastcollapse.theory.arguments import (
    MAX_GENERATIONS,
    check_sizes,
    choice,
    integer,
    integers,
    over_fits,
    real,
    require,
    together,
)
from fastcollapse.theory.regression.chain_exact import ols_error_mean, ols_error_variance
from fastcollapse.theory.workflow_factors import risk_factor

MAX_DIMENSIONS = 10**9
ROWS = ("fresh", "same")


def accumulate_error(d: int, T: ArrayLike, n: ArrayLike, sigma: float, rows: str) -> NDArray[np.float64]:
    """Return the expected error of fit n of `accumulate`, which is to the labels of all rounds so far.

    With N_i = T_1+...+T_i it is sum_i sigma^2 (T_i/N_i) d/(N_i-d-1) for fresh rows and sigma^2 d/(T-d-1) sum_i
    1/i^2 for the same rows.

    Parameters
    ----------
    T : rows of a round, at least d: one number, or for fresh rows a vector with entry i-1 for round i, whose
        first entry is at least d.
    n : number of fits, any shape, 0 to 10**7, and at most the length of the vector `T`.
    d, sigma, rows : see `Notation` of the module.

    Returns
    -------
    float64, shape of `n`, exact for any covariance; inf for d or d+1 rows in round 1.

    References
    ----------
    arXiv:2404.01413 for the same rows, derived for fresh ones; checked in
    tests/verification/test_regression.py.

    Examples
    --------
    >>> accumulate_error(20, 40, [1, 2, 10**6], 0.5, "same").round(5)
    array([0.26316, 0.32895, 0.43288])
    >>> accumulate_error(20, 40, [1, 2, 10**6], 0.5, "fresh").round(5)
    array([0.26316, 0.30553, 0.36076])
    """
    dimensions, noise = integer("d", d, 1, MAX_DIMENSIONS), real("sigma", sigma, 0, 1e30)
    if choice("rows", rows, ROWS) == "same":
        size = integer("T", T, 1)
        return _times(ols_error_mean(dimensions, size, 1, noise), risk_factor("accumulate", n))
    sizes, fits = _rounds(T, n, 0)
    first = np.concatenate([sizes[:1], [dimensions]])[0]
    require(first >= dimensions, "T", f"at least d = {dimensions} in round 1", T)
    total = np.cumsum(sizes.astype(np.float64))
    spare = total - dimensions - 1
    each = noise**2 * dimensions * sizes / total / np.where(spare > 0, spare, 1.0)
    error = over_fits(np.where(spare > 0, each, 0.0), fits)
    infinite = sizes.size > 0 and noise > 0 and spare[0] <= 0
    return np.where((fits > 0) & infinite, np.inf, error)


def accumulate_error_limit(d: int, T: ArrayLike, sigma: float, rows: str) -> NDArray[np.float64]:
    """Return the limit of `accumulate_error` for many fits.

    The limit is pi^2/6 sigma^2 d/(T-d-1) for the same rows, and the smaller -sigma^2 d/(d+1)
    [gamma + psi(1-(d+1)/T)] for fresh rows.

    Parameters
    ----------
    T : rows of a round, any shape, at least d.
    d, sigma, rows : see `Notation` of the module.

    Returns
    -------
    float64, shape of `T`, exact.

    References
    ----------
    arXiv:2404.01413 for the same rows, derived for fresh ones; checked in tests/verification/test_regression.py
    and tests/theory/regression/test_workflows.py.

    Examples
    --------
    >>> accumulate_error_limit(20, [40, 1000], 0.5, "same").round(5)
    array([0.43288, 0.0084 ])
    >>> accumulate_error_limit(20, [40, 1000], 0.5, "fresh").round(5)
    array([0.36076, 0.00835])
    """
    dimensions, noise = integer("d", d, 1, MAX_DIMENSIONS), real("sigma", sigma, 0, 1e30)
    sizes = integers("T", T, 1).astype(np.float64)
    require(sizes >= dimensions, "T", f"at least d = {dimensions}", T)
    if noise == 0:
        choice("rows", rows, ROWS)
        return np.zeros(sizes.shape)
    finite = sizes > dimensions + 1
    safe = np.where(finite, sizes, dimensions + 2.0)
    if choice("rows", rows, ROWS) == "same":
        return np.where(finite, np.pi**2 / 6 * noise**2 * dimensions / (safe - dimensions - 1), np.inf)
    x = (dimensions + 1) / safe
    # For small x the digamma function is close to -gamma, so its series is used; the next term is x^6.
    series = sum(zeta(k) * x ** (k - 1) for k in range(2, 7))
    psi = np.where(x < 1e-3, series, -(np.euler_gamma + digamma(1 - x)))
    return np.where(finite, noise**2 * dimensions / (dimensions + 1) * psi, np.inf)


def accumulate_error_variance(d: int, T: int, n: ArrayLike, sigma: float) -> NDArray[np.float64]:
    """Return the variance of the error of fit n of `accumulate` with the same rows in every round.

    It is the variance of one fit times (sum_{i<=n} 1/i^2)^2.

    Parameters
    ----------
    d, T, n, sigma : see `Notation` of the module.

    Returns
    -------
    float64, shape of `n`, exact; inf for fewer than d+4 rows.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> accumulate_error_variance(20, 40, [0, 1, 2], 0.5).round(5)
    array([0.     , 0.01589, 0.02482])
    """
    one_fit = ols_error_variance(integer("d", d, 1, MAX_DIMENSIONS), integer("T", T, 1), 1, sigma)
    return _times(one_fit, risk_factor("accumulate", n) ** 2)


def min_norm_same_rows_error(
    d: int, T: int, n: ArrayLike, sigma: float, w0_square: float, workflow: str
) -> NDArray[np.float64]:
    """Return the expected error of minimum-norm fit n to the same T < d rows in every round, for Sigma = I.

    It is (1-T/d) |w0|^2 + s_n sigma^2 T/(d-T-1).

    Parameters
    ----------
    d : number of dimensions, 2 to 10**9.
    T : number of rows, 1 to d-1.
    n : number of fits, any shape, 1 to 10**7.
    workflow : "replace" (s_n = n) or "accumulate" (s_n = sum_{i<=n} 1/i^2).
    sigma, w0_square : see `Notation` of the module.

    Returns
    -------
    float64, shape of `n`, exact; inf for d-1 rows with noise.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> min_norm_same_rows_error(40, 20, [1, 2, 10], 0.5, 1.0, "accumulate").round(5)
    array([0.76316, 0.82895, 0.90783])
    """
    dimensions, size = integer("d", d, 2, MAX_DIMENSIONS), integer("T", T, 1)
    require(size < dimensions, "T", f"less than d = {dimensions}", T)
    noise, length = real("sigma", sigma, 0, 1e30), real("w0_square", w0_square, 0, 1e60)
    name = choice("workflow", workflow, ("replace", "accumulate"))
    fits = integers("n", n, 1, MAX_GENERATIONS)
    spare = dimensions - size - 1
    added = 0.0 if noise == 0 else (noise**2 * size / spare if spare else np.inf)
    return (1 - size / dimensions) * length + added * risk_factor(name, fits)


def min_norm_accumulate_error(
    d: int, T: ArrayLike, n: ArrayLike, sigma: float, w0_square: float
) -> NDArray[np.float64]:
    """Return the expected error of fit n of `accumulate` with fresh rows, fewer than d at first, for Sigma = I.

    It is (1-min(T_1,d)/d) |w0|^2 + sigma^2 sum_i e_i, with N_i = T_1+...+T_i, e_i = T_i/(d-N_i-1) for N_i < d
    and e_i = (T_i/N_i) d/(N_i-d-1) above. Fit n is fit n-1 plus the effect of the new noise: directions that
    the first rows do not span are lost.

    Parameters
    ----------
    T : rows of a round, at least 1: one number, or a vector with entry i-1 for round i.
    n : number of fits, any shape, 1 to 10**7, and at most the length of the vector `T`.
    d, sigma, w0_square : see `Notation` of the module.

    Returns
    -------
    float64, shape of `n`, exact; inf from the round on that ends with d-1 to d+1 rows.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> min_norm_accumulate_error(40, 15, [1, 2, 4, 100], 0.5, 1.0).round(5)
    array([0.78125, 1.19792, 2.16283, 2.38155])
    """
    dimensions, length = integer("d", d, 1, MAX_DIMENSIONS), real("w0_square", w0_square, 0, 1e60)
    noise = real("sigma", sigma, 0, 1e30)
    sizes, fits = _rounds(T, n, 1)
    total = np.cumsum(sizes.astype(np.float64))
    gap = total - dimensions
    each = np.where(gap < 0, sizes, sizes / total * dimensions) / np.maximum(np.abs(gap) - 1, 1.0)
    infinite = over_fits(np.where((np.abs(gap) <= 1) & (noise > 0), 1.0, 0.0), fits) > 0
    first = min(float(sizes[0]), dimensions) if sizes.size else dimensions
    return np.where(infinite, np.inf, (1 - first / dimensions) * length + noise**2 * over_fits(each, fits))


def subsample_error(d: int, T: ArrayLike, n: ArrayLike, sigma: float) -> NDArray[np.float64]:
    """Return the error of fit n of `accumulate_subsample`, to first order in 1/T.

    The fit is to T of the n T rows so far, drawn without replacement. The error is sigma^2 d/T [1 + 3
    sum_{i=2}^n 1/i^2], which tends to 2.935 sigma^2 d/T for many fits.

    Parameters
    ----------
    T : rows of a round and of a fit, at least d; broadcast against `n`.
    d, n, sigma : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape of `T` and `n`, asymptotic with a relative error O(d/T).

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> subsample_error(3, 1000, [1, 2, 10**6], 1.0).round(6)
    array([0.003   , 0.00525 , 0.008804])
    """
    dimensions, noise = integer("d", d, 1, MAX_DIMENSIONS), real("sigma", sigma, 0, 1e30)
    sizes = integers("T", T, 1)
    require(sizes >= dimensions, "T", f"at least d = {dimensions}", T)
    size, fits = together(T=sizes, n=integers("n", n, 0, MAX_GENERATIONS))
    return noise**2 * dimensions / size * risk_factor("accumulate_subsample", fits)


def _rounds(T: ArrayLike, n: ArrayLike, least: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of every round up to the last fit, and the numbers of fits."""
    sizes, fits = integers("T", T, 1), integers("n", n, least, MAX_GENERATIONS)
    check_sizes("T", sizes, "n", fits)
    return (sizes if sizes.ndim else np.full(int(fits.max(initial=0)), sizes)), fits


def _times(one_fit: ArrayLike, factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the product, 0 where the factor is 0 even if `one_fit` is infinite."""
    return np.where(factor > 0, one_fit * np.where(factor > 0, factor, 1.0), 0.0)
