"""Panels of kernel regressions beside the errors expected for their rows: chains on the same rows, and mixed labels."""

from types import SimpleNamespace

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.figure_files import save_figure
from fastcollapse.analysis.panels.kernel_labels import beside_expected
from fastcollapse.analysis.panels.kernel_ridge import estimate_of
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.report import summary
from fastcollapse.simulation.experiment import Experiment
from tests.naive import kernel_ridge as naive

# About 100 scores in this file: beyond 5 in one of 17,000 right files.
Z_LIMIT = 5.0
ALL = np.arange(6)
WEIGHTS = [0.9, 0.1, 0.5, 0.5, 0.7, 1.0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("tables")
    naive.write_tables(made)
    return made


def run(folder, model=(), n_replicates=400, **keys):
    mapping = {
        "model": {
            "family": "kernel_ridge",
            "kernel": "rbf",
            "scale": 0.5,
            "sigma": 0.5,
            "ridge": 0.05,
            "designs": "dependent",
            "mixed_labels": {"weight": WEIGHTS, "ridge": [0.05, 0.2]},
            **dict(model),
        },
        "truth": {"images": "inputs.npy", "labels": "labels.csv", "n_test": 8},
        "workflow": {"name": "replace", "n_samples": 12},
        "run": {"n_generations": 5, "n_replicates": n_replicates, "seed": 1, **keys},
    }
    mapping["model"] = {name: value for name, value in mapping["model"].items() if value is not None}
    return simulate(Experiment.from_mapping(mapping, base=folder))


LAWS = {
    "fresh labels": {},
    "fixed labels": {"real_labels": "fixed"},
    "added fits": {"start": "previous"},
    "added fits to fixed labels": {"start": "previous", "real_labels": "fixed", "sigma0": 0.8},
}


@pytest.mark.parametrize("name", LAWS)
def test_errors__agree_with_exact_theory(folder, name):
    results = run(folder, LAWS[name])
    panels = panels_of(results, ALL, ["mixed_error", "generator_error"])
    assert [panel.group for panel in panels[:2]] == [r"$\lambda$ = 0.05", r"$\lambda$ = 0.2"]
    for panel in panels:
        assert np.isfinite(panel.curve.z).all()
        assert np.abs(panel.curve.z).max() < Z_LIMIT
        assert not panel.lines
    np.testing.assert_array_equal(panels[0].curve.at, [0.1, 0.5, 0.7, 0.9, 1.0])
    means = results.metrics["mixed_error"].mean(axis=0)
    np.testing.assert_allclose(panels[1].curve.mean, means[-1][[1, 2, 4, 0, 5], 1])
    assert estimate_of(results) is None
    # Negative control: the theory of the generation before.
    errors, expected = results.metrics["generator_error"], results.metrics["generator_expected"]
    shifted = SimpleNamespace(metrics={"generator_error": errors, "generator_expected": np.roll(expected, 1, axis=1)})
    wrong = beside_expected(shifted, ALL, "generator", ALL)
    assert np.abs(wrong.z[1:]).max() > Z_LIMIT


def test_error__of_added_fits_agrees_with_exact_theory_on_new_rows(folder):
    results = run(folder, {"designs": None, "start": "previous", "mixed_labels": None})
    curve = panels_of(results, ALL, ["generator_error"])[0].curve
    assert np.isfinite(curve.z).all()
    assert np.abs(curve.z).max() < Z_LIMIT
    assert estimate_of(results) is None
    # Negative control: the theory of the generation before.
    errors, expected = results.metrics["generator_error"], results.metrics["generator_expected"]
    shifted = SimpleNamespace(metrics={"generator_error": errors, "generator_expected": np.roll(expected, 1, axis=1)})
    assert np.abs(beside_expected(shifted, ALL, "generator", ALL).z[1:]).max() > Z_LIMIT


def test_errors__without_noise_are_exact(folder):
    curve = panels_of(run(folder, {"sigma": 0.0}), ALL, ["mixed_error"])[0].curve
    np.testing.assert_array_equal(curve.z, 0.0)


def test_few_replicates__have_no_score(folder):
    curve = panels_of(run(folder, n_replicates=31), ALL, ["mixed_error"])[0].curve
    assert np.isnan(curve.z).all()
    assert np.isfinite(curve.expected).all()
    assert curve.rule == "a score needs 32 replicates, here 31"


def test_new_rows__have_no_theory(folder):
    panels = panels_of(run(folder, {"designs": None}, 40), ALL, ["mixed_error", "best_weight"])
    assert all(np.isnan(panel.curve.expected).all() and not panel.lines for panel in panels)
    text = summary(run(folder, {"designs": None}, 40))
    assert "is not compared (mixed labels of new rows have no theory)" in text


def test_best_weight__is_that_of_the_expectations(folder):
    panels = panels_of(run(folder), ALL, ["best_weight"])
    assert [line.label for panel in panels for line in panel.lines] == ["theory: given the rows"] * 2
    for panel in panels:
        np.testing.assert_array_equal(panel.curve.at, ALL[1:])
        assert np.abs(panel.curve.mean - panel.lines[0].values)[-1] < 0.1


def test_default_panels__are_those_of_mixed_labels(folder, tmp_path):
    results = run(folder, n_replicates=3)
    text = summary(results)
    assert "Test error with mixed labels, t = 5" in text
    assert "Best weight of the real labels" in text
    save_figure(results, tmp_path / "out.png")
    assert (tmp_path / "out.png").exists()
    # Without expectations there is no theory.
    alone = run(folder, n_replicates=40, record=["mixed_error"])
    assert np.isnan(panels_of(alone, ALL, ["mixed_error"])[0].curve.expected).all()
    assert "the expected errors given the rows are not recorded" in summary(alone)
