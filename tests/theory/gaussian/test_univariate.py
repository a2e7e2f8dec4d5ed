"""Moments of the one-dimensional chain: closed forms, growing sizes, limits, domains."""

import itertools
import warnings

import numpy as np
import pytest
from scipy.special import digamma, gammaln, polygamma

from fastcollapse.cli.theory import theory_functions
from fastcollapse.errors import InputError
from fastcollapse.theory.gaussian.univariate import (
    log_sigma_mean,
    log_sigma_moment,
    log_sigma_variance,
    mean_squared_error_of_mean,
    shumailov_wasserstein2,
    sigma_moment,
    variance_mean,
    wasserstein2_mean,
)

ESTIMATORS = ("unbiased", "mle")


@pytest.mark.parametrize("n", [2, 3, 10, 100])
def test_gaussian__closed_forms(n):
    k, nu = np.arange(6), n - 1
    drift = k / 2 * (digamma(nu / 2) - np.log(nu / 2))
    np.testing.assert_allclose(log_sigma_mean(n, k, "unbiased"), drift, rtol=1e-12)
    np.testing.assert_allclose(log_sigma_mean(n, k, "mle"), drift + k / 2 * np.log(1 - 1 / n), rtol=1e-12)
    np.testing.assert_allclose(log_sigma_variance(n, k), k / 4 * polygamma(1, nu / 2), rtol=1e-12)
    for estimator, divisor in (("unbiased", nu), ("mle", n)):
        for s in (0.7, 1.0, 3.0):
            log_factor = gammaln((nu + s) / 2) - gammaln(nu / 2) + s / 2 * np.log(2 / divisor)
            got = sigma_moment(s, 1.5, n, k, estimator)
            np.testing.assert_allclose(got, 1.5**s * np.exp(k * log_factor), rtol=1e-11)
            np.testing.assert_allclose(log_sigma_moment(s, n, k, estimator), k * log_factor, rtol=1e-9)
    np.testing.assert_allclose(variance_mean(1.5, n, k, "mle"), 2.25 * (1 - 1 / n) ** k, rtol=1e-12)
    np.testing.assert_allclose(sigma_moment(2, 1.5, n, k, "mle"), variance_mean(1.5, n, k, "mle"), rtol=1e-12)
    np.testing.assert_allclose(mean_squared_error_of_mean(1.5, n, k, "unbiased"), 2.25 * k / n, rtol=1e-12)
    expected = 2.25 * (1 - (1 - 1 / n) ** k)
    np.testing.assert_allclose(mean_squared_error_of_mean(1.5, n, k, "mle"), expected, rtol=1e-12)


def test_gaussian__growing_sizes_are_sums_of_single_fits():
    sizes = np.array([4, 7, 30, 2, 1000])
    for estimator in ESTIMATORS:
        for function in (
            lambda n, k, e=estimator: log_sigma_mean(n, k, e),
            lambda n, k, e=estimator: log_sigma_moment(0.7, n, k, e),
            lambda n, k: log_sigma_variance(n, k),
            lambda n, k: shumailov_wasserstein2(1, n, k),
        ):
            single = [float(function(int(n), 1)) for n in sizes]
            expected = np.append(0, np.cumsum(single))
            np.testing.assert_allclose(function(sizes, np.arange(6)), expected, rtol=1e-12)
        # A scalar is the same as a constant vector.
        for function in (mean_squared_error_of_mean, wasserstein2_mean, variance_mean):
            got = function(2, np.full(9, 12), np.arange(10), estimator)
            np.testing.assert_allclose(got, function(2, 12, np.arange(10), estimator), rtol=1e-12)
    # The conservation law for varying sizes.
    total = variance_mean(2, sizes, np.arange(6), "mle") + mean_squared_error_of_mean(2, sizes, np.arange(6), "mle")
    np.testing.assert_allclose(total, 4, rtol=1e-14)


def test_gaussian__wasserstein_limits():
    alpha = sigma_moment(1, 1, 10, 1, "unbiased")
    k = np.array([1, 10, 1000])
    np.testing.assert_allclose(wasserstein2_mean(1, 10, k, "unbiased"), k / 10 + 2 * (1 - alpha**k), rtol=1e-12)
    np.testing.assert_allclose(wasserstein2_mean(3, 10, 10**5, "mle"), 18, rtol=1e-12)
    # First order for k << n. Negative control: without the part of sigma.
    n, k = 10**6, np.arange(1, 50)
    got = wasserstein2_mean(2, n, k, "unbiased")
    np.testing.assert_allclose(got, shumailov_wasserstein2(2, n, k), rtol=1e-4)
    assert (np.abs(mean_squared_error_of_mean(2, n, k, "unbiased") / got - 1) > 0.3).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: log_sigma_mean(1, 1, "mle"), "n must be a whole number of at least 2, got 1"),
        (lambda: log_sigma_mean(5, -1, "mle"), "k must be a whole number of at least 0, got -1"),
        (lambda: log_sigma_mean([5, 6], 3, "mle"), "k must be at most 2, the number of sizes, got 3"),
        (lambda: log_sigma_mean([[5, 6]], 1, "mle"), "n must be a number or a vector"),
        (lambda: log_sigma_mean(5, 1, "ml"), "estimator must be 'unbiased' or 'mle', got 'ml'"),
        (lambda: variance_mean(0, 5, 1, "mle"), "sigma0 must be positive, got 0"),
        (lambda: variance_mean(-1, 5, 1, "mle"), "sigma0 must be within"),
        (lambda: variance_mean([1, 2], 5, 1, "mle"), "sigma0 must be a single number"),
        (lambda: sigma_moment(-4, 1, 5, 1, "mle"), r"s must be above -\(n-1\), got -4"),
        (lambda: sigma_moment(-2.5, 1, [9, 3], 1, "mle"), r"s must be above -\(n-1\)"),
    ],
)
def test_gaussian__refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()


MODULES = ("gaussian", "poisson", "workflow_factors")
EXTREME = {
    "estimator": ESTIMATORS,
    "exponent": ("4n-1",),
    "form": ("exact", "law"),
    "workflow": ("replace", "accumulate"),
    "real": ("none", "fresh"),
    "replacement": (False,),
    "n": (2, 3, 10**12, 2**53, [2, 3, 10**15]),
    "n_synthetic": ([2, 10**15],),
    "k": (0, 1, 3, 2**53),
    "t": (0, 1, 3, 2**53),
    "s": (1e-9, 1e15, -0.5),
    "eps": (1e-300, 1.0, 1e300),
    "sigma0": (1e-300, 1e300),
}
OTHERS = (0, 1, 2, 10**6, 1e150)


@pytest.mark.parametrize(
    "name", [name for name, function in theory_functions().items() if any(m in function.__module__ for m in MODULES)]
)
def test_gaussian__extreme_arguments_give_values_or_one_line_error(name):
    function = theory_functions()[name]
    names = [p for p in function.__code__.co_varnames[: function.__code__.co_argcount]]
    names += [p for p in function.__code__.co_varnames[len(names) :][: function.__code__.co_kwonlyargcount]]
    choices = list(itertools.product(*(EXTREME.get(p, OTHERS) for p in names)))
    # At most 100 combinations, evenly spaced.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for chosen in choices[:: len(choices) // 100 + 1]:
            try:
                got = function(**dict(zip(names, chosen, strict=True)))
            except InputError:
                continue
            for values in got if isinstance(got, tuple) else (got,):
                assert not np.isnan(values).any(), chosen
