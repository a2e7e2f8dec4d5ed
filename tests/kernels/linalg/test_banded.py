"""Reduction to a band: orthogonal transformation, and solutions at many shifts, against NumPy."""

import numpy as np
import pytest

from fastcollapse.kernels.jit import max_threads
from fastcollapse.kernels.linalg.banded import (
    apply_reduction,
    band_workspace_length,
    new_band_reduction,
    new_panel_workspace,
    reduce_to_band,
    solve_shifted_bands,
)

SHIFTS = np.array([0.3, 0.01, 5.0])


def symmetric(n_matrices, n, seed=1):
    rows = np.random.default_rng(seed).standard_normal((n_matrices, n, n))
    return rows @ rows.transpose(0, 2, 1) / n


def reduced(matrices, width, threads):
    work = matrices.copy()
    # Only the diagonal tiles are complete; entries to their left must not be read.
    n = matrices.shape[1]
    for i in range(n):
        work[:, i, : i // 128 * 128] = np.nan
    reduction = new_band_reduction(len(matrices), n, width)
    reduce_to_band(work, reduction, new_panel_workspace(len(matrices), n, width), threads)
    return work, reduction


def solve(matrices, sides, width, threads):
    work, reduction = reduced(matrices, width, threads)
    inside = sides.copy()
    apply_reduction(work, reduction, True, inside)
    out, conditions = np.empty((len(sides), 3, *sides.shape[1:])), np.empty((len(sides), 3))
    solve_shifted_bands(reduction.band, SHIFTS, inside, out, conditions)
    apply_reduction(work, reduction, False, out.reshape(len(sides), -1, sides.shape[2]))
    return out, conditions


@pytest.mark.parametrize(
    ("n", "width"), [(1, 4), (2, 4), (4, 4), (5, 4), (6, 4), (8, 4), (9, 4), (13, 4), (130, 32), (300, 32), (257, 16)]
)
def test_solutions__solve_original_matrix(n, width):
    matrices = symmetric(2, n)
    sides = np.random.default_rng(2).standard_normal((2, 3, n))
    got, conditions = solve(matrices, sides, width, 2)
    for g in range(2):
        for k, shift in enumerate(SHIFTS):
            shifted = matrices[g] + shift * np.eye(n)
            expected = np.linalg.solve(shifted, sides[g].T).T
            np.testing.assert_allclose(got[g, k], expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
        condition = 1 / np.linalg.cond(matrices[g] + 0.01 * np.eye(n))
        # The 1-norm is within a factor n of the 2-norm both ways.
        assert condition / (1.01 * n) <= conditions[g, 1] <= 1.01 * condition * n
    np.testing.assert_array_equal(conditions[:, [0, 2]], 1.0)


@pytest.mark.parametrize(("n", "width"), [(7, 2), (200, 32)])
def test_band__has_eigenvalues_of_matrix(n, width):
    matrices = symmetric(1, n)
    _, reduction = reduced(matrices, width, 1)
    band = np.zeros((n, n))
    for i in range(n):
        for k in range(min(width + 1, n - i)):
            band[i, i + k] = band[i + k, i] = reduction.band[0, i, k]
    np.testing.assert_allclose(np.linalg.eigvalsh(band), np.linalg.eigvalsh(matrices[0]), atol=1e-13)


def test_bits__do_not_depend_on_threads_or_other_systems():
    matrices, sides = symmetric(3, 290), np.random.default_rng(2).standard_normal((3, 1, 290))
    expected, _ = solve(matrices, sides, 32, 1)
    np.testing.assert_array_equal(solve(matrices, sides, 32, max_threads())[0], expected)
    np.testing.assert_array_equal(solve(matrices[1:2], sides[1:2], 32, max_threads())[0][0], expected[1])


def test_solutions__are_nan_for_indefinite_matrix():
    matrix = symmetric(1, 40) - np.eye(40)
    got, conditions = solve(matrix, np.ones((1, 1, 40)), 8, 1)
    assert conditions[0, 1] == 0.0
    assert np.isnan(got[0, 1]).all()
    assert np.isfinite(got[0, 2]).all()


def test_band_workspace_length__equals_size_of_arrays():
    for n, width in ((10, 4), (500, 32)):
        held = sum(values.size for values in (*new_band_reduction(1, n, width), *new_panel_workspace(1, n, width)))
        assert 0.8 * held <= band_workspace_length(n, width) <= 1.3 * held + 3 * width**2
