"""Check of files, sweeps and experiments in Python; tests/cli has the command, which calls the same function."""

import pytest

import fastcollapse
from fastcollapse.api.check import check
from fastcollapse.errors import InputError, UnreadableResults
from tests.api.test_experiment_source import MAPPING, SWEEP, TOML


def test_check__compares_checksums_of_results_and_sweeps(tmp_path):
    fastcollapse.simulate(MAPPING, tmp_path / "a.h5")
    assert "a.h5, " in check(tmp_path / "a.h5")
    (tmp_path / "grid.toml").write_text(SWEEP)
    fastcollapse.run_sweep(tmp_path / "grid.toml", tmp_path / "grid")
    assert check(tmp_path / "grid").endswith("grid: OK: checksums of 2 of 2 points match")
    raw = bytearray((tmp_path / "a.h5").read_bytes())
    raw[len(raw) // 2] ^= 255
    (tmp_path / "b.h5").write_bytes(raw)
    with pytest.raises(UnreadableResults, match=r"b\.h5"):
        check(tmp_path / "b.h5")


def test_check__of_an_experiment_loads_its_data_and_runs_nothing(tmp_path):
    (tmp_path / "study.toml").write_text(TOML)
    line = "OK: the poisson family can run it: 3 generations x 2 replicates"
    assert check(MAPPING) == f"experiment: {line}"
    assert check(tmp_path / "study.toml").endswith(f"study.toml: {line}")
    assert "cases x " in check("cot-kde")
    wrong = {**MAPPING, "truth": {"text": "missing.txt"}, "model": {}}
    with pytest.raises(InputError, match=r"truth.text must be a file, got 'missing.txt': no such file"):
        check(wrong)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["study.toml"]
