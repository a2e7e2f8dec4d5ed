"""Curation, against enumeration, golden values and exact arithmetic."""

import decimal
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse.kernels.counts.best_of import curate, reward_table
from tests.naive import discrete

P, R = (0.4, 0.3, 0.2, 0.1), (0, 0.5, 1, 1)
# mixing.md 4.1: values by a sum over all multisets of samples.
SOFT_2 = (0.315155701640, 0.307347559872, 0.251664492325, 0.125832246163)
SOFT_4 = (0.272075656559, 0.301846312812, 0.284052020419, 0.142026010210)
MASSES = st.lists(st.floats(1e-6, 1), min_size=1, max_size=5)


def curated(p, rewards, k, soft):
    weights = np.array(p, float)
    n = len(weights)
    starts, lengths, symbols = np.zeros(1, np.int64), np.array([n]), np.arange(n, dtype=np.int32)
    curate(starts, lengths, symbols, reward_table(np.array(rewards, float), k, soft), np.zeros(0), weights, weights)
    return weights


def test_curate__golden_values():
    np.testing.assert_allclose(curated(P, R, 2, True), SOFT_2, rtol=0, atol=6e-13)
    np.testing.assert_allclose(curated(P, R, 4, True), SOFT_4, rtol=0, atol=6e-13)
    hard = curated(P, R, 3, False)
    assert hard[0] == pytest.approx(0.064, rel=1e-14)
    assert hard[2] == pytest.approx(0.438, rel=1e-14)


@settings(deadline=None, max_examples=60)
@given(MASSES, st.integers(1, 5), st.floats(0, 20), st.integers(0, 2**32))
def test_curate__soft_is_the_sum_over_all_samples(masses, k, scale, seed):
    p = np.array(masses) / sum(masses)
    rewards = scale * np.random.default_rng(seed).integers(0, 4, len(p)) / 3
    np.testing.assert_allclose(curated(p, rewards, k, True), discrete.best_of_soft(p, rewards, k), rtol=0, atol=1e-13)


@pytest.mark.parametrize("scale", [0.1, 1, 8])
def test_curate__many_rewards_are_interpolated(scale):
    rng = np.random.default_rng(1)
    rewards = np.sort(rng.uniform(0, scale, 3000))
    p, gains = rng.dirichlet(np.ones(3000)), np.exp(rewards)
    assert reward_table(rewards, 2, True).place.size
    expected = p * (2 * gains[:, None] / (gains[:, None] + gains) @ p)
    np.testing.assert_allclose(curated(p, rewards, 2, True), expected, rtol=1e-13)
    # Negative control: rewards that are off by a thousandth.
    wrong = curated(p, 1.001 * rewards, 2, True)
    assert abs(wrong / expected - 1).max() > 1e-6


@pytest.mark.parametrize("k", [1, 2, 3, 16, 17, 100, 10**6])
def test_curate__hard_keeps_its_digits(k):
    """Powers of nearly equal numbers would cancel; a level of mass 1e-12 has all of its digits."""
    p = np.array([0.25, 1e-12, 0.4999, 1e-4, 0.25 - 1e-12])
    with decimal.localcontext(prec=60):
        total = sum(map(Decimal, p))
        laws = [sum(map(Decimal, p[:i])) / total for i in range(6)]
        expected = np.array([float(laws[i + 1] ** k - laws[i] ** k) for i in range(5)])
    got = curated(p, np.arange(5.0), k, False)
    seen = expected > 1e-250
    np.testing.assert_allclose(got[seen], expected[seen], rtol=1e-15 * max(k, 20))
    assert (got[~seen] < 1e-249).all()


def test_curate__hard_ties_share_by_their_probability():
    got = curated((0.1, 0.3, 0.6), (1, 1, 0), 2, False)
    np.testing.assert_allclose(got, (0.64 / 4, 3 * 0.64 / 4, 0.36), rtol=1e-14)


def test_curate__infinite_k_is_the_limit():
    limit = curated(P, R, np.inf, True)
    limit /= limit.sum()
    np.testing.assert_allclose(curated(P, R, 10**6, True), limit, rtol=1e-5)
    tilted = np.array(P) * np.exp(R)
    np.testing.assert_allclose(limit, tilted / tilted.sum(), rtol=1e-14)
    assert abs(curated(P, R, 4, True) / limit - 1).max() > 1e-2  # negative control


@pytest.mark.parametrize("soft", [True, False])
def test_curate__lost_rewards_and_wide_ranges_are_finite(soft):
    """Only the lowest of widely spread rewards is left."""
    rewards = np.linspace(-350, 350, 5)
    np.testing.assert_allclose(curated((1, 0, 0, 0, 0), rewards, 3, soft), (1, 0, 0, 0, 0), rtol=1e-14)
    got = curated((0.5, 0, 0, 0, 0.5), rewards, 3, soft)
    np.testing.assert_allclose(got, (0.125, 0, 0, 0, 0.875), rtol=1e-13)
