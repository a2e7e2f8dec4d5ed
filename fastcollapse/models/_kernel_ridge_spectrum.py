"""The spectrum of a kernel over real rows and the power of the targets along it: what asymptotic theory is fed with."""

import numpy as np

from fastcollapse._jit import current_threads
from fastcollapse.blas import one_blas_thread
from fastcollapse.kernels.gram import Kernel, write_gram
from fastcollapse.models._kernel_ridge_fit import Table

# Rows that the spectrum is estimated from: 2,000 take about a second.
_MOST = 2000


def spectrum_of(law: Kernel, table: Table, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates of the eigenvalues of a kernel and of the mean square of the targets along its eigenvectors.

    Parameters
    ----------
    law : the kernel.
    table : rows that stand for their law.
    targets : float64 (C, m).

    Returns
    -------
    spectrum, power : float64 (m), of the matrix K / m, the largest eigenvalue first; the powers sum to the mean square
        of the targets. At most 2,000 rows are used. Eigenvalues that are rounding alone are left at what they came
        out as, below 1e-15 of the largest or negative.
    """
    rows, squares, targets = table.rows[:_MOST], table.squares[:_MOST], targets[:, :_MOST]
    m = len(rows)
    gram = np.empty((1, m, m))
    write_gram(law, rows[None], squares[None], current_threads(), gram)
    with one_blas_thread():
        values, vectors = np.linalg.eigh(gram[0], UPLO="U")
        power = ((targets @ vectors) ** 2).mean(axis=0) / m
    return values[::-1] / m, power[::-1].copy()
