"""Deterministic equivalents of the excess test error of ridge regression with a random Gaussian design.

x ~ N(0, Sigma) in R^d, and T rows have labels <x, w> + N(0, sigma^2). The fit is (S + ridge)^{-1} X'y/T with
S = X'X/T, so that `ridge` multiplies T in the sum of squares. Errors are excess errors E|fit - w0|_Sigma^2
without the label noise. The equivalents have a relative error O(1/d). Fits without a ridge to at least as many
rows as dimensions are exact.

Notation
--------
spectrum : [d], eigenvalues lambda_j of Sigma, 1e-40 to 1e40.
w0 : [d], coordinates of the truth in the eigenbasis of Sigma, -1e30 to 1e30.
T : number of rows of the fit, at least 1; broadcast against `ridge`.
ridge : ridge of the fit, 0 to 1e40.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import coordinates, covariance_spectrum, integer, integers, real, reals, together
from fastcollapse.theory.regression.chain_exact import ols_error_mean
from fastcollapse.theory.regression.effective_ridge import effective_ridge, rows_left

# Number of (ridge, dimension) values that are computed at once.
_CHUNK = 1_000_000


def ridge_equivalents(
    spectrum: ArrayLike, w0: ArrayLike, T: ArrayLike, ridge: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the bias, the variance for sigma = 1 and the factor of the generator's error in the error of a fit.

    A fit to T rows with labels of w has the error bias + sigma^2 variance + synthetic D. Here E w = w0, and the
    error D = E|w - w0|_Sigma^2 is the same in all directions, as after least squares. With u = df_2(kappa)/T
    and p_j = kappa/(lambda_j + kappa) the parts are sum_j lambda_j p_j^2 w0_j^2/(1-u), u/(1-u) and
    [df_2 + sum_j p_j^2 u/(1-u)]/d. At ridge 0 they are exactly 0, d/(T-d-1) and 1 for T >= d.

    Parameters
    ----------
    spectrum, w0, T, ridge : see `Notation` of the module.

    Returns
    -------
    bias, variance, synthetic : float64, broadcast shape of `T` and `ridge`; at ridge 0 the variance is inf for
        T from d-1 to d+1.

    References
    ----------
    arXiv:2402.07712; constants derived again; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> bias, variance, synthetic = ridge_equivalents([1.0] * 300, [300**-0.5] * 300, 1000, [0.1, 1.0])
    >>> bias.round(5), variance.round(5), synthetic.round(5)
    (array([0.01865, 0.3085 ]), array([0.30296, 0.06864]), array([0.77938, 0.23391]))
    """
    values = covariance_spectrum("spectrum", spectrum)
    truth = coordinates("w0", w0, values.size)
    rows, penalty = _rows_and_ridge(T, ridge)
    kappa = effective_ridge(values, rows, penalty).ravel()
    bias, variance, synthetic = np.zeros(kappa.size), np.zeros(kappa.size), np.zeros(kappa.size)
    step = max(1, _CHUNK // values.size)
    for first in range(0, kappa.size, step):
        part = slice(first, first + step)
        size = rows.ravel()[part].astype(np.float64)
        shrunk = kappa[part, None] / (values + kappa[part, None])
        # 1 - shrunk would lose its digits for a large ridge.
        shrunk_square, df_2 = shrunk**2, ((values / (values + kappa[part, None])) ** 2).sum(axis=1)
        ratio = _variance_ratio(df_2, rows_left(values, rows.ravel()[part], kappa[part])[1])
        # For kappa = 0 nothing is shrunk, even if the ratio is infinite.
        inflation = np.where(kappa[part] > 0, ratio, 0.0)
        bias[part] = (shrunk_square @ (values * truth**2)) * (1 + inflation)
        synthetic[part] = (df_2 + shrunk_square.sum(axis=1) * inflation) / values.size
        variance[part] = _exact_without_ridge(ratio, size, values.size, penalty.ravel()[part])
    return bias.reshape(rows.shape), variance.reshape(rows.shape), synthetic.reshape(rows.shape)


def ridge_test_error(
    spectrum: ArrayLike,
    w0: ArrayLike,
    T: ArrayLike,
    ridge: ArrayLike,
    T0: ArrayLike,
    n: ArrayLike,
    sigma: float,
    sigma0: float,
) -> NDArray[np.float64]:
    """Return the error of a ridge fit to labels of the n-th of a chain of least-squares generators.

    It is bias + sigma^2 variance + n sigma0^2 rho with rho = synthetic d/(T0-d-1), linear in n.

    Parameters
    ----------
    T0, n : rows of each generator, at least d, and number of generators, at least 0; 0 stands for labels of the
        truth. Both are broadcast against `T` and `ridge`.
    sigma, sigma0 : standard deviation of the noise on the labels of the fit and on those of the generators, 0
        to 1e30.
    spectrum, w0, T, ridge : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape of `T`, `ridge`, `T0` and `n`, asymptotic in d; inf for n >= 1 and T0 = d or d+1.

    References
    ----------
    arXiv:2402.07712; constants derived again; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> ridge_test_error([1.0] * 300, [300**-0.5] * 300, 1000, 0.1, 600, [0, 1, 20], 0.1, 0.1).round(5)
    array([0.02168, 0.0295 , 0.17808])
    """
    values = covariance_spectrum("spectrum", spectrum)
    noise = real("sigma", sigma, 0, 1e30)
    rows, penalty = integers("T", T, 1), reals("ridge", ridge, 0, 1e40)
    sizes, fits = integers("T0", T0, 1), integers("n", n, 0)
    shape = together(T=rows, ridge=penalty, T0=sizes, n=fits)[0].shape
    bias, variance, synthetic = ridge_equivalents(values, w0, rows, penalty)
    one_generator = np.reshape([ols_error_mean(values.size, size, 1, sigma0) for size in sizes.ravel()], sizes.shape)
    # Without noise or generators a part is 0, even if a moment is infinite.
    noise_part = np.multiply(noise**2, variance, where=noise > 0, out=np.zeros(variance.shape))
    generator_part = np.where(fits > 0, np.maximum(fits, 1) * one_generator, 0.0)
    return np.broadcast_to(bias + noise_part + synthetic * generator_part, shape).copy()


def isotropic_equivalents(
    d: int, T: ArrayLike, ridge: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return kappa and the three parts of `ridge_equivalents` for Sigma = I in closed form.

    With phi = d/T and b = ridge + phi - 1, kappa = [b + sqrt(b^2 + 4 ridge)]/2 and u = phi/(1+kappa)^2.

    Parameters
    ----------
    d : number of dimensions, at least 1.
    T, ridge : see `Notation` of the module.

    Returns
    -------
    kappa, bias, variance, synthetic : float64, broadcast shape of `T` and `ridge`, asymptotic in d; the bias
        for |w0| = 1.

    References
    ----------
    arXiv:2402.07712; constants derived again; checked in tests/verification/test_regression.py and against the
    general solver in tests/theory/regression/test_ridge_risk.py.

    Examples
    --------
    >>> [part.round(5).tolist() for part in isotropic_equivalents(300, [1000, 150], [0.1, 0.0])]
    [[0.13589, 1.0], [0.01865, 0.5], [0.30296, 1.0], [0.77938, 0.5]]
    """
    dimensions = integer("d", d, 1)
    rows, penalty = _rows_and_ridge(T, ridge)
    size = rows.astype(np.float64)
    excess = (dimensions - size) / size
    half = (penalty + excess) / 2
    root = np.sqrt(half**2 + penalty)
    # half + root would lose all digits for negative `half`.
    kappa = np.where(half >= 0, half + root, penalty / np.where(half >= 0, 1.0, root - half))
    shrinkage = 1 / (1 + kappa)
    df_2 = dimensions * shrinkage**2
    ratio = _variance_ratio(df_2, size * (kappa * (2 + kappa) - excess) * shrinkage**2)
    inflation = np.where(kappa > 0, ratio, 0.0)
    shrunk_square = (kappa * shrinkage) ** 2
    variance = _exact_without_ridge(ratio, size, dimensions, penalty)
    return kappa, shrunk_square * (1 + inflation), variance, shrinkage**2 + shrunk_square * inflation


def _rows_and_ridge(T: ArrayLike, ridge: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rows, penalty = together(T=integers("T", T, 1), ridge=reals("ridge", ridge, 0, 1e40))
    return rows, penalty


def _variance_ratio(df_2: NDArray[np.float64], spare: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return u/(1-u) = df_2/(T-df_2), inf for as many rows as dimensions without a ridge."""
    return np.where(spare > 0, df_2 / np.where(spare > 0, spare, 1.0), np.inf)


def _exact_without_ridge(
    ratio: NDArray[np.float64], rows: NDArray[np.float64], d: int, penalty: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return `ratio`, at ridge 0 replaced by d/(T-d-1) for T > d+1 and by inf for T from d-1 to d+1."""
    spare = rows - d - 1
    exact = np.where(spare > 0, d / np.where(spare > 0, spare, 1.0), np.inf)
    return np.where((penalty == 0) & (spare >= -2), exact, ratio)
