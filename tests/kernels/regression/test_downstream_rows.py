"""Predictors trained on raw rows, against the NumPy fit to the same rows, drawn again from the same streams."""

import numpy as np
import pytest

from fastcollapse.kernels.random.streams import STREAM_WORDS, StreamKey
from fastcollapse.kernels.random.ziggurat import normal_table, ziggurat
from fastcollapse.kernels.regression.designs import (
    GAUSSIAN,
    RADEMACHER,
    ROWS,
    STUDENT,
    UNIFORM,
    Design,
    Sampler,
    draw_rows,
)
from fastcollapse.kernels.regression.downstream_gaussian import Downstream, Generators, open_downstream
from fastcollapse.kernels.regression.downstream_rows import evaluate_rows
from fastcollapse.kernels.regression.ridge_path import N_COLUMNS, RegressionTruth

pytestmark = pytest.mark.usefixtures("one_blas_thread")

KEY = StreamKey(*np.array([11, 4, 0, 0], np.uint64))
SPECTRUM = np.array([2.0, 1.0, 0.5, 0.1])
TRUTH = RegressionTruth(SPECTRUM, np.array([1.0, -2.0, 0.5, 3.0]))
SIZES = np.array([3, 9])
RIDGES = np.array([[0.0, 0.2], [0.0, 5.0]])
SIGMA = 0.7
TABLE = np.array([[1.0, 0.5, 0.0, 2.0], [0.0, 1.0, 1.0, -1.0], [2.0, 0.0, 1.0, 0.3], [-1.0, 1.0, 0.5, 0.1]])
GENERATIONS = np.array([0, 7])
N_REPLICATES = 3


def design_of(law):
    return Design(np.int64(law), 5.0, np.sqrt(SPECTRUM), TABLE)


def weights_of():
    return TRUTH.w0 + np.random.default_rng(1).normal(size=(N_REPLICATES, len(GENERATIONS), 4))


def evaluated(law, n_threads, key=KEY):
    out = np.full((N_REPLICATES, len(GENERATIONS), len(SIZES), RIDGES.shape[1], N_COLUMNS), np.nan)
    downstream = Downstream(SIZES, RIDGES, SIGMA, True)
    evaluate_rows(
        Generators(weights_of(), GENERATIONS), TRUTH, design_of(law), downstream, normal_table(), key, n_threads, out
    )
    return out


def sample(law, replicate, generation, index):
    """Return the rows and noise of the streams."""
    n, streams = SIZES[index], np.empty((2, STREAM_WORDS), np.uint64)
    open_downstream(KEY, replicate, generation, index, streams)
    sampler = Sampler(np.empty(4, np.uint64), streams, np.empty((n, 4)), np.empty(0), np.empty(n))
    rows = np.empty((n, 4))
    draw_rows(design_of(law), n, normal_table(), sampler, rows)
    return rows, SIGMA * np.array([ziggurat(normal_table(), streams[0]) for _ in range(n)])


def columns(rows, noise, weights, ridge):
    """Return the output columns of one predictor, by their definition."""
    n = len(rows)
    if ridge:
        fit = np.linalg.inv(rows.T @ rows / n + ridge * np.eye(4)) @ rows.T / n
    else:
        fit = np.linalg.pinv(rows)
    w0 = TRUTH.w0
    parts = fit @ rows @ w0 - w0, fit @ noise, fit @ rows @ (weights - w0)
    error = sum(parts)
    squares = [part**2 @ SPECTRUM for part in (error, *parts)]
    return np.array([*squares, (error + w0) @ (error + w0), (error + w0) @ w0])


@pytest.mark.parametrize("law", [GAUSSIAN, RADEMACHER, UNIFORM, STUDENT, ROWS])
def test_evaluate_rows__fits_drawn_rows(law):
    got, weights = evaluated(law, 2), weights_of()
    for replicate, step, index in np.ndindex(N_REPLICATES, len(GENERATIONS), len(SIZES)):
        rows, noise = sample(law, replicate, GENERATIONS[step], index)
        for k, ridge in enumerate(RIDGES[index]):
            expected = columns(rows, noise, weights[replicate, step], ridge)
            np.testing.assert_allclose(got[replicate, step, index, k], expected, rtol=1e-9, atol=1e-12)
    # Negative control: the rows of another generation.
    wrong = columns(*sample(law, 0, 3, 1), weights[0, 0], RIDGES[1, 1])
    assert not np.allclose(got[0, 0, 1, 1], wrong, rtol=1e-3)


def test_evaluate_rows__does_not_depend_on_threads():
    np.testing.assert_array_equal(evaluated(STUDENT, 1), evaluated(STUDENT, 2))
    other = evaluated(STUDENT, 1, StreamKey(*np.array([12, 4, 0, 0], np.uint64)))
    assert (other != evaluated(STUDENT, 1))[..., 0].all()
