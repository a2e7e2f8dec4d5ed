"""The recursion over batches, against that over pairs of points, the weighted fit and the factors of pathways."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.gaussian.schedule import expected_gaussian
from fastcollapse.theory.mixing.staged_schedule import expected_staged
from fastcollapse.theory.mixing.weighted_fit import (
    contaminated_errors,
    fixed_real_errors,
    optimal_weights,
    weighted_errors,
)

SIZES = np.array([9, 5, 12, 7, 20, 3, 8])


@pytest.mark.parametrize("estimator", ["mle", "unbiased"])
@pytest.mark.parametrize(
    ("n_real", "keep", "real"), [(0, 0, "fresh"), (0, 1, "fresh"), (6, 0, "fresh"), (6, 0, "fixed")]
)
def test_expected_staged__equals_recursion_over_pairs(estimator, n_real, keep, real):
    got = expected_staged(SIZES, n_real, keep, estimator=estimator, real=real)
    expected = expected_gaussian(SIZES, n_real, keep, estimator=estimator, real=real)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


def test_expected_staged__of_a_mix_equals_the_weighted_fit():
    w = np.linspace(0.1, 0.9, SIZES.size)
    noise = 1 / SIZES
    for estimator, carried in (("mle", 1 - noise), ("unbiased", 1.0)):
        got = expected_staged(SIZES, 6, estimator=estimator, weight=w)
        np.testing.assert_allclose(got[1][1:], weighted_errors(w, 1 / 6, noise, carried), rtol=1e-13)
        fixed = expected_staged(SIZES, 6, estimator=estimator, weight=w, real="fixed")[1][1:]
        np.testing.assert_allclose(fixed, fixed_real_errors(w, 1 / 6, noise, carried), rtol=1e-13)
    np.testing.assert_allclose(got[0], 1.0, rtol=1e-13)
    # The best weights are better than others, also in the finite recursion.
    best = optimal_weights(np.full(SIZES.size, 1 / 6), noise, 1 - noise)
    least = expected_staged(SIZES, 6, estimator="mle", weight=best)[1]
    assert (least[1:] < expected_staged(SIZES, 6, estimator="mle", weight=best * 0.99)[1][1:]).all()


@pytest.mark.parametrize("estimator", ["mle", "unbiased"])
@pytest.mark.parametrize("real", ["fresh", "fixed"])
def test_expected_staged__window_of_all_batches_is_the_pool(estimator, real):
    for weight in (None, 0.3):
        options = {"estimator": estimator, "real": real, "weight": weight}
        pool = expected_staged(SIZES, 6, 1, **options)
        np.testing.assert_allclose(expected_staged(SIZES, 6, 1, window=SIZES.size, **options), pool, rtol=1e-12)
        last = expected_staged(SIZES, 6, 0, **options)
        np.testing.assert_allclose(expected_staged(SIZES, 6, 1, window=1, **options), last, rtol=1e-12)
    if estimator == "mle":  # where batches are no parts of their own
        np.testing.assert_allclose(expected_staged(SIZES, 6, 1, discount=1.0, **options), pool, rtol=1e-12)
        tiny = expected_staged(SIZES, 6, 1, discount=1e-14, **options)
        np.testing.assert_allclose(tiny, last, rtol=1e-10)


def test_expected_staged__of_real_shares():
    share = np.linspace(0.0, 1.0, SIZES.size)
    variance, error = expected_staged(SIZES, estimator="mle", real_share=share)
    np.testing.assert_allclose(error[1:], contaminated_errors(SIZES, share), rtol=1e-13)
    np.testing.assert_allclose(variance + error, 1.0, rtol=1e-14)
    for constant in (0.0, 1.0):
        got = expected_staged(SIZES, estimator="unbiased", real_share=constant)
        sizes = (SIZES, 0, 0) if constant == 0.0 else (0 * SIZES, SIZES, 0)
        np.testing.assert_allclose(got, expected_gaussian(*sizes, estimator="unbiased", real="fresh"), rtol=1e-12)


def test_expected_staged__of_counts_that_are_the_truth():
    # The fixed points are the truth, without an error of their own.
    variance, error = expected_staged([8] * 300, 5, 1, estimator="mle", weight=0.4, real="fixed", real_is_truth=True)
    assert error[1] == pytest.approx(0.6**2 / 8, rel=1e-14)
    assert error[-1] < error[1] / 20
    np.testing.assert_allclose(variance, 1 - error, rtol=1e-14)


def test_expected_staged__starts_from_real_data_alone():
    sizes = np.array([0, 8, 8])
    _, error = expected_staged(sizes, 8, 1, estimator="unbiased", real="fixed", weight=0.4)
    assert error[1] == pytest.approx(1 / 8, rel=1e-14)
    # The real mean, and a synthetic one that is the real mean with noise.
    assert error[2] == pytest.approx(1 / 8 + 0.36 / 8, rel=1e-14)


def test_expected_staged__refuses_wrong_arguments():
    for options, problem in (
        ({"weight": 1.5}, r"weight must be within \[0, 1\], got 1.5"),
        ({"weight": [0.5, 0.5]}, "weight must be a number or 3 numbers"),
        ({"real_share": 0.5, "n_real": 3}, "n_real must be 0 with real_share"),
        ({"discount": 1.5}, r"discount must be within \[0, 1\], got 1.5"),
        ({"n_real": [1, 2, 3], "real": "fixed"}, "n_real must be constant if real is 'fixed'"),
        ({"real_is_truth": True}, "real_is_truth must be false unless 'fixed' and 'mle', got True"),
        ({"n_synthetic": [1, 1, 0]}, "n_synthetic must be above 0 where n_real is 0"),
    ):
        with pytest.raises(InputError, match=problem):
            expected_staged(**{"n_synthetic": [5, 5, 5], "estimator": "mle", **options})
