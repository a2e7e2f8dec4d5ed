"""Simulation against theory: one row a theorem, as z-scores.

Each test says how many comparisons it makes and at which |z| it fails; each has a negative control, a
slightly wrong theory that the same data must reject.
"""

import dataclasses
import itertools

import numpy as np
import pytest

from fastcollapse.datasets import Truth
from fastcollapse.experiment import Experiment
from fastcollapse.simulation import simulate
from fastcollapse.theory.absorption import (
    mean_absorption,
    mean_first_loss,
    mean_total_collapse,
    sd_total_collapse,
)
from fastcollapse.theory.discrete import survival_bounds, survival_bounds_published
from fastcollapse.theory.exact_chain import exact_chain, exact_unique_symbols
from fastcollapse.theory.forgetting import forgetting_cdf, forgetting_median_law, forgetting_quantile
from fastcollapse.theory.heterozygosity import expected_heterozygosity
from fastcollapse.theory.unique_symbols import unique_symbols_bounds
from fastcollapse.workflows import WORKFLOWS
from tests.laws import z_scores

# Fewer than 500 z-scores in this file, 5.7e-7 each: 3e-4 in all.
Z_LIMIT = 5.0
COUNTS = np.array([7, 5, 4, 3, 2, 2, 1, 1, 1, 1, 1, 1])


def run(workflow, n_generations, n_replicates, probabilities=None, counts=None, seed=7):
    if counts is not None:
        counts = np.asarray(counts, dtype=np.int64)
        probabilities = counts / counts.sum()
    truth = Truth(None, counts, np.asarray(probabilities, dtype=float), "a test")
    experiment = Experiment.from_mapping(
        {
            "truth": {"uniform": 2},
            "workflow": workflow,
            "run": {"n_generations": n_generations, "n_replicates": n_replicates, "seed": seed},
        }
    )
    return simulate(experiment, truth=truth)


def lost_by(forgotten, n_generations):
    """Return float (R, T + 1, K): is a symbol lost at generation 0..T (replace)?"""
    k = np.arange(n_generations + 1)[None, :, None]
    return ((forgotten[:, None, :] >= 0) & (forgotten[:, None, :] <= k)).astype(float)


def indicator_z(samples, expected):
    """Return z-scores of shares over axis 0 with the error of the law itself, where at least 20 of each
    kind are expected."""
    n = len(samples)
    error = np.sqrt(expected * (1 - expected) / n)
    enough = n * np.minimum(expected, 1 - expected) >= 20
    return np.where(enough, (samples.mean(axis=0) - expected) / np.where(enough, error, 1), 0.0)


def reject(z):
    return np.abs(z).max() > Z_LIMIT


@pytest.mark.parametrize(("n", "p0"), [(5, 0.2), (12, 0.1), (12, 0.5)])
def test_survival__bernoulli_chain_is_exact(n, p0):
    # 2 x 15 comparisons for each case: both symbols.
    last, n_replicates = 15, 40_000
    results = run({"name": "replace", "n_samples": n}, last, n_replicates, [p0, 1 - p0])
    lost = lost_by(results.forgotten, last)
    for symbol in range(2):
        assert not reject(indicator_z(lost[:, :, symbol], exact_chain(p0, n, last)[symbol]))
    assert reject(indicator_z(lost[:, :, 0], exact_chain(p0, n - 1, last)[0]))
    alive = 1 - lost[:, :, 0].mean(axis=0)
    error = 3 / np.sqrt(n_replicates)
    for bounds in (survival_bounds, survival_bounds_published):
        lower, upper = bounds(p0, n, np.arange(last + 1))
        assert (alive > lower - error).all()
        assert (alive < upper + error).all()


def test_survival__two_symbols_by_poisson_counts():
    # Ten symbols, so that the Poisson scheme draws them and not a chain of binomials; 10 x 12 comparisons.
    n, last = 20, 12
    p = np.array([0.3, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.03, 0.02])
    lost = lost_by(run({"name": "replace", "n_samples": n}, last, 20_000, p).forgotten, last)
    assert not reject(indicator_z(lost, exact_chain(p, n, last)[0].T))
    assert reject(indicator_z(lost, exact_chain(p, n - 1, last)[0].T))


SIZES = [12, 10, 14, 11, 12, 9]
HETEROZYGOSITY = [
    {"name": "replace", "n_samples": SIZES},
    *({"name": "accumulate", "n_samples": SIZES, "keep_real": keep} for keep in (False, True)),
    *(
        {"name": "accumulate_subsample", "n_samples": SIZES, "keep_real": keep, "replacement": back}
        for keep, back in itertools.product((False, True), repeat=2)
    ),
    {"name": "accumulate_subsample", "n_samples": 12, "keep_real": True, "replacement": False, "n_train": 8},
    {"name": "mix", "n_samples": SIZES, "n_real": [0, 3, 5, 1, 0, 4], "real": "fresh"},
    {"name": "mix", "n_samples": SIZES, "n_real": 5, "real": "fixed"},
    {"name": "mix", "n_samples": SIZES, "n_real": "truth", "real": "fixed"},
]
CASES = [
    pytest.param(workflow, data, id=f"{' '.join(map(str, workflow.values()))} {'corpus' if data else 'law'}")
    for workflow, data in itertools.product(HETEROZYGOSITY, (False, True))
    if data or workflow.get("n_real") != "truth"
]


def test_heterozygosity__covers_every_workflow():
    assert {workflow["name"] for workflow in HETEROZYGOSITY} == set(WORKFLOWS)


@pytest.mark.parametrize(("workflow", "with_data"), CASES)
def test_heterozygosity__expectation(workflow, with_data):
    # 6 comparisons for each of 21 cases.
    probabilities = COUNTS / COUNTS.sum()
    total = int(COUNTS.sum()) if with_data else None
    results = run(
        workflow,
        len(SIZES),
        20_000,
        **({"counts": COUNTS} if with_data else {"probabilities": probabilities}),
    )
    chosen = {k: tuple(v) if isinstance(v, list) else v for k, v in workflow.items() if k != "name"}
    schedule = WORKFLOWS[workflow["name"]](**chosen).schedule(len(SIZES), total)

    def theory(schedule, **change):
        start = total if schedule.start_with_data else 0
        arguments = {
            "n_synthetic": schedule.n_synthetic,
            "n_real": schedule.n_real,
            "keep": schedule.keep,
            "n_train": schedule.n_train,
            "replacement": schedule.replacement,
            "real": schedule.real,
            "start_total": start,
            "real_is_truth": with_data and schedule.real == "fixed" and schedule.n_real[0] == total,
        }
        return expected_heterozygosity(1 - (probabilities**2).sum(), **{**arguments, **change})

    got = results.metrics["heterozygosity"]
    assert not reject(z_scores(got, theory(schedule), rounding=1e-12))
    # One training token fewer; where a pool keeps everything a single token is not seen: four fewer.
    if schedule.n_train.any():
        wrong = theory(dataclasses.replace(schedule, n_train=schedule.n_train - 1))
    else:
        wrong = theory(dataclasses.replace(schedule, n_synthetic=schedule.n_synthetic - 4))
    assert reject(z_scores(got, wrong, rounding=1e-12))
    if schedule.n_train.any():
        assert reject(z_scores(got, theory(schedule, replacement=not schedule.replacement)))


@pytest.mark.parametrize(("size", "n"), [(12, 30), (400, 300)])
def test_unique_symbols__exact_expectation(size, n):
    # 12 comparisons for each case.
    p = 1 / (np.arange(1, size + 1) + 2.7)
    p /= p.sum()
    last = 12
    results = run({"name": "replace", "n_samples": n}, last, 40_000 if size < 100 else 10_000, p)
    support = results.metrics["support_size"]
    assert not reject(z_scores(support, exact_unique_symbols(p, n, last), rounding=1e-9))
    assert reject(z_scores(support, exact_unique_symbols(p, n - 3, last), rounding=1e-9))
    lower, upper = unique_symbols_bounds(p, n, np.arange(last + 1))
    error = 3 * support.std(axis=0) / np.sqrt(len(support)) + 1e-9
    assert (support.mean(axis=0) > lower - error).all()
    assert (support.mean(axis=0) < upper + error).all()


def collapse_time(results):
    """Return float (R): the generation that first has one symbol."""
    alone = results.metrics["support_size"] == 1
    assert alone[:, -1].all()
    return alone.argmax(axis=1).astype(float)


@pytest.mark.parametrize("p0", [0.5, 0.2])
def test_absorption__mean_time_of_two_symbols(p0):
    # 1 comparison for each case; the second-order formula is within 0.02.
    n = 20
    times = collapse_time(run({"name": "replace", "n_samples": n}, 15 * n, 10_000, [p0, 1 - p0]))
    assert not reject(z_scores(times, float(mean_absorption(p0, n)), rounding=0.02))
    assert reject(z_scores(times, float(mean_absorption(p0, n + 2)), rounding=0.02))
    assert reject(z_scores(times, float(mean_absorption(p0, n, order=1)), rounding=0.02))


def test_absorption__total_collapse_and_first_loss():
    # 2 comparisons; the lattice form of the first loss is within 1 % here.
    n, last, n_replicates = 20, 360, 10_000
    p = np.array([0.2, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    times = collapse_time(run({"name": "replace", "n_samples": n}, last, n_replicates, p))
    assert not reject(z_scores(times, mean_total_collapse(p, n), rounding=0.05))
    assert reject(z_scores(times, mean_total_collapse(p, n + 2), rounding=0.05))
    # For many symbols and large n; eight and 20 are within 10 %.
    assert abs(times.std() / sd_total_collapse(n) - 1) < 0.1
    p = np.array([0.4, 0.3, 0.3])
    results = run({"name": "replace", "n_samples": 2 * n}, last, n_replicates, p)
    first = (results.metrics["support_size"] < 3).argmax(axis=1).astype(float)
    assert (first > 0).all()
    expected = mean_first_loss(p, 2 * n)
    assert not reject(z_scores(first, expected, rounding=0.01 * expected))
    assert reject(z_scores(first, mean_first_loss(p, 2 * n + 4), rounding=0.01 * expected))


@pytest.mark.parametrize("copies", [1, 10])
def test_forgetting__law_and_quantiles(copies):
    # 40,000 tokens, so that k << n; 12 comparisons of the law, 3 of quantiles for each case.
    n_symbols, n_replicates = 40_000 // copies, 20
    last = 40 * copies
    counts = np.full(n_symbols, copies)
    results = run({"name": "replace", "n_samples": "truth"}, last, n_replicates, counts=counts)
    k = np.unique(np.geomspace(1, last, 12).astype(int))
    forgotten = np.where(results.forgotten < 0, last + 1, results.forgotten)
    shares = (forgotten[:, :, None] <= k).mean(axis=1)

    def z(copies):
        law = forgetting_cdf(copies, k)
        # Symbols compete for a fixed number of tokens, so their spread is at most the binomial one.
        error = np.sqrt(law * (1 - law) / (n_symbols * n_replicates)) + 1e-9
        # The law leaves out terms of k / n.
        difference = np.abs(shares.mean(axis=0) - law)
        return np.maximum(0, difference - law * k / 40_000) / error

    assert not reject(z(copies))
    assert reject(z(copies * 1.05))
    for q in (0.1, 0.5, 0.8):
        expected = int(forgetting_quantile(copies, q))
        below, at = (forgotten < expected).mean(), (forgotten <= expected).mean()
        slack = Z_LIMIT * np.sqrt(q * (1 - q) / forgotten.size) + q * expected / 40_000
        assert below - slack < q < at + slack
    if copies == 10:
        assert abs(np.median(forgotten) - forgetting_median_law(copies)) < 3


def test_survival__of_the_shipped_corpus():
    # 10 comparisons, 4 standard errors (6e-4 in all) and the rounding of the published four digits.
    golden = [0.8902, 0.8111, 0.7499, 0.7004, 0.6593, 0.6244, 0.5941, 0.5676, 0.5441, 0.5230]
    experiment = Experiment.from_mapping(
        {
            "truth": {"text": "data/wikitext2_sample.txt.gz"},
            "workflow": {"name": "replace", "n_samples": "truth"},
            "run": {"n_generations": 10, "n_replicates": 50, "seed": 20241223},
        }
    )
    results = simulate(experiment)
    truth = results.truth
    assert (truth.total, truth.support_size, int((truth.counts == 1).sum())) == (436_577, 19_919, 4378)
    survival = results.metrics["support_size"][:, 1:] / truth.support_size
    assert np.abs(z_scores(survival, golden, rounding=5e-5)).max() < 4
    # Negative control: one generation late, and each number 1 % higher.
    assert np.abs(z_scores(survival[:, :-1], golden[1:], rounding=5e-5)).min() > 4
    assert np.abs(z_scores(survival, np.multiply(golden, 1.01), rounding=5e-5)).min() > 4
