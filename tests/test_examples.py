"""The scripts of docs/examples run unchanged, also for the second time."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from fastcollapse.sweeps.folder import SweepFolder

# A smaller size of scripts that take arguments.
ARGUMENTS = {"gaussian_mixture": ["--samples", "40", "--generations", "3", "--replicates", "2"]}
SCRIPTS = sorted((Path(__file__).parents[1] / "docs" / "examples").glob("*.py"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script__runs_twice(path, tmp_path, monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(path), *ARGUMENTS.get(path.stem, ())])
    if "sklearn" in path.read_text():
        pytest.importorskip("sklearn")
    for _ in range(2):
        runpy.run_path(str(path), run_name="__main__")


def test_sweep_to_dataframe__has_the_means_of_its_points(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    (script,) = [path for path in SCRIPTS if path.stem == "sweep_to_dataframe"]
    means = runpy.run_path(str(script), run_name="__main__")["means"]
    folder = SweepFolder(Path("study"))
    assert len(means) == len(folder) == 6
    for index in range(6):
        experiment = folder.sweep[index].experiment
        got = means.loc[(experiment.workflow.name, experiment.workflow.n_samples)]
        entropy = folder.results(index).metrics["entropy"][:, -1]
        expected = entropy.mean(), entropy.std(ddof=1) / np.sqrt(len(entropy))
        np.testing.assert_allclose([got["mean"], got["sem"]], expected, rtol=1e-12)
    assert "accumulate" in capsys.readouterr().out
