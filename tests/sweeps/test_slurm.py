"""Slurm job array scripts from Python."""

import shlex

import pytest

from fastcollapse.errors import InputError
from fastcollapse.sweeps.slurm import slurm_script
from fastcollapse.sweeps.status import sweep_status
from tests.sweeps._example_sweeps import small_sweep


def test_slurm__creates_folder_and_returns_script(tmp_path, monkeypatch):
    monkeypatch.setattr("fastcollapse.sweeps.slurm.precompile", lambda experiments: None)
    options = {"set": ["run.n_generations=2"], "threads": None, "retry": True}
    script = slurm_script(small_sweep(), tmp_path / "s", 3, source="study.toml", options=options)
    (line,) = [line for line in script.splitlines() if line.startswith("exec ")]
    command = shlex.split(line)
    assert command[2:3] + command[4:6] == ["sweep", "-o", f"{tmp_path}/s"]
    assert command[6:9] == ["--set", "run.n_generations=2", "--retry"]
    assert "#SBATCH --array=1-3" in script
    assert sweep_status(tmp_path / "s").n_missing == 6


def test_slurm__refuses_empty_array(tmp_path):
    with pytest.raises(InputError, match="slurm must be at least 1, got 0"):
        slurm_script(small_sweep(), tmp_path / "s", 0, source="study.toml")
    assert not (tmp_path / "s").exists()
