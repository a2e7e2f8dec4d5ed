"""Sections of an experiment from a mapping."""

import hashlib

import pytest

from fastcollapse.config.fields import ValidationErrors
from fastcollapse.simulation.experiment_sections import checked_sections


def mapping(**truth):
    return {
        "truth": truth,
        "workflow": {"name": "replace", "n_samples": 5},
        "run": {"n_generations": 2, "n_replicates": 1},
    }


def test_sections__are_built_with_the_files_of_their_numbers(tmp_path):
    (tmp_path / "mean.csv").write_text("0.25\n0.75\n")
    given = {"model": {"family": "gaussian", "estimator": "mle"}, **mapping(mean="mean.csv")}
    family, sections, files = checked_sections(given, tmp_path, None)
    assert family == "gaussian"
    assert list(sections) == ["model", "truth", "workflow", "run"]
    assert sections["truth"].mean == (0.25, 0.75)
    ((path, digest),) = files.values()
    assert (list(files), path) == (["truth.mean"], "mean.csv")
    assert digest == hashlib.sha256((tmp_path / "mean.csv").read_bytes()).hexdigest()


def test_sections__all_problems_are_named_together():
    given = {**mapping(uniform=1), "run": {"n_generations": 0, "n_replicates": 1}, "trut": {}}
    with pytest.raises(ValidationErrors) as error:
        checked_sections(given, None, None)
    assert [key for key, _ in error.value.items] == ["trut", "truth.uniform", "run.n_generations"]
    assert "did you mean 'truth'?" in str(error.value)
