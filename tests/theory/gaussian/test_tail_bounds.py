"""Bounds of Pr(Sigma_k > eps): their order, validity against the exact law, and sharpness."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.gaussian.collapse_time import tail_exact
from fastcollapse.theory.gaussian.log_chi import log_chi_moment
from fastcollapse.theory.gaussian.tail_bounds import (
    chernoff_power,
    tail_bertrand,
    tail_chernoff,
    tail_power,
    tail_theorem3,
)

K = np.arange(0, 400, 7)


@pytest.mark.parametrize("n", [2, 3, 10, 100])
@pytest.mark.parametrize("eps", [0.5, 0.1, 1e-3])
def test_gaussian_tail__bounds_in_order(n, eps):
    def bounds(estimator):
        return [
            tail_exact(1, eps, n, K, estimator),
            tail_chernoff(1, eps, n, K, estimator),
            tail_power(0.7, 1, eps, n, K, estimator),
            tail_bertrand(1, eps, n, K, estimator),
        ]

    exact, chernoff, power, bertrand = bounds("unbiased")
    for sharper, wider in (
        (exact, chernoff),
        (chernoff, power),
        (chernoff, bertrand),
        (bertrand, tail_theorem3(1, eps, n, K, "4n-1")),
        (tail_theorem3(1, eps, n, K, "4n-1"), tail_theorem3(1, eps, n, K, "4n")),
    ):
        assert (sharper <= wider * (1 + 1e-10) + 1e-14).all()
    # A smaller divisor makes a larger deviation.
    for smaller, larger in zip(bounds("mle"), bounds("unbiased"), strict=True):
        assert (smaller <= larger * (1 + 1e-10) + 1e-14).all()
    np.testing.assert_allclose(tail_power(1, 1, eps, n, K, "mle"), tail_bertrand(1, eps, n, K, "mle"), rtol=1e-14)


def test_gaussian_tail__theorem3_is_true_with_4n_minus_3_and_false_with_4n_minus_4():
    n = np.concatenate([np.arange(2, 3000), 10 ** np.arange(4, 15)]).astype(float)
    log_alpha = log_chi_moment(1, n - 1)
    assert (log_alpha <= -1 / (4 * n - 3)).all()
    # The difference is 1/(24 nu^3), which is visible in floats for n of a few thousand.
    assert (log_alpha > -1 / (4 * n - 4))[n < 3000].all()


@pytest.mark.parametrize("estimator", ["unbiased", "mle"])
def test_gaussian_tail__chernoff_is_the_smallest_power_bound(estimator):
    k = np.array([50, 100, 300, 1000])
    got = tail_chernoff(1, 0.1, 10, k, estimator)
    grid = [tail_power(s, 1, 0.1, 10, k, estimator) for s in np.linspace(0.01, 4, 4000)]
    np.testing.assert_allclose(got, np.min(grid, axis=0), rtol=1e-4)
    assert (got <= np.min(grid, axis=0) * (1 + 1e-12)).all()
    for at, s in zip(k, chernoff_power(1, 0.1, 10, k, estimator), strict=True):
        best = tail_power(max(float(s), 1e-9), 1, 0.1, 10, at, estimator)
        np.testing.assert_allclose(best, tail_chernoff(1, 0.1, 10, at, estimator), rtol=1e-8)


def test_gaussian_tail__chernoff_rate_is_exact():
    n, nu, k = 50, 49, np.array([3000, 30_000])
    log_ratio = np.log(10)
    exponent = -k / (4 * nu) * (1 - 2 * nu * log_ratio / k) ** 2
    chernoff = np.log(tail_chernoff(1, 0.1, n, k, "unbiased"))
    np.testing.assert_allclose(chernoff, exponent, rtol=0.02)
    exact = np.log(tail_exact(1, 0.1, n, k, "unbiased"))
    assert abs(exact[1] / chernoff[1] - 1) < 0.05
    np.testing.assert_allclose(chernoff_power(1, 0.1, n, k, "unbiased"), 1 - 2 * nu * log_ratio / k, rtol=0.02)


def test_gaussian_tail__before_first_fit():
    got = tail_chernoff(1, [0.5, 1.0, 2.0], 10, 0, "mle")
    np.testing.assert_array_equal(got, [1, 1, 0])
    np.testing.assert_array_equal(tail_theorem3(1, [0.5, 2.0], 10, 0, "4n"), [1, 0.5])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tail_theorem3(1, 0.1, 10, 5, "n"), "exponent must be '4n-1' or '4n', got 'n'"),
        (lambda: tail_theorem3(1, 0, 10, 5, "4n"), "eps must be strictly between 0 and inf"),
        (lambda: tail_bertrand(0, 0.1, 10, 5, "mle"), "sigma0 must be strictly between 0 and inf"),
        (lambda: tail_power(0, 1, 0.1, 10, 5, "mle"), "s must be a single positive number, got 0"),
        (lambda: tail_chernoff(1, 0.1, 1, 5, "mle"), "n must be a whole number of at least 2"),
        (lambda: tail_chernoff(1, 0.1, [5, 6], 5, "mle"), "n must be a single number"),
        (lambda: chernoff_power(1, 0.1, 5, -1, "mle"), "k must be a whole number of at least 0"),
        (lambda: tail_chernoff(1, 0.1, 5, 5, "best"), "estimator must be 'unbiased' or 'mle'"),
    ],
)
def test_gaussian_tail__refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
