"""Runs of the two engines of the discrete family through the front door: choice, record, resume, replay."""

import dataclasses

import numpy as np
import pytest

from fastcollapse import open_results, simulate
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.count_spectrum import CountSpectrum, ZipfMandelbrotLaw
from fastcollapse.errors import InputError
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.replay import replay
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.simulation.same_experiment import experiment_diff, same_truth

TABLE = "count,symbols\n1,500\n2,200\n5,80\n40,10\n1000,2\n"


@pytest.fixture
def experiment(tmp_path):
    (tmp_path / "spectrum.csv").write_text(TABLE)
    mapping = {
        "model": {"engine": "spectrum"},
        "truth": {"counts_of_counts": "spectrum.csv"},
        "workflow": {"name": "replace", "n_samples": "truth"},
        "run": {"n_generations": 6, "n_replicates": 3, "seed": 5, "record": ["support_size", "entropy", "trajectory"]},
    }
    return Experiment.from_mapping(mapping, base=tmp_path)


def test_engine__is_recorded_shown_and_repeated(experiment, tmp_path):
    results = simulate(experiment, tmp_path / "a.h5")
    assert results.engine == open_results(tmp_path / "a.h5").engine == "spectrum"
    assert isinstance(results.truth, CountSpectrum)
    assert results.truth.total == 500 + 400 + 400 + 400 + 2000
    assert not replay(open_results(tmp_path / "a.h5")).different
    assert simulate(experiment.with_values({"model.engine": "symbols"})).engine == "symbols"
    assert plan_run(experiment, tmp_path / "a.h5", "reuse").is_finished


def test_engine__symbols_of_counts_of_counts_are_those_of_the_expanded_counts(experiment):
    results = simulate(experiment.with_values({"model.engine": "symbols", "run.record": ["metrics"]}))
    assert isinstance(results.truth, CategoricalDistribution)
    assert results.truth.counts.tolist() == [1000] * 2 + [40] * 10 + [5] * 80 + [2] * 200 + [1] * 500
    assert results.forgotten.shape == (3, 792)


def test_engine__a_run_that_the_rule_would_run_otherwise_keeps_its_engine(experiment, tmp_path):
    """The rule of a later version may differ: a recorded engine is used for resume and replay."""
    free = Experiment.from_mapping(
        {**experiment.to_mapping(), "model": {}, "run": {**experiment.run.to_mapping(), "record": ["support_size"]}},
        base=experiment.base,
    )
    plan = dataclasses.replace(plan_run(free, tmp_path / "a.h5"), engine="spectrum")
    results = execute(plan)
    assert results.engine == "spectrum"
    assert simulate(free).engine == "symbols"
    assert not replay(open_results(tmp_path / "a.h5")).different
    named = free.with_values({"model.engine": "spectrum"})
    assert plan_run(named, tmp_path / "a.h5", "reuse").is_finished
    other = free.with_values({"model.engine": "symbols"})
    assert experiment_diff(other, results) == ["model.engine is absent there, 'symbols' here"]


def test_engine__stopped_runs_are_resumed_with_the_recorded_engine(experiment, tmp_path):
    path, whole = tmp_path / "a.h5", simulate(experiment)

    def stop(n):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(experiment, path, block=2, progress=stop)
    begun = plan_run(experiment, path, "resume")
    assert begun.engine in ("", "spectrum")
    resumed = simulate(experiment, path, block=2, resume=True)
    for name, values in whole.metrics.items():
        np.testing.assert_array_equal(resumed.metrics[name], values)


def test_results__without_symbols_name_the_engine_that_has_them(experiment):
    results = simulate(experiment)
    for read in (lambda: results.forgotten, lambda: results.counts(0, 1)):
        with pytest.raises(
            InputError, match=r"need a run with model.engine = 'symbols', got one with the spectrum engine"
        ):
            read()
    spectrum = results.sample("spectrum", 0, 0)
    assert spectrum.tolist() == [[1, 500], [2, 200], [5, 80], [40, 10], [1000, 2]]
    last = results.sample("spectrum", 1, 6)
    assert last[:, 0] @ last[:, 1] == results.truth.total
    assert last[:, 1].sum() == results.metrics["support_size"][1, 6]


def test_same_truth__compares_the_recorded_form():
    counts = np.array([3, 2, 2, 1])
    symbols = CategoricalDistribution(("a", "b", "c", "d"), counts, counts / 8, "a test")
    spectrum = CountSpectrum.from_counts(counts)
    law = ZipfMandelbrotLaw(1.0, 2.7, 50)
    assert same_truth(symbols, symbols)
    assert same_truth(symbols, spectrum)
    assert same_truth(spectrum, spectrum)
    assert not same_truth(spectrum, symbols)  # it has no labels
    assert not same_truth(CountSpectrum.from_counts(np.array([4, 2, 1, 1])), spectrum)
    assert same_truth(law, law)
    assert same_truth(law, law.expand())
    assert not same_truth(ZipfMandelbrotLaw(1.1, 2.7, 50), law)
    assert not same_truth(ZipfMandelbrotLaw(1.1, 2.7, 50), law.expand())
    assert not same_truth(ZipfMandelbrotLaw(1.0, 2.7, 10**12), law.expand())


def test_law__large_vocabularies_without_the_spectrum_engine_are_refused():
    experiment = Experiment.from_mapping(
        {
            "truth": {"zipf_mandelbrot": {"a": 1, "b": 0, "size": 10**12}},
            "workflow": {"name": "replace", "n_samples": 100},
            "run": {"n_generations": 2, "n_replicates": 1},
        }
    )
    with pytest.raises(
        InputError, match=r"\[truth\] must have at most 10\*\*8 symbols, got 1,000,000,000,000; for more"
    ):
        simulate(experiment)
