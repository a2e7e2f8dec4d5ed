"""Factors and limits of the workflows: published digits, the recursion, and consistency."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.gaussian.schedule import expected_gaussian
from fastcollapse.theory.gaussian.workflows import (
    conserved_mean_error,
    gaussian_accumulate_factor,
    gaussian_accumulate_limit,
    gaussian_replace_factor,
    gaussian_subsample_factor,
    gaussian_subsample_limit,
)
from fastcollapse.theory.workflow_factors import risk_factor

ESTIMATORS = ("unbiased", "mle")
T = np.arange(61)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("n", [2, 3, 10, 100])
def test_gaussian_workflows__factors_equal_recursion(estimator, n):
    sizes = np.full(60, n)
    for factor, change in (
        (gaussian_replace_factor, {}),
        (gaussian_accumulate_factor, {"keep": 1}),
        (gaussian_subsample_factor, {"keep": 1, "n_train": n}),
    ):
        variance, mean_error = expected_gaussian(sizes, estimator=estimator, **change)
        np.testing.assert_allclose(factor(n, T, estimator), variance, rtol=1e-11)
        if estimator == "mle":
            np.testing.assert_allclose(conserved_mean_error(factor(n, T, estimator)), mean_error, atol=1e-12)
        else:
            # Negative control: the conservation law of the MLE does not hold here.
            assert abs(mean_error[-1] + variance[-1] - 1) > 1e-4


@pytest.mark.parametrize(
    ("n", "accumulate", "subsample"),
    [
        (10, 0.84344, 0.73899),
        (32, 0.94938, 0.91161),
        (100, 0.98363, 0.971),
        (316, 0.9948, 0.99075),
        (1000, 0.99836, 0.99707),
    ],
)
def test_gaussian_workflows__mle_limits(n, accumulate, subsample):
    assert round(float(gaussian_accumulate_limit(n, "mle")), 5) == accumulate
    assert round(float(gaussian_subsample_limit(n, "mle")), 5) == subsample


def test_gaussian_workflows__limits_equal_limits_of_factors():
    assert gaussian_accumulate_limit([10, 100], "unbiased").round(5).tolist() == [0.93514, 0.99355]
    far = 10**6
    for n in (2, 3, 7, 50):
        for estimator in ESTIMATORS:
            got = gaussian_accumulate_factor(n, far, estimator)
            np.testing.assert_allclose(got, gaussian_accumulate_limit(n, estimator), rtol=3e-6)
            scale = far ** (1 / n) if estimator == "unbiased" else 1
            got = gaussian_subsample_factor(n, far, estimator) / scale
            np.testing.assert_allclose(got, gaussian_subsample_limit(n, estimator), rtol=1e-5)


def test_gaussian_workflows__growing_sizes_keep_a_share_iff_they_are_superlinear():
    sizes = np.arange(2, 100_002)
    assert gaussian_replace_factor(sizes, sizes.size, "mle") < 2e-5
    np.testing.assert_allclose(gaussian_replace_factor(sizes**2, sizes.size, "mle"), 0.5, rtol=1e-4)
    assert gaussian_replace_factor(sizes, sizes.size, "unbiased") == 1


def test_gaussian_workflows__risk_factors_are_large_n_limits():
    n, t = 10**6, np.array([0, 1, 2, 5, 60])
    for workflow, factor in (
        ("replace", gaussian_replace_factor),
        ("accumulate", gaussian_accumulate_factor),
        ("accumulate_subsample", gaussian_subsample_factor),
    ):
        expected = n * conserved_mean_error(factor(n, t, "mle"))
        np.testing.assert_allclose(risk_factor(workflow, t), expected, rtol=1e-4)
    np.testing.assert_allclose(risk_factor("accumulate", 10**6), np.pi**2 / 6, rtol=1e-5)
    np.testing.assert_allclose(risk_factor("accumulate_subsample", 10**6), np.pi**2 / 2 - 2, rtol=1e-5)
    assert round(np.pi**2 / 2 - 2, 3) == 2.935


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_replace_factor(1, 1, "mle"), "n must be a whole number of at least 2"),
        (lambda: gaussian_accumulate_factor([5, 6], 1, "mle"), "n must be a single number"),
        (lambda: gaussian_accumulate_factor(5, 10**8, "mle"), "t must be at most 10000000"),
        (lambda: gaussian_accumulate_limit(1, "mle"), "n must be a whole number of at least 2"),
        (lambda: gaussian_subsample_factor(5, -1, "unbiased"), "t must be a whole number of at least 0"),
        (lambda: gaussian_subsample_limit(5, 1), "estimator must be 'unbiased' or 'mle', got 1"),
        (lambda: conserved_mean_error(1.1), r"factor must be within \[0, 1\], got 1.1"),
        (
            lambda: risk_factor("mix", 1),
            "workflow must be 'replace', 'accumulate' or 'accumulate_subsample'",
        ),
    ],
)
def test_gaussian_workflows__refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
