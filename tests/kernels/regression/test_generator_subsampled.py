"""Fits to subsamples, against NumPy least squares on the same rows."""

import numpy as np
import pytest

from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.workflows import AccumulateSubsample
from fastcollapse.kernels.random.streams import (
    PURPOSE_DESIGN,
    PURPOSE_SUBSAMPLE,
    PURPOSE_SYNTHETIC,
    span_of,
    uniform_below,
)
from fastcollapse.kernels.random.subsample import choose_first
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.designs import GAUSSIAN, RADEMACHER, ROWS
from fastcollapse.kernels.regression.generator_pooled import Refit
from fastcollapse.kernels.regression.generator_subsampled import Samples, refit_rows
from tests._regression_samples import DIMENSION, N_GENERATIONS, TRUTH, Streams, batches_of, design_of, fit, key

WORKFLOWS = {
    "few": {"n_samples": 3},
    "many": {"n_samples": 12},
    "fewer": {"n_samples": 9, "n_train": 2},
    "growing": {"n_samples": 2, "n_train": {"start": 2, "step": 2}},
    "one": {"n_samples": 1, "n_train": 1},
    "dropped": {"n_samples": 6, "keep_real": False},
}


@pytest.mark.parametrize("law", [GAUSSIAN, RADEMACHER, ROWS])
@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("sizes", WORKFLOWS.values(), ids=WORKFLOWS)
def test_refit_rows__every_fit_solves_normal_equations(sizes, ridge, replacement, same, law):
    workflow = AccumulateSubsample(**{"keep_real": True, **sizes}, replacement=replacement)
    schedule, design, n_replicates = workflow.schedule(N_GENERATIONS, None), design_of(law), 2
    compiled, refit = kernel_schedule(schedule), Refit(0.5, 0.8, ridge, TRUTH, 5)
    n = int(schedule.n_synthetic[0])
    most = int((compiled.n_kept + compiled.n_synthetic).max())
    fixed = batches_of(design, n * same, PURPOSE_DESIGN, TRUTH, 0.0, n_replicates)
    inputs = fixed.rows if same else np.zeros((n_replicates, most, DIMENSION))
    samples = Samples(inputs, np.zeros((n_replicates, most)), np.zeros((n_replicates, most), np.int64), same)
    now, out = np.tile(TRUTH, (n_replicates, 1)), np.empty((n_replicates, N_GENERATIONS, DIMENSION))
    for first, length in ((1, 2), (3, 3)):
        part = np.empty((n_replicates, length, DIMENSION))
        refit_rows(
            now, samples, design, compiled, refit, normal_table(), span_of(key(), first, length, 2), part,
        )  # fmt: skip
        out[:, first - 1 : first - 1 + length] = part
    n_repeated = 0
    for replicate in range(n_replicates):
        streams, weights, order = Streams(design, replicate), TRUTH, np.zeros(most, np.int64)
        x, y = np.empty((0, DIMENSION)), np.empty(0)
        for t in range(N_GENERATIONS):
            if not schedule.keep[t]:
                x, y = x[:0], y[:0]
            streams.open(t + 1, PURPOSE_SYNTHETIC)
            rows, labels = streams.labelled(fixed.rows[replicate] if same else streams.rows(n), weights, 0.5)
            order[len(x) : len(x) + n] = np.arange(len(x), len(x) + n)
            x, y = np.concatenate([x, rows]), np.concatenate([y, labels])
            streams.open(t + 1, PURPOSE_SUBSAMPLE)
            size, stream = int(schedule.n_train[t]), streams.sampler.streams[0]
            if replacement:
                chosen = np.array([order[uniform_below(len(x), stream)] for _ in range(size)])
            else:
                choose_first(order, len(x), size, stream)
                chosen = order[:size]
            n_repeated += len(np.unique(x[chosen], axis=0)) < size
            expected = fit([(x[chosen], y[chosen])], ridge, size)
            np.testing.assert_allclose(out[replicate, t], expected, rtol=1e-6, atol=1e-7 * np.abs(expected).max())
            weights = out[replicate, t]
    # Subsamples contain repeated rows with several labels.
    assert n_repeated > 0 or not (replacement or same) or max(sizes.get("n_train", 2), 0) == 1 or law == GAUSSIAN
