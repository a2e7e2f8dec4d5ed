"""Verification of the theory of curation and temperature by raw simulation, as z-scores.

Each test states its number of comparisons. Each has a negative control: a slightly wrong theory that the same data must
reject.
"""

import functools

import numpy as np
import pytest

from fastcollapse.config.schedule import Schedule
from fastcollapse.theory.discrete.curation import curated_law, curation_fixed_point, curation_path
from fastcollapse.theory.discrete.external_share import (
    collapsed_share_threshold,
    tempered_fixed_point,
    tempered_multiplier,
    uniform_share_threshold,
)
from fastcollapse.theory.discrete.selection import curated_fixation, kimura_fixation
from fastcollapse.theory.discrete.stationary_noise import (
    tempered_covariance,
    tempered_noise_path,
    tempered_uniform_noise,
)
from fastcollapse.theory.discrete.temperature import tempered_law
from fastcollapse.theory.discrete.tempered_accumulation import tempered_accumulate_variance
from fastcollapse.theory.discrete.tempered_two_symbols import (
    tempered_absorption,
    tempered_eigenvalue,
    tempered_stationary_variance,
)
from tests._goodness_of_fit import z_scores
from tests.naive import recursion

# Fewer than 200 z-scores in this file, 5.7e-7 each: 1.1e-4 in all.
Z_LIMIT = 5.0
P, R = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.0, 0.5, 1.0, 1.0])
P0 = np.array([0.4, 0.25, 0.15, 0.12, 0.08])


def reject(z):
    return np.abs(z).max() > Z_LIMIT


def z_variance(samples, expected):
    """Return z-scores of variances over axis 0."""
    return z_scores((samples - samples.mean(axis=0)) ** 2 * len(samples) / (len(samples) - 1), expected)


def best_of_tokens(p, n_tokens, rng, K, rule):
    """Return tokens, each one of K that are drawn, chosen by its reward; infinitely many by rejection."""
    if K == "infinite":
        tokens = rng.choice(len(p), 8 * n_tokens, p=p)
        return tokens[rng.random(len(tokens)) < np.exp(R[tokens] - 1)][:n_tokens]
    candidates = rng.choice(len(p), (n_tokens, K), p=p)
    # A Gumbel variate added to the reward chooses with probability e^r/sum; a small one breaks ties at random.
    scale = 1.0 if rule == "soft" else 1e-9
    chosen = (R[candidates] + scale * rng.gumbel(size=candidates.shape)).argmax(axis=1)
    return candidates[np.arange(n_tokens), chosen]


@pytest.mark.parametrize(("K", "rule"), [(2, "soft"), (4, "soft"), ("infinite", "soft"), (3, "hard")])
def test_curation__one_generation(K, rule):
    # 4 comparisons for each case.
    rng = np.random.default_rng(1)
    shares = np.bincount(best_of_tokens(P, 400_000, rng, K, rule), minlength=4) / 400_000

    def z(law):
        return (shares - law) / np.sqrt(law * (1 - law) / 400_000)

    assert not reject(z(curated_law(P, R, K, rule)))
    # Negative control: one more sample to choose from, and of infinitely many only six.
    assert reject(z(curated_law(P, R, 6 if K == "infinite" else K + 1, rule)))


@pytest.mark.parametrize(("K", "rule", "f"), [(2, "soft", 0.0), (3, "hard", 0.3), ("infinite", "soft", 0.3)])
def test_curation__path_of_raw_tokens(K, rule, f):
    # 12 comparisons for each case: raw tokens through the pipeline of a generation.
    n, last, n_replicates = 8000, 3, 40
    zero = np.zeros(last, np.int64)
    schedule = Schedule(np.full(last, n), zero, zero, zero, real_share=np.full(last, f))
    rng = np.random.default_rng(2)

    def run():
        return recursion.staged_states(
            P,
            lambda p, n, rng: best_of_tokens(p, n, rng, K, rule),
            lambda groups: np.bincount(groups[0][0], minlength=4) / n,
            schedule,
            last,
            rng,
            draw_real=lambda p, n, rng: rng.choice(4, n, p=p),
        )[1:]

    states = np.array([run() for _ in range(n_replicates)])
    assert not reject(z_scores(states, curation_path(P, R, K, [1, 2, 3], f, rule)))
    assert reject(z_scores(states, curation_path(P, R, K, [1, 2, 3], f + 0.02, rule)))


def chain(counts, n, law, last, rng):
    """Return the counts (R, K) after `last` multinomial generations of n tokens from law(shares)."""
    for _ in range(last):
        counts = rng.multinomial(n, law(counts / n))
    return counts


def test_curation__fixed_point_of_infinitely_many_samples():
    # 4 comparisons. The bias of n tokens is of the order of 1/n, a twentieth of the standard error.
    n, f = 100_000, 0.5
    rng = np.random.default_rng(3)

    def law(p):
        tilted = p * np.exp(R)
        return f * P + (1 - f) * tilted / tilted.sum(axis=1, keepdims=True)

    shares = chain(np.tile(P * n, (400, 1)), n, law, 40, rng) / n
    assert not reject(z_scores(shares, curation_fixed_point(P, R, f)[0]))
    assert reject(z_scores(shares, curation_fixed_point(P, R, f + 0.01)[0]))


def absorb(n, start, success, n_replicates, rng, most=100_000):
    """Return the ends (1 for n, 0 for 0) and the times of chains n P' ~ Bin(n, success(P))."""
    counts, times, live = np.full(n_replicates, start), np.zeros(n_replicates), np.arange(n_replicates)
    for step in range(1, most):
        counts[live] = rng.binomial(n, success(counts[live] / n))
        times[live] = step
        live = live[(counts[live] > 0) & (counts[live] < n)]
        if not live.size:
            return counts / n, times
    raise AssertionError("chains have not ended")


def test_selection__fixation_of_the_better_symbol():
    # 4 comparisons.
    rng, s = np.random.default_rng(4), 0.3
    for K, success in {
        "infinite": lambda x: x * np.exp(s) / (x * np.exp(s) + 1 - x),
        2: lambda x: x * (x + 2 * (1 - x) * np.exp(s) / (np.exp(s) + 1)),
    }.items():
        ends, _ = absorb(50, 4, success, 20_000, rng)
        assert not reject(z_scores(ends, curated_fixation(50, s, 4, K)))
        assert reject(z_scores(ends, curated_fixation(50, s, 4, 3 if K == 2 else 9)))


def test_selection__kimura_for_many_tokens():
    # 1 comparison; Kimura's value is 2e-3 off at n = 600, s = 0.005.
    n, s, k = 600, 0.005, 120
    ends, _ = absorb(n, k, lambda x: x * np.exp(s) / (x * np.exp(s) + 1 - x), 4000, np.random.default_rng(5))
    assert not reject(z_scores(ends, kimura_fixation(n, s, k)))
    # Negative control: the formula for a diploid population.
    assert reject(z_scores(ends, kimura_fixation(2 * n, s, 2 * k)))


def tempered(p, T):
    """Return the rows of shares at a temperature."""
    weights = (p / p.max(axis=-1, keepdims=True)) ** (1 / T)
    return weights / weights.sum(axis=-1, keepdims=True)


def test_temperature__path_without_external_data():
    # 2 x 8 comparisons.
    n, rng = 200_000, np.random.default_rng(6)
    for T in (0.5, 2.0):
        once = rng.multinomial(n, tempered(P, T), 300)
        twice = rng.multinomial(n, tempered(once / n, T))
        for t, counts in ((1, once), (2, twice)):
            assert not reject(z_scores(counts / n, tempered_law(P, T, t)))
            assert reject(z_scores(counts / n, tempered_law(P, T * 1.01, t)))


@pytest.mark.parametrize("beta", [0.9, 1.0, 1.1, 2.0])
def test_temperature__absorption_of_two_symbols(beta):
    # 2 comparisons for each case.
    n, rng = 20, np.random.default_rng(7)

    def success(x):
        return tempered(np.stack([x, 1 - x], axis=-1), 1 / beta)[:, 0]

    for start in (10, 4):
        ends, times = absorb(n, start, success, 20_000, rng)
        assert not reject(z_scores(times, tempered_absorption(n, 1 / beta, start)))
        # Negative control: the chain without a temperature, and at temperature 1 another one.
        assert reject(z_scores(times, tempered_absorption(n, 1.0 if beta != 1 else 0.95, start)))
        assert set(ends) == {0.0, 1.0}


def test_temperature__rate_of_late_collapse():
    # 2 comparisons: the share of undecided chains that are still undecided four generations later.
    n, beta, rng = 100, 1.5, np.random.default_rng(8)
    counts = np.full((200_000, 2), n // 2)
    counts = chain(counts, n, lambda p: tempered(p, 1 / beta), 12, rng)
    for _ in range(2):
        live = counts[(counts > 0).all(axis=1)]
        counts = chain(live, n, lambda p: tempered(p, 1 / beta), 4, rng)
        alive = (counts > 0).all(axis=1) * 1.0
        assert not reject(z_scores(alive, tempered_eigenvalue(n, 1 / beta) ** 4))
        assert reject(z_scores(alive, tempered_eigenvalue(n, 1 / (beta - 0.1)) ** 4))


@pytest.mark.parametrize(("lam", "T"), [(0.1, 1.0), (0.3, 2.0), (0.6, 0.5)])
def test_external_share__variance_of_two_symbols(lam, T):
    # 1 comparison for each case.
    n, rng = 60, np.random.default_rng(9)
    counts = chain(
        np.full((20_000, 2), n // 2), n, lambda p: (1 - lam) * tempered(p, T) + lam * np.array([0.5, 0.5]), 60, rng
    )
    squares = (counts[:, 0] / n - 0.5) ** 2
    assert not reject(z_scores(squares, tempered_stationary_variance(n, lam, T)))
    assert reject(z_scores(squares, tempered_stationary_variance(n, lam, 0.8 * T)))


def loop(K, n, lam, T, start, last, n_replicates, seed=10):
    """Return the counts (R, K) of a loop with a uniform external law."""
    rng = np.random.default_rng(seed)
    counts = np.tile(np.round(np.asarray(start) * n).astype(int), (n_replicates, 1))
    return chain(counts, n, lambda p: (1 - lam) * tempered(p, T) + lam / K, last, rng)


def test_external_share__thresholds_and_hysteresis():
    # 1 comparison; the other statements are about single states on either side of each threshold.
    K, n, T = 10, 20_000, 0.5
    uniform, concentrated = np.full(K, 0.1), np.array([0.91] + [0.01] * 9)
    low, high = float(uniform_share_threshold(T)), float(collapsed_share_threshold(K, T))
    assert (low, high) == pytest.approx((0.5, 0.625))
    between = 0.58
    stuck = loop(K, n, between, T, concentrated, 150, 200).max(axis=1) / n
    assert not reject(z_scores(stuck, tempered_fixed_point(uniform, between, T, concentrated)[0]))
    assert reject(z_scores(stuck, tempered_fixed_point(uniform, between + 0.002, T, concentrated)[0]))
    assert (loop(K, n, between, T, uniform, 150, 50).max(axis=1) < n / 4).all()
    # Below the first threshold a healthy model collapses, above the second one a collapsed model recovers.
    assert (loop(K, n, low - 0.05, T, uniform, 150, 50).max(axis=1) > n / 4).all()
    assert (loop(K, n, high + 0.03, T, concentrated, 150, 50).max(axis=1) < n / 4).all()


@functools.cache
def stationary(mixing, n=4000, lam=0.5, beta=1.4, n_replicates=4000):
    """Return counts (R, K) of two successive generations near the fixed point of `P0`."""
    rng = np.random.default_rng(11)

    def step(counts):
        q = tempered(counts / n, 1 / beta)
        if mixing == "tokens":
            return rng.multinomial(n, (1 - lam) * q + lam * P0)
        return rng.multinomial(round((1 - lam) * n), q) + rng.multinomial(round(lam * n), P0, len(counts))

    counts = np.tile((P0 * n).astype(int), (n_replicates, 1))
    for _ in range(30):
        counts = step(counts)
    return counts, step(counts)


def test_fixed_point__mean_and_rate_of_return():
    # 5 + 1 comparisons; at n = 4000 the mean is 1e-4 off.
    n = 4000
    first, second = (counts / n for counts in stationary("tokens"))
    law = tempered_fixed_point(P0, 0.5, 1 / 1.4)
    assert not reject(z_scores(first, law, rounding=2e-4))
    assert reject(z_scores(first, tempered_fixed_point(P0, 0.5, 1 / 1.42), rounding=2e-4))
    # Along the slowest direction a deviation is multiplied by the radius.
    q = tempered(law, 1 / 1.4)
    values, left = np.linalg.eig((0.7 * (np.diag(q) - np.outer(q, q)) / law).T)
    slowest = left[:, values.real.argmax()].real
    before, after = ((shares - shares.mean(axis=0)) @ slowest for shares in (first, second))
    rho = tempered_multiplier(P0, 0.5, 1 / 1.4)
    assert not reject(z_scores(before * (after - rho * before) / before.var(), 0))
    assert reject(z_scores(before * (after - 1.15 * rho * before) / before.var(), 0))


@pytest.mark.parametrize("mixing", ["tokens", "sizes"])
def test_noise__covariance_at_the_fixed_point(mixing):
    # 5 + 10 comparisons for each case.
    n = 4000
    shares = stationary(mixing)[0] / n
    covariance = tempered_covariance(P0, 0.5, 1 / 1.4, n, mixing)
    assert not reject(z_variance(shares, covariance.diagonal()))
    assert reject(z_variance(shares, tempered_covariance(P0, 0.5, 1 / 1.2, n, mixing).diagonal()))
    centred = shares - shares.mean(axis=0)
    i, j = np.triu_indices(5, 1)
    assert not reject(z_scores(centred[:, i] * centred[:, j], covariance[i, j]))
    assert reject(z_scores(centred[:, i] * centred[:, j], 1.2 * covariance[i, j]))


@pytest.mark.parametrize(("lam", "beta"), [(0.4, 1.25), (0.7, 2.0), (0.1, 0.8)])
def test_noise__about_the_uniform_law(lam, beta):
    # 2 comparisons for each case.
    K, n = 10, 2000
    shares = loop(K, n, lam, 1 / beta, np.full(K, 0.1), 40, 2000) / n
    variance, heterozygosity = tempered_uniform_noise(K, lam, 1 / beta, n)
    assert not reject(z_scores(1 - (shares**2).sum(axis=1), heterozygosity))
    assert not reject(z_scores(((shares - 0.1) ** 2).mean(axis=1), variance))
    assert reject(z_scores(1 - (shares**2).sum(axis=1), tempered_uniform_noise(K, lam, 0.9 / beta, n)[1]))


def test_noise__on_the_way_to_the_fixed_point():
    # 2 x 10 comparisons.
    n, last = 5000, 8
    laws, variances = tempered_noise_path(P0, 0.2, 0.8, n, last)
    rng = np.random.default_rng(12)
    counts = np.tile((P0 * n).astype(int), (4000, 1))
    for t in range(1, last + 1):
        counts = rng.multinomial(n, 0.8 * tempered(counts / n, 0.8) + 0.2 * P0)
        if t in (2, last):
            assert not reject(z_scores(counts / n, laws[t], rounding=3e-4))
            assert not reject(z_variance(counts / n, variances[t]))
            assert reject(z_variance(counts / n, variances[t - 1]))


@pytest.mark.parametrize(("lam", "T"), [(0.3, 0.8), (0.5, 1.25)])
def test_noise__on_the_way_about_the_uniform_law(lam, T):
    # 3 comparisons for each case.
    K, n = 10, 2000
    variances, wrong = (tempered_noise_path(np.full(K, 1 / K), lam, S, n, 6)[1][:, 0] for S in (T, 0.8 * T))
    for t in (1, 3, 6):
        squares = ((loop(K, n, lam, T, np.full(K, 1 / K), t, 3000) / n - 1 / K) ** 2).mean(axis=1)
        assert not reject(z_scores(squares, variances[t]))
        assert t == 1 or reject(z_scores(squares, wrong[t]))


@pytest.mark.parametrize(("lam", "T"), [(0.6, 1.0), (0.7, 0.75), (0.5, 1.25), (0.2, 1.0)])
def test_accumulate__variance_about_the_uniform_law(lam, T):
    # 3 comparisons for each case: rho is 0.4 twice, and 0.8.
    N = m = 400
    rho, rng = (1 - lam) / T, np.random.default_rng(13)
    pool = rng.binomial(N, 0.5, 20_000)
    times = (1, 5, 20)
    for t in range(1, times[-1] + 1):
        x = pool / (t * m)
        p = (1 - lam) * tempered(np.stack([x, 1 - x], axis=-1), T)[:, 0] + lam / 2
        pool = pool + rng.binomial(m, p)
        if t in times:
            squares = (pool / ((t + 1) * m) - 0.5) ** 2
            assert not reject(z_scores(squares, tempered_accumulate_variance(N, m, rho, 0.5, t)))
            assert reject(z_scores(squares, tempered_accumulate_variance(N, m, rho + 0.15, 0.5, t)))
