"""Poisson rate: exact law against the transition matrix, moments, domains."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.poisson_rate import poisson_count_law, poisson_mean_if_alive, poisson_rate_variance
from fastcollapse.theory.discrete.survival import poisson_survival


@pytest.mark.parametrize(("lam0", "n"), [(1.0, 10), (0.05, 10), (10.0, 3)])
def test_poisson__law_by_transition_matrix(lam0, n):
    # Sums above 900 are neglected: their probability is below 1e-12.
    s = np.arange(901)
    matrix = stats.poisson.pmf(s[None, :], s[:, None])
    law = stats.poisson.pmf(s, lam0 * n)
    for k in range(1, 16):
        got = poisson_count_law(lam0, n, k, 900)
        np.testing.assert_allclose(got, law, atol=1e-12)
        np.testing.assert_allclose(1 - got[0], poisson_survival(lam0 * n, k), atol=1e-12)
        np.testing.assert_allclose(got @ s / n, lam0, rtol=1e-9)
        np.testing.assert_allclose(got @ (s / n - lam0) ** 2, poisson_rate_variance(lam0, n, k), rtol=1e-8)
        np.testing.assert_allclose(got @ s / n / got[1:].sum(), poisson_mean_if_alive(lam0, n, k), rtol=1e-8)
        law = law @ matrix
    # Negative control: one fit later is another law.
    assert np.abs(poisson_count_law(lam0, n, 16, 900) - got).max() > 1e-4


def test_poisson__truncated_law_is_prefix_of_complete_law():
    for lam0, n, k in ((1, 10, 500), (100, 10, 1), (100, 1000, 3), (0, 5, 2), (1e-5, 1, 1000)):
        whole = poisson_count_law(lam0, n, k, 2**18 - 1)
        np.testing.assert_allclose(whole.sum(), 1, rtol=5e-9)
        np.testing.assert_array_equal(poisson_count_law(lam0, n, k, 3), whole[:4])


def test_poisson__limits():
    # Yaglom's limit: about k/(2 n), given survival.
    np.testing.assert_allclose(poisson_mean_if_alive(1, 10, 10**7), 10**7 / 20, rtol=1e-4)
    assert poisson_mean_if_alive(2, 10, 0) == 2
    got = poisson_rate_variance(2, 10, 10**6, "accumulate")
    np.testing.assert_allclose(got, np.pi**2 / 6 * 0.2, rtol=1e-5)
    assert poisson_rate_variance(2, 10, 10**6) == 2 * 10**5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: poisson_rate_variance(-1, 10, 1), "lam0 must be within"),
        (lambda: poisson_rate_variance(1, 0, 1), "n must be a whole number of at least 1"),
        (
            lambda: poisson_rate_variance(1, 10, 1, "mix"),
            "workflow must be 'replace' or 'accumulate', got 'mix'",
        ),
        (lambda: poisson_mean_if_alive(0, 10, 1), "lam0 must be strictly between 0 and"),
        (lambda: poisson_count_law(1, 10, 0, 5), "k must be a whole number of at least 1"),
        (lambda: poisson_count_law(1, 10, 10**5, 5), "k must be at most 10000"),
        (lambda: poisson_count_law(1, 10**7, 1, 5), r"lam0 must be at most 10\^6/n"),
        (lambda: poisson_count_law([1, 2], 10, 1, 5), "lam0 must be a single number"),
        (lambda: poisson_count_law(5 * 10**5, 1, 1000, 5), "k must be at most 95 for n lam0 = 500000"),
        (lambda: poisson_count_law(10**6, 1, 1000, 5), "n must be small enough for sums below 1048576"),
        (lambda: poisson_count_law(1, 1, 10**4, 5), "k must be at most 381 for n lam0 = 1"),
    ],
)
def test_poisson__refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
