"""Survival bounds, against the exact chain, and the chain against simulation."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.binomial_chain import exact_chain, exact_survival_truncated
from fastcollapse.theory.discrete.survival import poisson_survival, survival_bounds, survival_bounds_published

# Rounding error of the exact chain.
TINY = 1e-11


@pytest.mark.parametrize("n", [1, 2, 5, 10, 50, 200])
def test_discrete__bounds_hold_for_the_exact_chain(n):
    p0 = np.concatenate([[0.0], np.geomspace(1e-4, 1, 25), 1 - np.geomspace(1e-3, 0.5, 5)])
    k = np.arange(301)
    alive = 1 - exact_chain(p0, n, 300)[0]
    for bounds in (survival_bounds, survival_bounds_published):
        lower, upper = bounds(p0[:, None], n, k)
        assert (lower <= alive + TINY).all()
        assert (alive <= upper + TINY).all()
    lower, upper = survival_bounds(p0[:, None], n, k)
    np.testing.assert_allclose(lower[:, :2], alive[:, :2], atol=TINY)
    np.testing.assert_allclose(upper[:, :2], alive[:, :2], atol=TINY)
    if n >= 50:
        near = slice(1, n // 4)
        assert (1 - lower[1:, near] / alive[1:, near]).max() < 0.05
        assert (upper[1:, near] / alive[1:, near] - 1).max() < 0.024
    # Negative control: the sharp pair of the next generation fails.
    late_lower, late_upper = survival_bounds(p0[:, None], n, k + 1)
    early_lower, _ = survival_bounds(p0[:, None], n, np.maximum(k - 1, 0))
    if n > 1:
        assert (late_upper < alive - TINY).any()
        assert (early_lower > alive + TINY).any()
    assert late_lower.shape == (p0.size, 301)


def test_discrete__exact_chain_against_simulation():
    rng, n, p0, replicates = np.random.default_rng(7), 20, 0.15, 40_000
    lost, fixed = exact_chain(p0, n, 12)
    p, z_lost, z_off = np.full(replicates, p0), [], []
    for k in range(1, 13):
        p = rng.binomial(n, p) / n
        for expected, got in ((lost, p == 0), (fixed, p == 1)):
            if expected[k] * replicates > 20:
                sd = np.sqrt(expected[k] * (1 - expected[k]) / replicates)
                z_lost.append(abs(got.mean() - expected[k]) / sd)
                z_off.append(abs(got.mean() - expected[k - 1]) / sd)
    # About 20 comparisons: |z| > 4.5 has probability 1.4e-4 in all.
    assert max(z_lost) < 4.5
    assert max(z_off) > 4.5


def test_discrete__truncated_chain_contains_exact_chain():
    p0 = np.array([0.0, 0.001, 0.05, 0.5, 1.0])
    alive = 1 - exact_chain(p0, 400, 60)[0]
    survival, error = exact_survival_truncated(p0, 400, 60, cap=40)
    assert (survival >= alive - TINY).all()
    assert (survival - error <= alive + TINY).all()
    assert error[1].max() < 0.05 < error[3].max()
    whole, none = exact_survival_truncated(p0, 400, 60)
    np.testing.assert_allclose(whole, alive, atol=TINY)
    assert not none.any()


def test_discrete__truncation_error_equals_stated_bound():
    _, error = exact_survival_truncated(0.001, 10_000, 50)
    assert error.max() < 1e-9


def test_discrete__poisson_law_against_simulation():
    rng, replicates = np.random.default_rng(3), 40_000
    s, z = rng.poisson(5.0, replicates), []
    expected = poisson_survival(5.0, np.arange(12))
    off = []
    for k in range(1, 11):
        sd = np.sqrt(expected[k] * (1 - expected[k]) / replicates)
        z.append(abs((s > 0).mean() - expected[k]) / sd)
        off.append(abs((s > 0).mean() - expected[k + 1]) / sd)
        s = rng.poisson(s)
    # 10 comparisons: |z| > 4.5 has probability 7e-5 in all.
    assert max(z) < 4.5 < max(off)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.5, 10, 1), r"p0 must be within \[0, 1\], got 1.5"),
        ((0.5, 0, 1), "n must be a whole number of at least 1, got 0"),
        ((0.5, 10, -1), "k must be a whole number of at least 0, got -1"),
        ((np.nan, 10, 1), "p0 must be within"),
    ],
)
def test_discrete__refuses(arguments, message):
    for function in (survival_bounds, survival_bounds_published, exact_chain):
        with pytest.raises(InputError, match=message.replace("k must", "k(_max)? must")):
            function(*arguments)
    with pytest.raises(InputError, match="n must be at most 3000"):
        exact_chain(0.5, 3001, 1)
