"""Ridge paths, against dense solves in long double and raw designs, and their properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcollapse.kernels.linalg.tridiagonal import factor_shifted, is_above, row_bound, solve_factored
from fastcollapse.kernels.regression.ridge_from_rows import reduce_rows
from fastcollapse.kernels.regression.ridge_path import N_COLUMNS, RegressionTruth, new_path_workspace, solve_path
from fastcollapse.kernels.regression.ridge_systems import is_lower, set_reversed_gram

pytestmark = pytest.mark.usefixtures("one_blas_thread")

RIDGES = np.array([0.0, 1e-13, 1e-9, 1e-6, 1e-3, 0.03, 1.0, 30.0, 1e6, 1e12])
# Dimension, samples, and exponent of the spectrum.
CASES = [
    (1, 1, 0.0),
    (1, 5, 0.0),
    (3, 1, 0.0),
    (2, 2, 1.5),
    (5, 3, 1.5),
    (20, 40, 0.0),
    (20, 40, 1.5),
    (20, 20, 1.5),
    (20, 21, 4.0),
    (20, 19, 2.0),
    (20, 8, 1.5),
    (20, 8, 4.0),
]


def solve(matrix, sides):
    """Return the solution in long double: a Cholesky factorisation row by row."""
    n = len(matrix)
    lower, out = np.zeros((n, n), np.longdouble), sides.astype(np.longdouble)
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i, j] - lower[i, :j] @ lower[j, :j]
            lower[i, j] = np.sqrt(rest) if i == j else rest / lower[j, j]
    for i in range(n):
        out[i] = (out[i] - lower[i, :i] @ out[:i]) / lower[i, i]
    for i in range(n - 1, -1, -1):
        out[i] = (out[i] - lower[i + 1 :, i] @ out[i + 1 :]) / lower[i, i]
    return out


def naive(factor, z, spectrum, w0, gap, n_samples, ridges):
    """Return float64 (L, 6) by the definition, in long double."""
    factor, z, w0, gap = (np.asarray(x, np.longdouble) for x in (factor, z, w0, gap))
    d, k = factor.shape
    out = np.empty((len(ridges), N_COLUMNS))
    for row, ridge in zip(out, ridges, strict=True):
        ridge = np.longdouble(ridge)
        if k == d:
            system = factor @ factor.T / n_samples + ridge * np.eye(d)
            sides = np.column_stack([w0, factor @ z / n_samples, factor @ (factor.T @ gap) / n_samples])
            from_w0, noise, synthetic = solve(system, sides).T
            bias = -ridge * from_w0
            fit = solve(system, (factor @ (factor.T @ (w0 + gap) + z) / n_samples)[:, None])[:, 0]
        else:
            system = factor.T @ factor / n_samples + ridge * np.eye(k)
            sides = np.column_stack([factor.T @ w0, z, factor.T @ gap]) / n_samples
            from_w0, noise, synthetic = (factor @ solve(system, sides)).T
            bias = from_w0 - w0
            fit = from_w0 + noise + synthetic
        error = bias + noise + synthetic
        row[:4] = [spectrum @ part**2 for part in (error, bias, noise, synthetic)]
        row[4:] = fit @ fit, fit @ w0
    return out


def sample(d, n_samples, beta, seed=0):
    """Return factor, z, spectrum, w0 and gap."""
    rng = np.random.default_rng([seed, d, n_samples])
    spectrum, k = np.arange(1, d + 1.0) ** -beta, min(d, n_samples)
    lower = np.tril(rng.normal(size=(d, k)), -1)
    lower[range(k), range(k)] = np.sqrt(rng.chisquare(n_samples - np.arange(k)))
    factor = np.sqrt(spectrum)[:, None] * lower
    return factor, 0.3 * rng.normal(size=k), spectrum, rng.normal(size=d), 0.2 * rng.normal(size=d)


def path(factor, z, spectrum, w0, gap, n_samples, ridges, parts=True, workspace=None):
    workspace = workspace or new_path_workspace(*factor.shape, len(ridges), parts)
    out = np.full((len(ridges), N_COLUMNS), np.nan)
    solve_path(
        factor, z, RegressionTruth(spectrum, w0), gap, n_samples, np.asarray(ridges, float), parts, workspace, out
    )
    return out


@pytest.mark.parametrize(("d", "n_samples", "beta"), CASES)
def test_solve_path__equals_long_double(d, n_samples, beta):
    made = sample(d, n_samples, beta)
    expected = naive(*made, n_samples, RIDGES)
    got = path(*made, n_samples, RIDGES)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-300)
    alone = path(*made, n_samples, RIDGES, parts=False)
    np.testing.assert_array_equal(alone[:, [0, 4, 5]], got[:, [0, 4, 5]])
    assert np.isnan(alone[:, 1:4]).all()


def test_solve_path__twin_detects_small_change():
    factor, z, spectrum, w0, gap = sample(20, 40, 1.5)
    expected = naive(factor, z, spectrum, w0, gap, 40, RIDGES)
    moved = path(factor, z * (1 + 1e-7), spectrum, w0, gap, 40, RIDGES)
    assert np.abs(moved[:, 2] / expected[:, 2] - 1).min() > 1e-8


def test_solve_path__workspace_may_be_larger_and_used_before():
    large, small = sample(20, 40, 1.0), sample(20, 8, 1.0)
    workspace = new_path_workspace(20, 20, len(RIDGES), True)
    path(*large, 40, RIDGES, workspace=workspace)
    np.testing.assert_array_equal(path(*small, 8, RIDGES, workspace=workspace), path(*small, 8, RIDGES))


@pytest.mark.parametrize(("d", "n_samples"), [(150, 300), (150, 70)])
def test_solve_path__bits_do_not_depend_on_recorded_parts(d, n_samples):
    made, columns = sample(d, n_samples, 1.5), [0, 4, 5]
    with_parts = path(*made, n_samples, RIDGES)[:, columns]
    np.testing.assert_array_equal(path(*made, n_samples, RIDGES, parts=False)[:, columns], with_parts)


def test_solve_path__full_factor_gives_same_result():
    factor, z, spectrum, w0, gap = sample(20, 40, 1.5)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(20, 20)))[0]
    turned = path(factor @ turn, turn.T @ z, spectrum, w0, gap, 40, RIDGES)
    columns = [0, 2, 3, 4, 5]  # the bias tends to 0 with the ridge, and a full factor loses its digits
    np.testing.assert_allclose(
        turned[:, columns], path(factor, z, spectrum, w0, gap, 40, RIDGES)[:, columns], rtol=1e-8
    )


@pytest.mark.parametrize("d", [1, 15, 16, 50])
def test_set_reversed_gram__equals_numpy(d):
    factor, got = sample(d, d + 3, 0.5)[0], np.full((d, d), np.nan)
    set_reversed_gram(factor, d + 3, got)
    np.testing.assert_allclose(np.tril(got), np.tril((factor @ factor.T / (d + 3))[::-1, ::-1]), rtol=1e-12, atol=1e-12)
    assert is_lower(factor)
    assert d == 1 or not is_lower(np.ascontiguousarray(factor.T))


def fits(rows, labels, ridge):
    """Return the minimiser of |labels - X w|^2 / T + ridge |w|^2 (least norm at ridge 0), by singular values."""
    left, values, right = np.linalg.svd(rows, full_matrices=False)
    live = values > 1e-12 * max(values.max(initial=0.0), 1e-300)
    shrunk = values[live] / (values[live] ** 2 + len(rows) * ridge)
    return right[live].T @ (shrunk * (left[:, live].T @ labels))


DESIGNS = {
    "tall": (30, 12, lambda x: x),
    "wide": (7, 12, lambda x: x),
    "square": (12, 12, lambda x: x),
    "signs": (14, 12, np.sign),
    "rank 3": (30, 12, lambda x: x[:, :3] @ x[:3]),
    "rank 3, wide": (7, 12, lambda x: x[:, :3] @ x[:3]),
    "a column of zeros": (30, 12, lambda x: x * (np.arange(12) != 4)),
    "twin rows": (8, 12, lambda x: x[[0, 1, 2, 3, 0, 1, 2, 3]]),
    "nearly twin columns": (30, 12, lambda x: x[:, [*range(11), 0]] + 1e-6 * (np.arange(12) == 11) * x),
    "nothing": (5, 3, lambda x: 0 * x),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_reduce_rows__accepts_any_rank(name):
    n_samples, d, make = DESIGNS[name]
    rng = np.random.default_rng(5)
    rows, noise = make(rng.normal(size=(n_samples, d))), 0.3 * rng.normal(size=n_samples)
    spectrum, w0, gap = np.linspace(1, 2, d), rng.normal(size=d), 0.1 * rng.normal(size=d)
    ridges = np.array([0.0, 1e-14, 1e-3, 2.0])
    workspace = new_path_workspace(d, min(n_samples, d), len(ridges), False)
    k = reduce_rows(rows.copy(), noise[None].copy(), workspace, workspace.z[None])
    assert k == np.linalg.matrix_rank(rows)
    got = path(
        workspace.factor[: d * k].reshape(d, k), workspace.z[:k], spectrum, w0, gap, n_samples, ridges, False, workspace
    )
    for row, ridge in zip(got, ridges, strict=True):
        fit = fits(rows, rows @ (w0 + gap) + noise, ridge)
        expected = [spectrum @ (fit - w0) ** 2, fit @ fit, fit @ w0]
        np.testing.assert_allclose(row[[0, 4, 5]], expected, rtol=1e-8, atol=1e-12)


def test_reduce_rows__propagates_non_finite_values():
    workspace = new_path_workspace(3, 3, 1, False)
    rows = np.ones((5, 3))
    rows[2, 1] = np.nan
    k = reduce_rows(rows, np.ones((1, 5)), workspace, workspace.z[None])
    assert np.isnan(
        path(workspace.factor[: 3 * k].reshape(3, k), workspace.z[:k], *np.ones((3, 3)), 5, [0.1], False)[0, 0]
    )


sizes = st.tuples(st.integers(1, 12), st.integers(1, 25), st.integers(0, 1000))


@given(sizes, st.floats(-9, 3))
def test_solve_path__normal_equations_hold(size, exponent):
    d, n_samples, seed = size
    ridge = 10.0**exponent
    made = sample(d, n_samples, 1.0, seed)
    factor, z, spectrum, w0, gap = made
    # One label at a time: |w| and <w, w0> for w0 = each unit vector give the fit itself.
    fit = np.array([path(factor, z, spectrum, axis, w0 + gap - axis, n_samples, [ridge])[0, 5] for axis in np.eye(d)])
    side = factor @ (factor.T @ (w0 + gap) + z) / n_samples
    residual = factor @ (factor.T @ fit) / n_samples + ridge * fit - side
    assert np.abs(residual).max() <= 1e-9 * (
        np.abs(side).max() + (ridge + (factor**2).sum() / n_samples) * np.abs(fit).max()
    )


@given(sizes)
def test_solve_path__limits_are_minimum_norm_and_zero(size):
    d, n_samples, seed = size
    factor, z, spectrum, w0, gap = sample(d, n_samples, 1.0, seed)
    got = path(factor, z, spectrum, w0, gap, n_samples, [0.0, 1e-14, 1e15])
    least = np.linalg.pinv(factor.T) @ (factor.T @ (w0 + gap) + z)
    np.testing.assert_allclose(got[0, 4:], [least @ least, least @ w0], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(got[1, 4], got[0, 4], rtol=1e-4)
    assert got[2, 4] < 1e-20 * (1 + least @ least + (w0 + gap) @ (w0 + gap))
    np.testing.assert_allclose(got[2, 0], spectrum @ w0**2, rtol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_tridiagonal__solves_every_shift(n):
    rng = np.random.default_rng(n)
    diagonal, off, shifts = 3 + rng.random(n), rng.normal(size=n), np.array([0.0, 0.5, 40.0])
    dense = np.diag(diagonal) + np.diag(off[: n - 1], 1) + np.diag(off[: n - 1], -1)
    dense += np.eye(n) * (0.1 - min(0.0, np.linalg.eigvalsh(dense)[0]))
    diagonal = dense.diagonal().copy()
    ratios, inverses, out = np.empty((n, 3)), np.empty((n, 3)), rng.normal(size=(n, 6))
    sides = out.copy()
    factor_shifted(diagonal, off, shifts, ratios, inverses)
    solve_factored(ratios, inverses, out)
    for k in range(6):
        np.testing.assert_allclose((dense + shifts[k % 3] * np.eye(n)) @ out[:, k], sides[:, k], rtol=1e-9, atol=1e-9)
    values = np.linalg.eigvalsh(dense)
    assert row_bound(diagonal, off) >= values[-1]
    assert is_above(diagonal, off, values[0] - 1e-9)
    assert not is_above(diagonal, off, values[0] + 1e-9)
