"""Effective ridge of a random design, and the degrees of freedom that it leaves to a fit.

A ridge fit to T rows of covariance Sigma acts on average like a ridge fit to Sigma itself with the ridge kappa.
`ridge` multiplies T in the sum of squares, and df_m(kappa) = sum_j (lambda_j/(lambda_j + kappa))^m.

Notation
--------
spectrum : [d], eigenvalues lambda_j of Sigma, 1e-40 to 1e40.
T : number of rows, at least 1; broadcast against `ridge` or `kappa`.
ridge : ridge of the fit, 0 to 1e40.
kappa : effective ridge, any shape, 0 to 1e45.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import covariance_spectrum, integers, reals, together

# At a double root Newton's method only halves the distance, and float64 covers about 2**2000.
_MAX_STEPS = 2100
# Number of (ridge, dimension) values that are computed at once.
_CHUNK = 1_000_000


def effective_ridge(spectrum: ArrayLike, T: ArrayLike, ridge: ArrayLike) -> NDArray[np.float64]:
    """Return the effective ridge kappa, the ridge that the population covariance sees.

    It solves kappa - ridge = kappa df_1(kappa)/T. At ridge 0 it is 0 for T >= d and solves df_1(kappa) = T for
    T < d.

    Parameters
    ----------
    spectrum, T, ridge : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape of `T` and `ridge`. Cost O(d) for each of about ten steps of Newton's method.

    References
    ----------
    arXiv:2402.07712; Newton's method from the right of a convex function is derived; checked in
    tests/verification/test_regression.py.

    Examples
    --------
    >>> effective_ridge([1.0] * 300, [1000, 150], [0.1, 0.0]).round(12).tolist()
    [0.135889894354, 1.0]
    """
    values = covariance_spectrum("spectrum", spectrum)
    rows, penalty = together(T=integers("T", T, 1), ridge=reals("ridge", ridge, 0, 1e40))
    kappa, descending = np.zeros(rows.size), np.sort(values)[::-1]
    for part in _chunks(rows.size, values.size):
        kappa[part] = _solve(descending, rows.ravel()[part].astype(np.float64), penalty.ravel()[part])
    return kappa.reshape(rows.shape)


def degrees_of_freedom(spectrum: ArrayLike, kappa: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the degrees of freedom df_1 and df_2.

    Parameters
    ----------
    spectrum, kappa : see `Notation` of the module.

    Returns
    -------
    df_1, df_2 : float64, shape of `kappa`; both are d at kappa 0.

    References
    ----------
    arXiv:2402.07712; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> df_1, df_2 = degrees_of_freedom([1.0, 0.25], [0.0, 0.25])
    >>> df_1, df_2
    (array([2. , 1.3]), array([2.  , 0.89]))
    """
    values = covariance_spectrum("spectrum", spectrum)
    kappas = reals("kappa", kappa, 0, 1e45)
    first, second = np.zeros(kappas.size), np.zeros(kappas.size)
    for part in _chunks(kappas.size, values.size):
        shrinkage = values / (values + kappas.ravel()[part, None])
        first[part], second[part] = shrinkage.sum(axis=1), (shrinkage**2).sum(axis=1)
    return first.reshape(kappas.shape), second.reshape(kappas.shape)


def rows_left(spectrum: ArrayLike, T: ArrayLike, kappa: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the differences T - df_1(kappa) and T - df_2(kappa) without loss of digits.

    At `effective_ridge` the first is T ridge/kappa, and T divided by the second is dkappa/dridge = 1/(1-u) with
    u = df_2(kappa)/T. All digits are correct also where T is close to d or df_m is close to T.

    Parameters
    ----------
    spectrum, T, kappa : see `Notation` of the module.

    Returns
    -------
    left_1, left_2 : float64, broadcast shape of `T` and `kappa`.

    References
    ----------
    arXiv:2402.07712; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> left_1, left_2 = rows_left([1.0, 1e-30], [1, 2], 2e-15)
    >>> left_1, left_2
    (array([1.5e-15, 1.0e+00]), array([4.e-15, 1.e+00]))
    """
    values = covariance_spectrum("spectrum", spectrum)
    rows, kappas = together(T=integers("T", T, 1), kappa=reals("kappa", kappa, 0, 1e45))
    first, second = np.zeros(rows.size), np.zeros(rows.size)
    descending = np.sort(values)[::-1]
    for part in _chunks(rows.size, values.size):
        first[part], second[part] = _rows_left(descending, rows.ravel()[part].astype(np.float64), kappas.ravel()[part])
    return first.reshape(rows.shape), second.reshape(rows.shape)


def _chunks(n_rows: int, width: int) -> list[slice]:
    step = max(1, _CHUNK // width)
    return [slice(start, start + step) for start in range(0, n_rows, step)]


def _solve(values: NDArray[np.float64], rows: NDArray[np.float64], penalty: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the roots of f(kappa) = kappa [T - df_1(kappa)]/T - ridge, which is convex, from its right."""
    kappa = penalty + values.sum() / rows
    kappa[(penalty == 0) & (rows >= values.size)] = 0.0
    pending = np.flatnonzero(kappa)
    for _ in range(_MAX_STEPS):
        if not pending.size:
            return kappa
        gap, slope = _rows_left(values, rows[pending], kappa[pending])
        old = kappa[pending]
        step = (old * gap - penalty[pending] * rows[pending]) / slope
        # Due to rounding a step over many decades may end left of the root, even below 0.
        kappa[pending] = np.maximum(old - step, 2e-14 * old)
        pending = pending[(step > 1e-15 * old) | (step < -1e-10 * old)]
    return kappa


def _rows_left(
    descending: NDArray[np.float64], rows: NDArray[np.float64], kappa: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return T - df_1 and T - df_2 without cancellation: the first T directions count from 1, the others from 0."""
    kappas = kappa[:, None]
    shrunk, shrinkage = kappas / (descending + kappas), descending / (descending + kappas)
    first = np.arange(descending.size) < rows[:, None]
    n_surplus = np.maximum(rows - descending.size, 0.0)
    left_1 = n_surplus + np.where(first, shrunk, -shrinkage).sum(axis=1)
    return left_1, n_surplus + np.where(first, shrunk * (1 + shrinkage), -(shrinkage**2)).sum(axis=1)
