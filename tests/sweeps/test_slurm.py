"""Slurm job array scripts: their settings, their estimates, and a run of both jobs with a stand-in for sbatch."""

import os
import re
import shlex
import subprocess

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.sweeps.collected_results import open_sweep
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.needs import Needs
from fastcollapse.sweeps.run import run_sweep
from fastcollapse.sweeps.slurm import slurm_script
from fastcollapse.sweeps.status import sweep_status
from tests.sweeps._example_sweeps import small_sweep

NEEDS = Needs(seconds=600.0, longest=900.0, n_finished=2, n_trials=8, memory=3 << 30)


@pytest.fixture
def known_needs(monkeypatch):
    monkeypatch.setattr("fastcollapse.sweeps.slurm.precompile", lambda experiments: None)
    monkeypatch.setattr("fastcollapse.sweeps.slurm.estimate_needs", lambda folder, missing: NEEDS)


def settings_of(script):
    return dict(re.findall(r"^#SBATCH --([a-z-]+)(?:=(.*))?$", script, re.MULTILINE))


def test_slurm__creates_folder_and_returns_script(tmp_path, known_needs):
    options = {"set": ["run.n_generations=2"], "threads": None, "retry": True}
    script = slurm_script(small_sweep(), tmp_path / "s", 3, source="study.toml", options=options)
    (line,) = [line for line in script.splitlines() if line.startswith("exec ")]
    command = shlex.split(line)
    assert command[2:3] + command[4:6] == ["sweep", "-o", f"{tmp_path}/s"]
    assert command[6:9] == ["--set", "run.n_generations=2", "--retry"]
    assert sweep_status(tmp_path / "s").n_missing == 6


def test_slurm__time_and_memory_follow_from_estimates(tmp_path, known_needs):
    script = slurm_script(small_sweep(), tmp_path / "s", 3, source="study.toml")
    settings = settings_of(script)
    assert settings["array"] == "1-3%3"
    assert settings["mem"] == "4096M"  # 1.3 times 3 GiB, in steps of 256 MiB
    assert settings["time"] == "00:45:00"  # two points of 600 s, twice, and five minutes
    assert "requeue" in settings
    assert "20 min estimated for an element (2 points) from 2 finished points and 8 trials" in script
    assert "6 points, 60 min of one core in all, in 3 elements. Advice: --slurm 2, elements of 30 min each." in script
    assert "\n##SBATCH --partition=NAME\n##SBATCH --account=NAME\n" in script


def test_slurm__throttle_and_split_points(tmp_path, known_needs):
    script = slurm_script(small_sweep(), tmp_path / "s", 200, source="study.toml")
    assert settings_of(script)["array"] == "1-200%100"
    assert "an element (1/34 of a point)" in script


def test_slurm__without_a_timed_point_takes_a_day(tmp_path, known_needs, monkeypatch):
    nothing = Needs(None, 0.0, 0, 0, 1 << 30)
    monkeypatch.setattr("fastcollapse.sweeps.slurm.estimate_needs", lambda folder, missing: nothing)
    script = slurm_script(small_sweep(), tmp_path / "s", 2, source="study.toml")
    assert settings_of(script)["time"] == "1-00:00:00"
    assert "# Time: no point could be timed" in script


def test_slurm__finished_sweep_has_nothing_to_do(tmp_path, known_needs):
    run_sweep(small_sweep(), tmp_path / "s")
    assert slurm_script(small_sweep(), tmp_path / "s", 2, source="study.toml") == ""


def test_slurm__counts_only_missing_points(tmp_path, known_needs):
    run_sweep(small_sweep(), tmp_path / "s", shard=(1, 2))
    script = slurm_script(small_sweep(), tmp_path / "s", 2, source="study.toml")
    assert "30 min estimated for an element (3 points)" in script
    assert "\n# 3 points, " in script


def test_slurm__refuses_empty_array(tmp_path):
    with pytest.raises(InputError, match="slurm must be at least 1, got 0"):
        slurm_script(small_sweep(), tmp_path / "s", 0, source="study.toml")
    assert not (tmp_path / "s").exists()


# Runs the elements of an array one after the other, or the command of a single job, instead of queueing them.
SBATCH = """#!/bin/bash
printf '%s\\n' "$*" >> "$CALLS"
for word in "$@"; do
    case "$word" in --wrap=*) exec bash -c "${word#--wrap=}" >> "$CALLS.log" 2>&1 ;; esac
done
n=$(sed -n -E 's/^#SBATCH --array=1-([0-9]+)%.*/\\1/p' "${@: -1}")
for i in $(seq "$n"); do
    SLURM_ARRAY_TASK_ID=$i SLURM_CPUS_PER_TASK=1 bash "${@: -1}" >> "$CALLS.log" 2>&1
done
echo "4711;cluster"
"""
TOML = """
[truth]
uniform = 10
[run]
n_generations = 6
n_replicates = 5
seed = 7
[workflow]
name = "replace"
[sweep.grid]
"workflow.n_samples" = [5, 6, 7]
"truth.uniform" = [10, 20]
"""


def test_script__runs_the_array_and_collects_after_it(tmp_path):
    source, folder = tmp_path / "study.toml", tmp_path / "my 5% study"
    source.write_text(TOML)
    script = slurm_script(small_sweep(), folder, 2, source=str(source))
    (tmp_path / "study.sh").write_text(script.replace("##SBATCH --partition=NAME", "#SBATCH --partition=short"))
    assert subprocess.run(["bash", "-n", tmp_path / "study.sh"], check=False).returncode == 0
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sbatch").write_text(SBATCH)
    (tmp_path / "bin" / "sbatch").chmod(0o755)
    given = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    given |= {"PATH": f"{tmp_path}/bin:{given['PATH']}", "CALLS": str(tmp_path / "calls")}
    done = subprocess.run(
        ["bash", tmp_path / "study.sh"], env=given, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("submitted the array 4711 of 2 elements\n")
    array, collect = (tmp_path / "calls").read_text().splitlines()
    assert array == f"--parsable {tmp_path}/study.sh"
    assert collect.startswith("--partition=short --dependency=afterany:4711 --job-name=my 5% study-collect ")
    assert f"--output={tmp_path}/my 5%% study/slurm-%j-collect.log" in collect
    log = (tmp_path / "calls.log").read_text()
    assert "3 of 6 points done (3 tasks in this call)" in log
    assert "6 of 6 points done (3 tasks in this call)" in log
    collected = open_sweep(tmp_path / "my 5% study.h5")
    run_sweep(small_sweep(), tmp_path / "same")
    expected = SweepFolder(tmp_path / "same")
    for index in range(6):
        for name, values in expected.results(index).metrics.items():
            np.testing.assert_array_equal(collected.results(index).metrics[name], values)
