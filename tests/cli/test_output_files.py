"""Existing results files: reuse a finished run, resume, overwrite on request, otherwise leave unchanged."""

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from fastcollapse import open_results, simulate
from fastcollapse.cli import main as cli
from fastcollapse.cli import run_job as running
from fastcollapse.cli.output_files import saved_generations
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.result_paths import case_paths
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.storage.file_lock import Lock
from fastcollapse.storage.hdf5_store import Hdf5Store
from fastcollapse.storage.part_files import parts_folder
from fastcollapse.storage.parts_folder import PartsFolder

ROOT = Path(__file__).parents[2]
TOML = """
[truth]
uniform = 30
[workflow]
name = "replace"
n_samples = 50
[run]
n_generations = 12
n_replicates = 3
seed = 5
record = ["metrics", "trajectory"]
"""
CASES = """
[recipe]
title = "Two sizes"
cases = [{"workflow.n_samples" = 10}, {"workflow.n_samples" = 40}, {"workflow.n_samples" = 20}]
"""
EXPERIMENT = {
    "truth": {"uniform": 30},
    "workflow": {"name": "replace", "n_samples": 50},
    "run": {"n_generations": 12, "n_replicates": 3, "seed": 5, "record": ["metrics", "trajectory"]},
}


class Killed(BaseException):
    """Ends a run as a kill would, except for data that are written at once."""


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(a) for a in arguments])


def bytes_of(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(TOML)
    (tmp_path / "three.toml").write_text(TOML + CASES)
    return tmp_path


@pytest.fixture
def parts_at_once(monkeypatch):
    """Every commit writes a part."""
    monkeypatch.setattr("fastcollapse.storage.hdf5_store.Hdf5Store.__init__.__defaults__", (1, 0.0))


def stop(path, after, experiment=EXPERIMENT, **options):
    """Leave the committed generations of a stopped run at `path`."""
    done = itertools.count(1)

    def progress(_):
        if next(done) == after:
            raise Killed

    with pytest.raises(Killed):
        simulate(Experiment.from_mapping(experiment), path, block=1, progress=progress, **options)


def assert_same_run(path, expected):
    got, expected = open_results(path), open_results(expected)
    for name, values in expected.metrics.items():
        assert got.metrics[name].tobytes() == values.tobytes()
    assert got.forgotten.tobytes() == expected.forgotten.tobytes()
    for place in itertools.product(range(3), range(1, expected.last + 1)):
        for one, other in zip(got.counts(*place), expected.counts(*place), strict=True):
            assert one.tobytes() == other.tobytes()


def test_run__a_finished_run_is_recognised_and_not_run_again(here, monkeypatch):
    first = call("run", "small.toml", "-o", "a.h5")
    assert first.exit_code == 0, first.output
    before = bytes_of(here)
    monkeypatch.setattr("fastcollapse.simulation.execute.run_blocks", None)  # nothing runs
    again = call("run", "small.toml", "-o", "a.h5")
    assert again.exit_code == 0, again.output
    assert again.stderr == "a.h5 already contains this run; nothing to do (use --overwrite to run again)\n"
    assert again.stdout.startswith("Recursive training")
    assert "Simulated in" not in again.stdout
    assert bytes_of(here) == before
    (here / "a.png").unlink()
    assert call("run", "small.toml", "-o", "a.h5").exit_code == 0
    assert (here / "a.png").exists()


def test_run__by_default_too(here):
    assert call("run", "small.toml").exit_code == 0
    before = bytes_of(here)
    again = call("run", "small.toml")
    assert (again.exit_code, bytes_of(here)) == (0, before), again.output
    assert again.stderr == "results/small.h5 already contains this run; nothing to do (use --overwrite to run again)\n"
    other = call("run", "small.toml", "--seed", "6")
    assert other.exit_code == 0
    assert other.stderr == "results/small.h5 already exists; writing results/small-2.h5\n"
    assert call("run", "small.toml", "--seed", "6").stderr.startswith("results/small-2.h5 already contains this run")


@pytest.mark.parametrize("setting", ["run.seed=6", "run.n_generations=13", "workflow.n_samples=51"])
def test_run__another_experiment_is_not(here, setting):
    assert call("run", "small.toml", "-o", "a.h5").exit_code == 0
    before = bytes_of(here)
    result = call("run", "small.toml", "-o", "a.h5", "--set", setting)
    assert result.exit_code == 2
    key, value = setting.split("=")
    expected = (
        rf"error: a.h5 already exists \(another experiment: {key} is \d+ there, {value} here\); .*overwrite it .*\n"
    )
    assert re.fullmatch(expected, result.stderr)
    assert bytes_of(here) == before


def test_run__changed_data_files_are_another_experiment(here):
    (here / "words.csv").write_text("word,count\na,5\nb,7\n")
    (here / "own.toml").write_text(TOML.replace("uniform = 30", 'counts = "words.csv"'))
    assert call("run", "own.toml", "-o", "a.h5").exit_code == 0
    assert "already contains this run" in call("run", "own.toml", "-o", "a.h5").stderr
    (here / "words.csv").write_text("word,count\na,5\nb,8\n")
    assert "a.h5 already exists (" in call("run", "own.toml", "-o", "a.h5").stderr
    again = call("run", "own.toml", "--resume", "a.h5")
    assert again.exit_code == 2
    assert "a.h5 holds another experiment: data file 'words.csv' has changed" in again.stderr


def test_run__without_a_seed_takes_that_of_the_file(here):
    (here / "free.toml").write_text(TOML.replace("seed = 5\n", ""))
    assert call("run", "free.toml", "-o", "a.h5").exit_code == 0
    before = bytes_of(here)
    assert "a.h5 already contains this run" in call("run", "free.toml", "-o", "a.h5").stderr
    assert plan_run(Experiment.from_toml(here / "free.toml"), here / "a.h5").is_finished
    assert bytes_of(here) == before
    other = call("run", "free.toml", "-o", "a.h5", "--set", "run.n_generations=13")
    assert "(another experiment: run.n_generations is 12 there, 13 here)" in other.stderr
    for _ in range(2):  # without -o, each is a new run with a new seed
        assert call("run", "free.toml").exit_code == 0
    assert open_results("results/free.h5").digest != open_results("results/free-2.h5").digest


def test_overwrite__replaces_results_and_figure(here):
    assert call("run", "small.toml", "-o", "a.h5").exit_code == 0
    old = bytes_of(here)
    result = call("run", "small.toml", "-o", "a.h5", "--seed", "6", "--overwrite")
    assert result.exit_code == 0, result.output
    new = bytes_of(here)
    assert new.keys() == old.keys()
    assert new["a.h5"] != old["a.h5"]
    assert new["a.png"] != old["a.png"]
    assert open_results("a.h5").experiment.run.seed == 6


def test_overwrite__only_results(here):
    (here / "notes.h5").write_text("mine")
    (here / "folder.h5").mkdir()
    (here / "link.h5").symlink_to("notes.h5")
    before = bytes_of(here)
    for name in ("notes.h5", "folder.h5", "link.h5"):
        result = call("run", "small.toml", "-o", name, "--overwrite")
        assert result.exit_code == 2
        words = f"{name} is not a results file and is not overwritten"
        assert result.stderr == f"error: {words}\n"
    assert bytes_of(here) == before


def test_overwrite__restores_the_old_run_if_the_new_one_commits_nothing(here):
    assert call("run", "small.toml", "-o", "a.h5").exit_code == 0
    before = bytes_of(here)
    stop("a.h5", 1, {**EXPERIMENT, "run": {**EXPERIMENT["run"], "seed": 6}}, overwrite=True)
    assert bytes_of(here) == before


def test_overwrite__keeps_the_old_run_until_the_new_one_is_finished(here, parts_at_once):
    assert call("run", "small.toml", "-o", "a.h5").exit_code == 0
    old = (here / "a.h5").read_bytes()
    stop("a.h5", 6, {**EXPERIMENT, "run": {**EXPERIMENT["run"], "seed": 6}}, overwrite=True)
    assert (here / "a.h5").read_bytes() == old
    resume = "a new run that will replace it is not finished; to resume: fastcollapse run --resume a.h5"
    assert f"complete; {resume}\n" in call("info", "a.h5").output
    assert call("check", "a.h5").output.endswith(f"; {resume}\n")
    assert re.search(r"keeps generations 0 to \d; to resume: again", saved_generations(here / "a.h5", ["again"]))
    again = call("run", "small.toml", "-o", "a.h5", "--seed", "6")
    words = "a.h5.parts holds an unfinished run, which will replace a.h5; resume it (resume=True, --resume), "
    words += "overwrite it (overwrite=True, --overwrite) or choose another name"
    assert (again.exit_code, again.stderr) == (2, f"error: {words}\n")
    again = call("run", "small.toml", "-o", "a.h5", "--seed", "5")  # the old run: nothing to do, the parts stay
    assert again.exit_code == 0, again.output
    assert (here / "a.h5").read_bytes() == old
    result = call("run", "--resume", "a.h5")
    assert result.exit_code == 0, result.output
    assert open_results("a.h5").experiment.run.seed == 6
    assert not parts_folder(here / "a.h5").exists()


def test_overwrite__of_the_same_run_is_resumed_not_taken_for_finished(here, parts_at_once):
    assert call("run", "small.toml", "-o", "a.h5").exit_code == 0
    old = (here / "a.h5").read_bytes()
    stop("a.h5", 6, overwrite=True)
    assert (here / "a.h5").read_bytes() == old
    result = call("run", "--resume", "a.h5")
    assert result.exit_code == 0, result.output
    assert re.search(r"a.h5 resumes after generation [1-6]", result.stderr)
    assert (here / "a.h5").read_bytes() != old
    assert not parts_folder(here / "a.h5").exists()


def test_overwrite__stopped_in_version_0_1_gets_its_old_file_back(here, parts_at_once):
    assert call("run", "small.toml", "-o", "a.h5").exit_code == 0
    old = (here / "a.h5").read_bytes()
    stop("b.h5", 6, {**EXPERIMENT, "run": {**EXPERIMENT["run"], "seed": 6}})
    (here / "b.h5.parts").rename(here / "a.h5.parts")
    (here / "a.h5").rename(here / "a.h5.parts" / "replaced.h5")
    stop("a.h5", 2, {**EXPERIMENT, "run": {**EXPERIMENT["run"], "seed": 6}}, resume=True)
    assert (here / "a.h5").read_bytes() == old
    assert call("run", "--resume", "a.h5").exit_code == 0
    assert open_results("a.h5").experiment.run.seed == 6
    assert not parts_folder(here / "a.h5").exists()


def test_overwrite__a_kill_of_version_0_1_before_the_first_part_loses_nothing(here):
    """The finished file is in the folder without a part: the next run restores it."""
    assert call("run", "small.toml", "-o", "a.h5").exit_code == 0
    before = bytes_of(here)
    parts_folder(here / "a.h5").mkdir()
    (here / "a.h5").rename(here / "a.h5.parts" / "replaced.h5")
    (here / "a.h5.parts" / "part-00000.h5.tmp").write_bytes(b"half")
    result = call("run", "small.toml", "-o", "a.h5", "--seed", "6")
    assert result.exit_code == 2
    assert "already exists" in result.stderr
    assert bytes_of(here) == before


def test_unfinished__is_never_restarted_by_default(here, parts_at_once):
    stop("a.h5", 6)
    before = bytes_of(here)
    result = call("run", "small.toml", "-o", "a.h5")
    assert result.exit_code == 2
    words = "a.h5.parts holds an unfinished run; resume it (resume=True, --resume), overwrite it "
    assert result.stderr == f"error: {words}(overwrite=True, --overwrite) or choose another name\n"
    result = call("run", "small.toml", "-o", "a.h5", "--set", "workflow.n_samples=51")
    assert result.exit_code == 2
    words = "an unfinished run, of another experiment (workflow.n_samples is 50 there, 51 here); overwrite it "
    assert words in result.stderr
    assert "resume it with its own experiment (resume=True, --resume)" in result.stderr
    assert bytes_of(here) == before
    result = call("run", "small.toml", "-o", "a.h5", "--overwrite")
    assert result.exit_code == 0
    assert not parts_folder(here / "a.h5").exists()


def test_resume__needs_nothing_but_the_file(here, parts_at_once):
    assert call("run", "small.toml", "-o", "whole.h5").exit_code == 0
    stop("a.h5", 6)
    message = saved_generations(here / "a.h5", ["fastcollapse", "run", "--resume", "a.h5"])
    last = open_results("a.h5").last
    assert 1 <= last <= 6
    assert message.endswith(f"keeps generations 0 to {last}; to resume: fastcollapse run --resume a.h5")
    resume = "to resume: fastcollapse run --resume a.h5\n"
    assert call("info", "a.h5").output.startswith(f"a.h5: not finished; {resume}")
    assert call("check", "a.h5").output == (
        f"a.h5: OK: checksums match; run not finished, {last} generations x 3 replicates; {resume}"
    )
    (here / "small.toml").unlink()
    result = call("run", "--resume", "a.h5")
    assert result.exit_code == 0, result.output
    assert result.stderr == f"a.h5 resumes after generation {last}\n"
    assert "Time includes " in result.stdout
    assert "Simulated in" not in result.stdout  # the time would be that of a part
    assert_same_run("a.h5", "whole.h5")
    before = bytes_of(here)
    result = call("run", "--resume", "a.h5")
    assert (result.exit_code, bytes_of(here)) == (0, before), result.output
    assert result.stderr.startswith("a.h5 already contains this run")


def test_resume__records_the_provenance_of_each_part(here, parts_at_once, monkeypatch):
    stop("a.h5", 4)
    last = open_results("a.h5").last
    made = {**open_results("a.h5").provenance, "python": "9.9"}
    for module in ("execute", "provenance"):
        monkeypatch.setattr(f"fastcollapse.simulation.{module}.provenance", lambda: made)
    result = call("run", "--resume", "a.h5")
    assert result.exit_code == 0, result.output
    assert re.fullmatch(
        rf"a.h5 resumes after generation {last}; changed since it started: python .* became 9.9\n", result.stderr
    )
    got = open_results("a.h5").provenance
    assert got["python"] != "9.9"
    assert got["resumed"] == [{"after": last, **made}]
    assert f"resumed    after generation {last}, " in call("info", "a.h5").output


RESUMED_WRONG = {
    "seed": (["--seed", "6"], "run.seed is 5 there, 6 here"),
    "key": (["--set", "run.n_generations=99"], "run.n_generations is 12 there, 99 here"),
    "workflow": (["other.toml"], "workflow.n_samples is 50 there, 51 here"),
    "family": (["sur-gau"], "model.family is 'discrete' there, 'gaussian' here"),
    "output": (["-o", "b.h5"], "--resume FILE excludes --output and --overwrite"),
    "overwrite": (["--overwrite"], "--resume FILE excludes --output and --overwrite"),
}


@pytest.mark.parametrize("case", RESUMED_WRONG)
def test_resume__refuses_another_experiment_and_names_what_differs(case, here, parts_at_once):
    stop("a.h5", 6)
    (here / "other.toml").write_text(TOML.replace("= 50", "= 51"))
    before = bytes_of(here)
    arguments, words = RESUMED_WRONG[case]
    result = call("run", *arguments, "--resume", "a.h5")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert re.fullmatch(f"error: .*{words}.*\n", result.stderr)
    assert bytes_of(here) == before


def test_resume__refuses_a_state_of_another_shape(here, parts_at_once, monkeypatch):
    """The checksums match, but this program does not write such a state."""
    commit = Hdf5Store.commit

    def wrong(self, state, force=False):
        name = next(iter(state))
        commit(self, {**state, name: np.zeros((7, 7, 7))}, force)

    with monkeypatch.context() as patch:
        patch.setattr(Hdf5Store, "commit", wrong)
        stop("a.h5", 5)
    before, last = bytes_of(here), open_results("a.h5").last
    result = call("run", "--resume", "a.h5")
    assert result.exit_code == 2
    shapes = r"\w+ of a state must have shape \(.*\), got \(7, 7, 7\)"
    assert re.fullmatch(f"error: a.h5: cannot be resumed after generation {last}: {shapes}\n", result.stderr)
    assert bytes_of(here) == before


def test_resume__of_nothing_is_refused_or_started(here):
    parts_folder(here / "begun.h5").mkdir()
    for name, words in (("none.h5", "no such file"), ("begun.h5", "holds no complete part yet")):
        result = call("run", "--resume", name)
        assert result.exit_code == 2
        assert re.fullmatch(f"error: {name}: {words}.*\n", result.stderr)
        result = call("run", "small.toml", "--resume", name)  # a batch job that is queued again and again
        assert result.exit_code == 0, result.output
        assert open_results(name).complete


def test_resume__a_folder_without_a_part_is_taken_by_the_next_run(here):
    folder = parts_folder(here / "a.h5")
    folder.mkdir()
    (folder / "lock").write_text("process 1 on a machine")
    (folder / "part-00000.h5.tmp").write_bytes(b"half")
    assert call("run", "small.toml", "-o", "a.h5").exit_code == 0
    assert not folder.exists()


def test_folder__of_other_files_is_left_unchanged(here):
    folder = parts_folder(here / "a.h5")
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    before = bytes_of(here)
    for arguments in ([], ["--overwrite"]):
        result = call("run", "small.toml", "-o", "a.h5", *arguments)
        assert result.exit_code == 2
        assert "a.h5.parts exists and holds mine.txt" in result.stderr
        assert bytes_of(here) == before


def test_leftovers__of_a_kill_at_the_end_are_removed(here, parts_at_once, monkeypatch):
    """The final file is renamed, and parts still exist."""
    with monkeypatch.context() as patch:
        patch.setattr("fastcollapse.storage.parts_folder.PartsFolder.remove", lambda self: self.release())
        simulate(Experiment.from_mapping(EXPERIMENT), "a.h5", block=3)
    assert open_results("a.h5").finished
    assert parts_folder(here / "a.h5").exists()
    shutil.copytree("a.h5.parts", "kept")
    result = call("run", "--resume", "a.h5")
    assert result.exit_code == 0, result.output
    assert not parts_folder(here / "a.h5").exists()
    # Parts of another run are not rubbish.
    assert call("run", "small.toml", "-o", "b.h5", "--seed", "9").exit_code == 0
    (here / "kept").rename(parts_folder(here / "b.h5"))
    assert call("run", "--resume", "b.h5").exit_code == 0
    assert parts_folder(here / "b.h5").exists()


def test_cases__each_is_reused_resumed_or_started(here, parts_at_once):
    assert call("run", "three.toml", "-o", "whole.h5").exit_code == 0
    experiments = Experiment.from_toml(here / "three.toml").cases()
    simulate(experiments[0], "a-case1.h5")
    stop("a-case2.h5", 5, experiments[1].to_mapping())
    before = (here / "a-case1.h5").read_bytes()
    result = call("run", "three.toml", "-o", "a.h5")
    assert result.exit_code == 2
    assert "a-case2.h5.parts holds an unfinished run" in result.stderr
    result = call("run", "three.toml", "--resume", "a.h5")
    assert result.exit_code == 0, result.output
    assert "a-case1.h5 already contains this run" in result.stderr
    assert "a-case2.h5 resumes after generation" in result.stderr
    assert (here / "a-case1.h5").read_bytes() == before
    for k in (1, 2, 3):
        assert_same_run(f"a-case{k}.h5", f"whole-case{k}.h5")


def test_cases__of_a_drawn_seed_resume_with_their_seeds(here, parts_at_once):
    (here / "free.toml").write_text((TOML + CASES).replace("seed = 5\n", ""))
    experiments = Experiment.from_toml(here / "three.toml").with_values({"run.seed": 77}).cases()
    stop("a-case2.h5", 5, experiments[1].to_mapping())
    result = call("run", "free.toml", "--resume", "a.h5")
    assert result.exit_code == 0, result.output
    assert [open_results(f"a-case{k}.h5").experiment.run.seed for k in (1, 2, 3)] == [77, 78, 79]


def test_interrupted_cases__the_command_resumes_all_of_them(here, monkeypatch, parts_at_once):
    class Bar:
        n_done = 0

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def __call__(self, n):
            self.n_done += n
            if self.n_done > 15:
                os.kill(os.getpid(), 2)

    with monkeypatch.context() as patch:
        patch.setattr(running, "progress_bar", lambda _: Bar())
        result = call("run", "three.toml", "--set", "run.n_replicates=4", "-o", "a b.h5")
    assert result.exit_code == 130
    (command,) = re.findall("to resume: fastcollapse (run .*)\n", result.stderr)
    assert command == "run three.toml --set run.n_replicates=4 --resume 'a b.h5'"
    assert call(*command.replace("'a b.h5'", "A").split()[:-1], "a b.h5").exit_code == 0
    assert open_results("a b-case3.h5").complete


@pytest.mark.parametrize("arguments", [["-o"], ["--resume"], ["--overwrite", "-o"], ["small.toml", "--resume"]])
def test_second_writer__is_refused_in_one_line_and_changes_nothing(here, parts_at_once, arguments):
    stop("a.h5", 6)
    lock = Lock(here / "a.h5.parts" / "lock")
    try:
        before = bytes_of(here)
        what = [] if "--resume" in arguments else ["small.toml"]
        result = call("run", *what, *arguments, "a.h5")
        assert result.exit_code == 2
        words = f"a.h5 is being written by process {os.getpid()} on .*"
        assert re.fullmatch(f"error: {words}\n", result.stderr)
        assert bytes_of(here) == before
        assert f"process {os.getpid()} on" in call("info", "a.h5").output
    finally:
        lock.release()


WRITER = """
import sys
from fastcollapse.cli import main as cli
from fastcollapse.storage.hdf5_store import Hdf5Store
Hdf5Store.__init__.__defaults__ = (1, 0.0)
cli.main(sys.argv[1:])
"""


def test_two_processes__one_runs_and_the_other_is_refused(here):
    """Both start at once: exactly one writes, and its numbers equal those of a single process."""
    assert call("run", "small.toml", "--set", "run.n_generations=200", "-o", "alone.h5").exit_code == 0
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WRITER, "run", "small.toml", "--set", "run.n_generations=200", "-o", "a.h5"]
    both = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [process.communicate()[1] for process in both]
    codes = [one.returncode for one in both]
    assert codes.count(0) >= 1, errors  # both, if the second started after the end of the first
    for code, error in zip(codes, errors, strict=True):
        assert error.count("\n") <= 1
        assert code == 0 or (code == 2 and "a.h5" in error), error
    assert_same_run("a.h5", "alone.h5")
    assert not parts_folder(here / "a.h5").exists()


def test_run__whose_parts_are_removed_names_no_command_to_resume(here, parts_at_once, monkeypatch):
    check = PartsFolder.check

    def removed(folder):
        shutil.rmtree(folder.folder, ignore_errors=True)
        check(folder)

    monkeypatch.setattr(PartsFolder, "check", removed)
    result = call("run", "small.toml", "-o", "a.h5")
    words = "a.h5.parts: is no longer the folder of this run: it was removed, or another process writes to it"
    assert (result.exit_code, result.stderr) == (1, f"error: {words}\n")


def test_info__quotes_the_command_to_resume(here, parts_at_once):
    stop("two words.h5", 6)
    assert "to resume: fastcollapse run --resume 'two words.h5'\n" in call("info", "two words.h5").output


@pytest.mark.parametrize("stopped", ["a-case1.h5", "a-case1.h5.parts/part-00000.h5"])
def test_case_paths__are_those_of_version_0_1_if_it_has_begun_the_run(here, stopped):
    Path(stopped).parent.mkdir(exist_ok=True)
    Path(stopped).touch()
    assert [path.name for path in case_paths(Path("a.h5"), 12)] == [f"a-case{k}.h5" for k in range(1, 13)]


def test_case_paths__sort_in_the_order_of_the_cases():
    names = [path.name for path in case_paths(Path("out/a.h5"), 12)]
    assert names == sorted(names)
    assert names[0] == "a-case01.h5"
    assert [path.name for path in case_paths(Path("a.h5"), 2)] == ["a-case1.h5", "a-case2.h5"]


def test_run__figure_that_another_process_draws_meanwhile_is_kept(here, monkeypatch):
    def drawn_by_another(runs, figure, replace):
        figure.write_bytes(b"theirs")
        raise InputError(f"figure must be a new file, got {figure}: it exists")

    monkeypatch.setattr("fastcollapse.analysis.figure_files.save_figure", drawn_by_another)
    result = call("run", "small.toml", "-o", "a.h5")
    assert (result.exit_code, result.stderr) == (0, "")
    assert Path("a.png").read_bytes() == b"theirs"
