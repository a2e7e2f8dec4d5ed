"""Extension of runs: what is refused, what is computed again, and kills."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from fastcollapse import Experiment, InputError, open_results, simulate
from fastcollapse.cli.main import main
from fastcollapse.simulation.extension import at_size_of, reason_to_restart
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.storage import hdf5_store

ROOT = Path(__file__).parents[2]
BASE = {
    "truth": {"uniform": 9},
    "workflow": {"name": "replace", "n_samples": 20},
    "run": {"n_generations": 4, "n_replicates": 2, "seed": 1, "record": ["metrics", "trajectory"]},
}


def made(**values):
    return Experiment.from_mapping(BASE).with_values({key.replace("__", "."): value for key, value in values.items()})


def assert_is(results, experiment):
    """Assert that results have the bits of a run of the experiment."""
    expected = simulate(experiment)
    assert results.digest == expected.digest == experiment.digest
    for name, values in expected.metrics.items():
        assert results.metrics[name].tobytes() == values.tobytes()
    np.testing.assert_array_equal(results.forgotten, expected.forgotten)


def test_extension__of_a_finished_run_step_by_step(tmp_path):
    path = tmp_path / "a.h5"
    for size in ((4, 2), (6, 2), (6, 5), (6, 6)):
        experiment = made(run__n_generations=size[0], run__n_replicates=size[1])
        assert_is(simulate(experiment, path, resume=True), experiment)
    assert [one["first_replicate"] for one in open_results(path).provenance["added"]] == [2, 5]
    plan = plan_run(experiment, path, "extend")
    assert (plan.is_finished, plan.n_left) == (True, 0)
    longer = made(run__n_generations=8, run__n_replicates=6)
    with pytest.warns(UserWarning, match=r"a.h5 is computed again from generation 0, because its file has no state"):
        assert_is(simulate(longer, path, resume=True), longer)


def test_extension__of_a_stopped_run(tmp_path):
    path, experiment = tmp_path / "a.h5", made(run__n_generations=9, run__n_replicates=3)
    with pytest.raises(KeyboardInterrupt):
        simulate(made(), path, block=1, progress=lambda _: os.kill(os.getpid(), signal.SIGINT))
    plan = plan_run(experiment, path, "extend")
    assert (plan.action, plan.n_left) == ("resume", 3 + 5 + 9)
    assert_is(simulate(experiment, path, resume=True), experiment)
    assert os.listdir(tmp_path) == ["a.h5"]


@pytest.mark.parametrize("added", [{"run.n_generations": 60}, {"run.n_replicates": 60}])
def test_extension__that_is_stopped_is_continued(tmp_path, added, monkeypatch):
    monkeypatch.setattr(hdf5_store.Hdf5Store.__init__, "__defaults__", (1, 0.0))  # a part after each block
    path, n_calls, experiment = tmp_path / "a.h5", iter(range(4)), made().with_values(added)
    old = simulate(made(), path)

    def stop(_):
        if next(n_calls) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        simulate(experiment, path, resume=True, block=1, progress=stop)
    assert open_results(path).digest == old.digest
    assert 0 < plan_run(experiment, path, "extend").n_left < 60
    assert_is(simulate(experiment, path, resume=True), experiment)
    assert os.listdir(tmp_path) == ["a.h5"]


def test_extension__of_a_part_of_a_split_run(tmp_path):
    path = tmp_path / "a.h5"
    simulate(made(), path, first_replicate=5)
    experiment = made(run__n_generations=6, run__n_replicates=3)
    results = simulate(experiment, path, resume=True, first_replicate=5)
    expected = simulate(experiment, first_replicate=5)
    np.testing.assert_array_equal(results.metrics["entropy"], expected.metrics["entropy"])
    assert results.first_replicate == 5
    with pytest.raises(InputError, match="first_replicate is 5 there, 4 here"):
        simulate(experiment, path, resume=True, first_replicate=4)


def test_extension__of_a_list_of_sizes(tmp_path):
    short, long = made(workflow__n_samples=[20, 30, 20, 10]), [20, 30, 20, 10, 7, 8]
    simulate(short, tmp_path / "a.h5")
    experiment = short.with_values({"run.n_generations": 6, "workflow.n_samples": long})
    assert at_size_of(experiment, short) == short
    assert_is(simulate(experiment, tmp_path / "a.h5", resume=True), experiment)
    other = experiment.with_values({"run.n_generations": 7, "workflow.n_samples": [21, *long[1:], 9]})
    with pytest.raises(InputError, match=r"a.h5 holds another experiment: workflow.n_samples is "):
        simulate(other, tmp_path / "a.h5", resume=True)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"run.n_generations": 3}, "run.n_generations is 4 there, 3 here"),
        ({"run.n_replicates": 1, "run.n_generations": 5}, "run.n_replicates is 2 there, 1 here"),
        ({"run.seed": 2, "run.n_generations": 5}, "run.seed is 1 there, 2 here"),
        ({"run.record": ["metrics"], "run.n_replicates": 5}, "run.record is "),
    ],
)
def test_extension__refuses_all_other_differences(tmp_path, values, words):
    simulate(made(), tmp_path / "a.h5")
    before = (tmp_path / "a.h5").read_bytes()
    with pytest.raises(InputError, match=f"a.h5 holds another experiment: {words}"):
        simulate(made().with_values(values), tmp_path / "a.h5", resume=True)
    assert (tmp_path / "a.h5").read_bytes() == before


def test_plan__of_a_resume_with_larger_numbers_names_the_extension(tmp_path):
    """`run --resume` keeps the size of the run; smaller numbers are refused by Python too."""
    simulate(made(), tmp_path / "a.h5")
    advice = r"run.n_replicates is \d+ there, 90 here; --extend makes it longer, or adds replicates$"
    with pytest.raises(InputError, match=advice):
        plan_run(made().with_values({"run.n_replicates": 90}), tmp_path / "a.h5", "resume")
    with pytest.raises(InputError, match=r"run.n_replicates is \d+ there, 1 here$"):
        simulate(made().with_values({"run.n_replicates": 1}), tmp_path / "a.h5", resume=True)


def test_extension__without_a_run_starts_it_and_needs_a_path(tmp_path):
    assert_is(simulate(made(), tmp_path / "a.h5", resume=True), made())
    with pytest.raises(InputError, match="resume must have the path of a results file, got None"):
        simulate(made(), resume=True)
    with pytest.raises(
        InputError, match=r"run.n_generations is 4 there, 5 here\); extend it \(resume=True, --extend\)"
    ):
        simulate(made(run__n_generations=5), tmp_path / "a.h5")


def test_extension__refuses_a_point_of_a_sweep(tmp_path):
    (tmp_path / "points").mkdir()
    (tmp_path / "sweep.json").write_text("{}")
    path = tmp_path / "points" / "000001.h5"
    simulate(made(), path)
    with pytest.raises(InputError, match=r"000001.h5 is a point of the sweep .* cannot be extended: copy it elsewhere"):
        simulate(made(run__n_generations=5), path, resume=True)


def test_reason_to_restart__names_what_depends_on_the_length(tmp_path):
    results = simulate(made(), tmp_path / "a.h5")
    longer = made(run__n_generations=5)
    assert reason_to_restart(longer, results, results.truth) == ""
    assert "no state" in reason_to_restart(longer, simulate(made()), results.truth)
    old = dataclasses.replace(results.reader.header, provenance={"streams": 1})
    results.reader.header = old
    assert "random streams are of another version" in reason_to_restart(longer, results, results.truth)
    kde = {
        "model": {"family": "kde", "bandwidth": 0.2, "observed": "log"},
        "truth": {"shape": "circles"},
        "workflow": {"name": "replace", "n_samples": 10},
        "run": {"n_generations": 33, "n_replicates": 1, "seed": 1},
    }
    short = simulate(Experiment.from_mapping(kde), tmp_path / "kde.h5")
    longer = short.experiment.with_values({"run.n_generations": 99})
    assert "depend on the length of the run" in reason_to_restart(longer, short, short.experiment.truth.load())


def test_command__extends_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(
        "[truth]\nuniform = 9\n[workflow]\nname = 'replace'\nn_samples = 20\n"
        "[run]\nn_generations = 4\nn_replicates = 2\nseed = 1\n"
    )

    def call(*arguments):
        return CliRunner().invoke(main, ["run", *arguments])

    assert call("small.toml", "-o", "a.h5").exit_code == 0
    again = call("--extend", "a.h5", "--set", "run.n_generations=6")
    assert (again.exit_code, again.stderr) == (0, "a.h5 continues after generation 4\n"), again.output
    assert open_results("a.h5").last == 6
    assert open_results("a.h5").experiment_text == Path("small.toml").read_text()
    again = call("small.toml", "--extend", "a.h5", "--set", "run.n_generations=6", "--set", "run.n_replicates=5")
    assert again.exit_code == 0, again.output
    assert open_results("a.h5").n_replicates == 5
    assert "already contains this run" in call("--extend", "a.h5").stderr
    assert sorted(os.listdir()) == ["a.caption.txt", "a.h5", "a.png", "small.toml"]
    for other in ("--resume", "-o"):
        assert call("--extend", "a.h5", other, "b.h5").exit_code == 2
    assert json.loads(open_results("a.h5").reader.header.experiment_json)["run"]["n_replicates"] == 5


@pytest.mark.parametrize("step", [83, pytest.param(5, marks=pytest.mark.slow)])
def test_kill__at_every_disk_operation_of_an_extension_is_recovered(tmp_path, step):
    """A kill leaves the old run or a longer one, and the same call then extends it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation._extension_worker", str(tmp_path), str(step)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 400 // step
