"""Weighted means of two fits, against NumPy fits to the same samples, and the law of the fits that need no samples."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.workflows import Accumulate, Mix
from fastcollapse.kernels.random.streams import (
    PURPOSE_DESIGN,
    PURPOSE_FIXED_REAL,
    PURPOSE_REAL,
    PURPOSE_SYNTHETIC,
    span_of,
)
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.designs import GAUSSIAN, RADEMACHER, REDUCED
from fastcollapse.kernels.regression.generator_pooled import FixedData, Pools, Refit
from fastcollapse.kernels.regression.generator_weighted import (
    FitLaw,
    WeightedSchedule,
    draw_real_fits,
    follow_weighted,
    refit_weighted,
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

# Fewer than 30 goodness-of-fit tests in this file, 4e-6 each: 1.2e-4 in all.
P_LIMIT = 4e-6
# Rows drawn at a time by the kernel: fewer than in some generations.
N_ROWS = 5
WEIGHTS = (0.3, 0.6, 1.0, 0.0, 0.8)
WORKFLOWS = {
    "fresh": Mix(n_samples=3, n_real=7, real="fresh", weight=WEIGHTS),
    "fixed": Mix(n_samples=9, n_real=6, real="fixed", weight=0.4),
    "few fixed": Mix(n_samples=6, n_real=2, real="fixed", weight=0.4),
    "sometimes": Mix(n_samples=6, n_real=[0, 3, 0, 1, 9], real="fresh", weight=WEIGHTS),
    "accumulate": Accumulate(n_samples=3, keep_real=True, weight=0.4),
}


def weighted(schedule):
    return WeightedSchedule(kernel_schedule(schedule).n_kept, schedule.n_synthetic, schedule.n_real, schedule.weight)


@pytest.mark.parametrize("law", [REDUCED, GAUSSIAN, RADEMACHER])
@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=WORKFLOWS)
def test_refit_weighted__is_the_mean_of_two_fits(workflow, ridge, same, law):
    schedule, design, n_replicates = workflow.schedule(N_GENERATIONS, None), design_of(law), 2
    compiled, refit = weighted(schedule), Refit(0.5, 0.8, ridge, TRUTH, N_ROWS)
    fixed = batches_of(design, int(schedule.n_synthetic.max()) * same, PURPOSE_DESIGN, TRUTH, 0.0, n_replicates)
    n_real = int(schedule.n_real[0]) if schedule.real == "fixed" else 0
    real = batches_of(design, n_real, PURPOSE_FIXED_REAL, TRUTH, refit.real_noise, n_replicates)
    kept = n_replicates if schedule.keep[1:].any() else 0
    now = np.tile(TRUTH, (n_replicates, 1))
    pools = Pools(now, np.zeros((kept, DIMENSION, DIMENSION)), np.zeros((kept, DIMENSION)), np.zeros(kept, np.int64))
    out = np.empty((n_replicates, N_GENERATIONS, DIMENSION))
    # In blocks.
    for first, length in ((1, 2), (3, 3)):
        part = np.empty((n_replicates, length, DIMENSION))
        refit_weighted(
            pools, design, FixedData(fixed.rows, real.rows, real.labels), compiled, refit, normal_table(),
            span_of(key(), first, length, 2), part,
        )  # fmt: skip
        out[:, first - 1 : first - 1 + length] = part
    for replicate in range(n_replicates):
        streams, pool, weights = Streams(design, replicate), [], TRUTH
        for t in range(N_GENERATIONS):
            n, m = schedule.n_synthetic[t], schedule.n_real[t]
            pool = pool if schedule.keep[t] else []
            streams.open(t + 1, PURPOSE_SYNTHETIC)
            if n and same:
                pool.append(streams.labelled(fixed.rows[replicate], weights, refit.synthetic_noise))
            elif n:
                pool.append(streams.sample(n, weights, refit.synthetic_noise, N_ROWS))
            parts = [fit(pool, ridge, compiled.n_kept[t] + n)] if pool else []
            w = schedule.weight[t] if pool and m else float(m > 0)
            if n_real:
                parts.append(fit([(real.rows[replicate], real.labels[replicate])], ridge, m))
            elif m:
                streams.open(t + 1, PURPOSE_REAL)
                parts.append(fit([streams.sample(m, TRUTH, refit.real_noise, N_ROWS)], ridge, m))
            expected = (1 - w) * parts[0] + w * parts[-1]
            np.testing.assert_allclose(out[replicate, t], expected, rtol=1e-6, atol=1e-8 * np.abs(expected).max())
            # The next step starts at the weights of the kernel, so that rounding does not accumulate.
            weights = out[replicate, t]


def followed(schedule, spectrum, truth, n_replicates=4000, blocks=((1, 5),)):
    """Return the weights by the law of both parts, float64 (R, T, d), and the fits to fixed real data."""
    law = FitLaw(spectrum, truth, 0.5, 0.8)
    fits = np.empty((n_replicates if schedule.real == "fixed" else 0, len(truth)))
    draw_real_fits(law, int(schedule.n_real[0]), normal_table(), key(), fits)
    now, parts = np.tile(truth, (n_replicates, 1)), []
    for first, length in blocks:
        parts.append(np.empty((n_replicates, length, len(truth))))
        span = span_of(key(), first, length, 2)
        follow_weighted(now, fits, law, weighted(schedule), normal_table(), span, parts[-1])
    return np.concatenate(parts, axis=1), fits


@pytest.mark.parametrize(("n", "m"), [(9, 7), (2, 7), (9, 1)])
@pytest.mark.parametrize("real", ["fresh", "fixed"])
def test_follow_weighted__has_the_law_of_rows(n, m, real):
    workflow = Mix(n_samples=n, n_real=m, real=real, weight=0.4)
    schedule = workflow.schedule(N_GENERATIONS, None)
    spectrum = SPECTRUM if min(n, m) >= DIMENSION else np.full(DIMENSION, 0.5)
    got, _ = followed(schedule, spectrum, TRUTH)
    rng, n_replicates = np.random.default_rng(3), 1000

    def fits(weights, size, sigma):
        x = rng.standard_normal((n_replicates, size, DIMENSION)) * np.sqrt(spectrum)
        y = np.einsum("rni,ri->rn", x, weights) + sigma * rng.standard_normal((n_replicates, size))
        return np.einsum("rin,rn->ri", np.linalg.pinv(x), y)

    truth = np.tile(TRUTH, (n_replicates, 1))
    now, of_real = truth, fits(truth, m, 0.8)
    for t in range(N_GENERATIONS):
        of_real = fits(truth, m, 0.8) if real == "fresh" else of_real
        now = 0.4 * of_real + 0.6 * fits(now, n, 0.5)
        if t in (0, N_GENERATIONS - 1):
            for part in (lambda w: ((w - TRUTH) ** 2).sum(-1), lambda w: w[..., 0]):
                assert stats.ks_2samp(part(got[:, t]), part(now)).pvalue > P_LIMIT
    # Negative control: errors that are larger by half.
    error = 1.5 * ((got[:, -1] - TRUTH) ** 2).sum(-1)
    assert stats.ks_2samp(error, ((now - TRUTH) ** 2).sum(-1)).pvalue < P_LIMIT


def test_follow_weighted__does_not_depend_on_blocks():
    for real in ("fresh", "fixed"):
        schedule = Mix(n_samples=9, n_real=6, real=real, weight=WEIGHTS).schedule(N_GENERATIONS, None)
        expected, fits = followed(schedule, SPECTRUM, TRUTH, 7)
        for blocks in (((1, 2), (3, 3)), ((1, 1), (2, 4))):
            np.testing.assert_array_equal(followed(schedule, SPECTRUM, TRUTH, 7, blocks)[0], expected)
        if real == "fixed":  # the third generation has all weight on the real data
            np.testing.assert_array_equal(expected[:, 2], fits)


def test_follow_weighted__without_real_data_is_the_synthetic_fit():
    schedule = Mix(n_samples=9, n_real=[0, 3, 0, 6, 6], real="fresh", weight=0.0).schedule(N_GENERATIONS, None)
    other = Mix(n_samples=9, n_real=[0, 6, 0, 3, 3], real="fresh", weight=0.0).schedule(N_GENERATIONS, None)
    isotropic = np.full(DIMENSION, 0.5)
    np.testing.assert_array_equal(followed(schedule, isotropic, TRUTH, 5)[0], followed(other, isotropic, TRUTH, 5)[0])
