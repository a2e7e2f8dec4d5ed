"""Hidden interval: fit against the likelihood, gaps of large samples, bits, and the absorbed state."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.config.workflows import Accumulate, Replace
from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.streams import STREAM_WORDS, open_stream
from fastcollapse.models.base import ModelBlock, compute_metrics
from fastcollapse.models.hidden_interval.kernels import N_GAPS, NO_GAP, draw_gaps, fit, merge_gaps
from fastcollapse.models.hidden_interval.metrics import METRICS
from fastcollapse.models.hidden_interval.model import MODEL
from tests.models._block_runs import IDS, WORKFLOWS, assert_bits_are_reproducible, run
from tests.naive import hidden_interval as naive

SERVED = [(name, one) for name, one in zip(IDS, WORKFLOWS, strict=True) if name not in ("subsample", "bootstrap")]


def model(workflow, n_generations):
    return MODEL(None, None, workflow.schedule(n_generations, None))


@kernel
def fill(a, n, seed, out):
    stream = np.empty(STREAM_WORDS, np.uint64)
    for replicate in range(out.shape[0]):
        open_stream(seed, replicate, 0, 0, 1, stream)
        draw_gaps(a, n, stream, out[replicate])


def sorted_gaps(points):
    """Return the gaps of points in [0, 1] as the kernels keep them."""
    gaps = np.full(N_GAPS, NO_GAP)
    found = np.sort(1 - points)[:N_GAPS]
    gaps[: len(found)] = found
    return gaps


@pytest.mark.parametrize("n", [1, 2, 7, 40, 300])
def test_fit__maximises_the_likelihood(n):
    rng = np.random.default_rng(n)
    for power in (1.0, 0.2, 4.0):
        points = rng.random(n) ** power
        got = fit(float(n), 0.0, sorted_gaps(points))
        expected, _ = naive.fit(points)
        np.testing.assert_allclose(got, expected, rtol=1e-12)
        # No other a has a higher likelihood.
        level = naive.log_likelihood(got, 2.0, points)
        assert all(naive.log_likelihood(a, 2.0, points) <= level + 1e-9 for a in np.linspace(1e-6, 0.25, 200))
    assert fit(float(n), 1.0, sorted_gaps(points)) == 0.25


@pytest.mark.parametrize(("n", "a"), [(5, 0.2), (400, 0.1), (400, 0.0), (10**15, 3e-15)])
def test_gaps__are_order_statistics(n, a):
    # 4 x 3 tests, 1e-6 each, of the distribution function of the gap at the i-th largest point.
    gaps = np.empty((20_000, N_GAPS))
    fill(a, n, np.uint64(5), gaps)
    stored = min(n, N_GAPS)
    assert (np.diff(gaps[:, :stored], axis=1) >= 0).all()
    assert (gaps[:, stored:] == NO_GAP).all()
    inside, density = 1 - a / 2, (1 - 1.5 * a) / (1 - 2 * a)
    mass = np.where(gaps <= 2 * a, gaps / 2, a + (gaps - 2 * a) * density) / inside
    for i in {0, 1, stored - 1}:
        law = stats.beta(i + 1, n - i)
        assert stats.kstest(mass[:, i], law.cdf).pvalue > 1e-6
        assert stats.kstest(1.05 * mass[:, i], law.cdf).pvalue < 1e-6 or n < 10


def test_merge__keeps_the_smallest_gaps():
    rng = np.random.default_rng(1)
    for n, m in ((0, 3), (50, 100), (300, 300)):
        first, second = rng.random(n), rng.random(m)
        gaps = sorted_gaps(first)
        merge_gaps(gaps, sorted_gaps(second), np.empty(N_GAPS))
        np.testing.assert_array_equal(gaps, sorted_gaps(np.concatenate([first, second])))


@pytest.mark.parametrize("workflow", [one for _, one in SERVED], ids=[name for name, _ in SERVED])
def test_bits__do_not_depend_on_blocks_or_threads(workflow):
    assert_bits_are_reproducible(lambda: model(workflow, 9))


def test_accumulate__a_collapsed_model_stays_collapsed():
    found = run(model(Accumulate(1000, keep_real=True), 20), 500, 20)["total_variation"]
    is_collapsed = found == 0.25
    assert 50 < is_collapsed[:, -1].sum() < 500
    assert (np.diff(is_collapsed.astype(int)) >= 0).all()


def test_replace__of_few_points_may_recover():
    found = run(model(Replace(3), 200), 200, 200)["total_variation"]
    assert (np.diff((found == 0.25).astype(int)) < 0).any()
    assert ((found > 0) & (found <= 0.25)).all()


def test_metrics__equal_their_definitions():
    block = ModelBlock({"total_variation": np.array([[0.0, 0.1, 0.11, 0.25]])})
    got = compute_metrics(METRICS, block, None, METRICS)
    np.testing.assert_array_equal(got["collapsed"], [[0, 0, 1, 1]])
    np.testing.assert_array_equal(got["total_variation"], block.states["total_variation"])
