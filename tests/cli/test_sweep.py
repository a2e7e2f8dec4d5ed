"""Commands for sweeps."""

import json
import os
import re
import shlex
import subprocess

import pytest
from click.testing import CliRunner

from fastcollapse import open_results, open_sweep
from fastcollapse.cli import main as cli
from fastcollapse.sweeps.needs import Needs
from fastcollapse.sweeps.panel_scores import PanelScore
from tests.sweeps._example_sweeps import folder_contents

TOML = """
[truth]
uniform = 10
[workflow]
name = "replace"
[run]
n_generations = 4
n_replicates = 3
seed = 5
[sweep.grid]
"workflow.n_samples" = [5, 6]
"truth.uniform" = [10, 20, 30]
"""


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(a) for a in arguments])


@pytest.fixture
def working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.toml").write_text(TOML)
    return tmp_path


def test_compare__has_a_line_a_point_from_folder_and_collected_file(working_folder):
    assert call("sweep", "s.toml", "-o", "s", "--jobs", 1).exit_code == 0
    collected = call("collect", "s", "-o", "s.h5")
    assert (collected.exit_code, collected.output) == (0, "s.h5: 6 of 6 points\n")
    shown = [call("compare", path) for path in ("s", "s.h5")]
    assert shown[0].output == shown[1].output == f"{open_sweep('s').compare()}\n"
    assert shown[0].exit_code == 0
    assert re.match(
        r"(The simulation agrees|0 of 6).*\n +point +n_samples +uniform +scores +disagreeing", shown[0].output
    )
    made = json.loads(call("compare", "s.h5", "--json").output)
    assert (made["n_points"], len(made["points"])) == (6, 6)


def test_compare__of_a_sweep_that_disagrees_exits_with_1(working_folder, monkeypatch):
    assert call("sweep", "s.toml", "-o", "s", "--jobs", 1).exit_code == 0
    wrong = [PanelScore("entropy", 1, 1, 9.0, "generation 3", 0, 0, 0, "")]
    monkeypatch.setattr("fastcollapse.analysis.sweep_comparison.panel_scores", lambda results: wrong)
    shown = call("compare", "s")
    assert shown.exit_code == 1
    assert shown.output.startswith("The simulation disagrees with theory (|z| > 5) in 6 points: 0, 1, 2, 3, 4, ...; ")


def test_collect__without_scores_leaves_theory_out(working_folder, monkeypatch):
    assert call("sweep", "s.toml", "-o", "s", "--jobs", 1).exit_code == 0
    monkeypatch.setattr("fastcollapse.analysis.sweep_comparison.agreement_of", None)
    assert call("collect", "s", "-o", "s.h5", "--no-scores").exit_code == 0


def test_sweep__runs_missing_points_and_prints_their_number(working_folder):
    first = call("sweep", "s.toml", "-o", "out", "--jobs", 1, "--shard", "1/3")
    assert (first.exit_code, first.stdout) == (0, "out: 2 of 6 points done (2 tasks in this call)\n")
    status = call("status", "out")
    assert "out: 6 points: workflow.n_samples (2 values) x truth.uniform (3 values)" in status.stdout
    assert re.search(r"done +2\n +running +0\n +failed +0\n +missing +4\n", status.stdout)
    assert (
        call("sweep", "s.toml", "-o", "out", "--jobs", 1).stdout == "out: 6 of 6 points done (4 tasks in this call)\n"
    )
    assert (
        call("sweep", "s.toml", "-o", "out", "--jobs", 1).stdout == "out: 6 of 6 points done (0 tasks in this call)\n"
    )


def test_sweep__default_folder_is_in_results(working_folder):
    assert call("sweep", "s.toml", "--jobs", 1).stdout.startswith("results/s: 6 of 6")


def test_sweep__values_can_be_set(working_folder):
    call("sweep", "s.toml", "-o", "out", "--jobs", 1, "--set", "run.n_generations=2", "--seed", 9)
    (contents,) = {header[0] for header, _ in list(folder_contents(working_folder / "out")[2].values())[:1]}
    assert '"n_generations":2' in contents


def test_sweep__prints_failed_points_and_retries_them(working_folder):
    text = TOML.replace('"truth.uniform" = [10, 20, 30]', '"truth.text" = ["a.txt", "b.txt"]').replace(
        "uniform = 10", ""
    )
    (working_folder / "s.toml").write_text(text)
    (working_folder / "a.txt").write_text("one two two")
    result = call("sweep", "s.toml", "-o", "out", "--jobs", 1)
    assert result.exit_code == 1
    assert "out: 2 of 4 points done" in result.stdout
    point = "failed: point 1 (workflow.n_samples = 5, truth.text = 'b.txt'): truth.text must be a file, got 'b.txt'"
    assert point in result.stderr
    assert result.stderr.endswith("error: points have failed; use --retry to retry them\n")
    status = call("status", "out")
    assert status.exit_code == 1
    assert "failed   2" in status.stdout
    (working_folder / "b.txt").write_text("one two three")
    assert call("sweep", "s.toml", "-o", "out", "--jobs", 1).exit_code == 1
    again = call("sweep", "s.toml", "-o", "out", "--jobs", 1, "--retry")
    assert (again.exit_code, again.stdout) == (0, "out: 4 of 4 points done (2 tasks in this call)\n")


def test_sweep__a_record_that_cannot_be_removed_is_named_in_one_line(working_folder):
    assert call("sweep", "s.toml", "-o", "out", "--shard", "1/2", "--jobs", 1).exit_code == 0
    (working_folder / "out" / "failed" / "000001.json").mkdir()
    result = call("sweep", "s.toml", "-o", "out", "--jobs", 1, "--retry")
    assert (result.exit_code, result.stderr) == (1, "error: out/failed/000001.json: Is a directory\n")


def test_status__prints_the_error_of_a_point_in_one_line(working_folder):
    assert call("sweep", "s.toml", "-o", "out", "--shard", "1/2", "--jobs", 1).exit_code == 0
    (working_folder / "out" / "failed" / "000001.json").write_text('{"error": "first\\nsecond"}')
    assert call("status", "out").stderr.endswith(": first second\n")


def test_sweep__prints_a_script_for_a_job_array(working_folder):
    result = call("sweep", "s.toml", "-o", "out", "--slurm", 7)
    assert result.exit_code == 0
    assert result.stdout.startswith("#!/bin/bash\n")
    assert "#SBATCH --array=1-7%7" in result.stdout
    assert re.search(
        rf"^exec \S*fastcollapse sweep {working_folder}/s.toml -o {working_folder}/out --shard ",
        result.stdout,
        re.MULTILINE,
    )
    assert call("status", "out").exit_code == 0


def test_sweep__script_of_finished_sweep_is_empty_and_says_so(working_folder):
    call("sweep", "s.toml", "-o", "out", "--jobs", 1)
    result = call("sweep", "s.toml", "-o", "out", "--slurm", 7)
    assert (result.exit_code, result.stdout) == (0, "")
    said = "nothing to do, 6 of 6 points are done; to collect them: fastcollapse collect out"
    assert result.stderr == f"out: {said}\n"


def test_sweep__script_runs_one_shard_per_array_element(working_folder):
    script = call("sweep", "s.toml", "-o", "out", "--slurm", 2).stdout
    n_points = 0
    for element in (1, 2):
        given = {**os.environ, "SLURM_ARRAY_TASK_ID": str(element), "SLURM_CPUS_PER_TASK": "1"}
        done = subprocess.run(["bash", "-c", script], env=given, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        found = re.fullmatch(r"\S*/out: (\d+) of (\d+) points done \((\d+) tasks? in this call\)\n", done.stdout)
        n_points += int(found[3])
        assert int(found[1]) == n_points
    assert n_points == int(found[2])


def test_sweep__finished_sweep_needs_no_data(working_folder):
    text = TOML.replace('"truth.uniform" = [10, 20, 30]', "").replace("uniform = 10", 'text = "a.txt"')
    (working_folder / "s.toml").write_text(text)
    (working_folder / "a.txt").write_text("one two two")
    call("sweep", "s.toml", "-o", "out", "--jobs", 1)
    (working_folder / "a.txt").unlink()
    again = call("sweep", "s.toml", "-o", "out", "--jobs", 1)
    assert (again.exit_code, again.stdout) == (0, "out: 2 of 2 points done (0 tasks in this call)\n")


def lines_of_script(*arguments):
    """Return the #SBATCH lines of a job array script, and the arguments of its command."""
    result = call("sweep", *arguments, "--slurm", 2)
    assert (result.exit_code, result.stderr) == (0, "")
    assert subprocess.run(["bash", "-n"], input=result.stdout, text=True, check=False).returncode == 0
    lines = result.stdout.splitlines()
    (command,) = [shlex.split(line) for line in lines if line.startswith("exec ")]
    return [line for line in lines if line.startswith("#SBATCH")], command[2:]


def test_sweep__script_has_options_of_command(working_folder):
    given = ["--set", "run.n_generations=2", "--seed", "3", "--threads", "1", "--retry", "--yes"]
    _, command = lines_of_script("s.toml", "-o", "out", *given)
    assert command[:4] == ["sweep", f"{working_folder}/s.toml", "-o", f"{working_folder}/out"]
    assert command[4:] == [*given, "--shard", "$SLURM_ARRAY_TASK_ID/2", "--jobs", "$SLURM_CPUS_PER_TASK"]


def test_sweep__script_quotes_blanks_and_percent_signs(working_folder):
    settings, command = lines_of_script("s.toml", "-o", "my 5% study")
    assert "#SBATCH --job-name='my 5% study'" in settings
    assert f'#SBATCH --output="{working_folder}/my 5%% study/slurm-%A_%a.log"' in settings
    assert command[3] == f"{working_folder}/my 5% study"


def test_sweep__script_of_shipped_sweep_has_its_name(working_folder, monkeypatch):
    monkeypatch.setattr("fastcollapse.sweeps.slurm.precompile", lambda experiments: None)
    needs = Needs(None, 0.0, 0, 0, 1 << 30)
    monkeypatch.setattr("fastcollapse.sweeps.slurm.estimate_needs", lambda folder, missing: needs)
    _, command = lines_of_script("cot-gau", "-o", "cot-gau")
    assert command[1] == "cot-gau"


def test_run__names_the_command_for_a_sweep(working_folder):
    result = call("run", "s.toml")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: s.toml is an experiment file with a section [sweep]: use `fastcollapse sweep s.toml`\n",
    )


BAD = {
    "unknown sweep": (["sweep", "cot-guu"], "sweep must be a name that .*did you mean 'cot-gau'"),
    "missing file": (["sweep", "none.toml"], "experiment file 'none.toml' does not exist"),
    "no sweep": (["sweep", "plain.toml"], r"without a section \[sweep\]: use `fastcollapse run plain.toml`"),
    "unknown key": (["sweep", "key.toml"], "workflow.n_sample is not a known key.*did you mean 'n_samples'"),
    "unequal zip": (["sweep", "zip.toml"], "sweep.zip must have lists of one length, got 2 of run.seed, 3 of"),
    "many points": (["sweep", "many.toml"], r"at most 1,000,000 points without --yes, got 1,002,001"),
    "a shard of none": (["sweep", "s.toml", "--shard", "0/3"], "shard must be i/n with i from 1 to n, got 0/3"),
    "a shard too many": (["sweep", "s.toml", "--shard", "4/3"], "shard must be i/n with i from 1 to n, got 4/3"),
    "no shard": (["sweep", "s.toml", "--shard", "half"], "shard must be i/n with i from 1 to n, got 'half'"),
    "no jobs": (["sweep", "s.toml", "--jobs", "0"], "jobs must be at least 1, got 0"),
    "no elements": (["sweep", "s.toml", "--slurm", "0"], "slurm must be at least 1, got 0"),
    "a script of a shard": (["sweep", "s.toml", "--slurm", "2", "--shard", "1/2"], "--slurm must be without --shard: "),
    "a script of jobs": (["sweep", "s.toml", "--slurm", "2", "--jobs", "2"], "--slurm must be without --jobs: "),
    "a script for Dask": (["sweep", "s.toml", "--slurm", "2", "--scheduler", "tcp://x:1"], "--slurm .* --scheduler: "),
    "no threads": (["sweep", "s.toml", "--threads", "0"], "threads must be at least 1, got 0"),
    "a limit of a cluster": (
        ["sweep", "s.toml", "--scheduler", "tcp://a:1", "--memory-limit", "2GB"],
        "--memory-limit must be without --scheduler and --slurm",
    ),
    "a limit that is no size": (["sweep", "s.toml", "--memory-limit", "much"], "memory_limit must be a size such as"),
    "the sweep itself": (["sweep", "s.toml", "--set", "sweep.paired=true"], "sweep.paired must be changed in the file"),
    "an empty name": (["sweep", "s.toml", "-o", ""], "output must be a folder, got ''"),
    "a long name": (["sweep", "s.toml", "-o", "x" * 300], "output must be .*, got '?xxx.*: File name too long"),
    "no data": (["sweep", "data.toml"], r"truth.text must be a file, got 'none.txt': no such file"),
    "no data of a script": (["sweep", "data.toml", "--slurm", "2"], r"truth.text must be a file, got 'none.txt'"),
    "two ways": (["sweep", "s.toml", "--scheduler", "tcp://a:1", "--jobs", "2"], "--scheduler must be without --jobs"),
    "no scheduler": (["sweep", "s.toml", "--scheduler", "tcp://127.0.0.1:9"], "scheduler must be the address"),
    "a varied key": (["sweep", "s.toml", "--set", "truth.uniform=9"], "truth.uniform must be left to the sweep"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input__is_one_line_and_writes_nothing(working_folder, monkeypatch, name):
    monkeypatch.setattr("fastcollapse.sweeps.executors.dask._CONNECT_SECONDS", 1)
    head = TOML.split("[sweep.grid]")[0]
    (working_folder / "plain.toml").write_text(head)
    (working_folder / "data.toml").write_text(
        head.replace("uniform = 10", "text = 'none.txt'") + "[sweep.grid]\n'workflow.n_samples' = [5, 6]\n"
    )
    (working_folder / "key.toml").write_text(TOML.replace("n_samples", "n_sample"))
    (working_folder / "zip.toml").write_text(
        head + "[sweep.zip]\n'run.seed' = [1, 2]\n'workflow.n_samples' = [1, 2, 3]\n"
    )
    values = list(range(2, 1003))
    (working_folder / "many.toml").write_text(
        head + f"[sweep.grid]\n'workflow.n_samples' = {values}\n'truth.uniform' = {values}\n"
    )
    before = sorted(working_folder.iterdir())
    arguments, words = BAD[name]
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert re.fullmatch(f"error: .*{words}.*\n", result.stderr)
    assert sorted(working_folder.iterdir()) == before


def test_bad_input__folder_of_another_sweep_is_unchanged(working_folder):
    call("sweep", "s.toml", "-o", "out", "--jobs", 1)
    before = folder_contents(working_folder / "out")
    (working_folder / "s.toml").write_text(TOML.replace("seed = 5", "seed = 6"))
    result = call("sweep", "s.toml", "-o", "out", "--jobs", 1)
    assert result.exit_code == 2
    expected = "error: output must be a new folder or that of this sweep, got out: run.seed is 5 there, 6 here\n"
    assert result.stderr == expected
    assert folder_contents(working_folder / "out") == before


def test_status__refuses_other_folders(working_folder):
    result = call("status", working_folder)
    assert result.exit_code == 2
    assert "must be the folder of a sweep" in result.stderr


def test_collect__names_file_after_folder(working_folder, monkeypatch):
    call("sweep", "s.toml", "-o", "out", "--jobs", 1)
    assert call("collect", "out").stdout == "out.h5: 6 of 6 points\n"
    assert call("collect", "out", "--point", 3).stdout.startswith("out-000003.h5: point 3, workflow.n_samples = 6")
    assert open_results("out-000003.h5").last == 4
    (working_folder / "out.h5").unlink()
    monkeypatch.chdir(working_folder / "out")
    assert call("collect", ".").stdout == f"{working_folder}/out.h5: 6 of 6 points\n"
    assert call("collect", "../out", "--point", 0).stdout.startswith("../out-000000.h5: point 0")


@pytest.mark.parametrize(
    ("where", "file", "figure"),
    [(".", "out", "out.png"), (".", "out.h5", "out.png"), ("out", ".", "{working_folder}/out.png")],
)
def test_plot__names_figure_after_sweep(working_folder, monkeypatch, where, file, figure):
    call("sweep", "s.toml", "-o", "out", "--jobs", 1)
    call("collect", "out")
    monkeypatch.chdir(working_folder / where)
    drawn = []
    monkeypatch.setattr(
        "fastcollapse.analysis.sweep_figures.draw_with_caption", lambda source, choice, look: (None, "")
    )
    monkeypatch.setattr(
        "fastcollapse.analysis.figure_files.write_figure", lambda made, text, path: drawn.append(str(path))
    )
    result = call("plot", file)
    assert (result.exit_code, drawn) == (0, [figure.format(working_folder=working_folder)])


def test_plot__reports_missing_file_first(working_folder):
    result = call("plot", "none.h5", "--over", "uniform")
    assert (result.exit_code, result.stderr) == (2, "error: none.h5: no such file\n")


@pytest.mark.parametrize("command", ["sweep", "status", "collect"])
def test_help__has_an_example(command):
    assert f"\n  fastcollapse {command} study" in call(command, "--help").stdout
