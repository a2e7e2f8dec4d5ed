"""Estimates of the kernel spectrum and of the power of the targets along it, used by the asymptotic theory."""

import numpy as np

from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.linalg.blas_threads import one_blas_thread
from fastcollapse.kernels.regression.kernel_matrix import Kernel, write_gram
from fastcollapse.models.kernel_ridge.fit import Table

# Eigenvalues below this fraction of the largest are rounding errors.
_MIN_FRACTION = 1e-13


def estimate_spectrum(law: Kernel, table: Table, targets: np.ndarray, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates of the eigenvalues of a kernel and of the mean square of the targets along its eigenvectors.

    Parameters
    ----------
    law : the kernel.
    table : sample of rows.
    targets : float64 (C, N), the targets of the rows.
    n_rows : maximum number m of rows to use; the cost is O(m^3).

    Returns
    -------
    spectrum : float64 (m), eigenvalues of K / m, the largest first; 0 where they are rounding errors.
    power : float64 (m), mean square of the targets along the eigenvectors, with the mean square of the targets as sum.
        The power of all eigenvalues 0 is assigned to the first of them, because their eigenvectors are arbitrary.
    """
    rows, squares, targets = table.rows[:n_rows], table.squares[:n_rows], targets[:, :n_rows]
    m = len(rows)
    gram = np.empty((1, m, m))
    write_gram(law, rows[None], squares[None], current_threads(), gram)
    with one_blas_thread():
        values, vectors = np.linalg.eigh(gram[0], UPLO="U")
        power = ((targets @ vectors) ** 2).mean(axis=0) / m
    spectrum, power = values[::-1] / m, power[::-1].copy()
    null = spectrum < _MIN_FRACTION * spectrum[0]
    if null.any():
        first = int(null.argmax())
        spectrum[first:] = 0.0
        power[first] = power[first:].sum()
        power[first + 1 :] = 0.0
    return spectrum, power
