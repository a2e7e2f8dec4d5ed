"""Fits of pooled chains, against NumPy least squares on the same samples, and their laws."""

import itertools

import numpy as np
import pytest
from scipy import stats

from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.workflows import Accumulate, Mix, Replace
from fastcollapse.kernels.random.streams import (
    PURPOSE_DESIGN,
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SYNTHETIC,
    span_of,
)
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.designs import GAUSSIAN, RADEMACHER, REDUCED, ROWS, UNIFORM
from fastcollapse.kernels.regression.generator_pooled import (
    Batches,
    FixedData,
    Pools,
    Refit,
    refit_fixed,
    refit_pools,
)
from tests._regression_samples import (
    DIMENSION,
    N_GENERATIONS,
    SPECTRUM,
    TRUTH,
    Streams,
    batches_of,
    design_of,
    fit,
    key,
)

# About 25 goodness-of-fit tests in this file, 4e-6 each: 1e-4 in all.
P_LIMIT = 4e-6
# Rows drawn at a time by the kernel: fewer than in some generations.
N_ROWS = 5

WORKFLOWS = {
    "few": Replace(n_samples=3),
    "as many": Replace(n_samples=4),
    "growing": Replace(n_samples={"start": 2, "step": 1}),
    "accumulate": Accumulate(n_samples=3, keep_real=True),
    "one more": Accumulate(n_samples=1, keep_real=True),
    "dropped": Accumulate(n_samples=2, keep_real=False),
    "fresh": Mix(n_samples=3, n_real=2, real="fresh"),
    "fixed": Mix(n_samples=2, n_real=5, real="fixed"),
    "few fixed": Mix(n_samples=1, n_real=1, real="fixed"),
    "sometimes": Mix(n_samples=2, n_real=[0, 3, 0, 1, 9], real="fresh"),
}


@pytest.mark.parametrize("law", [REDUCED, GAUSSIAN, RADEMACHER, ROWS])
@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS)
def test_refit_pools__every_fit_solves_normal_equations(workflow, ridge, same, law):
    schedule, design, n_replicates = workflow.schedule(N_GENERATIONS, None), design_of(law), 2
    if same and (schedule.n_synthetic != schedule.n_synthetic[0]).any():
        pytest.skip("the same inputs are as many in every generation")
    compiled, refit = kernel_schedule(schedule), Refit(0.5, 0.8, ridge, TRUTH, N_ROWS)
    fixed = batches_of(design, int(schedule.n_synthetic[0]) * same, PURPOSE_DESIGN, TRUTH, 0.0, n_replicates)
    n_real = int(schedule.n_real[0]) if schedule.real == "fixed" else 0
    real = batches_of(design, n_real, PURPOSE_FIXED_REAL, TRUTH, refit.real_noise, n_replicates)
    kept = n_replicates if schedule.keep[1:].any() else 0
    now = np.tile(TRUTH, (n_replicates, 1))
    pools = Pools(now, np.zeros((kept, DIMENSION, DIMENSION)), np.zeros((kept, DIMENSION)), np.zeros(kept, np.int64))
    out = np.empty((n_replicates, N_GENERATIONS, DIMENSION))
    # In blocks.
    for first, length in ((1, 2), (3, 3)):
        part = np.empty((n_replicates, length, DIMENSION))
        refit_pools(
            pools, design, FixedData(fixed.rows, real.rows, real.labels), compiled, refit, normal_table(),
            span_of(key(), first, length, 2), part,
        )  # fmt: skip
        out[:, first - 1 : first - 1 + length] = part
    for replicate in range(n_replicates):
        streams, pool, weights = Streams(design, replicate), [], TRUTH
        for t in range(N_GENERATIONS):
            pool = pool if schedule.keep[t] else []
            streams.open(t + 1, PURPOSE_SYNTHETIC)
            if same:
                pool.append(streams.labelled(fixed.rows[replicate], weights, refit.synthetic_noise))
            else:
                pool.append(streams.sample(schedule.n_synthetic[t], weights, refit.synthetic_noise, N_ROWS))
            used = list(pool)
            if n_real:
                used.append((real.rows[replicate], real.labels[replicate]))
            elif schedule.n_real[t]:
                streams.open(t + 1, PURPOSE_REAL)
                used.append(streams.sample(schedule.n_real[t], TRUTH, refit.real_noise, N_ROWS))
            n_samples = compiled.n_kept[t] + schedule.n_synthetic[t] + schedule.n_real[t]
            expected = fit(used, ridge, n_samples)
            np.testing.assert_allclose(out[replicate, t], expected, rtol=1e-6, atol=1e-8 * np.abs(expected).max())
            # The next step starts at the weights of the kernel, so that rounding does not accumulate.
            weights = out[replicate, t]


@pytest.mark.parametrize(
    ("law", "n"), [(REDUCED, 2), (REDUCED, 4), (REDUCED, 9), (UNIFORM, 9), (ROWS, 7), (RADEMACHER, 3)]
)
@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("workflow", [Replace, Accumulate], ids=["replace", "accumulate"])
def test_refit_fixed__every_fit_solves_normal_equations(workflow, ridge, law, n):
    design, n_replicates = design_of(law), 2
    schedule = (workflow(n_samples=n) if workflow is Replace else workflow(n_samples=n, keep_real=False)).schedule(
        N_GENERATIONS, None
    )
    rounds = kernel_schedule(schedule).n_kept // n + 1
    batches = batches_of(design, n, PURPOSE_DESIGN, TRUTH, 0.0, n_replicates)
    now, out = np.tile(TRUTH, (n_replicates, 1)), np.empty((n_replicates, N_GENERATIONS, DIMENSION))
    moving = Batches(batches.rows, np.zeros_like(batches.labels))
    for first, length in ((1, 2), (3, 3)):
        part = np.empty((n_replicates, length, DIMENSION))
        refit_fixed(
            now, moving, rounds, Refit(0.5, 0.8, ridge * n, TRUTH, N_ROWS), normal_table(),
            span_of(key(), first, length, 2), part,
        )  # fmt: skip
        out[:, first - 1 : first - 1 + length] = part
    for replicate in range(n_replicates):
        streams, pool, weights, rows = Streams(design, replicate), [], TRUTH, batches.rows[replicate]
        for t in range(N_GENERATIONS):
            pool = pool if schedule.keep[t] else []
            streams.open(t + 1, PURPOSE_SYNTHETIC)
            pool.append(streams.labelled(rows, weights, 0.5))
            expected = fit(pool, ridge, n * len(pool))
            np.testing.assert_allclose(out[replicate, t], expected, rtol=1e-6, atol=1e-8 * np.abs(expected).max())
            weights = out[replicate, t]


def fixed_errors(workflow, n, n_generations, d, n_replicates=10_000):
    """Return |w - w0|^2 in the norm of Sigma over sigma^2 for fixed inputs, float64 (R, T)."""
    design, truth = design_of(REDUCED, d), TRUTH[:d]
    batches = batches_of(design, n, PURPOSE_DESIGN, truth, 0.0, n_replicates, d)
    compiled = kernel_schedule(workflow.schedule(n_generations, None))
    now, out = np.tile(truth, (n_replicates, 1)), np.empty((n_replicates, n_generations, d))
    refit_fixed(
        now, Batches(batches.rows, np.zeros_like(batches.labels)), compiled.n_kept // n + 1,
        Refit(0.5, 0.5, 0.0, truth, N_ROWS), normal_table(), span_of(key(), 1, n_generations, 2), out,
    )  # fmt: skip
    return (out - truth) ** 2 @ SPECTRUM[:d] / 0.25


@pytest.mark.parametrize(("d", "n"), [(1, 1), (1, 4), (3, 3), (3, 4), (4, 12)])
def test_same_inputs__have_law_of_one_fit_with_more_noise(d, n):
    n_generations, degrees = 4, n - d + 1
    squares = {
        "replace": (Replace(n_samples=n), np.arange(1, n_generations + 1.0)),
        "accumulate": (Accumulate(n_samples=n, keep_real=True), np.cumsum(np.arange(1.0, n_generations + 1) ** -2)),
    }
    for (workflow, factor), t in itertools.product(squares.values(), (0, n_generations - 1)):
        error = fixed_errors(workflow, n, n_generations, d)[:, t] / factor[t]
        assert stats.kstest(error * degrees / d, stats.f(d, degrees).cdf).pvalue > P_LIMIT
        # Negative control: one degree of freedom more.
        assert stats.kstest(error * (degrees + 1) / d, stats.f(d, degrees + 1).cdf).pvalue < P_LIMIT


def test_fresh_inputs__have_law_of_least_squares():
    """The general path (normal equations) and the short path, at and above as many samples as inputs."""
    d, n_replicates = 3, 10_000
    for n in (3, 4, 9):
        compiled = kernel_schedule(Replace(n_samples=n).schedule(1, None))
        now, out = np.tile(TRUTH[:d], (n_replicates, 1)), np.empty((n_replicates, 1, d))
        pools = Pools(now, np.zeros((0, d, d)), np.zeros((0, d)), np.zeros(0, np.int64))
        nothing = FixedData(np.empty((0, 0, d)), np.empty((0, 0, d)), np.empty((0, 0)))
        design = design_of(REDUCED, d)
        refit_pools(
            pools, design, nothing, compiled, Refit(0.5, 0.8, 0.0, TRUTH[:d], 8), normal_table(),
            span_of(key(), 1, 1, 2), out,
        )  # fmt: skip
        error, degrees = (out[:, 0] - TRUTH[:d]) ** 2 @ SPECTRUM[:d] / 0.25, n - d + 1
        assert stats.kstest(error * degrees / d, stats.f(d, degrees).cdf).pvalue > P_LIMIT
        assert stats.kstest(error * (degrees + 1) / d, stats.f(d, degrees + 1).cdf).pvalue < P_LIMIT
