"""Asymptotic recursions for chains of generators with any covariance, with fewer rows than dimensions or a ridge.

Generator m is the minimum-norm, least-squares or ridge fit to T0 rows with labels <x, w_{m-1}> + N(0,
sigma0^2). With kappa0 = kappa(ridge0, T0), q_j = lambda_j/(lambda_j + kappa0) and D0 = T0 - df_2(kappa0), in
the eigenbasis of Sigma, M_j = E (w_m)_j^2 becomes q_j^2 M_j + (q_j^2/lambda_j) [kappa0^2 sum_k q_k^2/lambda_k
M_k + sigma0^2]/D0, and E (w_m)_j becomes q_j E (w_{m-1})_j. The relative error is O(1/d). Least squares is
exact, with D0 = T0-d-1.

Notation
--------
spectrum : [d], eigenvalues lambda_j of Sigma, 1e-40 to 1e40.
w0 : [d], coordinates of the truth in the eigenbasis of Sigma, -1e30 to 1e30.
T0 : rows of a generator, at least 1: one number, or for independent generators a vector with entry m-1 for
    generator m.
n : number of generators, any shape, 0 to 10**6, and at most the length of the vector `T0`.
sigma0 : standard deviation of the noise on the labels of the generators, 0 to 1e30.
ridge0 : ridge of the generators, 0 to 1e40; 0 is least squares or minimum norm.
design : "independent" (new rows for each generator) or "dependent" (the same rows for all generators, ridge0 = 0).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import (
    coordinates,
    covariance_spectrum,
    generators,
    integers,
    real,
    reals,
    require,
    together,
)
from fastcollapse.theory.regression.effective_ridge import effective_ridge, rows_left

MAX_GENERATORS = 10**6
# Maximum number of values in the table of moments, and of generators times dimensions in the recursion.
_MAX_VALUES = 10**8
_MAX_OPERATIONS = 10**10


def chain_moments(
    spectrum: ArrayLike,
    w0: ArrayLike,
    T0: ArrayLike,
    n: ArrayLike,
    sigma0: float,
    ridge0: float = 0.0,
    design: str = "independent",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the second moment of each coordinate of generator n.

    Parameters
    ----------
    spectrum, w0, T0, n, sigma0, ridge0, design : see `Notation` of the module.

    Returns
    -------
    mean, second_moment : float64 [shape of `n`, d], asymptotic in d; second moments are inf for d-1 to d+1 rows
        with noise and without a ridge.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> mean, second_moment = chain_moments([1.0] * 4, [1.0, 0, 0, 0], 2, [0, 1], 0.0)
    >>> mean[:, 0], second_moment[1]
    (array([1. , 0.5]), array([0.3125, 0.0625, 0.0625, 0.0625]))
    """
    values = covariance_spectrum("spectrum", spectrum)
    fits = integers("n", n, 0, MAX_GENERATORS)
    require(fits.size * values.size <= _MAX_VALUES, "n", f"an array of at most {_MAX_VALUES // values.size} numbers", n)
    mean = np.zeros((fits.size, values.size))
    second = np.zeros((fits.size, values.size))
    for places, mean_n, second_n in _states(values, w0, T0, fits, sigma0, ridge0, design):
        mean[places], second[places] = mean_n, second_n
    shape = (*fits.shape, values.size)
    return mean.reshape(shape), second.reshape(shape)


def chain_means(
    spectrum: ArrayLike,
    w0: ArrayLike,
    T0: ArrayLike,
    n: ArrayLike,
    sigma0: float,
    ridge0: float = 0.0,
    design: str = "independent",
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the expected error, overlap <w_n, w0> and squared norm |w_n|^2 of generator n.

    Parameters
    ----------
    spectrum, w0, T0, n, sigma0, ridge0, design : see `Notation` of the module.

    Returns
    -------
    error, overlap, squared_norm : float64, shape of `n`, asymptotic in d; the excess error is in the norm of
        Sigma, the others are Euclidean.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> error, overlap, squared_norm = chain_means([1.0] * 300, [300**-0.5] * 300, 150, [0, 1, 3], 0.3)
    >>> error.round(5), overlap.round(5), squared_norm.round(5)
    (array([0.    , 0.59  , 1.0325]), array([1.   , 0.5  , 0.125]), array([1.    , 0.59  , 0.2825]))
    """
    values = covariance_spectrum("spectrum", spectrum)
    truth = coordinates("w0", w0, values.size)
    fits = integers("n", n, 0, MAX_GENERATORS)
    error, overlap, norm = (np.zeros(fits.size) for _ in range(3))
    for places, mean, second in _states(values, truth, T0, fits, sigma0, ridge0, design):
        error[places] = values @ (second - 2 * mean * truth + truth**2)
        overlap[places], norm[places] = mean @ truth, second.sum()
    return error.reshape(fits.shape), overlap.reshape(fits.shape), norm.reshape(fits.shape)


def chain_test_means(
    spectrum: ArrayLike,
    w0: ArrayLike,
    T: ArrayLike,
    ridge: ArrayLike,
    T0: ArrayLike,
    n: ArrayLike,
    sigma: float,
    sigma0: float,
    ridge0: float = 0.0,
    design: str = "independent",
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the expected error, overlap <v, w0> and squared norm |v|^2 of a ridge fit v to labels of generator n.

    With r_j = lambda_j/(lambda_j+kappa) and u = df_2(kappa)/T the error is sum_j [lambda_j w0_j^2 - 2 lambda_j
    r_j E[w_n]_j w0_j + A_j E (w_n)_j^2] + sigma^2 u/(1-u), with A_j = lambda_j [r_j^2 + (1-r_j)^2 u/(1-u)].

    Parameters
    ----------
    T, ridge : number of rows of the fit, at least 1, all new, and its ridge, 0 to 1e40; broadcast against `n`.
    sigma : standard deviation of the noise on the labels of the fit, 0 to 1e30.
    spectrum, w0, T0, n, sigma0, ridge0, design : see `Notation` of the module.

    Returns
    -------
    error, overlap, squared_norm : float64, broadcast shape of `T`, `ridge` and `n`, asymptotic in d; the excess
        error is in the norm of Sigma, the others are Euclidean.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> error, _, _ = chain_test_means([1.0] * 300, [300**-0.5] * 300, 400, 1e-3, 150, 3, 0.2, 0.3)
    >>> float(error.round(11))
    1.14759086474
    """
    values = covariance_spectrum("spectrum", spectrum)
    truth = coordinates("w0", w0, values.size)
    noise = real("sigma", sigma, 0, 1e30)
    fits = integers("n", n, 0, MAX_GENERATORS)
    rows, penalty, fits = together(T=integers("T", T, 1), ridge=reals("ridge", ridge, 0, 1e40), n=fits)
    shape = fits.shape
    kappa = effective_ridge(values, rows, penalty).ravel()
    error, overlap, norm = (np.zeros(kappa.size) for _ in range(3))
    for places, mean, second in _states(values, truth, T0, fits, sigma0, ridge0, design):
        for i in places:
            step = _Refit(values, int(rows.flat[i]), float(penalty.flat[i]), float(kappa[i]))
            fit_mean, fit_second = step(mean, second, noise)
            error[i] = values @ (fit_second - 2 * fit_mean * truth + truth**2)
            overlap[i], norm[i] = fit_mean @ truth, fit_second.sum()
    return error.reshape(shape), overlap.reshape(shape), norm.reshape(shape)


class _Refit:
    """Map of the mean and second moment of the coordinates of w to those of a fit to `rows` labels of w."""

    def __init__(self, values: NDArray[np.float64], rows: int, ridge: float, kappa: float) -> None:
        shrunk = kappa / (values + kappa)
        over = rows - values.size
        # Least squares is exact. Without a ridge the noise of d-1 to d+1 rows has no moments.
        spare = float(rows_left(values, rows, kappa)[1])
        self.spare = max(over - 1.0, 0.0) if ridge == 0 and over >= -1 else spare
        self.shrinkage = values / (values + kappa)
        self.noise_gain = self.shrinkage**2 / values
        # For kappa = 0 nothing is shrunk, and no direction affects another.
        self.leak = values * shrunk**2 / spare if kappa > 0 else None

    def __call__(
        self, mean: NDArray[np.float64], second: NDArray[np.float64], noise: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if noise > 0:
            total_noise = noise**2 / self.spare if self.spare > 0 else np.inf
        else:
            total_noise = 0.0
        if self.leak is not None:
            total_noise += float(self.leak @ second)
        return self.shrinkage * mean, self.shrinkage**2 * second + self.noise_gain * total_noise


def _states(
    values: NDArray[np.float64],
    w0: ArrayLike,
    T0: ArrayLike,
    n: ArrayLike,
    sigma0: float,
    ridge0: float,
    design: str,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]]:
    """Yield, for each distinct number of generators, its positions in `n`, the mean and the second moment."""
    truth = coordinates("w0", w0, values.size)
    sizes, fits, dependent = generators(T0, n, design, MAX_GENERATORS)
    noise, ridge = real("sigma0", sigma0, 0, 1e30), real("ridge0", ridge0, 0, 1e40)
    require(not dependent or ridge == 0, "ridge0", "0 for dependent generators", ridge0)
    numbers, where = np.unique(fits, return_inverse=True)
    last = int(numbers[-1]) if numbers.size else 0
    require(
        dependent or last * values.size <= _MAX_OPERATIONS,
        "n",
        f"at most {_MAX_OPERATIONS // values.size} for {values.size} dimensions",
        last,
    )
    schedule = sizes if sizes.ndim else np.full(max(last, 1), sizes)
    refits = {
        int(size): _Refit(values, int(size), ridge, float(effective_ridge(values, int(size), ridge)))
        for size in np.unique(schedule)
    }
    mean, second, n_done = truth, truth**2, 0
    for i, m in enumerate(numbers):
        if dependent and m:
            # w_n = P w0 + X^+(E_1 + ... + E_n) is one fit with n times the variance of the noise.
            mean, second = refits[int(sizes)](truth, truth**2, noise * float(np.sqrt(m)))
        else:
            for size in schedule[n_done:m]:
                mean, second = refits[int(size)](mean, second, noise)
        n_done = m
        yield np.flatnonzero(where.ravel() == i), mean, second
