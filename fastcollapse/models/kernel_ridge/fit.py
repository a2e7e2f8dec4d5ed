"""Fits of kernel ridge regressions for many replicates, as many at once as the memory in flight allows."""

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

# What the matrices of replicates in flight may take together: one replicate may take more.
_BYTES_IN_FLIGHT = 2**29
# Diagonals of the band beside the main one: 32, 48 and 64 take the same time, and a band costs its square.
_WIDTH = 32
# Estimates of the reciprocal condition number below this are refused: coefficients would have no more than about
# three digits of their own.
_LEAST_CONDITION = {"float64": 1e-13, "float32": 1e-6}


def physical_bytes() -> int:
    """Return the memory of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


class Table:
    """Rows that kernels are made of, in the precision of their products, and their squares."""

    def __init__(self, rows: np.ndarray, precision: str) -> None:
        self.rows = np.ascontiguousarray(rows, dtype=precision)
        self.squares = np.empty(len(rows))
        squares_of_rows(self.rows, self.squares)

    def take(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows (G, n, d) of these numbers (G, n), and their squares (G, n)."""
        return self.rows[numbers], self.squares[numbers]


class Fitter:
    """Fits functions sum_i a_i k(x, z_i) to labels of rows of a table, and evaluates them.

    Parameters
    ----------
    law: the kernel
    table: rows that samples are drawn from
    precision: of the products of rows
    """

    def __init__(self, law: Kernel, table: Table, precision: str) -> None:
        self._law, self._table = law, table
        self._precision = precision
        self._bytes = _BYTES_IN_FLIGHT

    def in_flight(self, sizes: np.ndarray, largest: int, n_numbers: int) -> Iterator[slice]:
        """Yield slices of consecutive replicates with samples of one size, `sizes` int64 (R), to work on at once.

        They are as many as fit, for samples of up to `largest` and `n_numbers` numbers each beside: no bit depends on
        it.
        """
        most = max(1, self._bytes // (self.bytes_of(largest) + 8 * n_numbers))
        start = 0
        while start < len(sizes):
            end = start + 1
            while end < len(sizes) and end - start < most and sizes[end] == sizes[start]:
                end += 1
            yield slice(start, end)
            start = end

    def limit(self, n_bytes: int) -> None:
        """Hold what is in flight to so many bytes, or to one replicate."""
        self._bytes = min(_BYTES_IN_FLIGHT, n_bytes)

    def check_room(self, n: int, key: str) -> None:
        """Refuse samples whose Gram matrix does not fit into the memory of this machine.

        Raises
        ------
        InputError
            With the size that it takes.
        """
        needed, there = self.bytes_of(n), physical_bytes()
        if needed > there:
            found = f"got {n:,}, whose Gram matrix and its room take {needed / 1e9:.1f} GB"
            raise InputError(f"{key} must fit into the {there / 1e9:.1f} GB of this machine, {found}")

    def bytes_of(self, n: int) -> int:
        """Return what a replicate with n samples takes while it is fitted."""
        d = self._table.rows.shape[1]
        return 8 * (n * n + band_workspace_length(n, _WIDTH) + 2 * n * d)

    def fit(self, numbers: np.ndarray, labels: np.ndarray, shifts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients (G, C, n) that solve (K + diag(shifts)) a = y, and reciprocal condition numbers (G).

        Parameters
        ----------
        numbers : int64 (G, n), of the rows.
        labels : float64 (G, C, n).
        shifts : float64 (G, n), at least 0.
        """
        out, conditions = np.array(labels), np.empty(len(numbers))
        solve_by_cholesky(self._gram(numbers), shifts, current_threads(), out, conditions)
        return out, conditions

    def fit_path(self, numbers: np.ndarray, labels: np.ndarray, ridges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients (G, L, C, n) at every ridge, and reciprocal condition numbers (G) at the least of them.

        Several ridges share one reduction, which takes as long as four Cholesky factors.
        """
        n_matrices, n = numbers.shape
        if len(ridges) == 1:
            found, conditions = self.fit(numbers, labels, np.full((n_matrices, n), n * ridges[0]))
            return found[:, None], conditions
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

    def values(self, numbers: np.ndarray, coefficients: np.ndarray, at: Table | np.ndarray) -> np.ndarray:
        """Return what functions are at rows, float64 (G, C, N).

        Parameters
        ----------
        numbers : int64 (G, n), of the rows z_i.
        coefficients : float64 (G, C, n).
        at : rows for all of them, or the numbers of rows for each, int64 (G, N).
        """
        rows, squares = (at.rows[None], at.squares[None]) if isinstance(at, Table) else self._table.take(at)
        out = np.empty((*coefficients.shape[:2], rows.shape[1]))
        support, support_squares = self._table.take(numbers)
        predict(self._law, rows, squares, support, support_squares, coefficients, current_threads(), out)
        return out

    def check(self, conditions: np.ndarray, key: str, ridge: float, n: int, first: int, generation: int) -> None:
        """Refuse a fit that rounding would decide; `conditions` (G) are those of the replicates from `first` on.

        Raises
        ------
        InputError
            With the key of the ridge, the replicate and the generation.
        """
        least = _LEAST_CONDITION[self._precision]
        bad = np.flatnonzero(~(conditions >= least))
        if bad.size:
            where = f"replicate {first + bad[0]}, generation {generation}"
            found = f"its reciprocal condition number is {conditions[bad[0]]:.1g}, below {least:g}"
            raise InputError(
                f"{key} must be larger than {ridge:g} for {n:,} samples with this kernel: the Gram matrix of {where} "
                f"is singular up to rounding ({found})"
            )

    def _gram(self, numbers: np.ndarray) -> np.ndarray:
        rows, squares = self._table.take(numbers)
        out = np.empty((len(numbers), numbers.shape[1], numbers.shape[1]))
        write_gram(self._law, rows, squares, current_threads(), out)
        return out
