"""Solutions and condition numbers by tiled Cholesky factors, against NumPy."""

import numpy as np
import pytest

from fastcollapse.kernels.jit import max_threads
from fastcollapse.kernels.linalg.cholesky import STRIP, solve_by_cholesky


def random_systems(n_matrices, n, seed=1):
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n_matrices, n, n))
    shifts, sides = rng.uniform(0.1, 0.2, (n_matrices, n)), rng.standard_normal((n_matrices, 2, n))
    return rows @ rows.transpose(0, 2, 1) / n, shifts, sides


def solve(matrices, shifts, sides, threads):
    out, conditions = sides.copy(), np.empty(len(sides))
    solve_by_cholesky(np.triu(matrices), shifts, threads, out, conditions)
    return out, conditions


@pytest.mark.parametrize("n", [1, 2, 7, STRIP, STRIP + 1, 2 * STRIP + 30])
def test_solutions__equal_numpy(n):
    matrices, shifts, sides = random_systems(2, n)
    got, conditions = solve(matrices, shifts, sides, 2)
    for g in range(2):
        matrix = matrices[g] + np.diag(shifts[g])
        np.testing.assert_allclose(got[g], np.linalg.solve(matrix, sides[g].T).T, rtol=1e-9, atol=1e-10)
        exact = 1 / np.linalg.cond(matrix, 1)
        assert exact * (1 - 1e-9) <= conditions[g] <= 3 * exact


def test_bits__do_not_depend_on_threads_or_other_systems():
    matrices, shifts, sides = random_systems(3, 300)
    expected, _ = solve(matrices, shifts, sides, 1)
    np.testing.assert_array_equal(solve(matrices, shifts, sides, max_threads())[0], expected)
    np.testing.assert_array_equal(solve(matrices[2:], shifts[2:], sides[2:], max_threads())[0][0], expected[2])


def test_solutions__are_nan_for_indefinite_matrix():
    matrices, shifts, sides = random_systems(2, STRIP + 5)
    matrices[1] -= 3 * np.eye(STRIP + 5)
    got, conditions = solve(matrices, shifts, sides, 1)
    assert np.isfinite(got[0]).all()
    assert np.isnan(got[1]).all()
    assert conditions[1] == 0.0
