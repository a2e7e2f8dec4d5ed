"""Exact tail: the chi-square law, two fits by quadrature, published digits, and monotonicity."""

import numpy as np
import pytest
from scipy import integrate, stats

from fastcollapse.errors import InputError
from fastcollapse.theory.gaussian.collapse_time import median_collapse_time, tail_exact
from fastcollapse.theory.gaussian.univariate import log_sigma_mean, log_sigma_variance

# n = 10, eps = 0.1: the ten plotted k, exact, and the shares of 1,000 runs read from the published figure.
K = [1, 23, 45, 67, 89, 111, 133, 155, 177, 200]
EXACT = [1, 0.7950, 0.4360, 0.2240, 0.1142, 0.0583, 0.0299, 0.0154, 0.0080, 0.0040]
PUBLISHED = [0.788, 0.434, 0.222, 0.120, 0.062, 0.035, 0.013, 0.010, 0.006]


def test_gaussian_collapse__exact_row():
    got = tail_exact(1, 0.1, 10, K, "unbiased")
    np.testing.assert_array_equal(got.round(4), EXACT)
    np.testing.assert_allclose(tail_exact(3, 0.3, 10, K, "unbiased"), got, rtol=1e-12)
    # Nine shares of 1,000 runs, at most 4 standard errors: 6e-4 in all. One sample fewer is rejected.
    error = np.sqrt(got * (1 - got) / 1000)[1:]
    assert (np.abs(got[1:] - PUBLISHED) < 4 * error).all()
    wrong = tail_exact(1, 0.1, 9, K, "unbiased")[1:]
    assert (np.abs(wrong - PUBLISHED) > 4 * error).any()


@pytest.mark.parametrize("n", [2, 3, 10, 100, 10**4, 10**6])
def test_gaussian_collapse__one_fit_is_chi_square(n):
    eps = np.exp(np.array([-9, -3, -1, -0.1, 0, 0.01, 0.5, 1, 2, 5]) / np.sqrt(2 * n - 2))
    for estimator, divisor in (("unbiased", n - 1), ("mle", n)):
        expected = stats.chi2.sf(eps**2 * divisor, n - 1)
        seen = expected > 1e-290
        np.testing.assert_allclose(tail_exact(1, eps, n, 1, estimator)[seen], expected[seen], rtol=1e-11)


@pytest.mark.parametrize("n", [2, 5, 40])
def test_gaussian_collapse__two_fits_by_quadrature(n):
    nu = n - 1

    def density(y):
        return stats.chi2.pdf(nu * np.exp(2 * y), nu) * 2 * nu * np.exp(2 * y)

    for eps in (0.05, 0.5, 1.0, 1.7):
        expected = integrate.quad(
            lambda y, e=eps: stats.chi2.sf(nu * e**2 * np.exp(-2 * y), nu) * density(y),
            -40,
            4,
            limit=500,
            points=[0],
        )[0]
        assert abs(tail_exact(1, eps, n, 2, "unbiased") - expected) < 1e-9


def test_gaussian_collapse__normal_law_of_many_fits():
    k = np.array(K[1:])
    error = np.sqrt(log_sigma_variance(10, k))
    normal = stats.norm.sf(np.log(0.1), log_sigma_mean(10, k, "unbiased"), error)
    assert np.abs(normal - EXACT[1:]).max() < 0.005
    # Sizes and numbers of fits at which differences of ln Gamma lose all digits.
    n, k, z = 10**12, 10**9, np.array([-2, 0, 1, 3])
    eps = np.exp(log_sigma_mean(n, k, "mle") + z * np.sqrt(log_sigma_variance(n, k)))
    np.testing.assert_allclose(tail_exact(1, eps, n, k, "mle"), stats.norm.sf(z), rtol=1e-4)


def test_gaussian_collapse__falls_with_eps_and_k():
    eps = np.geomspace(1e-3, 3, 60)
    for n, k in ((2, 1), (2, 3), (5, 30), (100, 2)):
        got = tail_exact(1, eps, n, k, "mle")
        assert (np.diff(got) <= 1e-13).all()
        assert got[0] <= 1
        assert got[-1] >= 0
    got = tail_exact(1, 0.2, 6, np.arange(1, 300), "unbiased")
    assert (np.diff(got[3:]) < 0).all()
    np.testing.assert_array_equal(tail_exact(1, [0.5, 1, 2], 6, 0, "mle"), [1, 0, 0])
    assert tail_exact(1, np.full((3, 2), 0.1), 6, [1, 5], "mle").shape == (3, 2)
    assert tail_exact(1, np.geomspace(0.1, 1, 1500), 6, 5, "mle").shape == (1500,)


@pytest.mark.parametrize("estimator", ["unbiased", "mle"])
@pytest.mark.parametrize("n", [2, 3, 10, 1000])
def test_gaussian_collapse__median_time(estimator, n):
    eps = np.array([0.9, 0.1, 1e-5])
    k = median_collapse_time(1, eps, n, estimator)
    assert (tail_exact(1, eps, n, k.astype(int), estimator) <= 0.5).all()
    assert (tail_exact(1, eps, n, k.astype(int) - 1, estimator) > 0.5).all()
    law = median_collapse_time(1, eps, n, estimator, "law")
    assert (np.abs(k - law) < 2).all()
    if n == 1000:
        first_order = {"unbiased": 2 * (n - 1), "mle": n}[estimator] * np.log(1 / eps)
        np.testing.assert_allclose(law, first_order, rtol=2e-3)


def test_gaussian_collapse__median_time_edges():
    np.testing.assert_array_equal(median_collapse_time(1, [1.0, 2.0], 10, "mle"), [0, 0])
    assert median_collapse_time(1, 0.1, 10**12, "unbiased") > 4e12
    for bad, message in (
        ({"n": 1}, "n must be a whole number of at least 2"),
        ({"n": 10**13}, "n must be at most 1000000000000"),
        ({"eps": 0}, "eps must be strictly between 0 and inf"),
        ({"form": "sum"}, "form must be 'exact' or 'law', got 'sum'"),
        ({"estimator": "none"}, "estimator must be"),
    ):
        with pytest.raises(InputError, match=message):
            median_collapse_time(**{"sigma0": 1, "eps": 0.1, "n": 10, "estimator": "mle", **bad})
    with pytest.raises(InputError, match="eps must be strictly"):
        tail_exact(1, -1, 10, 1, "mle")
