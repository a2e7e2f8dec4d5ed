"""Count spectra have the law of the counts of single symbols, under every workflow that they serve."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.config.sections import ModelSection
from fastcollapse.config.workflows import Accumulate, AccumulateSubsample, Mix, Replace
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.count_spectrum import CountSpectrum, ZipfMandelbrotLaw
from fastcollapse.errors import InputError
from fastcollapse.kernels.spectrum.rows import N_SUMS
from fastcollapse.models.discrete.model import Discrete
from fastcollapse.models.discrete.spectrum_model import LABEL_FREE, SpectrumDiscrete
from tests._goodness_of_fit import chi_square_p, two_sample_p
from tests.models._block_runs import assert_bits_are_reproducible, assert_same, run
from tests.naive import spectrum as naive

# About 100 comparisons in this file, 1e-6 each.
P_LIMIT = 1e-6
ZIPF = np.maximum(1, np.round(2000 / np.arange(1, 2001))).astype(np.int64)
TOTAL = int(ZIPF.sum())
WORKFLOWS = {
    "replace": Replace(n_samples=TOTAL),
    "growing": Replace(n_samples={"start": 9000, "step": 4000}),
    "accumulate": Accumulate(n_samples=TOTAL, keep_real=True),
    "dropped": Accumulate(n_samples=TOTAL // 2, keep_real=False),
    "fresh": Mix(n_samples=TOTAL // 2, n_real=TOTAL // 5, real="fresh"),
    "fixed": Mix(n_samples=TOTAL // 2, n_real=TOTAL, real="fixed"),
    "fixed sample": Mix(n_samples=TOTAL // 2, n_real=TOTAL // 5, real="fixed"),
}


def per_symbol(counts):
    return CategoricalDistribution(None, counts, counts / counts.sum(), "a test")


def law_of(probabilities):
    return CategoricalDistribution(None, None, np.asarray(probabilities, float), "a test")


def spectrum_model(truth, workflow, n_generations, record=()):
    return SpectrumDiscrete(truth, ModelSection(), workflow.schedule(n_generations, truth.total), record)


def symbols_metrics(truth, workflow, n_generations, n_replicates, seed):
    """Return the metrics of the per-symbol engine, name -> float64 (R, T)."""
    model = Discrete(truth, ModelSection(), workflow.schedule(n_generations, truth.total))
    state = model.initial(n_replicates, seed)
    block = model.advance(state, 1, n_generations, seed)
    return model.measure(block, truth, (*LABEL_FREE, "lost_mass"))


@pytest.mark.parametrize("n_tokens", [5, 6, 9])
def test_replace__law_of_partitions_is_that_of_an_enumeration(n_tokens):
    truth = CountSpectrum.from_counts(np.array([3, 2, 1]))
    model = spectrum_model(truth, Replace(n_samples=n_tokens), 1, ("trajectory",))
    n_replicates = 20_000
    block = model.advance(model.initial(n_replicates, 3), 1, 1, 3)
    indptr, points = block.samples["spectrum"]
    law = naive.partition_law((3, 2, 1), n_tokens)
    wrong = naive.partition_law((3, 3, 1), n_tokens)
    found = dict.fromkeys(law, 0)
    for r in range(n_replicates):
        values, numbers = points[indptr[r] : indptr[r + 1]].astype(int).T
        found[tuple(np.repeat(values, numbers).tolist())] += 1
    partitions = sorted(law)
    observed = np.array([found[one] for one in partitions])
    assert chi_square_p(observed, np.array([law[one] for one in partitions])) > P_LIMIT
    assert chi_square_p(observed, np.array([wrong[one] for one in partitions])) < P_LIMIT


@pytest.mark.parametrize("name", WORKFLOWS)
def test_law__is_that_of_single_symbols(name):
    n_replicates, n_generations = 400, 5
    spectra = spectrum_model(CountSpectrum.from_counts(ZIPF), WORKFLOWS[name], n_generations)
    got = run(spectra, n_replicates, n_generations, seed=11)
    expected = symbols_metrics(per_symbol(ZIPF), WORKFLOWS[name], n_generations, n_replicates, 12)
    for metric in LABEL_FREE:
        for t in (0, 4):
            mine, other = got[metric][:, t], expected[metric][:, t]
            if mine.std() == other.std() == 0.0:
                assert mine[0] == other[0]
                continue
            assert stats.ks_2samp(mine, other).pvalue > P_LIMIT, (metric, t)
            error = np.sqrt((mine.var() + other.var()) / n_replicates)
            assert abs(mine.mean() - other.mean()) < 5 * error, (metric, t)
    # One generation off, or several where the law hardly moves; other sizes where it does not move.
    wrong = expected
    if name == "fixed":
        other_sizes = Mix(n_samples=TOTAL, n_real=TOTAL, real="fixed")
        wrong = symbols_metrics(per_symbol(ZIPF), other_sizes, n_generations, n_replicates, 13)
    control = 4 if name == "fixed" else 3 if name in ("replace", "growing") else 0
    assert min(stats.ks_2samp(got[m][:, 4], wrong[m][:, control]).pvalue for m in LABEL_FREE) < P_LIMIT


def test_law__of_mix_is_not_that_of_the_other_form():
    fresh = run(spectrum_model(CountSpectrum.from_counts(ZIPF), WORKFLOWS["fresh"], 5), 200, 5, seed=1)
    fixed = symbols_metrics(per_symbol(ZIPF), WORKFLOWS["fixed sample"], 5, 200, 2)
    assert stats.ks_2samp(fresh["support_size"][:, 4], fixed["support_size"][:, 4]).pvalue < P_LIMIT


SMALL = (7, 5, 4, 3, 2, 2, 1, 1, 1, 1, 1, 1)
SMALL_WORKFLOWS = {
    "replace": Replace(n_samples=12),
    "one token": Replace(n_samples=1),
    "accumulate": Accumulate(n_samples=12, keep_real=True),
    "dropped": Accumulate(n_samples=12, keep_real=False),
    "fresh": Mix(n_samples=12, n_real=5, real="fresh"),
    "fixed": Mix(n_samples=12, n_real=sum(SMALL), real="fixed"),
    "fixed sample": Mix(n_samples=12, n_real=5, real="fixed"),
}


FOLLOWED = {"plain": (), "groups": ("survival",), "classes": ("survival", "lost_mass")}
TWINS = [
    pytest.param(name, record, False, id=f"{name} {how}")
    for name in SMALL_WORKFLOWS
    for how, record in FOLLOWED.items()
]
# A law has no counts.
TWINS += [
    pytest.param(name, (), True, id=f"{name} law") for name in SMALL_WORKFLOWS if name not in ("accumulate", "fixed")
]


@pytest.mark.parametrize(("name", "record", "is_law"), TWINS)
def test_law__is_that_of_the_naive_twin(name, record, is_law):
    counts, workflow, n_generations, n_replicates = np.array(SMALL), SMALL_WORKFLOWS[name], 3, 1500
    truth = law_of(counts / counts.sum()) if is_law else CountSpectrum.from_counts(counts)
    model = spectrum_model(truth, workflow, n_generations, (*record, "trajectory"))
    block = model.advance(model.initial(n_replicates, 5), 1, n_generations, 5)
    indptr, points = block.samples["spectrum"]
    rng = np.random.default_rng(6)
    corpus = None if is_law else np.repeat(np.arange(len(counts)), counts)
    schedule = workflow.schedule(n_generations, truth.total)
    twins = [naive.simulate(counts / counts.sum(), corpus, schedule, rng) for _ in range(n_replicates)]
    for t in (0, 2):
        mine = np.array(
            [
                hash(points[indptr[row] : indptr[row + 1]].tobytes())
                for row in range(t * n_replicates, (t + 1) * n_replicates)
            ]
        )
        other = np.array([hash(naive.spectrum(twin[t]).tobytes()) for twin in twins])
        assert two_sample_p(mine, other) > P_LIMIT, t
        if name in ("replace", "dropped") and t == 2:
            first = np.array([hash(naive.spectrum(twin[0]).tobytes()) for twin in twins])
            assert two_sample_p(mine, first) < P_LIMIT


@pytest.mark.parametrize("name", ["replace", "dropped", "fresh", "fixed sample"])
def test_lost_mass__has_the_law_of_single_symbols(name):
    expected = symbols_metrics(per_symbol(ZIPF), WORKFLOWS[name], 3, 300, 22)["lost_mass"]
    truth = CountSpectrum.from_counts(ZIPF)
    once = run(spectrum_model(truth, WORKFLOWS[name], 1, ("lost_mass",)), 300, 1, seed=21)["lost_mass"]
    always = run(spectrum_model(truth, WORKFLOWS[name], 3, ("lost_mass", "survival")), 300, 3, seed=23)["lost_mass"]
    assert stats.ks_2samp(once[:, 0], expected[:, 0]).pvalue > P_LIMIT
    assert stats.ks_2samp(always[:, 0], expected[:, 0]).pvalue > P_LIMIT
    assert stats.ks_2samp(always[:, 2], expected[:, 2]).pvalue > P_LIMIT
    assert stats.ks_2samp(always[:, 2], expected[:, 0]).pvalue < P_LIMIT or name != "replace"


@pytest.mark.parametrize("record", [("survival",), ("survival", "lost_mass")])
def test_survival__is_the_share_of_live_symbols_of_an_original_count(record):
    n_replicates, truth = 400, CountSpectrum.from_counts(ZIPF)
    model = spectrum_model(truth, WORKFLOWS["replace"], 3, record)
    got = run(model, n_replicates, 3, seed=31)["survival"]
    starts = model.coordinates()["original_count"].values
    symbols = Discrete(per_symbol(ZIPF), ModelSection(), WORKFLOWS["replace"].schedule(3, TOTAL))
    state = symbols.initial(n_replicates, 32)
    symbols.advance(state, 1, 3, 32)
    groups = np.searchsorted(starts, ZIPF, side="right") - 1
    for t in (1, 3):
        alive = (state.forgotten() < 0) | (state.forgotten() > t)
        expected = np.stack([alive[:, groups == g].mean(axis=1) for g in range(len(starts))], axis=1)
        error = np.sqrt((expected.var(axis=0) + got[:, t - 1].var(axis=0)) / n_replicates)
        assert (np.abs(expected.mean(axis=0) - got[:, t - 1].mean(axis=0)) <= 5.5 * error).all()
    # Exactly, after the first refit; control: the next count.
    share = 1 - (1 - starts[:20] / TOTAL) ** TOTAL
    error = got[:, 0, :20].std(axis=0) / n_replicates**0.5
    assert (np.abs(got[:, 0, :20].mean(axis=0) - share) < 5 * error + 1e-12)[:5].all()
    assert (np.abs(got[:, 0, :19].mean(axis=0) - share[1:]) > 5 * error[:19])[:3].all()


RECORDS = [(), ("trajectory",), ("survival",), ("survival", "lost_mass", "trajectory")]


@pytest.mark.parametrize("record", [(), ("survival", "lost_mass")])
@pytest.mark.parametrize("name", [name for name in SMALL_WORKFLOWS if name != "one token"])
def test_bits__depend_on_nothing_but_the_run(name, record):
    truth = CountSpectrum.from_counts(ZIPF[::7])
    assert_bits_are_reproducible(lambda: RandomMetrics(truth, SMALL_WORKFLOWS[name], record))


class RandomMetrics(SpectrumDiscrete):
    """The model with the metrics alone that depend on the seed."""

    def __init__(self, truth, workflow, record):
        super().__init__(truth, ModelSection(), workflow.schedule(9, truth.total), record)

    def advance(self, *arguments):
        block = super().advance(*arguments)
        kept = {name: block.metrics[name] for name in ("entropy", "heterozygosity")}
        return type(block)(metrics=kept)


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("name", SMALL_WORKFLOWS)
def test_resume__gives_the_same_bits(name, record):
    truth = CountSpectrum.from_counts(np.array(SMALL))
    model = spectrum_model(truth, SMALL_WORKFLOWS[name], 6, record)
    state = model.initial(3, 9)
    model.advance(state, 1, 2, 9)
    saved = {key: values.copy() for key, values in state.arrays().items()}
    expected = model.advance(state, 3, 4, 9)
    again = spectrum_model(truth, SMALL_WORKFLOWS[name], 6, record)
    got = again.advance(again.restore(saved, 3, 9), 3, 4, 9)
    assert_same(got.metrics, expected.metrics)
    for sample in expected.samples:
        for mine, other in zip(got.samples[sample], expected.samples[sample], strict=True):
            np.testing.assert_array_equal(mine, other)
    # From generation 0 too.
    start = again.restore(again.initial(3, 9).arrays(), 3, 9)
    assert_same(again.advance(start, 1, 1, 9).metrics, model.advance(model.initial(3, 9), 1, 1, 9).metrics)


def _set(name, place, value):
    def change(arrays):
        arrays[name][place] = value

    return change


HOSTILE = {
    "no array": lambda arrays: arrays.pop("counts"),
    "another shape": lambda arrays: arrays.update(counts=arrays["counts"][:, 1:]),
    "another type": lambda arrays: arrays.update(numbers=arrays["numbers"].astype(float)),
    "negative length": _set("lengths", 0, -1),
    "huge length": _set("lengths", 0, 2**62),
    "length beyond the rows": lambda arrays: arrays.update(lengths=arrays["lengths"] + 1),
    "another generation": _set("generation", slice(None), 7),
    "two generations": _set("generation", 0, 1),
    "generation 0": _set("generation", slice(None), 0),
    "negative count": _set("counts", (0, 0), -1),
    "huge count": _set("counts", (0, 0), 2**62),
    "no symbols": _set("numbers", (0, 0), 0),
    "huge number": _set("numbers", (0, 0), 2**62),
    "another total": _set("numbers", (0, 0), 1000),
    "negative key": _set("keys", (0, 0), -1),
    "huge key": _set("keys", (0, 0), 10**6),
    "another order": lambda arrays: [
        values.__setitem__((0, [0, 1]), values[0, [1, 0]]) for values in list(arrays.values())[:3]
    ],
}


@pytest.mark.parametrize("record", [(), ("survival",), ("survival", "lost_mass")])
@pytest.mark.parametrize("name", ["replace", "fresh", "fixed sample"])
def test_restore__refuses_what_no_run_has(name, record):
    model = spectrum_model(CountSpectrum.from_counts(np.array(SMALL)), SMALL_WORKFLOWS[name], 6, record)
    state = model.initial(2, 9)
    model.advance(state, 1, 2, 9)
    for change in HOSTILE.values():
        arrays = {key: values.copy() for key, values in state.arrays().items()}
        change(arrays)
        with pytest.raises(ValueError, match="of a state must"):
            model.restore(arrays, 2, 9)


def test_short_arrays__grow_and_change_no_bit():
    truth = CountSpectrum(np.array([50]), np.array([3000]))  # one class becomes about sixty
    expected = run(spectrum_model(truth, Replace(n_samples=150_000), 2), 3, 2, seed=4)
    model = spectrum_model(truth, Replace(n_samples=150_000), 2)
    model._buffers.n_far, model._buffers.n_classes = 1, 10**6
    assert_same(run(model, 3, 2, seed=4), expected)


def test_corners__keep_their_tokens():
    """Two symbols of 5e14 tokens, 1e12 symbols of one, a huge fixed batch, and a few tokens of a huge truth."""
    two = CountSpectrum(np.array([5 * 10**14]), np.array([2]))
    many = CountSpectrum(np.array([1, 10**14]), np.array([10**12, 3]))
    cases = [
        (two, Replace(n_samples=10**15), ()),
        (many, Replace(n_samples=10**12), ()),
        (many, Replace(n_samples=1000), ("survival",)),
        (many, Mix(n_samples=10**12, n_real=10**13, real="fresh"), ("survival",)),
        (many, Mix(n_samples=10**12, n_real=10**13, real="fixed"), ("survival", "lost_mass")),
        (CountSpectrum(np.array([1000]), np.array([10**12])), Accumulate(n_samples=10**10, keep_real=False), ()),
    ]
    for truth, workflow, record in cases:
        model = spectrum_model(truth, workflow, 3, record)
        state = model.initial(2, 1)
        block = model.advance(state, 1, 3, 1)
        totals = [int(state.rows.counts[r] @ state.rows.numbers[r]) for r in range(2)]
        assert totals == [workflow.schedule(3, truth.total).pool_totals(truth.total)[-1]] * 2
        assert all(np.isfinite(values).all() for values in block.metrics.values())
        assert (block.metrics["support_size"] <= truth.size).all()
    # A share of exp(-1) of symbols with one token is lost, up to 1e6 of 1e12.
    expected = 10**12 * -np.expm1(-1.0)
    state = spectrum_model(CountSpectrum(np.array([1]), np.array([10**12])), Replace(n_samples=10**12), 1)
    got = state.advance(state.initial(2, 1), 1, 1, 1).metrics["support_size"]
    assert (np.abs(got - expected) < 5e6).all()


def test_refused__workflows_name_the_key():
    with pytest.raises(InputError, match=r"workflow.name must be one without a fit to a subsample of the pool"):
        spectrum_model(
            CountSpectrum.from_counts(ZIPF), AccumulateSubsample(n_samples=9, keep_real=True, replacement=False), 2
        )
    with pytest.raises(InputError, match=r"workflow.name must be one without real data for truth.zipf_mandelbrot"):
        spectrum_model(ZipfMandelbrotLaw(1.0, 0.0, 100), Mix(n_samples=9, n_real=3, real="fresh"), 2)


def test_sums__are_three():
    assert N_SUMS == len(LABEL_FREE)
