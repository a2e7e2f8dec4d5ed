"""Files of version 0.1: opening, check, replay and resume."""

import contextlib
import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray

from fastcollapse import Experiment, Sweep, open_results, run_sweep, simulate
from fastcollapse.analysis.panels.published import published
from fastcollapse.datasets.load import load_truth
from fastcollapse.datasets.shipped import recipes
from fastcollapse.errors import InputError
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.recorded_run import check_run
from fastcollapse.simulation.replay import replay
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.simulation.version_0_1 import as_version_0_1
from fastcollapse.sweeps import collect_sweep, sweep_status
from fastcollapse.sweeps.collected_results import open_sweep
from fastcollapse.sweeps.executors import SerialExecutor
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.manifest import write_manifest

OLD = Path(__file__).parents[1] / "data" / "version_0_1"
FAMILIES = ("discrete", "gaussian", "ridge", "kernel_ridge")
# Rounding of kernel ridge and of eigenvalues depends on the processor.
RTOL = {"kernel_ridge": 1e-6}


def assert_close(got, expected, family):
    assert got.metrics.keys() == expected.metrics.keys()
    assert got.states.keys() == expected.states.keys()
    for values, other in ((got.metrics, expected.metrics), (got.states, expected.states)):
        for name in other:
            rtol = RTOL.get(family, 1e-9)
            np.testing.assert_allclose(values[name], other[name], rtol=rtol, atol=rtol, err_msg=name)
    if expected.forgotten is not None:
        np.testing.assert_array_equal(got.forgotten, expected.forgotten)
    if expected.has_trajectory:
        for replicate in range(expected.n_replicates):
            for generation in range(1, expected.last + 1):
                np.testing.assert_array_equal(got.counts(replicate, generation), expected.counts(replicate, generation))


@pytest.fixture
def old_files(tmp_path, monkeypatch):
    """A copy of the files as current folder, where data files are searched."""
    folder = shutil.copytree(OLD, tmp_path / "old")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_file__opens_passes_check_and_has_current_numbers(old_files, family):
    found = check_run(f"{family}.h5")
    assert (found.finished, found.experiment.family) == (True, family)
    assert found.provenance["packages"]["fastcollapse"] == "0.1.0"
    assert_close(simulate(Experiment.from_toml(f"{family}.toml")), found, family)
    with xarray.open_dataset(f"{family}.h5") as dataset:
        xarray.testing.assert_identical(
            dataset, open_results(f"{family}.h5").to_xarray().drop_vars("symbol", errors="ignore")
        )


@pytest.mark.parametrize("family", FAMILIES)
def test_file__replays(old_files, family):
    found = replay(open_results(f"{family}.h5"), threads=1)
    names = {*found.same, *(line.partition(":")[0] for line in found.different)}
    assert names >= set(open_results(f"{family}.h5").metrics)
    if family == "discrete":  # integers do not depend on the processor
        assert {"counts", "forgotten"} <= set(found.same)


@pytest.mark.parametrize("family", ["discrete", "gaussian"])
def test_stopped_run__resumes_to_finished_run(old_files, family):
    stopped = open_results(f"stopped-{family}.h5")
    assert (stopped.finished, stopped.last) == (False, 3)
    resumed = simulate(Experiment.from_toml(f"{family}.toml"), f"stopped-{family}.h5", resume=True)
    assert resumed.finished
    assert_close(resumed, open_results(f"{family}.h5"), family)


def test_finished_run__is_returned_by_resume(old_files):
    before = Path("discrete.h5").read_bytes()
    assert simulate(Experiment.from_toml("discrete.toml"), "discrete.h5", resume=True).finished
    assert Path("discrete.h5").read_bytes() == before


def test_sweep__is_recognised_and_completed(old_files):
    assert (len(sweep_status("sweep").done), len(open_sweep(Path("sweep")).sweep)) == (4, 4)
    assert len(sweep_status("partial").done) == 2
    outcome = run_sweep(Sweep.from_toml("sweep.toml"), "partial", SerialExecutor(1))
    assert (len(sweep_status("partial").done), outcome.failed) == (4, 0)
    for index in range(4):
        got, expected = (open_sweep(Path(name)).results(index) for name in ("partial", "sweep"))
        assert_close(got, expected, "discrete")


def test_collected_sweep__opens(old_files):
    assert open_sweep(Path("collected.h5")).check() == 4


# A word of version 0.1 ends at a combining mark: here the text has 9 different words, today 3.
TEXT = "हिन्दी विकिपीडिया abc " * 20
TEXT_MAPPING = {
    "truth": {"text": "words.txt"},
    "workflow": {"name": "replace", "n_samples": 50},
    "run": {"n_generations": 5, "n_replicates": 2, "seed": 1, "record": ["metrics", "trajectory"]},
}
TEXT_RUN = Experiment.from_mapping(TEXT_MAPPING)
WITH_PATTERN = TEXT_RUN.with_values({"truth.token_pattern": r"\w+"})


@pytest.fixture
def old_text(tmp_path, monkeypatch):
    """The truth of version 0.1 of a text in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("words.txt").write_text(TEXT, encoding="utf-8")
    return dataclasses.replace(load_truth(WITH_PATTERN.truth), inputs={})


def old_run(path, truth, last=None):
    """Write a run as version 0.1 did: without `token_pattern` and `inputs`; up to a generation, if one is given."""

    def stop(generation):
        if generation == last:
            raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        execute(plan_run(TEXT_RUN, path, truth=truth), block=1, progress=stop)


def test_experiment__has_the_rule_of_version_0_1_only_for_a_text_without_one():
    assert as_version_0_1(TEXT_RUN) == WITH_PATTERN
    letters = TEXT_RUN.with_values({"truth.token_pattern": "[a-z]+"})
    for experiment in (WITH_PATTERN, letters, *(Experiment.from_toml(OLD / f"{family}.toml") for family in FAMILIES)):
        assert as_version_0_1(experiment) is experiment


def test_words_of_text__are_those_of_version_0_1(old_text):
    old_run("old.h5", old_text)
    old = open_results("old.h5")
    assert (old.truth.support_size, old.experiment) == (9, WITH_PATTERN)
    assert old.digest == TEXT_RUN.digest
    assert not replay(old).different
    expected = simulate(WITH_PATTERN)
    assert_close(old, expected, "discrete")


def test_run_on_text__is_recognised_with_the_old_rule_alone(old_text):
    old_run("old.h5", old_text)
    assert plan_run(WITH_PATTERN, "old.h5", "reuse").is_finished
    with pytest.raises(InputError, match=r"truth.token_pattern is '\\\\w\+' there, absent here"):
        plan_run(TEXT_RUN, "old.h5", "reuse")
    # The rules give equal words of a text without marks.
    Path("words.txt").write_text("a b b c " * 20, encoding="utf-8")
    old_run("ascii.h5", dataclasses.replace(load_truth(TEXT_RUN.truth), inputs={}))
    assert plan_run(TEXT_RUN, "ascii.h5", "reuse").is_finished
    assert plan_run(WITH_PATTERN, "ascii.h5", "reuse").is_finished


def test_stopped_run_on_text__resumes_with_its_words(old_text):
    old_run("old.h5", old_text, last=2)
    with pytest.raises(InputError, match=r"truth.token_pattern is"):
        simulate(TEXT_RUN, "old.h5", resume=True)
    resumed = simulate(WITH_PATTERN, "old.h5", resume=True)
    assert (resumed.finished, resumed.experiment, resumed.truth.labels) == (True, WITH_PATTERN, old_text.labels)
    assert_close(resumed, simulate(WITH_PATTERN), "discrete")


def test_sweep_on_text__gets_no_points_of_other_words(old_text):
    Path("sweep.toml").write_text(
        '[truth]\ntext = "words.txt"\n[workflow]\nname = "replace"\nn_samples = 20\n'
        "[run]\nn_generations = 3\nn_replicates = 2\n[sweep]\nseed = 3\n[sweep.grid]\n"
        '"workflow.n_samples" = [10, 20]\n'
    )
    sweep = Sweep.from_toml("sweep.toml")
    write_manifest(Path("sweep"), sweep)
    manifest = json.loads(Path("sweep/sweep.json").read_text())
    del manifest["inputs"]
    Path("sweep/sweep.json").write_text(json.dumps(manifest))
    execute(plan_run(sweep.resolve_seed(3)[0].experiment, "sweep/points/000000.h5", truth=old_text))
    assert run_sweep(sweep, "sweep", SerialExecutor(1)).failed == 1
    (failure,) = SweepFolder(Path("sweep")).failures().values()
    assert re.match("points must have the same words as those of version 0.1, .* truth.token_pattern", failure["error"])
    collect_sweep("sweep", "collected.h5")
    for stored in (open_sweep(Path("sweep")), open_sweep(Path("collected.h5"))):
        found = stored.results(0)
        assert (found.truth.labels, found.experiment.truth) == (old_text.labels, WITH_PATTERN.truth)
    Path("words.txt").write_text("a b b c " * 20, encoding="utf-8")
    assert run_sweep(sweep, "sweep", SerialExecutor(1)).failed == 0


def test_recipe__keeps_published_points(tmp_path):
    recipe = Experiment.from_toml(recipes()["sur-uni"]).with_values({"run.n_replicates": 2, "run.n_generations": 2})
    truth = dataclasses.replace(load_truth(recipe.truth), inputs={})
    old = dataclasses.replace(recipe, truth=dataclasses.replace(recipe.truth, token_pattern=None))
    text = old.text.replace("token_pattern", "# token_pattern")
    execute(plan_run(dataclasses.replace(old, text=text), tmp_path / "old.h5", truth=truth))
    assert published(open_results(tmp_path / "old.h5")).points
