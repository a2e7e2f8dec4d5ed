"""Recursion of second moments, against the heterozygosity recursion, closed forms and limits."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.heterozygosity import expected_heterozygosity
from fastcollapse.theory.gaussian.schedule import expected_gaussian
from fastcollapse.theory.gaussian.univariate import mean_squared_error_of_mean, variance_mean

SIX = [5] * 6
SCHEDULES = {
    "replace": {"n_synthetic": SIX},
    "replace_growing": {"n_synthetic": [2, 4, 8, 3, 5, 7]},
    "accumulate": {"n_synthetic": SIX, "keep": 1},
    "accumulate_drop_first": {"n_synthetic": SIX, "keep": [1, 0, 1, 1, 1, 1]},
    "subsample": {"n_synthetic": SIX, "keep": 1, "n_train": 5},
    "subsample_replacement": {"n_synthetic": SIX, "keep": 1, "n_train": 5, "replacement": True},
    "subsample_sizes": {"n_synthetic": SIX, "keep": 1, "n_train": [4, 0, 6, 9, 0, 4]},
    "fresh": {"n_synthetic": SIX, "n_real": [0, 2, 2, 1, 0, 3], "real": "fresh"},
    "fresh_accumulate": {"n_synthetic": SIX, "n_real": 2, "real": "fresh", "keep": 1, "n_train": 6},
    "fixed": {"n_synthetic": SIX, "n_real": 3, "real": "fixed"},
    "fixed_subsample": {
        "n_synthetic": [3, 4, 5, 2, 3, 4],
        "n_real": 4,
        "real": "fixed",
        "n_train": [6, 0, 4, 5, 6, 7],
    },
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_gaussian_schedule__mle_has_factors_of_heterozygosity(name):
    variance, mean_error = expected_gaussian(**SCHEDULES[name], estimator="mle")
    np.testing.assert_allclose(variance, expected_heterozygosity(0.5, **SCHEDULES[name]) / 0.5, rtol=1e-12)
    np.testing.assert_allclose(variance + mean_error, 1, rtol=1e-12)
    # Negative control: the unbiased estimator does not have the conservation law; only its first fit is 1.
    unbiased, error = expected_gaussian(**SCHEDULES[name], estimator="unbiased")
    assert (unbiased[1:] > variance[1:]).all()
    assert (unbiased + error)[-1] > 1.001
    assert abs(unbiased[1] - 1) < 1e-12 or SCHEDULES[name].get("replacement")


@pytest.mark.parametrize("estimator", ["unbiased", "mle"])
@pytest.mark.parametrize("sizes", [np.full(50, 7), np.arange(2, 52)], ids=["constant", "growing"])
def test_gaussian_schedule__replace_equals_plain_chain(estimator, sizes):
    variance, mean_error = expected_gaussian(sizes, estimator=estimator)
    t = np.arange(51)
    np.testing.assert_allclose(variance, variance_mean(1, sizes, t, estimator), rtol=1e-12)
    np.testing.assert_allclose(mean_error, mean_squared_error_of_mean(1, sizes, t, estimator), atol=1e-13)


def test_gaussian_schedule__huge_sizes_do_not_overflow():
    got = expected_gaussian([10**15] * 3, 10**15, 1, 10**15, real="fresh", estimator="unbiased")
    np.testing.assert_allclose(got[0], 1, rtol=1e-13)
    np.testing.assert_allclose(got[1], 0, atol=1e-13)
    assert [list(values) for values in expected_gaussian([], estimator="mle")] == [[1], [0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_train": 7}, r"n_train must be at most the 5 points of generation 1 \(no replacement\), got 7"),
        ({"n_train": 1, "estimator": "unbiased"}, "n_train must be 0 or at least 2, got 1"),
        ({"n_synthetic": [1, 5], "estimator": "unbiased"}, "generation 1 must be at least 2 points, got 1"),
        ({"n_synthetic": [0, 5]}, "generation 1 must be at least 1 points, got 0"),
        ({"n_synthetic": 5}, "n_synthetic must be a vector"),
        ({"keep": 2}, "keep must be 0 or 1, got 2"),
        ({"keep": [1, 1, 1]}, "keep must be a number or 2 numbers"),
        ({"real": "old"}, "real must be 'none', 'fresh' or 'fixed', got 'old'"),
        ({"n_real": 2}, "n_real must be 0 if real is 'none'"),
        ({"n_real": [2, 3], "real": "fixed"}, "n_real must be constant if real is 'fixed'"),
        ({"n_real": 2, "real": "fixed", "keep": 1}, "keep must be 0 if real is 'fixed'"),
        ({"estimator": "ml"}, "estimator must be 'unbiased' or 'mle'"),
        ({"replacement": 1}, "replacement must be true or false"),
    ],
)
def test_gaussian_schedule__refuses(change, message):
    with pytest.raises(InputError, match=message):
        expected_gaussian(**{"n_synthetic": [5, 5], "estimator": "mle", **change})
