"""Fits of kernel ridge regressions for many replicates, in batches of bounded memory."""

import os
from collections.abc import Iterator

import numpy as np

from fastcollapse.errors import InputError
from fastcollapse.kernels.jit import current_threads
from fastcollapse.kernels.linalg.banded import (
    apply_reduction,
    band_workspace_length,
    new_band_reduction,
    new_panel_workspace,
    reduce_to_band,
    solve_shifted_bands,
)
from fastcollapse.kernels.linalg.cholesky import solve_by_cholesky
from fastcollapse.kernels.regression.kernel_matrix import Kernel, predict, squares_of_rows, write_gram
from fastcollapse.kernels.regression.shared_rows import diagonalize, solve_along

# Maximum size of the matrices of a batch, in bytes; a batch of one replicate may exceed it.
_BATCH_BYTES = 2**29
# Number of subdiagonals of the band: larger bands are not faster, and the solves cost the square of the width.
_WIDTH = 32
# Minimum of the estimated reciprocal condition number, for coefficients with at least three correct digits.
_MIN_CONDITION = {"float64": 1e-13, "float32": 1e-6}


def physical_bytes() -> int:
    """Return the physical memory of this machine in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


class Table:
    """Rows of inputs in the precision of their products, and their squared norms."""

    def __init__(self, rows: np.ndarray, precision: str) -> None:
        self.rows = np.ascontiguousarray(rows, dtype=precision)
        self.squares = np.empty(len(rows))
        squares_of_rows(self.rows, self.squares)

    def take(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows (G, n, d) with these numbers (G, n), and their squared norms (G, n)."""
        return self.rows[numbers], self.squares[numbers]


class Fitter:
    """Fits functions sum_i a_i k(x, z_i) to labels of the rows of a table, and evaluates them.

    Parameters
    ----------
    kernel : the kernel k.
    table : rows that samples are drawn from.
    precision : precision of the products of rows.
    """

    def __init__(self, kernel: Kernel, table: Table, precision: str) -> None:
        self._kernel, self._table = kernel, table
        self._precision = precision
        self._bytes = _BATCH_BYTES

    def batches(self, sizes: np.ndarray, largest: int, n_values: int) -> Iterator[slice]:
        """Yield batches of consecutive replicates with the same sample size, as slices. Results do not depend on them.

        Parameters
        ----------
        sizes : int64 (R), sample size of each replicate.
        largest : sample size used to compute the memory of a replicate.
        n_values : number of additional values of a replicate.
        """
        max_length = max(1, self._bytes // (self.fit_bytes(largest) + 8 * n_values))
        start = 0
        while start < len(sizes):
            end = start + 1
            while end < len(sizes) and end - start < max_length and sizes[end] == sizes[start]:
                end += 1
            yield slice(start, end)
            start = end

    def limit_memory(self, n_bytes: int) -> None:
        """Limit the memory of a batch to `n_bytes`; a batch always has at least one replicate."""
        self._bytes = min(_BATCH_BYTES, n_bytes)

    def check_memory(self, n: int, key: str) -> None:
        """Check that the Gram matrix of n samples fits into the memory of this machine.

        Raises
        ------
        InputError
            The matrix and its workspace do not fit.
        """
        needed, available = self.fit_bytes(n), physical_bytes()
        if needed > available:
            given = f"got {n:,}, whose Gram matrix and workspace take {needed / 1e9:.1f} GB"
            raise InputError(f"{key} must fit into the {available / 1e9:.1f} GB of this machine, {given}")

    def fit_bytes(self, n: int) -> int:
        """Return the memory for the fit of a replicate with n samples, in bytes."""
        d = self._table.rows.shape[1]
        return 8 * (n * n + band_workspace_length(n, _WIDTH) + 2 * n * d)

    def fit(self, numbers: np.ndarray, labels: np.ndarray, shifts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients (G, C, n) that solve (K + diag(shifts)) a = y, and reciprocal condition numbers (G).

        Parameters
        ----------
        numbers : int64 (G, n), numbers of the rows.
        labels : float64 (G, C, n), labels of the rows.
        shifts : float64 (G, n), at least 0.
        """
        out, conditions = np.array(labels), np.empty(len(numbers))
        solve_by_cholesky(self._gram(numbers), shifts, current_threads(), out, conditions)
        return out, conditions

    def fit_path(self, numbers: np.ndarray, labels: np.ndarray, ridges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients (G, L, C, n) for all ridges, and the smallest reciprocal condition numbers (G).

        All ridges share one reduction to a band, which costs as much as four Cholesky factorizations.
        """
        n_matrices, n = numbers.shape
        if len(ridges) == 1:
            coefficients, conditions = self.fit(numbers, labels, np.full((n_matrices, n), n * ridges[0]))
            return coefficients[:, None], conditions
        threads, gram = current_threads(), self._gram(numbers)
        reduction = new_band_reduction(n_matrices, n, _WIDTH)
        reduce_to_band(gram, reduction, new_panel_workspace(n_matrices, n, _WIDTH), threads)
        inside = np.array(labels)
        apply_reduction(gram, reduction, True, inside)
        out = np.empty((n_matrices, len(ridges), *labels.shape[1:]))
        conditions = np.empty((n_matrices, len(ridges)))
        solve_shifted_bands(reduction.band, n * ridges, inside, out, conditions)
        apply_reduction(gram, reduction, False, out.reshape(n_matrices, -1, n))
        return out, conditions.min(axis=1)

    def fit_labels(self, numbers: np.ndarray, labels: np.ndarray, ridges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients (G, L, C, n) of labels of each ridge, and the smallest reciprocal condition numbers (G).

        Parameters
        ----------
        numbers : int64 (G, n), numbers of the rows.
        labels : float64 (G, L, C, n), labels of the rows for each ridge.
        ridges : float64 (L).
        """
        values, vectors, penalties = *self.diagonalize(numbers), numbers.shape[1] * ridges
        out = np.array(labels)
        solve_along(values, vectors, penalties, out)
        return out, reciprocal_conditions(values, penalties.min())

    def diagonalize(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return eigenvalues (G, n) and eigenvectors, as rows (G, n, n), of the kernel matrices of rows (G, n)."""
        vectors, values = self._gram(numbers), np.empty(numbers.shape)
        diagonalize(vectors, values)
        return values, vectors

    def values(self, numbers: np.ndarray, coefficients: np.ndarray, at: Table | np.ndarray) -> np.ndarray:
        """Return the values of functions at rows, float64 (G, C, N).

        Parameters
        ----------
        numbers : int64 (G, n), numbers of the rows z_i.
        coefficients : float64 (G, C, n), coefficients a_i.
        at : rows for all functions, or the numbers of the rows for each function, int64 (G, N).
        """
        rows, squares = (at.rows[None], at.squares[None]) if isinstance(at, Table) else self._table.take(at)
        out = np.empty((*coefficients.shape[:2], rows.shape[1]))
        support, support_squares = self._table.take(numbers)
        predict(self._kernel, rows, squares, support, support_squares, coefficients, current_threads(), out)
        return out

    def check(self, conditions: np.ndarray, key: str, ridge: float, n: int, first: int, generation: int) -> None:
        """Check the reciprocal condition numbers (G) of the replicates from `first` on.

        Raises
        ------
        InputError
            A matrix is singular up to rounding; the message names the key of the ridge, the replicate and the
            generation.
        """
        smallest = _MIN_CONDITION[self._precision]
        bad = np.flatnonzero(~(conditions >= smallest))
        if bad.size:
            where = f"replicate {first + bad[0]}, generation {generation}"
            condition = f"its reciprocal condition number is {conditions[bad[0]]:.1g}, below {smallest:g}"
            raise InputError(
                f"{key} must be larger than {ridge:g} for {n:,} samples with this kernel: the Gram matrix of {where} "
                f"is singular up to rounding ({condition})"
            )

    def _gram(self, numbers: np.ndarray) -> np.ndarray:
        rows, squares = self._table.take(numbers)
        out = np.empty((len(numbers), numbers.shape[1], numbers.shape[1]))
        write_gram(self._kernel, rows, squares, current_threads(), out)
        return out


def reciprocal_conditions(values: np.ndarray, penalty: float) -> np.ndarray:
    """Return reciprocal condition numbers (G) of kernel matrices plus a penalty, from ascending eigenvalues (G, n)."""
    with np.errstate(invalid="ignore"):
        return (values[:, 0] + penalty) / (values[:, -1] + penalty)
