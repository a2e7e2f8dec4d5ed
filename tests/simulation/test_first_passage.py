"""Runs that a stop condition ends: their length, bits and first-passage times."""

import os
import signal

import numpy as np
import pytest
import xarray

from fastcollapse import Experiment, InputError, open_results, simulate
from fastcollapse.errors import UnreadableResults
from fastcollapse.models.registry import families
from fastcollapse.models.registry import family as family_class
from fastcollapse.simulation.recorded_run import check_run
from fastcollapse.simulation.replay import replay
from fastcollapse.storage.hdf5_file import write_file
from fastcollapse.storage.layout import groups_of
from fastcollapse.storage.pack import run_arrays
from tests.test_conformance import N_SAMPLES, assert_same, everything, experiment_of, twin

BASE = Experiment.from_mapping(
    {
        "truth": {"uniform": 5},
        "workflow": {"name": "replace", "n_samples": 10},
        "run": {"n_generations": 200, "n_replicates": 3, "seed": 3, "record": ["metrics", "trajectory"]},
    }
)
STOPPED = BASE.with_values({"run.stop": "support_size == 1"})
TIMES = [17, 25, 8]


@pytest.mark.parametrize("settings", [{}, {"block": 1}, {"block": 7}, {"block": 25}, {"threads": 1}])
def test_stop__ends_at_the_first_generation_at_which_all_have_met_it(tmp_path, settings):
    whole = simulate(BASE)
    np.testing.assert_array_equal((whole.metrics["support_size"] == 1).argmax(axis=1), TIMES)
    shorter = everything(simulate(BASE.with_values({"run.n_generations": max(TIMES)})))
    for path in (None, tmp_path / "a.h5"):
        results = simulate(STOPPED, path, **settings)
        assert (results.last, results.complete, results.finished) == (max(TIMES), True, True)
        assert results.first_passage.dtype == np.int32
        np.testing.assert_array_equal(results.first_passage, TIMES)
        assert_same(everything(results), shorter)
    with xarray.open_dataset(path) as dataset:
        xarray.testing.assert_identical(dataset, results.to_xarray())
        np.testing.assert_array_equal(dataset["first_passage"], TIMES)
    assert open_results(path).reader.header.stop == "support_size == 1"
    found = replay(check_run(path))
    assert (found.different, "first_passage" in found.same) == ((), True)


def test_stop__that_is_not_met_records_who_has_met_it(tmp_path):
    results = simulate(STOPPED.with_values({"run.n_generations": 20}), tmp_path / "a.h5")
    assert (results.last, results.complete) == (20, True)
    np.testing.assert_array_equal(open_results(tmp_path / "a.h5").first_passage, [17, -1, 8])
    assert simulate(BASE.with_values({"run.n_generations": 20})).first_passage is None


def test_stop__is_resumed_reused_and_extended(tmp_path):
    path = tmp_path / "a.h5"
    expected = everything(simulate(STOPPED))
    for last in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            simulate(STOPPED, path, resume=True, block=1, progress=lambda _: os.kill(os.getpid(), signal.SIGINT))
        assert open_results(path).last == last
        assert open_results(path).first_passage is None
    results = simulate(STOPPED, path, resume=True)
    assert_same(everything(results), expected)
    before = path.read_bytes()
    for mode in ({}, {"resume": True}):
        np.testing.assert_array_equal(simulate(STOPPED, path, **mode).first_passage, TIMES)
    assert path.read_bytes() == before
    longer = STOPPED.with_values({"run.n_generations": 300})
    results = simulate(longer, path, resume=True)  # it has ended before
    assert_same(everything(results), expected)
    assert results.digest == longer.digest
    more = longer.with_values({"run.n_replicates": 5})
    with pytest.warns(UserWarning, match=r"again from generation 0, because with run.stop all replicates go on"):
        assert_same(everything(simulate(more, path, resume=True)), everything(simulate(more)))


def test_stop__that_was_not_met_is_met_by_a_longer_run(tmp_path):
    path = tmp_path / "a.h5"
    simulate(STOPPED.with_values({"run.n_generations": 20}), path)
    results = simulate(STOPPED, path, resume=True)
    np.testing.assert_array_equal(results.first_passage, TIMES)
    assert_same(everything(results), everything(simulate(STOPPED)))


@pytest.mark.parametrize("family", families())
def test_stop__of_every_family_cuts_at_the_generation(tmp_path, tables, family):
    """The condition is met at generation 2 in replicate 0, and at the last one that any replicate needs."""
    case = next(iter(twin(family).CASES))
    workflow = {"name": "replace", "n_samples": N_SAMPLES}
    whole = simulate(experiment_of(family, case, workflow, tables))
    varied = (n for n, v in whole.metrics.items() if v.ndim == 2 and np.isfinite(v).all() and np.ptp(v[:, 1:4]) > 0)
    name = next(varied, None)
    if name is None:
        pytest.skip("the family has no finite metric of one number")
    values = whole.metrics[name]
    limit = float(np.sort(values[:, 1:4].max(axis=1))[0])  # every replicate reaches it within 3 generations
    met = values >= limit
    if met[:, 0].all():
        pytest.skip("the truth meets the condition")
    times = met.argmax(axis=1)
    results = simulate(
        experiment_of(family, case, workflow, tables, stop=f"{name} >= {limit!r}"), tmp_path / "a.h5", block=4
    )
    np.testing.assert_array_equal(results.first_passage, times)
    assert results.last == times.max()
    np.testing.assert_array_equal(results.metrics[name], values[:, : results.last + 1])
    assert family_class(family).METRICS


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"run.stop": "support_siz == 1"},
            r"run.stop must have metrics of support_size, .*did you mean 'support_size'",
        ),
        (
            {"run.stop": "entropy < 1", "run.record": ["support_size"]},
            "run.stop must have recorded metrics, of support_s",
        ),
        ({"run.stop": "entropy > 0"}, "run.stop must not be met by every replicate at generation 0"),
        ({"run.stop": "f(x)"}, "run.stop must be comparisons of metrics and numbers joined by"),
    ],
)
def test_stop__refuses_other_conditions(values, words):
    with pytest.raises(InputError, match=words):
        simulate(BASE.with_values(values))


def test_stop__refuses_a_metric_with_further_dimensions(tables):
    mapping = {
        "model": {
            "family": "ridge",
            "designs": "independent",
            "sigma": 0.5,
            "downstream": {"n_samples": [10, 20], "ridge": [0.1, 1.0]},
        },
        "truth": {"dimension": 3},
        "workflow": {"name": "replace", "n_samples": 12},
        "run": {"n_generations": 2, "n_replicates": 2, "seed": 1},
    }
    experiment = Experiment.from_mapping(mapping, base=tables)
    found = simulate(experiment)
    name = next(name for name, values in found.metrics.items() if values.ndim > 2)
    with pytest.raises(InputError, match=f"run.stop must have metrics of one number, got '{name}' over "):
        simulate(experiment.with_values({"run.stop": f"{name} < 1"}))


@pytest.mark.parametrize(
    ("times", "words"), [([17, 24, 8], "instead of 0 to 24"), ([17, 99, 8], "must be from -1 to 25")]
)
def test_file__with_other_times_is_refused(tmp_path, times, words):
    reader = simulate(STOPPED).reader
    reader.first_passage = np.array(times, np.int32)
    write_file(tmp_path / "a.h5", run_arrays(reader, dims=True), groups_of(reader.header, reader.blocks))
    with pytest.raises(UnreadableResults, match=words):
        open_results(tmp_path / "a.h5")
