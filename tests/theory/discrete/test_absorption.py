"""Mean absorption times, against the exact solve for two symbols and simulation for several."""

import warnings

import numpy as np
import pytest
from scipy.special import xlogy
from scipy.stats import binom

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.absorption import (
    A0,
    mean_absorption,
    mean_absorption_given_extinction,
    mean_absorption_given_fixation,
    mean_first_loss,
    mean_total_collapse,
    mean_total_collapse_uniform,
    sd_total_collapse,
)
from fastcollapse.theory.discrete.binomial_chain import exact_chain


def _exact_means(n):
    """Return the mean absorption time from each inner count, and given extinction, by linear solves."""
    counts = np.arange(n + 1)
    matrix = binom.pmf(counts[None, :], n, counts[:, None] / n)[1:-1, 1:-1]
    system = np.eye(n - 1) - matrix
    lost = 1 - counts[1:-1] / n
    return np.linalg.solve(system, np.ones(n - 1)), np.linalg.solve(system, lost) / lost


@pytest.mark.parametrize("n", [10, 100, 1000])
def test_absorption__second_order_against_the_exact_solve(n):
    exact, _ = _exact_means(n)
    p0 = np.arange(1, n) / n
    error = np.abs(mean_absorption(p0, n) - exact)
    # By the count n p0 of the rarer symbol: 1, at least 2, at least 10.
    assert error.max() < 0.08
    assert error[1:-1].max() < 0.018
    if n >= 100:
        assert error[9:-9].max() < 0.003
    # Negative control: the first order alone is off by about 1 to 3 generations.
    assert np.abs(mean_absorption(p0, n, order=1) - exact).min() > 0.08


def test_absorption__conditional_on_extinction_or_fixation():
    n, x = 400, 20
    exact = _exact_means(n)[1]
    assert abs(mean_absorption_given_extinction(x / n, n) / exact[x - 1] - 1) < 0.015
    assert abs(mean_absorption_given_fixation(1 - x / n, n) / exact[x - 1] - 1) < 0.015
    p = x / n
    whole = p * mean_absorption_given_fixation(p, n) + (1 - p) * mean_absorption_given_extinction(p, n)
    np.testing.assert_allclose(whole, mean_absorption(p, n, order=1))


def test_absorption__constants_and_uniform_table():
    assert round(A0, 4) == -0.7217
    n = np.array([10, 100, 1000, 10_000, 100_000])
    got = mean_total_collapse_uniform(10, n)
    np.testing.assert_allclose(got, [17.51, 187.4, 1893.5, 18961, 189644], rtol=3e-4)
    np.testing.assert_allclose(mean_total_collapse(np.full(10, 0.1), 100), got[1])
    np.testing.assert_allclose(mean_total_collapse([0.3, 0.7], 100), mean_absorption(0.3, 100))
    assert abs(sd_total_collapse(1000) / 1077 - 1) < 1e-3


def _simulate(p, n, replicates, seed):
    """Return the generations of the first loss and of the total collapse, [replicates] each."""
    rng = np.random.default_rng(seed)
    state = np.broadcast_to(p, (replicates, p.size))
    first, total = np.zeros(replicates), np.zeros(replicates)
    t = 0
    while not total.all():
        t += 1
        state = rng.multinomial(n, state) / n
        alive = (state > 0).sum(axis=1)
        first[(first == 0) & (alive < p.size)] = t
        total[(total == 0) & (alive == 1)] = t
    return first, total


def test_absorption__several_symbols_against_simulation():
    p, n, replicates = np.array([0.5, 0.3, 0.2]), 40, 20_000
    first, total = _simulate(p, n, replicates, seed=17)
    error = total.std() / np.sqrt(replicates)
    # Two comparisons, |z| < 4.5; the first loss is a formula within 0.4 %.
    assert abs(total.mean() - mean_total_collapse(p, n)) < 4.5 * error
    assert abs(total.mean() - mean_total_collapse(p, n * 21 // 20)) > 4.5 * error
    error = first.std() / np.sqrt(replicates)
    assert abs(first.mean() - mean_first_loss(p, n)) < 4.5 * error + 0.02 * first.mean()
    assert abs(first.mean() - mean_first_loss(p, n * 11 // 10)) > 4.5 * error + 0.02 * first.mean()


def test_absorption__sd_of_many_symbols_against_simulation():
    n, replicates = 50, 4000
    _, total = _simulate(np.full(n, 1 / n), n, replicates, seed=23)
    # The relative error of a standard deviation here is about 2.5 %, kurtosis included; n = 50 adds 2 %.
    assert abs(total.std() / sd_total_collapse(n) - 1) < 0.1


def test_absorption__first_loss_continuum_is_the_inclusion_exclusion_sum():
    p, n = np.array([0.5, 0.3, 0.2]), 100
    total = 0.0
    for mask in range(1, 8):
        members = [i for i in range(3) if mask >> i & 1]
        total += (-1) ** len(members) * xlogy(p[members].sum(), p[members].sum())
    np.testing.assert_allclose(mean_first_loss(p, n, "continuum"), 2 * n * total, rtol=1e-8)
    np.testing.assert_allclose(mean_first_loss([0.3, 0.7], n, "continuum"), mean_absorption(0.3, n, order=1))
    big = mean_first_loss([0.3, 0.7], 4000)
    assert abs(big / mean_absorption(0.3, 4000) - 1) < 0.004


def test_absorption__refuses():
    with pytest.raises(InputError, match="p0 must be strictly between 0 and 1, got 1"):
        mean_absorption(1.0, 10)
    with pytest.raises(InputError, match="order must be 1 or 2, got 3"):
        mean_absorption(0.5, 10, order=3)
    with pytest.raises(InputError, match="p must be at least two positive probabilities"):
        mean_total_collapse([1.0], 10)
    with pytest.raises(InputError, match="form must be 'lattice' or 'continuum'"):
        mean_first_loss([0.5, 0.5], 10, "other")


def test_mean_absorption__warns_below_a_mean_count_of_1():
    with pytest.warns(UserWarning, match=r"not accurate for a mean count below 1 of a symbol, got 0\.2$"):
        got = float(mean_absorption(0.02, 10))
    lost, fixed = exact_chain(0.02, 10, 400)
    assert (got, (1 - lost - fixed).sum()) == (pytest.approx(1.75, abs=0.005), pytest.approx(2.106, abs=0.001))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mean_absorption([0.1, 0.5, 0.9], 10)
