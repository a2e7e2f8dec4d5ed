"""Verification of the theory of counterexamples by simulation, as z-scores.

Each test states its number of comparisons and its limit for |z|. Each has a negative control: a slightly wrong theory
that the same data must reject.
"""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.theory.counterexamples.error_ratio import error_ratio_quantile
from fastcollapse.theory.counterexamples.hidden_interval import hidden_interval_collapse, hidden_interval_transform
from fastcollapse.theory.counterexamples.scale_estimators import (
    exponential_mean_moments,
    exponential_mean_square,
    exponential_mean_square_limit,
    uniform_maximum_moments,
)
from fastcollapse.theory.counterexamples.stable_mean import (
    stable_mean_factor,
    stable_mean_limit,
    stable_mean_scale,
    stable_quantile,
)
from fastcollapse.theory.counterexamples.uniform_levels import uniform_levels_limit, uniform_levels_not_collapsed
from tests._goodness_of_fit import z_scores

# Fewer than 300 z-scores in this file, 5.7e-7 each: 2e-4 in all.
Z_LIMIT = 5.0
ACCUMULATE = {"name": "accumulate", "n_samples": 20, "keep_real": True}
SIZES = [12, 10, 14, 11, 12, 9]
N_REPLICATES = 20_000


def run(family, workflow, n_generations, truth=None):
    sections = {
        "model": {"family": family},
        "truth": truth or {},
        "workflow": workflow,
        "run": {"n_generations": n_generations, "n_replicates": N_REPLICATES, "seed": 7},
    }
    return simulate(Experiment.from_mapping(sections)).metrics


def reject(z):
    return np.abs(z).max() > Z_LIMIT


def share_z(events, expected):
    """Return z-scores of shares over axis 0 by the exact standard error."""
    return (events.mean(axis=0) - expected) / np.sqrt(expected * (1 - expected) / len(events))


def quantile_z(values, quantiles, q):
    """Return z-scores of the shares of values below exact quantiles, (R, B), (B,), -> (B,)."""
    return share_z(values < quantiles, np.broadcast_to(q, quantiles.shape))


STABLE = [
    {"name": "replace", "n_samples": SIZES},
    {"name": "accumulate", "n_samples": SIZES, "keep_real": True},
    {"name": "accumulate", "n_samples": SIZES, "keep_real": False},
    {"name": "mix", "n_samples": SIZES, "n_real": [0, 3, 5, 1, 0, 4], "real": "fresh"},
    {"name": "mix", "n_samples": SIZES, "n_real": 5, "real": "fixed"},
]


@pytest.mark.parametrize("workflow", STABLE, ids=lambda workflow: "-".join(map(str, workflow.values())))
@pytest.mark.parametrize("alpha", [0.7, 1.0, 1.6, 2.0])
def test_stable__scale_under_every_schedule(alpha, workflow):
    # 6 x 3 comparisons for each case. The median and two quantiles of the absolute error.
    error = np.abs(run("stable_mean", workflow, 6, {"alpha": alpha, "scale": 3.0})["error"])[:, 1:]
    keep = [0, 0, 1, 1, 1, 1] if workflow.get("keep_real") is False else int(workflow["name"] == "accumulate")
    n_real, real = workflow.get("n_real", 0), workflow.get("real", "fresh")
    scale = 3 * stable_mean_scale(alpha, SIZES, n_real, keep, real)[1:]
    for q in (0.2, 0.5, 0.9):
        assert not reject(quantile_z(error, scale * stable_quantile(alpha, q), q))
    assert reject(quantile_z(error, 1.1 * scale * stable_quantile(alpha, 0.5), 0.5))
    assert reject(quantile_z(error, scale * stable_quantile(1.1 * alpha if alpha < 2 else 1.7, 0.9), 0.9))


@pytest.mark.parametrize("alpha", [0.7, 1.0, 1.5])
@pytest.mark.parametrize("workflow", ["replace", "accumulate"])
def test_stable__factor(alpha, workflow):
    # 60 comparisons for each case: the median of the absolute error.
    keys = ACCUMULATE if workflow == "accumulate" else {"name": "replace", "n_samples": 20}
    error = np.abs(run("stable_mean", keys, 60, {"alpha": alpha})["error"])[:, 1:]
    first, k = 20 ** (1 / alpha - 1) * stable_quantile(alpha, 0.5), np.arange(1, 61)
    assert not reject(quantile_z(error, first * stable_mean_factor(alpha, k, workflow), 0.5))
    assert reject(quantile_z(error, first * stable_mean_factor(0.95 * alpha, k, workflow), 0.5))


def test_stable__limit():
    # One comparison: the sum beyond generation 200 is below 1e-3 of the limit for alpha = 1.9.
    keys = {"name": "accumulate", "n_samples": 5, "keep_real": True}
    error = np.abs(run("stable_mean", keys, 200, {"alpha": 1.9})["error"])[:, -1:]
    median = np.array([5 ** (1 / 1.9 - 1) * stable_quantile(1.9, 0.5)])
    assert not reject(quantile_z(error, median * stable_mean_limit(1.9), 0.5))
    assert reject(quantile_z(error, median * stable_mean_limit(1.6), 0.5))


@pytest.mark.parametrize("name", ["replace", "accumulate"])
def test_exponential__moments(name):
    # 6 x 2 comparisons for each case.
    keys = {"name": name, "n_samples": SIZES} | ({"keep_real": True} if name == "accumulate" else {})
    error = np.expm1(run("exponential_mean", keys, 6, {"mean": 5.0})["log_ratio"])[:, 1:]
    keep = int(name == "accumulate")
    for order in (1, 2, 3):
        expected = exponential_mean_moments(SIZES, keep, order)[1:]
        assert not reject(z_scores(error**order, expected))
    assert reject(z_scores(error**2, exponential_mean_moments(SIZES, 1 - keep)[1:]))


def test_exponential__mean_square():
    # 100 comparisons, and that of the limit, which is 5e-4 above the value of generation 100.
    ratio = np.exp(run("exponential_mean", ACCUMULATE, 100)["log_ratio"])
    k = np.arange(101)
    assert not reject(z_scores(ratio**2, exponential_mean_square(20, k, "accumulate")))
    assert not reject(z_scores(ratio[:, -1] ** 2, exponential_mean_square_limit(20)))
    assert reject(z_scores(ratio**2, exponential_mean_square(17, k, "accumulate")))
    assert reject(z_scores(ratio[:, -1] ** 2, exponential_mean_square_limit(17)))


@pytest.mark.parametrize("name", ["replace", "accumulate"])
def test_error_ratio__many_samples(name):
    # 9 comparisons for each case. With 10^8 points the error of the asymptotic law is far below a standard error.
    keys = {**ACCUMULATE, "n_samples": 10**8} if name == "accumulate" else {"name": name, "n_samples": 10**8}
    error = np.abs(run("exponential_mean", keys, 100)["theta_error"])
    for t in (2, 10, 100):
        factor = (1 / np.arange(1, t + 1) ** 2).sum() if name == "accumulate" else t
        q = np.array([0.25, 0.5, 0.9])
        ratio = (error[:, t] / error[:, 1])[:, None]
        assert not reject(quantile_z(ratio, error_ratio_quantile(q, factor), q))
        assert reject(quantile_z(ratio, error_ratio_quantile(q, 1.2 * factor), q))


def test_uniform__moments():
    # 6 x 2 comparisons.
    log_ratio = run("uniform_maximum", {"name": "replace", "n_samples": SIZES}, 6, {"theta": 2.0})["log_ratio"]
    error, k = -np.expm1(log_ratio), np.arange(7)
    for order in (1, 2):
        assert not reject(z_scores(error**order, uniform_maximum_moments(SIZES, k, order)))
        assert reject(z_scores(error**order, uniform_maximum_moments([n + 1 for n in SIZES], k, order)))
    # Where data accumulate the error is that of the first fit for ever.
    kept = -np.expm1(run("uniform_maximum", ACCUMULATE, 50)["log_ratio"])
    assert (kept[:, 1:] == kept[:, 1:2]).all()
    assert not reject(z_scores(kept[:, -1] ** 2, uniform_maximum_moments(20, 1, 2)))


@pytest.mark.parametrize("n", [10**4, 10**13])
def test_hidden_interval__second_fit(n):
    # 4 comparisons for each case.
    metrics = run("hidden_interval", {**ACCUMULATE, "n_samples": n}, 2)
    y = 2 * n * metrics["total_variation"][:, 1]
    s = np.array([0.3, 1.0, 4.0])
    assert not reject(z_scores(np.exp(-s * y[:, None] / 4), hidden_interval_transform(s)))
    assert reject(z_scores(np.exp(-s * y[:, None] / 4), hidden_interval_transform(1.1 * s)))
    collapsed = metrics["collapsed"][:, 2]
    assert not reject(share_z(collapsed, hidden_interval_collapse()))
    assert reject(share_z(collapsed, 1.1 * hidden_interval_collapse()))
    # In these runs the distance is 1/4.
    assert (metrics["total_variation"][:, 2][collapsed > 0] == 0.25).all()


@pytest.mark.parametrize("n", [1, 3, 100, 10**13])
def test_uniform_levels__time_to_collapse(n):
    # 30 comparisons for each case.
    t = np.arange(1, 31)
    alive = 1 - run("uniform_levels", {**ACCUMULATE, "n_samples": n}, 31)["collapsed"][:, 2:]
    assert not reject(share_z(alive, uniform_levels_not_collapsed(n, t)))
    assert reject(share_z(alive, uniform_levels_not_collapsed(n, t + 1)))
    if n > 10**6:
        assert not reject(share_z(alive, uniform_levels_limit(t)))
        assert reject(share_z(alive, uniform_levels_limit(t + 1)))
