"""The choice of the engine of a discrete run."""

import numpy as np
import pytest

from fastcollapse.config.schedule import Schedule
from fastcollapse.config.workflows import Accumulate, AccumulateSubsample, Mix, Replace
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.count_spectrum import CountSpectrum, ZipfMandelbrotLaw
from fastcollapse.errors import InputError
from fastcollapse.models.discrete.engine import LABEL_FREE, choose_engine, served_metrics
from fastcollapse.models.discrete.parameters import DiscreteParameters

LAW = ZipfMandelbrotLaw(1.0, 2.7, 10**7)
LARGE_LAW = ZipfMandelbrotLaw(1.0, 2.7, 10**9)
SMALL_LAW = ZipfMandelbrotLaw(1.0, 2.7, 10**5)
SPECTRUM = CountSpectrum(np.array([1, 5, 10**6]), np.array([5_000_000, 10**6, 3]))


def chosen(truth, record, engine=None, n=10**7, workflow=None, n_generations=3):
    workflow = workflow or Replace(n_samples=n)
    schedule: Schedule = workflow.schedule(n_generations, truth.total)
    return choose_engine(truth, DiscreteParameters(engine=engine), schedule, tuple(record))


@pytest.mark.parametrize(
    ("truth", "record", "expected"),
    [
        (LAW, ["entropy", "support_size"], "spectrum"),
        (SPECTRUM, ["heterozygosity"], "spectrum"),
        (LARGE_LAW, ["support_size"], "spectrum"),
        (LAW, ["metrics"], "symbols"),
        (LAW, ["support_size", "total_variation"], "symbols"),
        (LAW, ["support_size", "trajectory"], "symbols"),
        (LAW, ["support_size", "lost_mass"], "symbols"),
        (SMALL_LAW, ["support_size"], "symbols"),
        (CategoricalDistribution.uniform(2), ["support_size"], "symbols"),
        (SPECTRUM, ["survival"], "spectrum"),
    ],
)
def test_choose_engine__takes_the_spectrum_where_the_metrics_allow_it_and_it_pays(truth, record, expected):
    assert chosen(truth, record) == expected


def test_choose_engine__few_symbols_of_huge_counts__are_kept_apart():
    assert chosen(LAW, ["support_size"], n=10**7) == "spectrum"
    assert chosen(LAW, ["support_size"], n=10**12) == "symbols"


def test_choose_engine__one_refit__serves_the_lost_mass():
    assert chosen(LAW, ["lost_mass"], n_generations=1) == "spectrum"
    assert chosen(SPECTRUM, ["lost_mass", "survival"]) == "spectrum"


def test_choose_engine__accumulate_and_mix_are_served_and_subsampling_is_not():
    accumulate = Accumulate(n_samples=10**6, keep_real=True)
    assert chosen(LAW, ["support_size"], workflow=accumulate) == "spectrum"
    for real in ("fresh", "fixed"):
        mix = Mix(n_samples=10**6, n_real=10**5, real=real)
        assert chosen(SPECTRUM, ["support_size"], workflow=mix) == "spectrum"
        assert chosen(LAW, ["support_size"], workflow=mix) == "symbols"  # real data drawn from a law
    subsample = AccumulateSubsample(n_samples=10**6, keep_real=True, replacement=False)
    assert chosen(LAW, ["support_size"], workflow=subsample) == "symbols"


@pytest.mark.parametrize(
    ("truth", "record", "engine"),
    [
        (SMALL_LAW, ["support_size"], "spectrum"),
        (LAW, ["metrics", "trajectory"], "spectrum"),
        (LAW, ["entropy"], "symbols"),
    ],
)
def test_choose_engine__a_named_engine_is_used(truth, record, engine):
    assert chosen(truth, record, engine) == engine


@pytest.mark.parametrize(
    ("truth", "record", "engine", "expected"),
    [
        (
            LAW,
            ["entropy", "kl_divergence"],
            "spectrum",
            "run.record must be of support_size, entropy, heterozygosity, survival, lost_mass, got 'kl_divergence', "
            "with model.engine = 'spectrum'; model.engine = 'symbols' has no such limit",
        ),
        (
            LAW,
            ["lost_mass"],
            "spectrum",
            "run.record must not have 'lost_mass' beyond generation 1, unless it has 'survival' too, with "
            "model.engine = 'spectrum'; model.engine = 'symbols' has no such limit",
        ),
        (
            LAW,
            ["survival"],
            "spectrum",
            "run.record must not have 'survival' for a truth without counts, with model.engine = 'spectrum'",
        ),
        (
            LARGE_LAW,
            ["lost_mass"],
            "spectrum",
            "run.record must not have 'lost_mass' beyond generation 1, unless it has 'survival' too, with "
            "model.engine = 'spectrum'",
        ),
        (
            SPECTRUM,
            ["survival"],
            "symbols",
            "run.record must not have 'survival', which the extinction times give, with "
            "model.engine = 'symbols'; model.engine = 'spectrum' has no such limit",
        ),
        (
            LARGE_LAW,
            ["entropy"],
            "symbols",
            "[truth] must have at most 10**8 symbols, got 1,000,000,000, with model.engine = 'symbols'; "
            "model.engine = 'spectrum' has no such limit",
        ),
        (
            LARGE_LAW,
            ["metrics"],
            None,
            "[truth] must have at most 10**8 symbols, got 1,000,000,000; for more, run.record must be of "
            "support_size, entropy, heterozygosity",
        ),
    ],
)
def test_choose_engine__what_an_engine_cannot_serve__is_refused_in_one_line(truth, record, engine, expected):
    with pytest.raises(InputError) as error:
        chosen(truth, record, engine)
    assert str(error.value) == expected


def test_choose_engine__a_subsample__is_refused_with_the_spectrum():
    subsample = AccumulateSubsample(n_samples=10**6, keep_real=True, replacement=False)
    with pytest.raises(InputError, match=r"workflow.name must be one without a fit to a subsample of the pool, with"):
        chosen(LAW, ["support_size"], "spectrum", workflow=subsample)


def test_served_metrics__follow_truth_and_record():
    one, two = (Replace(n_samples=9).schedule(n, SPECTRUM.total) for n in (1, 2))
    assert served_metrics(SPECTRUM, two, ()) == LABEL_FREE
    assert served_metrics(SPECTRUM, one, ()) == (*LABEL_FREE, "lost_mass")
    assert served_metrics(SPECTRUM, two, ("survival",)) == (*LABEL_FREE, "lost_mass", "survival")
    assert served_metrics(LAW, two, ("survival",)) == LABEL_FREE
    assert served_metrics(LAW, one, ("lost_mass",)) == (*LABEL_FREE, "lost_mass")
