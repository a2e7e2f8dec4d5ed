"""The spectrum of a kernel over real rows and the power of the targets along it: what asymptotic theory is fed with."""

import numpy as np

from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.linalg.blas_threads import one_blas_thread
from fastcollapse.kernels.regression.kernel_matrix import Kernel, write_gram
from fastcollapse.models.kernel_ridge.fit import Table

# Eigenvalues below this share of the largest are rounding.
_LEAST = 1e-13


def spectrum_of(law: Kernel, table: Table, targets: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates of the eigenvalues of a kernel and of the mean square of the targets along its eigenvectors.

    Parameters
    ----------
    law : the kernel.
    table : rows that stand for their law.
    targets : float64 (C, m).
    most : rows that are used, if there are more: 1,000 take 0.2 s, 2,000 take 1.5 s.

    Returns
    -------
    spectrum, power : float64 (m), of the matrix K / m, the largest eigenvalue first; the powers sum to the mean square
        of the targets. Eigenvalues that are rounding alone are 0, and the power along all of them is that of the first:
        their eigenvectors are any.
    """
    rows, squares, targets = table.rows[:most], table.squares[:most], targets[:, :most]
    m = len(rows)
    gram = np.empty((1, m, m))
    write_gram(law, rows[None], squares[None], current_threads(), gram)
    with one_blas_thread():
        values, vectors = np.linalg.eigh(gram[0], UPLO="U")
        power = ((targets @ vectors) ** 2).mean(axis=0) / m
    spectrum, power = values[::-1] / m, power[::-1].copy()
    null = spectrum < _LEAST * spectrum[0]
    if null.any():
        first = int(null.argmax())
        spectrum[first:] = 0.0
        power[first] = power[first:].sum()
        power[first + 1 :] = 0.0
    return spectrum, power
