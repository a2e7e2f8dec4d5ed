"""Everything public is pickled, so that it goes to other processes and back."""

import multiprocessing
import operator
import pickle

import numpy as np
import pytest

import fastcollapse
from fastcollapse import errors
from fastcollapse.errors import UnreadableResults
from tests.sweeps._example_sweeps import mapping

DISCRETE = {
    "truth": {"uniform": 20},
    "workflow": {"name": "replace", "n_samples": 10},
    "run": {"n_generations": 5, "n_replicates": 3, "seed": 1, "record": ["metrics", "trajectory"]},
}
GAUSSIAN = {
    "model": {"family": "gaussian", "estimator": "mle"},
    "truth": {"sigma": 1.0},
    "workflow": {"name": "replace", "n_samples": 10},
    "run": {"n_generations": 5, "n_replicates": 3, "seed": 1},
}


def again(value):
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("experiment", [DISCRETE, GAUSSIAN], ids=["discrete", "gaussian"])
def test_results_in_memory__are_pickled_with_their_arrays(experiment):
    results = fastcollapse.simulate(experiment)
    assert results.metrics  # arrays that were made of the blocks are not pickled
    for got in (again(results), again(again(results))):
        assert isinstance(got, fastcollapse.Results)
        assert all(np.array_equal(got.metrics[name], values) for name, values in results.metrics.items())
        assert got.experiment == results.experiment
        assert fastcollapse.replay(got).identical


def test_metrics_and_states__are_pickled_as_a_dictionary(tmp_path):
    seen = []
    results = fastcollapse.simulate(GAUSSIAN, on_block=lambda metrics: seen.append(again(metrics)))
    results.save(tmp_path / "a.h5")
    for source in (results, fastcollapse.open_results(tmp_path / "a.h5")):
        for arrays in (source.metrics, source.states):
            got = again(arrays)
            assert list(got) == list(arrays)
            assert all(np.array_equal(got[name], values) for name, values in arrays.items())
    assert all(np.array_equal(seen[-1][name], values) for name, values in results.metrics.items())


def test_results_of_a_file__are_pickled_as_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = fastcollapse.simulate(DISCRETE, "a.h5")
    pickled = pickle.dumps(results)
    assert len(pickled) < 300
    monkeypatch.chdir("/")
    assert pickle.loads(pickled).digest == results.digest
    (tmp_path / "a.h5").unlink()
    with pytest.raises(UnreadableResults, match=r"a\.h5: no such file \(results of a file are pickled as its path\)"):
        pickle.loads(pickled)
    fastcollapse.simulate(GAUSSIAN, tmp_path / "a.h5")
    with pytest.raises(UnreadableResults, match=r"a\.h5: has another run than the results that were pickled"):
        pickle.loads(pickled)


def test_results_of_a_point__are_pickled(tmp_path):
    fastcollapse.run_sweep(mapping(), tmp_path / "study")
    study = fastcollapse.open_sweep(tmp_path / "study")
    collected = fastcollapse.open_sweep(study.save(tmp_path / "study.h5"))
    for source in (study, collected):
        results = source.results(2)
        assert np.array_equal(again(results).metrics["entropy"], results.metrics["entropy"])
    for value in (study, collected, study.sweep, study.sweep[1], study.status(), study.compare(), collected.compare()):
        assert str(again(value)) == str(value)


def test_experiments_truths_and_tables__are_pickled():
    experiment = fastcollapse.Experiment.from_mapping(DISCRETE)
    assert again(experiment) == experiment
    recipe = fastcollapse.Experiment.from_toml(fastcollapse.recipes()["cot-kde"].path)
    assert again(recipe).recipe == recipe.recipe
    truth = again(fastcollapse.load_truth(experiment.truth))
    assert truth.support_size == 20
    assert again(fastcollapse.ZipfMandelbrotLaw(1.0, 2.7, 100)) == fastcollapse.ZipfMandelbrotLaw(1.0, 2.7, 100)
    assert repr(again(fastcollapse.recipes())) == repr(fastcollapse.recipes())
    outcome = fastcollapse.replay(fastcollapse.simulate(DISCRETE))
    assert again(outcome) == outcome


def test_errors__are_pickled():
    classes = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    assert len(classes) > 6
    for one in classes:
        got = again(one("a message"))
        assert (type(got), str(got)) == (one, "a message")
    with pytest.raises(fastcollapse.InputError) as caught:
        fastcollapse.Experiment.from_mapping({"run": {"n_generations": 0}})
    assert str(again(caught.value)) == str(caught.value)


def test_pool__takes_and_returns_what_is_public(tmp_path):
    in_file = fastcollapse.simulate(GAUSSIAN, tmp_path / "a.h5")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        simulated, digests = (
            pool.map(fastcollapse.simulate, [DISCRETE, fastcollapse.Experiment.from_mapping(GAUSSIAN)]),
            pool.map(operator.attrgetter("digest"), [in_file]),
        )
        with pytest.raises(fastcollapse.InputError, match="experiment must be an Experiment"):
            pool.map(fastcollapse.simulate, [42])
    assert digests == [in_file.digest]
    assert np.array_equal(simulated[1].metrics["log_sigma"], in_file.metrics["log_sigma"])
