"""Ridge generators that are all fitted to the same isotropic rows.

With S = X'X/T0 and R = (S + ridge0)^{-1} S, w_n = R w_{n-1} + noise is R^n w0 plus a sum of powers of R. Every
mean is an integral over the Marchenko-Pastur law of the eigenvalues s of S.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, integers, real
from fastcollapse.theory.quadrature import marchenko_pastur

MAX_DIMENSIONS = 10**9
MAX_GENERATORS = 10**6


def dependent_ridge_means(
    d: int, T0: int, ridge0: float, n: ArrayLike, sigma0: float, w0_square: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the expected error, overlap and squared norm of ridge generator n to the same rows, for Sigma = I.

    They are |w_n - w0|^2, <w_n, w0> and |w_n|^2. With r = s/(s+ridge0) and expectations over the law of s, they
    are |w0|^2 E(1-r^n)^2 + v, |w0|^2 E r^n and |w0|^2 E r^(2n) + v, with v = sigma0^2 d/T0 E s/(s+ridge0)^2
    (1-r^(2n))/(1-r^2), which stays finite as n grows.

    Parameters
    ----------
    d : number of dimensions, 1 to 10**9.
    T0 : number of rows, at least 1.
    ridge0 : ridge of the generators, 1e-8 to 1e40; `chain_means` covers the case 0.
    n : number of generators, any shape, 0 to 10**6.
    sigma0 : standard deviation of the noise on the labels of the generators, 0 to 1e30.
    w0_square : |w0|^2, 0 to 1e60.

    Returns
    -------
    error, overlap, squared_norm : float64, shape of `n`, asymptotic with a relative error O(1/d).

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> error, overlap, squared_norm = dependent_ridge_means(300, 600, 0.1, [1, 5, 10**6], 0.3)
    >>> error.round(4), overlap.round(4), squared_norm.round(4)
    (array([0.0857, 0.4285, 1.206 ]), array([0.8517, 0.5147, 0.    ]), array([0.7891, 0.4579, 0.206 ]))
    """
    phi = integer("d", d, 1, MAX_DIMENSIONS) / integer("T0", T0, 1)
    ridge, fits = real("ridge0", ridge0, 1e-8, 1e40), integers("n", n, 0, MAX_GENERATORS)
    noise, length = real("sigma0", sigma0, 0, 1e30), real("w0_square", w0_square, 0, 1e60)
    s, weight = marchenko_pastur(phi, ridge)
    # ln r has no cancellation at both ends of s.
    log_r = -np.log1p(ridge / s)
    step = noise**2 * phi * s / (ridge * (2 * s + ridge))
    # Directions outside the span of the rows, or below the resolution of the nodes, are lost in the first fit.
    unseen = 1 - weight.sum()
    error, overlap, norm = (np.zeros(fits.size) for _ in range(3))
    for i, m in enumerate(fits.flat):
        r_power = np.exp(m * log_r)
        added = weight @ (step * -np.expm1(2 * m * log_r))
        error[i] = length * max(weight @ np.expm1(m * log_r) ** 2 + (unseen if m else 0.0), 0.0) + added
        overlap[i] = length * (weight @ r_power + (0.0 if m else unseen))
        norm[i] = length * (weight @ r_power**2 + (0.0 if m else unseen)) + added
    return error.reshape(fits.shape), overlap.reshape(fits.shape), norm.reshape(fits.shape)
