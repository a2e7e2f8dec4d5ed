"""Kernel ridge regressions on mixed labels, w times real and 1 - w times those of the generation before, on given rows.

With K = U diag(k) U' these are regressions of `mixed_labels` on rows with the singular values s = sqrt(k): the weights
along V are s times the coefficients along U, and those of the given labels are U'y/s. What differs is the error: it is
measured at other rows, against labels that no function of the kernel need have.

If each fit is added to the function before, and the first function has the given labels at all rows, the function
differs from the given labels by noise alone.

Notation
--------
n : number of generations, at least 0, or inf for the stationary law.
weight, sigma, sigma0, real_labels, start : as in `mixed_labels`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import coordinates, reals, require
from fastcollapse.theory.regression.mixed_labels import mixed_label_moments

_SYMMETRY = 1e-9


def kernel_label_error(
    K: ArrayLike,
    k_test: ArrayLike,
    y: ArrayLike,
    y_test: ArrayLike,
    weight: ArrayLike,
    ridge: ArrayLike = 0.0,
    n: ArrayLike = np.inf,
    sigma: float = 1.0,
    sigma0: float = 1.0,
    real_labels: str = "fresh",
    start: str = "zero",
) -> NDArray[np.float64]:
    """Return the expected mean squared error at test rows, against their given labels.

    A weight of 0 is the chain on synthetic labels.

    Parameters
    ----------
    K : [T, T], kernel of all pairs of rows, symmetric and positive semidefinite.
    k_test : [T, m], kernel of the rows and the test rows.
    y : [T], given labels of the rows.
    y_test : [m], given labels of the test rows.
    ridge : at least 0, multiplied by T; 0 is the interpolation of least norm.
    weight, n, sigma, sigma0, real_labels, start : see `Notation` of the module.

    Returns
    -------
    float64, the broadcast shape of `weight`, `ridge` and `n`; exact.

    References
    ----------
    Setting: Garg, Bhattacharya, Sur, arXiv:2509.22341. Derived; checked in tests/verification/test_kernel_labels.py.

    Examples
    --------
    >>> K, k_test = [[1.0, 0.5], [0.5, 1.0]], [[0.8, 0.1], [0.8, 0.4]]
    >>> kernel_label_error(K, k_test, [1.0, 2.0], [1.5, 0.5], [0.0, 0.5, 1.0], 0.1, n=3).round(4)
    array([0.7424, 0.2006, 0.305 ])
    """
    gram, across = reals("K", K, -1e60, 1e60), reals("k_test", k_test, -1e60, 1e60)
    require(gram.ndim == 2 and gram.size > 0 and gram.shape[0] == gram.shape[1], "K", "a square matrix", gram)
    size = float(np.abs(gram).max())
    require(np.abs(gram - gram.T).max() <= _SYMMETRY * size, "K", "symmetric", gram)
    rows = len(gram)
    require(across.ndim == 2 and len(across) == rows and across.size > 0, "k_test", f"of {rows} rows", across)
    given, targets = coordinates("y", y, rows), coordinates("y_test", y_test, across.shape[1])
    values, vectors = np.linalg.eigh(gram)
    least = float(np.abs(values).max()) * np.finfo(np.float64).eps * rows
    require(values.min() >= -max(least, _SYMMETRY * size), "K", "positive semidefinite", gram)
    # The functions of eigenvectors with eigenvalue 0 are 0.
    kept = values > least
    s, vectors = np.sqrt(values[kept]), vectors[:, kept]
    functions = (vectors / s).T @ across
    law = rows, weight, ridge, n, sigma, sigma0, real_labels, start
    mean, variance = mixed_label_moments(s, vectors.T @ given / s, *law)
    gap = np.zeros(mean.shape[:-1] + targets.shape) if start == "previous" else mean @ functions - targets
    error = (gap**2).mean(axis=-1) + (variance * (functions**2).mean(axis=-1)).sum(axis=-1)
    fits = np.broadcast_to(np.asarray(n, dtype=np.float64), error.shape)
    return np.where(fits == 0, 0.0, error)
