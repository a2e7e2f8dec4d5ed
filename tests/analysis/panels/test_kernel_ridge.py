"""Panels of kernel ridge regression: metrics and the estimate of theory."""

import numpy as np
import pytest

from fastcollapse import Results, simulate
from fastcollapse.analysis.figures import draw
from fastcollapse.analysis.panels.kernel_ridge import ESTIMATE, PANELS, estimate_of
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from tests.naive import kernel_ridge as naive

GENERATIONS = np.arange(5)
MODEL = {"kernel": "rbf", "scale": 0.5, "sigma": 0.3, "ridge": 0.05}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("tables")
    naive.write_tables(made)
    return made


def run(folder, model=None, truth=None, workflow=None):
    downstream = {"n_samples": [4, 6, 15], "ridge": [0.01, 0.1], "generations": [0, 1, 4]}
    sections = {
        "model": {"family": "kernel_ridge", "downstream": downstream, **MODEL, **(model or {})},
        "truth": {"images": "inputs.npy", "labels": "labels.csv", "n_test": 20} | (truth or {}),
        "workflow": workflow or {"name": "replace", "n_samples": 9},
        "run": {"n_generations": 4, "n_replicates": 6, "seed": 1},
    }
    return simulate(Experiment.from_mapping(sections, base=folder))


@pytest.fixture(scope="module")
def results(folder):
    return run(folder)


def test_errors__equal_metrics(results):
    panels = panels_of(results, GENERATIONS, ["error_by_samples", "error_by_ridge", "accuracy_by_samples"])
    assert [panel.group for panel in panels[:3]] == ["$t$ = 0", "$t$ = 1", "$t$ = 4"]
    errors = results.metrics["test_error"]
    np.testing.assert_allclose(panels[1].curve.mean, errors[:, 1, :, 0].mean(axis=0))
    assert panels[1].curve.at.tolist() == [4, 6, 15]
    by_ridge = [panel for panel in panels if panel.title == "Test error, $T$ = 6"]
    np.testing.assert_allclose(by_ridge[2].curve.mean, errors[:, 4, 1].mean(axis=0))
    accuracy = next(panel for panel in panels if panel.title.startswith("Test accuracy"))
    np.testing.assert_allclose(accuracy.curve.mean, results.metrics["test_accuracy"][:, 0, :, 0].mean(axis=0))


def test_estimate__is_drawn_without_score(results):
    estimate = estimate_of(results)
    assert estimate.generator.shape == (5,)
    assert estimate.generator[0] == 0.0
    # The estimate uses 20 rows and is missing for samples of more than 10.
    assert np.isfinite(estimate.test[[0, 1, 4], :2]).all()
    assert np.isnan(estimate.test[:, 2]).all()
    assert np.isnan(estimate.test[[2, 3]]).all()
    panel = panels_of(results, GENERATIONS, ["error_by_samples"])[0]
    assert [(line.label, line.kind) for line in panel.lines] == [(ESTIMATE, "asymptotic")]
    assert np.isnan(panel.curve.z).all()
    # With 20 rows and few replicates the estimate is within a factor of 2 of the metric.
    ratio = estimate.test[[1, 4], :2] / results.metrics["test_error"][:, [1, 4], :2].mean(axis=0)
    assert (ratio > 0.5).all()
    assert (ratio < 2).all()


def test_estimate__is_not_that_of_a_fine_tuned_generation(folder):
    tuned = run(folder, {"downstream": {"n_samples": [4, 6], "ridge": [0.01, 0.1], "start": "generation"}})
    assert estimate_of(tuned).test is None
    assert not any(panel.lines for panel in panels_of(tuned, GENERATIONS, ["error_by_samples"]))


def test_estimate__is_missing_without_theory(folder):
    for more in (
        {"workflow": {"name": "accumulate", "n_samples": 9, "keep_real": True}},
        {"model": {"spectrum_rows": 0}},
    ):
        found = run(folder, **more)
        assert estimate_of(found) is None
        assert panels_of(found, GENERATIONS, ["error_by_samples"])[0].lines == ()


def test_digits__are_images_of_predictions(results, folder):
    panels = panels_of(results, np.array([0, 1, 4]), ["digits"])
    shown = results.metrics["generator_shown"]
    assert len(panels) == shown.shape[2]
    for i, panel in enumerate(panels):
        np.testing.assert_allclose(panel.curve.mean, shown[:, [0, 1, 4], i].mean(axis=0))
        # Three inputs do not form a square image.
        assert panel.image is None
    truth = {"labels": "classes.idx", "target": "one_vs_rest"}
    classes = panels_of(run(folder, truth=truth), np.array([0, 1]), ["digits"])
    assert [panel.group for panel in classes] == ["label 0", "label 1", "label 2"]
    assert all(panel.curve.mean[0] == 1.0 for panel in classes)


def test_figure__has_row_of_images(tmp_path):
    rng = np.random.default_rng(1)
    np.save(tmp_path / "x.npy", rng.random((60, 4)))
    np.save(tmp_path / "y.npy", rng.integers(0, 3, 60))
    results = run(tmp_path, truth={"images": "x.npy", "labels": "y.npy"})
    panels = panels_of(results, np.array([0, 4]), ["digits"])
    assert {panel.image.shape for panel in panels} == {(2, 2)}
    text = """
        [recipe]
        title = "Pictures"
        panels = ["digits", "generator_error"]
        generations = [0, 4]
    """
    object.__setattr__(results._reader.header, "experiment_text", text)
    axes = draw([Results(results._reader)]).axes
    *images, colours = axes[0].child_axes
    assert len(images) == len(panels)
    assert colours.get_ylabel() == "prediction"
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["0", "4"]
    words = [one.get_text() for one in axes[0].texts]
    assert f"{panels[0].curve.mean[1]:.2f}" in words
    assert axes[0].get_legend() is None
    assert axes[1].get_legend() is not None


def test_default__shows_the_axis_with_most_values(results, folder):
    titles = {panel.title for panel in panels_of(results, GENERATIONS, ["test_error"])}
    assert titles == {r"Test error, $\lambda$ = 0.01", r"Test error, $\lambda$ = 0.1"}
    few = run(folder, {"downstream": {"n_samples": 6, "ridge": 0.1}})
    assert {panel.title for panel in panels_of(few, GENERATIONS, ["test_error"])} == {"Test error, $T$ = 6"}
    grid = run(folder, {"downstream": {"n_samples": 6, "exponent": [0.5, 1.0, 2.0]}})
    assert panels_of(grid, GENERATIONS, ["test_error"])[0].axis.heading == "l"


def test_panels__name_missing_data(folder):
    alone = run(folder)
    assert set(PANELS.panels) >= {"generator_error", "test_error", "digits"}
    with pytest.raises(InputError, match=r"recipe\.panels must be of generator_error"):
        panels_of(alone, GENERATIONS, ["errors"])
