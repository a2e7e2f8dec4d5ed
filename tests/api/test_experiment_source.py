"""What a call takes for an experiment or a sweep, and what it says about anything else."""

import re
from pathlib import Path

import pytest

import fastcollapse
from fastcollapse.api.experiment_source import as_cases, as_experiment
from fastcollapse.errors import InputError
from tests.sweeps._example_sweeps import mapping as sweep_mapping

MAPPING = {
    "model": {"family": "poisson"},
    "truth": {"rate": 2.0},
    "workflow": {"name": "replace", "n_samples": 10},
    "run": {"n_generations": 3, "n_replicates": 2, "seed": 1},
}
TOML = """
[model]
family = "poisson"
[truth]
rate = 2.0
[workflow]
name = "replace"
n_samples = 10
[run]
n_generations = 3
n_replicates = 2
seed = 1
"""
SWEEP = TOML.replace("n_samples = 10\n", "") + '[sweep.grid]\n"workflow.n_samples" = [10, 20]\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with an experiment, its results, a sweep, its folder and its collected file."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "study.toml").write_text(TOML)
    (folder / "grid.toml").write_text(SWEEP)
    fastcollapse.simulate(folder / "study.toml", folder / "study.h5")
    fastcollapse.run_sweep(folder / "grid.toml", folder / "grid")
    fastcollapse.sweeps.collect_sweep(folder / "grid", folder / "grid.h5")
    return folder


def test_as_experiment__takes_an_experiment_a_mapping_a_path_or_a_name(made):
    expected = fastcollapse.Experiment.from_mapping(MAPPING)
    for source in (expected, MAPPING, made / "study.toml", str(made / "study.toml")):
        assert as_experiment(source) == expected
    assert as_experiment("sur-uni") == as_experiment(fastcollapse.datasets.data_folder() / "recipes" / "sur-uni.toml")


def test_as_cases__has_all_cases_of_a_recipe_and_as_experiment_refuses_them():
    name = "cot-kde"
    assert len(as_cases(name)) > 1
    with pytest.raises(InputError, match=r"'cot-kde' has \d+ cases: use reproduce\('cot-kde'\) for a recipe"):
        as_experiment(name)


def test_simulate__gives_the_same_numbers_for_each_source(made):
    expected = fastcollapse.open_results(made / "study.h5").metrics["rate"]
    for source in (MAPPING, made / "study.toml"):
        assert (fastcollapse.simulate(source).metrics["rate"] == expected).all()


def test_run_sweep__takes_a_mapping_and_a_path(made, tmp_path):
    assert fastcollapse.run_sweep(sweep_mapping(), tmp_path / "small").done == 6
    assert fastcollapse.run_sweep(str(made / "grid.toml"), tmp_path / "grid").done == 2


WRONG = {
    "simulate(42)": "experiment must be an Experiment, a mapping of sections, the path of a TOML file or the name of a "
    "recipe, got 42",
    "simulate('sur-unni')": "got 'sur-unni' (did you mean 'sur-uni'?)",
    "simulate('study.h5')": "'study.h5' is the results file of a run: use open_results('study.h5')",
    "simulate('grid.toml')": "'grid.toml' is an experiment file with a section [sweep]: use run_sweep('grid.toml', FOL",
    "simulate('grid')": "'grid' is the folder of a sweep: use open_sweep('grid')",
    "simulate({'sweep': {}})": "a mapping with a section [sweep] is a sweep: use run_sweep(mapping, FOLDER)",
    "simulate(Sweep.from_toml('grid.toml'))": "got a Sweep: use run_sweep(sweep, FOLDER)",
    "simulate(Sweep.from_toml('grid.toml')[0])": "got a point of a sweep: use sweep[n].experiment",
    "plot('study.h5')": "plot takes results or a list of them, got 'study.h5': use open_results(PATH).plot()",
    "compare(Path('study.h5'))": "compare takes results or a list of them, got PosixPath('study.h5'): use open_re",
    "compare(['study.h5'])": "compare takes results or a list of them, got ['study.h5']",
    "plot(open_sweep('grid'))": "plot takes results or a list of them, got the results of a sweep: use results.plot()",
    "compare(3)": "compare takes results or a list of them, got 3",
    "simulate(open_results('study.h5'))": "got Results: use results.experiment",
    "Experiment({'run': {}})": "got a mapping: use Experiment.from_mapping",
    "Experiment(workflow={})": "got a mapping: use Experiment.from_mapping",
    "Experiment(run={})": "got a mapping: use Experiment.from_mapping",
    "Experiment('study.toml')": "got 'study.toml': use Experiment.from_toml for a file",
    "Sweep('grid.toml')": "got 'grid.toml': use Sweep.from_toml(PATH) for a file",
    "Sweep(3)": "Sweep takes a mapping with a section [sweep], got 3",
    "run_sweep('study.toml', 'new')": "'study.toml' is an experiment file without a section [sweep]: use simulate('",
    "run_sweep(Experiment.from_toml('study.toml'), 'new')": "got an Experiment: use simulate(experiment)",
    "run_sweep(3, 'new')": "sweep must be a Sweep, a mapping with a section [sweep], the path of a TOML file or the na",
    "open_results('grid')": "'grid' is the folder of a sweep: use open_sweep('grid')",
    "open_results('grid.h5')": "'grid.h5' is a collected sweep: use open_sweep('grid.h5')",
    "open_results('grid/sweep.json')": "is a part of a sweep: use open_sweep('grid'), and its results(n)",
    "open_results('study.toml')": "'study.toml' is an experiment file without a section [sweep]: use simulate('study.t",
    "open_results('sur-uni')": "'sur-uni' is the name of a recipe: use simulate('sur-uni')",
    "open_results('study')": "study: no such file (did you mean 'study.h5'?)",
}


@pytest.mark.parametrize("call", WRONG)
def test_errors__name_the_call_that_is_meant(made, monkeypatch, call):
    monkeypatch.chdir(made)
    names = {name: getattr(fastcollapse, name) for name in fastcollapse.__all__} | {"Path": Path}
    with pytest.raises(InputError, match=re.escape(WRONG[call])) as caught:
        eval(call, names)
    assert "\n" not in str(caught.value)
