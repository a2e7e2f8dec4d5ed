"""Samples of a Zipf-Mandelbrot law without an array over symbols, against sums and samples over all symbols."""

import math

import numpy as np
import pytest
from scipy import stats

from fastcollapse.config.sections import ModelSection
from fastcollapse.config.workflows import Accumulate, Replace
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.count_spectrum import ZipfMandelbrotLaw
from fastcollapse.kernels.spectrum.law_sample import Law, range_sum
from fastcollapse.models.discrete.model import Discrete
from fastcollapse.models.discrete.spectrum_model import LABEL_FREE, SpectrumDiscrete
from tests._goodness_of_fit import two_sample_p, z_scores
from tests.models._block_runs import assert_same, run
from tests.naive import spectrum as naive

# About 40 comparisons in this file, 1e-6 each: 5 standard errors.
P_LIMIT = 1e-6
Z_LIMIT = 5.0


@pytest.mark.parametrize("a", [0.01, 0.7, 1.0, 1.0 + 1e-12, 1.3, 2.0, 7.5, 60.0, 1000.0])
@pytest.mark.parametrize("b", [-0.999, 0.0, 2.7, 1e6])
def test_range_sum__is_the_sum_over_the_range(a, b):
    for first, end in ((1, 2), (1, 40), (1, 20_001), (17, 18), (1000, 3000), (10**9, 10**9 + 50_000)):
        terms = [math.exp(-a * math.log1p((i - first) / (first + b))) for i in range(first, end)]
        assert range_sum(Law(a, b, 10**12), first, end) == pytest.approx(math.fsum(terms), rel=3e-14)


def test_range_sum__of_a_long_range():
    harmonic = math.log(1e12) + 0.57721566490153286 + 0.5e-12
    assert range_sum(Law(1.0, 0.0, 10**12), 1, 10**12 + 1) == pytest.approx(harmonic, rel=1e-15)
    assert range_sum(Law(2.0, 0.0, 10**12), 1, 10**12 + 1) == pytest.approx(math.pi**2 / 6 - 1e-12, rel=1e-15)


def law_model(a, b, size, n_samples, n_generations=1, record=("lost_mass",), workflow=None):
    workflow = workflow or Replace(n_samples=n_samples)
    return SpectrumDiscrete(
        ZipfMandelbrotLaw(a, b, size), ModelSection(), workflow.schedule(n_generations, None), record
    )


@pytest.mark.parametrize(
    ("a", "b", "size", "n_tokens"), [(1.0, 0.0, 5, 7), (1.5, 2.7, 40, 9), (0.5, -0.5, 30, 12), (3.0, 1.0, 10**6, 12)]
)
def test_sample__has_the_law_of_the_naive_twin(a, b, size, n_tokens):
    n_replicates = 3000
    model = law_model(a, b, size, n_tokens, record=("trajectory",))
    indptr, points = model.advance(model.initial(n_replicates, 1), 1, 1, 1).samples["spectrum"]
    got = np.array([hash(points[indptr[r] : indptr[r + 1]].tobytes()) for r in range(n_replicates)])

    def twins(a, seed):
        law = CategoricalDistribution.zipf_mandelbrot(a, b, min(size, 10_000))
        rng = np.random.default_rng(seed)
        draws = (rng.choice(law.support_size, n_tokens, p=law.probabilities) for _ in range(n_replicates))
        return np.array([hash(naive.spectrum(np.bincount(draw)).tobytes()) for draw in draws])

    assert two_sample_p(got, twins(a, 2)) > P_LIMIT
    assert two_sample_p(got, twins(1.6 * a, 3)) < P_LIMIT


@pytest.mark.parametrize(
    ("a", "b", "size", "n_tokens"),
    [
        (1.0, 2.7, 3000, 20_000),
        (1.0, 0.0, 20_000, 300_000),
        (1.2, 0.0, 50_000, 3000),
        (0.3, 0.0, 9000, 12_000),
        (0.01, 0.0, 8000, 1_200_000),
    ],
)
@pytest.mark.parametrize("record", [("lost_mass",), ()], ids=["lost mass", "label-free"])
def test_sample__has_the_law_of_single_symbols(a, b, size, n_tokens, record):
    """Chains, dense ranges by variates and by tokens, sparse ranges, and even ranges where no symbol is asked for."""
    n_replicates = 300
    got = run(law_model(a, b, size, n_tokens, record=record), n_replicates, 1, seed=3)

    def symbols(n_tokens):
        truth = CategoricalDistribution.zipf_mandelbrot(a, b, size)
        model = Discrete(truth, ModelSection(), Replace(n_samples=n_tokens).schedule(1, None))
        block = model.advance(model.initial(n_replicates, 4), 1, 1, 4)
        return model.measure(block, truth, (*LABEL_FREE, *record))

    expected, wrong = symbols(n_tokens), symbols(round(1.1 * n_tokens))
    for name, values in expected.items():
        assert stats.ks_2samp(got[name][:, 0], values[:, 0]).pvalue > P_LIMIT, name
    assert min(stats.ks_2samp(got[name][:, 0], wrong[name][:, 0]).pvalue for name in LABEL_FREE) < P_LIMIT


@pytest.mark.parametrize(
    ("a", "size", "n_tokens"), [(2.0, 10**12, 10**7), (1.0, 10**12, 10**4), (1.0, 10**9, 10**5), (3.0, 10**10, 10**12)]
)
def test_sample__of_huge_laws_has_the_expected_support_and_lost_mass(a, size, n_tokens):
    got = run(law_model(a, 0.0, size, n_tokens), 60, 1, seed=5)
    p, numbers = ZipfMandelbrotLaw(a, 0.0, size).classes()

    def expected(n_tokens):
        absent = np.exp(n_tokens * np.log1p(-p))
        return {"support_size": numbers @ -np.expm1(n_tokens * np.log1p(-p)), "lost_mass": numbers @ (p * absent)}

    for name in ("support_size", "lost_mass"):
        assert abs(z_scores(got[name][:, 0], expected(n_tokens)[name])) < Z_LIMIT, name
    assert abs(z_scores(got["support_size"][:, 0], expected(1.2 * n_tokens)["support_size"])) > Z_LIMIT


def test_law__continues_as_its_sample():
    """Generations after the first, resumed or not, and a pool that grows."""
    model = law_model(1.0, 0.0, 4000, 20_000, 4, record=())
    expected = run(model, 3, 4, seed=6)
    state = model.initial(3, 6)
    model.advance(state, 1, 2, 6)
    again = model.restore({name: values.copy() for name, values in state.arrays().items()}, 3, 6)
    got = model.advance(again, 3, 2, 6).metrics
    assert_same({name: got[name] for name in LABEL_FREE}, {name: expected[name][:, 2:] for name in LABEL_FREE})
    pool = run(
        law_model(1.0, 0.0, 4000, 0, 3, (), Accumulate(n_samples=5000, keep_real=False)), 2, 3, seed=7
    )  # the first sample is dropped
    assert (np.diff(pool["support_size"][:, 1:], axis=1) >= 0).all()
    truth = CategoricalDistribution.zipf_mandelbrot(1.0, 0.0, 4000)
    symbols = Discrete(truth, ModelSection(), Replace(n_samples=20_000).schedule(4, None))
    block = symbols.advance(symbols.initial(300, 8), 1, 4, 8)
    twin = symbols.measure(block, truth, LABEL_FREE)
    mine = run(model, 300, 4, seed=9)
    for name in LABEL_FREE:
        assert stats.ks_2samp(mine[name][:, 3], twin[name][:, 3]).pvalue > P_LIMIT
    assert stats.ks_2samp(mine["support_size"][:, 3], twin["support_size"][:, 2]).pvalue < P_LIMIT


def test_sample__short_lists_grow_and_change_no_bit():
    expected = run(law_model(0.4, 0.0, 40, 10**9), 3, 1, seed=1)
    model = law_model(0.4, 0.0, 40, 10**9)
    model._buffers.n_far = 1
    assert_same(run(model, 3, 1, seed=1), expected)
    assert model._buffers.n_far > 1
