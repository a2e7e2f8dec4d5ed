"""Replace, accumulate and mix with least squares: published sums, and the schedule against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma

from fastcollapse.errors import InputError
from fastcollapse.theory.regression.chain_exact import ols_error_mean
from fastcollapse.theory.regression.real_data import mix_contraction, mix_error, mix_fixed_error
from fastcollapse.theory.regression.schedule import expected_regression
from fastcollapse.theory.regression.workflows import (
    accumulate_error,
    accumulate_error_limit,
    accumulate_error_variance,
    min_norm_accumulate_error,
    min_norm_same_rows_error,
    subsample_error,
)
from fastcollapse.theory.workflow_factors import risk_factor


def test_regression_workflows__published_sums():
    d, size, sigma, n = 12, 40, 0.7, np.array([0, 1, 2, 30])
    base = sigma**2 * d / (size - d - 1)
    np.testing.assert_allclose(accumulate_error(d, size, n, sigma, "same"), base * risk_factor("accumulate", n))
    fresh = [sum(sigma**2 * d / (i * (i * size - d - 1)) for i in range(1, k + 1)) for k in n]
    np.testing.assert_allclose(accumulate_error(d, size, n, sigma, "fresh"), fresh, rtol=1e-12)
    np.testing.assert_allclose(accumulate_error_limit(d, size, sigma, "same"), base * np.pi**2 / 6, rtol=1e-12)
    closed = -(sigma**2) * d / (d + 1) * (np.euler_gamma + digamma(1 - (d + 1) / size))
    np.testing.assert_allclose(accumulate_error_limit(d, size, sigma, "fresh"), closed, rtol=1e-12)


@pytest.mark.parametrize("size", [14, 40, 12_999, 13_001, 10**8])
def test_regression_workflows__accumulate_tends_to_its_limit(size):
    for rows in ("same", "fresh"):
        far = accumulate_error(12, size, 10**6, 0.5, rows)
        limit = accumulate_error_limit(12, size, 0.5, rows)
        np.testing.assert_allclose(far, limit, rtol=2e-6)
        assert far < limit
    # Fresh rows give a smaller error, but not below that of the first fit.
    one = accumulate_error(12, size, 1, 0.5, "fresh")
    assert one < accumulate_error_limit(12, size, 0.5, "fresh") < accumulate_error_limit(12, size, 0.5, "same")


sizes = st.lists(st.integers(0, 40), min_size=1, max_size=8)


@given(st.integers(1, 12), sizes, st.integers(2, 30))
def test_regression_schedule__equals_replace_and_accumulate(d, more, first):
    synthetic = np.array([d + first, *more])
    n = np.arange(synthetic.size + 1)
    got = expected_regression(d, synthetic, keep=1, sigma0=0.6, sigma=0.1)
    positive = np.concatenate([synthetic[:1], np.maximum(synthetic[1:], 1)])
    kept = expected_regression(d, positive, keep=1, sigma0=0.6, sigma=0.1)
    np.testing.assert_allclose(kept, accumulate_error(d, positive, n, 0.6, "fresh"), rtol=1e-10)
    assert (np.diff(got) >= -1e-12).all()
    replaced = expected_regression(d, synthetic + d + 2, sigma0=0.6, sigma=0.1)
    np.testing.assert_allclose(replaced, ols_error_mean(d, synthetic + d + 2, n, 0.6), rtol=1e-10)


@given(st.integers(1, 12), st.integers(0, 40), st.integers(0, 40))
def test_regression_schedule__equals_mix(d, synthetic, real):
    if synthetic + real < d:
        return
    schedule = np.full(6, synthetic)
    got = expected_regression(d, schedule, real, sigma0=0.6, sigma=0.3)
    expected = mix_error(d, synthetic, real, np.arange(7), 0.6, 0.3)
    np.testing.assert_allclose(got, expected, rtol=1e-9)
    assert np.isfinite(got[-1]) == (synthetic + real > d + 1)


def test_regression_schedule__real_rows_only_are_one_fit():
    # The pool of real rows is one sample, independent of the generations.
    got = expected_regression(5, [0, 0, 0], [6, 9, 4], 1, sigma0=9.0, sigma=0.5)
    expected = [0, *(ols_error_mean(5, total, 1, 0.5) for total in (6, 15, 19))]
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    # A sample of d+1 rows makes the error infinite until the labels of its fit leave the pool.
    got = expected_regression(5, [0, 1, 9, 0, 9], [6, 9, 9, 30, 9], [0, 1, 1, 0, 0], sigma0=0.5, sigma=0.5)
    assert np.isinf(got).tolist() == [False, True, True, True, False, False]
    assert expected_regression(5, [5, 5], 0, 1, sigma0=0.0, sigma=0.0).tolist() == [0, 0, 0]


def test_regression_mix__contraction_between_the_limits():
    # Many rows: (1-share of real rows)^2. All real or all synthetic: 0 and 1.
    np.testing.assert_allclose(mix_contraction(10, 3 * 10**7, 10**7), 0.5625, rtol=1e-5)
    assert mix_contraction(10, [0, 40], [40, 0]).tolist() == [0, 1]
    # One dimension: the second moment of Beta(T0/2, n_real/2).
    np.testing.assert_allclose(mix_contraction(1, 7, 4), 7 * 9 / (11 * 13), rtol=1e-12)
    # With barely more rows than dimensions the expected error explodes although real rows are in each fit.
    assert mix_contraction(20, 22, 1) > 1
    errors = mix_error(20, 22, 1, [0, 1, 10, 1000, 10**5], 0.5, 0.5)
    assert (np.diff(errors) > 0).all()
    assert np.isinf(errors[-1])
    assert np.isinf(mix_contraction(20, 20, 1))


def test_regression_mix__limits_of_many_generations():
    first, lost = mix_error(8, 40, 10, 1, 0.5, 0.2), 1 - mix_contraction(8, 40, 10)
    np.testing.assert_allclose(mix_error(8, 40, 10, 10**9, 0.5, 0.2), first / lost, rtol=1e-12)
    # One real row among very many: close to replace, without loss of digits.
    np.testing.assert_allclose(
        mix_error(8, 10**12, 1, 1000, 0.5, 0.5), ols_error_mean(8, 10**12 + 1, 1000, 0.5), rtol=2e-9
    )
    np.testing.assert_allclose(mix_fixed_error(2, 10**6, 0, [0, 3], 0.5, 0.5), [0, 3 * 0.25 * 2e-6], rtol=1e-12)
    # Fixed real rows: without other noise their own error remains, sigma^2 d/n_real.
    np.testing.assert_allclose(mix_fixed_error(2, 9 * 10**5, 10**5, 10**4, 0.0, 0.5), 0.25 * 2 / 10**5, rtol=1e-12)


def test_regression_workflows__minimum_norm_and_subsample():
    n = np.array([1, 2, 10])
    one = (1 - 0.5) * 2.0 + 0.25 * 20 / 19
    for name in ("replace", "accumulate"):
        got = min_norm_same_rows_error(40, 20, n, 0.5, 2.0, name)
        np.testing.assert_allclose(got, 1 + (one - 1) * risk_factor(name, n), rtol=1e-12)
    assert np.isinf(min_norm_same_rows_error(40, 39, 1, 0.5, 1.0, "replace"))
    np.testing.assert_allclose(min_norm_same_rows_error(40, 39, 1, 0.0, 1.0, "replace"), 1 / 40, rtol=1e-12)
    np.testing.assert_allclose(subsample_error(3, 10**6, 10**6, 1.0), 3e-6 * (np.pi**2 / 2 - 2), rtol=1e-5)


def test_regression_workflows__fewer_rows_than_dimensions_at_first():
    n = np.arange(1, 7)
    # From d rows on this is accumulate of least squares.
    got = min_norm_accumulate_error(12, [20, 3, 5, 1, 1, 40], n, 0.5, 9.0)
    np.testing.assert_allclose(got, accumulate_error(12, [20, 3, 5, 1, 1, 40], n, 0.5, "fresh"), rtol=1e-12)
    # One round is one minimum-norm fit; the error rises at d rows, and the initial loss is permanent.
    one = min_norm_same_rows_error(30, 10, 1, 0.5, 2.0, "replace")
    got = min_norm_accumulate_error(30, [10, 12, 30, 10**9, 10**9], [1, 2, 3, 4, 5], 0.5, 2.0)
    np.testing.assert_allclose(got[0], one, rtol=1e-12)
    assert (np.diff(got) > 0).all()
    np.testing.assert_allclose(min_norm_accumulate_error(30, [10, 12, 30], 3, 0.0, 2.0), 4 / 3, rtol=1e-12)
    for end in (29, 30, 31):
        assert np.isinf(min_norm_accumulate_error(30, [10, end - 10, 50], [1, 2, 3], 0.5, 2.0)).tolist() == [0, 1, 1]


def test_regression_workflows__infinite_and_empty_cases():
    for size in (12, 13):
        for rows in ("same", "fresh"):
            assert np.isinf(accumulate_error(12, size, [0, 1, 9], 0.5, rows)).tolist() == [False, True, True]
            assert accumulate_error(12, size, 9, 0.0, rows) == 0
            assert np.isinf(accumulate_error_limit(12, size, 0.5, rows))
    assert np.isfinite(accumulate_error_variance(12, 16, 3, 0.5))
    assert np.isinf(accumulate_error_variance(12, 15, [0, 3], 0.5)).tolist() == [False, True]
    assert accumulate_error_limit(12, 12, 0.0, "fresh") == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: accumulate_error(12, 11, 1, 1.0, "same"), "T0 must be at least d = 12, got 11"),
        (lambda: accumulate_error(12, 11, 1, 1.0, "fresh"), "T must be at least d = 12 in round 1, got 11"),
        (lambda: accumulate_error(12, [20, 20], 1, 1.0, "same"), "T must be a single number"),
        (lambda: accumulate_error(12, [20, 20], 3, 1.0, "fresh"), "n must be at most 2, the number of sizes"),
        (lambda: accumulate_error(12, 20, 3, 1.0, "new"), "rows must be 'fresh' or 'same', got 'new'"),
        (lambda: accumulate_error_limit(12, 11, 1.0, "same"), "T must be at least d = 12"),
        (lambda: min_norm_same_rows_error(12, 12, 1, 1.0, 1.0, "replace"), "T must be less than d = 12, got 12"),
        (lambda: min_norm_same_rows_error(12, 5, 1, 1.0, 1.0, "mix"), "workflow must be 'replace' or 'accumulate'"),
        (lambda: subsample_error(12, 11, 1, 1.0), "T must be at least d = 12, got 11"),
        (lambda: mix_error(12, 5, 6, 1, 1.0, 1.0), r"n_real must be such that T0 \+ n_real is at least d = 12, got 6"),
        (lambda: mix_contraction(12, [5, 9], [1, 2, 3]), "T0 and n_real must have shapes that broadcast"),
        (lambda: mix_fixed_error(12, 5, 6, 1, 1.0, 1.0), r"n_real must be such that T0 \+ n_real is at least d = 12"),
        (
            lambda: expected_regression(3, [4, 2], sigma0=1, sigma=1),
            "the rows of generation 2 must be at least d = 3, got 2",
        ),
        (
            lambda: expected_regression(3, 4, sigma0=1, sigma=1),
            "n_synthetic must be a vector, one entry for each",
        ),
        (lambda: expected_regression(3, [4], keep=2, sigma0=1, sigma=1), "keep must be 0 or 1, got 2"),
        (lambda: expected_regression(3, [4, 4], n_real=[1], sigma0=1, sigma=1), "n_real must be a number or 2 numbers"),
    ],
)
def test_regression_workflows__refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
