"""Exact moments of a chain of least-squares or minimum-norm generators for isotropic rows x ~ N(0, I).

A fit to T0 rows is w -> P w + e. P is the projection onto a uniformly distributed subspace of dimension
r = min(T0, d). e is a vector in the subspace, with uniform direction and |e|^2 = sigma0^2
chi2_r/chi2_{|T0-d|+1}, independent of P. The means of <w_n, w0>, of |w_n|^2 and of their products follow a
linear recursion, for all sizes.

Notation
--------
d : number of dimensions, 1 to 10**9.
T0 : rows of a generator, at least 1, fewer than d (minimum norm) or more (least squares): one number, or for
    independent generators a vector with entry m-1 for generator m.
n : number of generators, any shape, 0 to 10**6, and at most the length of the vector `T0`.
sigma0 : standard deviation of the noise on the labels of the generators, 0 to 1e30.
w0_square : |w0|^2, 0 to 1e60.
design : "independent" (new rows for each generator) or "dependent" (the same rows for all generators).
T, sigma : rows of a downstream fit without ridge to new rows, at least 1, and the standard deviation of the noise on
    its labels; None and 0 for generator n itself.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import downstream_fit, generators, integer, real

MAX_DIMENSIONS = 10**9
MAX_GENERATORS = 10**6


def isotropic_chain_means(
    d: int,
    T0: ArrayLike,
    n: ArrayLike,
    sigma0: float,
    w0_square: float = 1.0,
    design: str = "independent",
    T: int | None = None,
    sigma: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the expected error |w_n - w0|^2, overlap <w_n, w0> and squared norm |w_n|^2 of generator n.

    Parameters
    ----------
    d, T0, n, sigma0, w0_square, design, T, sigma : see `Notation` of the module.

    Returns
    -------
    error, overlap, squared_norm : float64, shape of `n`, exact; error and norm are inf for d-1 to d+1 rows with
        noise.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> error, overlap, squared_norm = isotropic_chain_means(300, 150, [0, 1, 3], 0.3)
    >>> error.round(5), overlap.round(5), squared_norm.round(5)
    (array([0.     , 0.5906 , 1.03356]), array([1.   , 0.5  , 0.125]), array([1.     , 0.5906 , 0.28356]))
    """
    state = _chain(d, T0, n, sigma0, w0_square, design, T, sigma)
    error = np.where(state.mean_infinite, np.inf, state.error)
    overlap = w0_square + state.change
    return error, overlap, overlap + state.change + error


def isotropic_chain_variances(
    d: int,
    T0: ArrayLike,
    n: ArrayLike,
    sigma0: float,
    w0_square: float = 1.0,
    design: str = "independent",
    T: int | None = None,
    sigma: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the variances of the three quantities whose means are `isotropic_chain_means`.

    Parameters
    ----------
    d, T0, n, sigma0, w0_square, design, T, sigma : see `Notation` of the module.

    Returns
    -------
    error, overlap, squared_norm : float64, shape of `n`, exact, with a rounding error of 1e-15 |w0|^4 a
        generator; inf for d-3 to d+3 rows with noise, that of the overlap for d-1 to d+1 rows.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> error, overlap, squared_norm = isotropic_chain_variances(20, 10, [0, 1, 3], 0.3)
    >>> error.round(5), overlap.round(5), squared_norm.round(5)
    (array([0.     , 0.02816, 0.05079]), array([0.     , 0.02773, 0.01622]), array([0.     , 0.04816, 0.02763]))
    """
    state = _chain(d, T0, n, sigma0, w0_square, design, T, sigma)
    # |w_n|^2 = |w0|^2 + 2 <w_n - w0, w0> + |w_n - w0|^2.
    norm = state.error_variance + 4 * state.change_variance + 4 * state.covariance
    return (
        np.where(state.variance_infinite, np.inf, np.maximum(state.error_variance, 0.0)),
        np.where(state.mean_infinite, np.inf, state.change_variance),
        np.where(state.variance_infinite, np.inf, np.maximum(norm, 0.0)),
    )


class _State(NamedTuple):
    """Moments of the error |w - w0|^2 and of the change <w - w0, w0>, without the steps whose moments are infinite."""

    error: NDArray[np.float64]
    change: NDArray[np.float64]
    error_variance: NDArray[np.float64]
    change_variance: NDArray[np.float64]
    covariance: NDArray[np.float64]
    mean_infinite: NDArray[np.bool_]
    variance_infinite: NDArray[np.bool_]

    def refitted(self, d: int, rows: int, noise: float, w0_square: float) -> "_State":
        """Return the moments after a fit to `rows` labels of w with `noise`."""
        rank, nu = min(rows, d), abs(rows - d) + 1
        inside, outside = rank / d, (d - rank) / d
        # E P_ij P_kl - E P_ij E P_kl = b (I_ik I_jl + I_il I_jk - 2/d I_ij I_kl); P = I at full rank.
        b = inside * (d - rank) / ((d - 1) * (d + 2)) if rank < d else 0.0
        length, spread = _noise_moments(rank, nu, noise)
        overlap, change = w0_square + self.change, self.change
        change_square, overlap_square = self.change_variance + change**2, self.change_variance + overlap**2
        error_square, product = self.error_variance + self.error**2, self.covariance + self.error * change
        norm = overlap + change + self.error
        error_term = (
            2 * (1 - 1 / d) * (error_square + w0_square**2) + 4 / d * self.error * w0_square - 4 * change_square
        )
        covariance_term = (
            2 * (change_square + product)
            - 2 / d * (self.error * w0_square + product)
            - 2 * (1 - 1 / d) * w0_square * overlap
        )
        change_term = (1 - 2 / d) * overlap_square + norm * w0_square
        return _State(
            error=inside * self.error + outside * w0_square + length,
            change=inside * change - outside * w0_square,
            error_variance=inside**2 * self.error_variance + b * error_term + spread + 4 * length / d * self.error,
            change_variance=inside**2 * self.change_variance + b * change_term + length / d * w0_square,
            covariance=inside**2 * self.covariance + b * covariance_term + 2 * length / d * change,
            mean_infinite=self.mean_infinite | (noise > 0 and nu <= 2),
            variance_infinite=self.variance_infinite | (noise > 0 and nu <= 4),
        )


def _noise_moments(rank: int, nu: int, noise: float) -> tuple[float, float]:
    """Return mean and variance of noise^2 chi2_rank/chi2_nu, 0 where infinite."""
    length = noise**2 * rank / (nu - 2) if nu > 2 else 0.0
    spread = 2 * noise**4 * rank * (rank + nu - 2) / ((nu - 2) ** 2 * (nu - 4)) if nu > 4 else 0.0
    return length, spread


def _chain(
    d: int,
    T0: ArrayLike,
    n: ArrayLike,
    sigma0: float,
    w0_square: float,
    design: str,
    T: int | None,
    sigma: float,
) -> _State:
    dimensions, length = integer("d", d, 1, MAX_DIMENSIONS), real("w0_square", w0_square, 0, 1e60)
    sizes, fits, dependent = generators(T0, n, design, MAX_GENERATORS)
    noise, (rows, test_noise) = real("sigma0", sigma0, 0, 1e30), downstream_fit(T, sigma)
    zero, no = np.zeros(()), np.zeros((), dtype=bool)
    states = [_State(zero, zero, zero, zero, zero, no, no)]
    numbers, where = np.unique(fits, return_inverse=True)
    if dependent:
        # w_n = P w0 + X^+(E_1 + ... + E_n) is one fit with n times the variance of the noise.
        states = [
            states[0].refitted(dimensions, int(sizes), noise * np.sqrt(m), length) if m else states[0] for m in numbers
        ]
    else:
        for size in sizes if sizes.ndim else np.full(fits.max(initial=0), sizes):
            states.append(states[-1].refitted(dimensions, int(size), noise, length))
        states = [states[m] for m in numbers]
    if rows is not None:
        states = [state.refitted(dimensions, rows, test_noise, length) for state in states]
    columns = zip(*states, strict=True) if states else [()] * len(_State._fields)
    return _State(*(np.array(column)[where].reshape(fits.shape) for column in columns))
