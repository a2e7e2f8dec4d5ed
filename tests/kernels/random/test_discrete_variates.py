"""Poisson, binomial and hypergeometric variates, against their laws, for every method of generation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random import streams as rng
from fastcollapse.kernels.random.discrete_variates import binomial, hypergeometric, log_poisson, poisson
from tests._goodness_of_fit import variates_p

N_DRAWS = 200_000
# About 60 goodness-of-fit tests in this file, 2e-6 each: 1.2e-4 in all.
P_LIMIT = 2e-6


@kernel
def fill_poisson(mean, stream, out):
    for i in range(out.shape[0]):
        out[i] = poisson(mean, stream)


@kernel
def fill_binomial(n, p, stream, out):
    for i in range(out.shape[0]):
        out[i] = binomial(n, p, stream)


@kernel
def fill_hypergeometric(good, bad, taken, stream, out):
    for i in range(out.shape[0]):
        out[i] = hypergeometric(good, bad, taken, stream)


def draws(fill, seed, *parameters, n=N_DRAWS):
    stream = np.zeros(rng.STREAM_WORDS, np.uint64)
    rng.open_stream(*(np.uint64(part) for part in (seed, 1, 2, 3, 4)), stream)
    out = np.empty(n, np.int64)
    fill(*parameters, stream, out)
    return out


def normal_p(variates, mean, deviation, skew):
    """Return the KS p-value of huge variates against the normal law with its first Edgeworth term.

    Half a unit of noise makes the integer variates continuous; the deviation must be above about 1e3.
    """
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, len(variates))
    # The integer difference comes first: the spacing of floats at 1e15 is 1/8.
    whole = math.floor(mean)
    x = ((variates - np.int64(whole)) + noise - float(mean - whole)) / deviation

    def cdf(z):
        return stats.norm.cdf(z) - skew / 6 * (z * z - 1) * stats.norm.pdf(z)

    return stats.kstest(x, cdf).pvalue


@pytest.mark.parametrize("mean", [0.0, 1e-3, 0.5, 1.0, 5.5, 9.99, 10.0, 10.01, 37.0, 300.25, 32768.0])
def test_poisson__law(mean):
    got = draws(fill_poisson, int(100 * mean), float(mean))
    if mean == 0:
        assert not got.any()
        return
    assert got.min() >= 0
    assert variates_p(got, stats.poisson(mean)) > P_LIMIT
    # Changes of 1 % of a mean above 5, else 10 %; 50 % at 1e-3; at least a tenth of a deviation.
    wrong = mean + max(0.1 * mean**0.5, 0.01 * mean) if mean > 0.1 else 1.5 * mean
    assert variates_p(got, stats.poisson(wrong)) < P_LIMIT


@pytest.mark.parametrize("mean", [1e7, 1e12 + 0.375, 1e15])
def test_poisson__law_of_huge_means(mean):
    got = draws(fill_poisson, int(mean % 97), mean)
    deviation = mean**0.5
    assert normal_p(got, mean, deviation, 1 / deviation) > P_LIMIT
    assert normal_p(got, mean + 0.03 * deviation, deviation, 1 / deviation) < P_LIMIT
    assert normal_p(got, mean, 1.03 * deviation, 1 / deviation) < P_LIMIT


BINOMIALS = [
    (1, 0.3),
    (5, 0.5),
    (20, 0.499),
    (20, 0.4995),
    (20, 0.5),
    (20, 0.5005),
    (20, 0.501),
    (999, 0.01),
    (1001, 0.01),
    (1000, 0.99),
    (200, 0.97),
    (10**6, 1e-6),
    (10**12, 2e-11),
    (400, 0.5),
    (10**5, 0.25),
]


@pytest.mark.parametrize(("n", "p"), BINOMIALS)
def test_binomial__law(n, p):
    got = draws(fill_binomial, n % 1000, n, p)
    assert got.min() >= 0
    assert got.max() <= n
    law = stats.binom(n, p)
    assert variates_p(got, law) > P_LIMIT
    small = min(p, 1 - p)
    shift = 0.1 * (small * (1 - small) / n) ** 0.5
    assert variates_p(got, stats.binom(n, p + math.copysign(shift, 0.5 - p))) < P_LIMIT


@pytest.mark.parametrize(("n", "p"), [(10**9, 0.3), (10**15, 0.5), (10**15, 0.9), (10**15, 1e-6)])
def test_binomial__law_of_huge_sizes(n, p):
    got = draws(fill_binomial, n % 97, n, p)
    # The float p is exact: n p in integer arithmetic, without rounding.
    numerator, denominator = p.as_integer_ratio()
    whole, rest = divmod(n * numerator, denominator)
    deviation = (n * p * (1 - p)) ** 0.5
    noise_free = got - np.int64(whole)
    skew = (1 - 2 * p) / deviation
    assert normal_p(noise_free, rest / denominator, deviation, skew) > P_LIMIT
    assert normal_p(noise_free, 0.03 * deviation, deviation, skew) < P_LIMIT
    assert normal_p(noise_free, 0.0, 1.03 * deviation, skew) < P_LIMIT


@pytest.mark.parametrize(
    ("n", "p", "expected"), [(0, 0.5, 0), (10, 0.0, 0), (10, 1.0, 10), (10**15, 1.0, 10**15), (-1, 0.5, 0)]
)
def test_binomial__degenerate(n, p, expected):
    assert set(draws(fill_binomial, 1, n, p, n=100)) == {expected}


HYPERGEOMETRICS = [
    (1, 1, 1),
    (3, 4, 5),
    (10, 12, 10),
    (11, 12, 11),
    (12, 11, 12),
    (12, 11, 13),
    (40, 60, 10),
    (40, 60, 11),
    (40, 60, 90),
    (40, 60, 89),
    (60, 40, 50),
    (500, 400, 300),
    (10**6, 30, 10**5),
    (30, 10**6, 6 * 10**5),
    (10**5, 10**5, 10**5),
]


@pytest.mark.parametrize(("good", "bad", "taken"), HYPERGEOMETRICS)
def test_hypergeometric__law(good, bad, taken):
    got = draws(fill_hypergeometric, good % 1000, good, bad, taken)
    assert got.min() >= max(0, taken - bad)
    assert got.max() <= min(good, taken)
    law = stats.hypergeom(good + bad, good, taken)
    assert variates_p(got, law) > P_LIMIT
    # Larger by a tenth of a deviation.
    noise = np.random.default_rng(0).random(len(got))
    assert variates_p(got + np.floor(0.1 * got.std() + noise), law) < P_LIMIT


def test_hypergeometric__differs_from_binomial():
    got = draws(fill_hypergeometric, 1, 40, 60, 11)
    assert variates_p(got, stats.binom(11, 0.4)) < P_LIMIT


@pytest.mark.parametrize(
    ("good", "bad", "taken"),
    [
        (5 * 10**14, 5 * 10**14, 5 * 10**14),
        (10**14, 9 * 10**14, 3 * 10**14),
        (9 * 10**14, 10**14, 10**9),
        (10**10, 10**15 - 10**10, 10**10 * 7),
    ],
)
def test_hypergeometric__law_of_huge_sizes(good, bad, taken):
    got = draws(fill_hypergeometric, taken % 97, good, bad, taken)
    total = good + bad
    whole, rest = divmod(taken * good, total)
    variance = taken * (good / total) * (bad / total) * ((total - taken) / (total - 1))
    deviation = variance**0.5
    skew = (total - 2 * good) * (total - 2 * taken) / total**2 / deviation
    centred = got - np.int64(whole)
    assert normal_p(centred, rest / total, deviation, skew) > P_LIMIT
    assert normal_p(centred, 0.03 * deviation, deviation, skew) < P_LIMIT
    assert normal_p(centred, 0.0, 1.03 * deviation, skew) < P_LIMIT


@pytest.mark.parametrize(
    ("good", "bad", "taken", "expected"),
    [(0, 9, 5, 0), (9, 0, 5, 5), (9, 9, 0, 0), (9, 9, 18, 9), (10**15, 0, 10**15, 10**15)],
)
def test_hypergeometric__degenerate(good, bad, taken, expected):
    assert set(draws(fill_hypergeometric, 1, good, bad, taken, n=100)) == {expected}


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.integers(0, 10**15), st.integers(0, 99))
def test_hypergeometric__stays_within_margins(good, bad, taken, seed):
    good, bad = good // 2, bad // 2
    taken = min(taken, good + bad)
    got = draws(fill_hypergeometric, seed, good, bad, taken, n=5)
    assert got.min() >= max(0, taken - bad)
    assert got.max() <= min(good, taken)


@given(st.integers(0, 10**15), st.floats(0, 1), st.integers(0, 99))
def test_binomial__stays_within_margins(n, p, seed):
    got = draws(fill_binomial, seed, n, p, n=5)
    assert got.min() >= 0
    assert got.max() <= n


@given(st.integers(0, 10**6), st.floats(1e-3, 1e6))
def test_log_poisson__equals_scipy(count, mean):
    expected = stats.poisson.logpmf(count, mean)
    np.testing.assert_allclose(log_poisson(float(count), mean), expected, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize(("distance", "limit"), [(0.0, 1e-14), (1e7, 1e-12), (-9e7, 1e-11)])
def test_log_poisson__is_accurate_at_1e15(distance, limit):
    # Exact to second order: -x^2/(2m) + x^3/(6m^2) - x/(2m), relative to the mode; lgamma would have an error of about
    # 1.
    mean = 1e15
    expected = -0.5 * math.log(2 * math.pi * mean) - distance**2 / (2 * mean)
    expected += distance**3 / (6 * mean**2) - distance / (2 * mean)
    np.testing.assert_allclose(log_poisson(mean + distance, mean), expected, rtol=limit)
