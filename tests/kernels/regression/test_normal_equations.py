"""Normal equations gathered in batches, against NumPy least squares, and singular ones against the pseudo-inverse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse.kernels.regression.normal_equations import factor, fit_rows, fit_sums, gather, new_equations, solve

FEW = settings(deadline=None, max_examples=60)
SEEDS = st.integers(0, 10**6)
BATCHES = st.lists(st.integers(1, 9), min_size=1, max_size=4)


def gathered(batches, d):
    """Return (gram, sums, held) of batches of (rows, labels), in a workspace filled with other numbers."""
    gram, sums, held, workspace = np.full((d, d), np.nan), np.full(d, np.nan), 0, new_equations(d)
    workspace.matrix[:] = np.nan
    for rows, labels in batches:
        held = gather(gram, sums, held, rows, labels, workspace)
    return gram, sums, held


def fitted(batches, d, penalty=0.0):
    gram, sums, held = gathered(batches, d)
    out, workspace = np.full(d, np.nan), new_equations(d)
    if held <= d:
        fit_rows(gram[:held].copy(), sums[:held].copy(), penalty, workspace, out)
    else:
        before = gram.copy(), sums.copy()
        fit_sums(gram, sums, penalty, workspace, out)
        # The pool must not change: later generations add to it.
        np.testing.assert_array_equal(gram, before[0])
        np.testing.assert_array_equal(sums, before[1])
    return out


def drawn(rng, sizes, d, roots=1.0):
    return [(rng.standard_normal((m, d)) * roots, rng.standard_normal(m)) for m in sizes]


def stacked(batches):
    return np.concatenate([rows for rows, _ in batches]), np.concatenate([labels for _, labels in batches])


@FEW
@given(SEEDS, st.integers(1, 8), BATCHES)
def test_fit__is_least_squares_of_minimum_norm(seed, d, sizes):
    rng = np.random.default_rng(seed)
    # Spectra of 16 decades only with more rows than inputs: the equations are solved in their own scale, few rows are
    # not.
    batches = drawn(rng, sizes, d, 10.0 ** -np.arange(d) if sum(sizes) > d else 1.0)
    x, y = stacked(batches)
    scale = np.linalg.norm(x, axis=0) if sum(sizes) > d else np.ones(d)
    expected = np.linalg.lstsq(x / scale, y, rcond=None)[0]
    condition = np.linalg.cond(x / scale)
    got = fitted(batches, d) * scale
    # The normal equations square the condition number.
    np.testing.assert_allclose(
        got, expected, rtol=0, atol=(1e-13 + 1e-15 * condition**2) * np.linalg.norm(y) * condition
    )


@pytest.mark.parametrize("sizes", [(3,), (2, 2, 2), (6,), (5, 1, 4), (30,), (1, 99), (1,)])
def test_fit__equals_numpy(sizes):
    d = 6
    batches = drawn(np.random.default_rng(1), sizes, d)
    x, y = stacked(batches)
    expected = np.linalg.lstsq(x, y, rcond=None)[0]
    np.testing.assert_allclose(fitted(batches, d), expected, rtol=0, atol=1e-10)


@FEW
@given(SEEDS, st.integers(1, 8), BATCHES, st.floats(1e-3, 1e3))
def test_fit__with_ridge_equals_numpy(seed, d, sizes, penalty):
    batches = drawn(np.random.default_rng(seed), sizes, d)
    x, y = stacked(batches)
    expected = np.linalg.solve(x.T @ x + penalty * np.eye(d), x.T @ y)
    np.testing.assert_allclose(fitted(batches, d, penalty), expected, rtol=1e-9, atol=1e-10)


@FEW
@given(SEEDS, st.integers(2, 8), st.integers(1, 12), st.integers(1, 5))
def test_singular__gives_minimum_norm(seed, d, n, n_distinct):
    """Equal rows with contradictory labels: rank below both n and d."""
    rng = np.random.default_rng(seed)
    n_distinct = min(n_distinct, d - 1)
    x = rng.standard_normal((n_distinct, d))[rng.integers(n_distinct, size=n)]
    y = rng.standard_normal(n)
    expected = np.linalg.pinv(x, rcond=1e-10) @ y
    condition = np.linalg.svd(x, compute_uv=False)
    condition = condition[0] / condition[condition > 1e-10 * condition[0]][-1]
    got = fitted([(x, y)], d)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12 * condition**3 * np.linalg.norm(y))


@pytest.mark.parametrize("n", [2, 4, 5, 7])
def test_singular__sign_matrices(n):
    """Random matrices of signs can be exactly singular, in integers: no pivot is small but non-zero."""
    d, rng, n_singular = 4, np.random.default_rng(3), 0
    for _ in range(200):
        x, y = rng.choice([-1.0, 1.0], (n, d)), rng.standard_normal(n)
        n_singular += np.linalg.matrix_rank(x) < min(n, d)
        np.testing.assert_allclose(fitted([(x, y)], d), np.linalg.pinv(x) @ y, rtol=0, atol=1e-10)
    assert n_singular > 5


def test_factor__distinguishes_singular_from_badly_scaled():
    for scales, regular in (([1.0, 1e-12, 1e-30], True), ([1e-90, 1.0, 1e90], True)):
        matrix = np.array([[2.0, 1.0, 0.5], [1.0, 2.0, 0.3], [0.5, 0.3, 2.0]]) * np.outer(scales, scales)
        copy, diagonal, values = matrix.copy(), np.empty(3), np.empty(3)
        assert factor(copy, diagonal, values) == regular
        x = matrix @ (1 / np.array(scales))
        solve(True, copy, values, x, np.empty(3))
        np.testing.assert_allclose(x * scales, 1.0, rtol=1e-12)
    singular = np.array([[1.0, 1.0], [1.0, 1.0]])
    assert not factor(singular, np.empty(2), np.empty(2))
    # A zero matrix is singular too.
    nothing, values = np.zeros((2, 2)), np.empty(2)
    assert not factor(nothing, np.empty(2), values)
    x = np.zeros(2)
    solve(False, nothing, values, x, np.empty(2))
    np.testing.assert_array_equal(x, 0.0)


def test_ridge__from_zero_to_huge():
    batches = drawn(np.random.default_rng(4), (3,), 5)
    x, y = batches[0]
    np.testing.assert_allclose(fitted(batches, 5, 1e-13), np.linalg.pinv(x) @ y, rtol=1e-9)
    np.testing.assert_allclose(1e200 * fitted(batches, 5, 1e200), x.T @ y, rtol=1e-12)


def test_gather__keeps_rows_up_to_dimension_then_sums():
    d, rng = 4, np.random.default_rng(5)
    for sizes, held in (((4,), 4), ((2, 2), 4), ((2, 1), 3), ((5,), 5), ((4, 1), 5), ((1, 9, 2), 5)):
        batches = drawn(rng, sizes, d)
        gram, sums, got = gathered(batches, d)
        assert got == held
        x, y = stacked(batches)
        if held <= d:
            np.testing.assert_array_equal(gram[:held], x)
            np.testing.assert_array_equal(sums[:held], y)
        else:
            np.testing.assert_allclose(np.tril(gram), np.tril(x.T @ x), rtol=1e-12, atol=1e-13)
            np.testing.assert_allclose(sums, x.T @ y, rtol=1e-12, atol=1e-13)
