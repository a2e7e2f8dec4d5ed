"""Poisson runs: law of raw refits and of the Galton-Watson process, bits, long runs and invalid input."""

import math

import numpy as np
import pytest
from scipy import stats

from fastcollapse.config.section_base import build
from fastcollapse.config.workflows import Replace
from fastcollapse.errors import InputError
from fastcollapse.models.poisson.model import MODEL, PoissonParameters, PoissonTruth
from tests._goodness_of_fit import chi_square_p, two_sample_p
from tests.models._block_runs import IDS, WORKFLOWS, assert_bits_are_reproducible, run

# About 20 goodness-of-fit tests in this file, 5e-6 each: 1e-4 in all.
P_LIMIT = 5e-6


def model(workflow, n_generations, rate=2.5):
    return MODEL(PoissonTruth(rate=rate), PoissonParameters(), workflow.schedule(n_generations, None), ())


def raw(rate_0, schedule, rng):
    """Return the sum of the last fitted counts."""
    rate, pool = rate_0, np.empty(0, np.int64)
    fixed = rng.poisson(rate_0, schedule.n_real[0])
    for t in range(len(schedule.n_synthetic)):
        real = fixed if schedule.real == "fixed" else rng.poisson(rate_0, schedule.n_real[t])
        new = rng.poisson(rate, schedule.n_synthetic[t])
        pool = np.concatenate([pool if schedule.keep[t] else pool[:0], new, real])
        fitted = rng.choice(pool, schedule.n_train[t], replace=schedule.replacement) if schedule.n_train[t] else pool
        rate = fitted.mean()
    return round(fitted.sum())


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=IDS)
def test_law__equals_raw_refits(workflow):
    schedule, rng = workflow.schedule(3, None), np.random.default_rng(5)
    expected = np.array([raw(2.5, schedule, rng) for _ in range(2000)])
    sizes = np.where(schedule.n_train > 0, schedule.n_train, schedule.pool_totals(None))

    def sums(rate):
        return np.rint(run(model(workflow, 3, rate), 8000, 3)["rate"][:, -1] * sizes[-1]).astype(int)

    assert two_sample_p(sums(2.5), expected) > P_LIMIT
    assert two_sample_p(sums(3.0), expected) < P_LIMIT


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=IDS)
def test_bits__do_not_depend_on_blocks_or_threads(workflow):
    assert_bits_are_reproducible(lambda: model(workflow, 9))


@pytest.mark.parametrize("rate", [0.1, 1.0, 50.0])
def test_replace__survives_as_a_galton_watson_process(rate):
    # Pr(rate_k > 0) = 1 - exp(-n rate_0 g_k), g_1 = 1, g_{k+1} = 1 - exp(-g_k) (Suresh et al., Theorem 2).
    n_generations, n_replicates = 40, 20_000
    rates = run(model(Replace(n_samples=10), n_generations, rate), n_replicates, n_generations)["rate"]
    assert (np.diff((rates > 0).astype(int), axis=1) <= 0).all()
    g = 1.0
    for _ in range(n_generations - 1):
        g = -math.expm1(-g)
    alive = int((rates[:, -1] > 0).sum())
    expected = -math.expm1(-10 * rate * g)
    assert abs(stats.norm.ppf(stats.binom(n_replicates, expected).cdf(alive))) < 5 or expected > 1 - 1e-9
    if rate < 50:
        assert stats.binom(n_replicates, -math.expm1(-12 * rate * g)).cdf(alive) < P_LIMIT


@pytest.mark.parametrize(("n_samples", "rate"), [(3, 0.2), (10**6, 4.0), (10**15, 1.0)])
def test_first_fit__has_a_poisson_law(n_samples, rate):
    sums = run(model(Replace(n_samples=n_samples), 1, rate), 50_000, 1)["rate"][:, 0] * n_samples
    law = stats.poisson(n_samples * rate)
    if n_samples * rate < 100:
        assert chi_square_p(np.bincount(np.rint(sums).astype(int), minlength=9)[:9], law.pmf(np.arange(9))) > P_LIMIT
    else:
        z = (sums - n_samples * rate) / math.sqrt(n_samples * rate)
        assert stats.kstest(z, "norm").pvalue > P_LIMIT
        assert stats.kstest(1.06 * z, "norm").pvalue < P_LIMIT


def test_replace__stays_finite_for_a_million_generations():
    rates = run(model(Replace(n_samples=10**9), 10**6), 2, 10**6)["rate"]
    assert np.isfinite(rates).all()
    assert (rates > 0).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "truth.rate is required"),
        ({"rate": 0}, "truth.rate must be above 0, got 0"),
        ({"rate": -1.0}, "truth.rate must be above 0, got -1.0"),
        ({"rate": math.nan}, "truth.rate must be a finite number, got nan"),
    ],
)
def test_truth__invalid_values_give_a_one_line_error(values, message):
    with pytest.raises(InputError, match=f"^{message}"):
        build(PoissonTruth, values)


def test_sums__beyond_exact_integers_are_rejected():
    with pytest.raises(InputError, match=r"^truth.rate must keep the sum of a pool at most 10\*\*15, got 2 for 10"):
        model(Replace(n_samples=10**15), 1, 2.0)
