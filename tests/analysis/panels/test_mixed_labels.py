"""Panels of mixed labels: simulated errors and best weights beside theory."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.figure_files import save_figure
from fastcollapse.analysis.panels.panel import GENERATION, QUARTILES
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.report import summary
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment

pytestmark = pytest.mark.filterwarnings("ignore::fastcollapse.errors.InfiniteMomentWarning")
# About 40 scores in this file: beyond 5 in one of 40,000 right files.
Z_LIMIT = 5.0
ALL = np.arange(9)
WEIGHTS = [0.9, 0.1, 0.3, 0.5, 0.6, 0.7, 1.0]


def run(model=(), truth=(), n_samples=40, n_replicates=600, text="", **mixed):
    mapping = {
        "model": {
            "family": "ridge",
            "designs": "dependent",
            "sigma": 0.5,
            "mixed_labels": {"weight": WEIGHTS, "ridge": [0.0, 0.2], **mixed},
            **dict(model),
        },
        "truth": {"dimension": 20, **dict(truth)},
        "workflow": {"name": "replace", "n_samples": n_samples},
        "run": {"n_generations": 8, "n_replicates": n_replicates, "seed": 8},
    }
    return simulate(Experiment.from_mapping(mapping, text=text))


EXACT = {
    "least squares": {},
    "other covariance": {"truth": {"beta": 1.0}},
    "minimum norm": {"n_samples": 8},
    "fixed labels": {"model": {"real_labels": "fixed"}},
    "other noise": {"model": {"sigma0": 0.8}},
    "new rows": {"model": {"designs": "independent"}},
    "from previous weights": {"model": {"start": "previous"}, "n_samples": 8},
    "from previous weights, new rows": {"model": {"start": "previous", "designs": "independent"}, "n_samples": 8},
}


@pytest.mark.parametrize("name", EXACT)
def test_mixed_error__without_ridge_agrees_with_exact_theory(name):
    panel = panels_of(run(**EXACT[name]), ALL, ["mixed_error"])[0]
    assert np.isfinite(panel.curve.z).all()
    assert np.abs(panel.curve.z).max() < Z_LIMIT
    assert (np.diff(panel.curve.at) > 0).all()
    # Negative control: the theory of another noise, or of fresh labels.
    wrong = {"model": {} if name == "fixed labels" else {**EXACT[name].get("model", {}), "sigma": 0.6}}
    other = panels_of(run(**{**EXACT[name], "n_replicates": 2, **wrong}), ALL, ["mixed_error"])[0]
    error = panel.curve.sd / np.sqrt(600)
    assert (np.abs(panel.curve.mean - other.curve.expected) / error).max() > Z_LIMIT


def test_mixed_error__with_ridge_has_an_approximate_line():
    results = run()
    panel = panels_of(results, ALL, ["mixed_error"])[1]
    assert panel.group == r"$\lambda$ = 0.2"
    assert np.isnan(panel.curve.expected).all()
    np.testing.assert_allclose(panel.asymptotic(), panel.curve.mean, rtol=0.1)
    # No theory of a ridge and inputs of several variances.
    other = panels_of(run(truth={"beta": 1.0}, n_replicates=3), ALL, ["mixed_error"])[1]
    assert np.isnan(other.asymptotic()).all()
    other = panels_of(run(truth={"design": "uniform"}, model={"sampler": "raw"}, n_replicates=3), ALL, ["mixed_error"])
    assert all(np.isnan(one.curve.expected).all() and np.isfinite(one.asymptotic()).all() for one in other)


@pytest.mark.parametrize(("ridge", "variance"), [(1e40, 1e-5), (1e-9, 1.0)])
def test_ridge__beyond_theory_has_no_line(ridge, variance):
    results = run(truth={"spectrum": [variance] * 20}, ridge=[ridge], n_replicates=3)
    panels = panels_of(results, ALL, ["mixed_error", "best_weight"])
    assert [panel.lines for panel in panels] == [(), ()]


def test_mixed_error__near_as_many_rows_as_inputs_shows_medians():
    results = run(n_samples=21, n_replicates=20)
    panels = panels_of(results, ALL, ["mixed_error"])
    assert [panel.median for panel in panels] == [True, False]
    assert panels[0].band == QUARTILES
    assert len({panel.title for panel in panels}) == 2
    assert "medians" in summary(results)


def test_best_weight__is_golden_without_a_ridge():
    golden, ridge = panels_of(run(), ALL, ["best_weight"])
    assert golden.axis is GENERATION
    np.testing.assert_array_equal(golden.curve.at, ALL[1:])
    assert [line.label for line in golden.lines] == [r"$1/\varphi$ = 0.618, after many generations"]
    assert [line.label for line in ridge.lines] == ["theory, after many generations"]
    for panel in (golden, ridge):
        assert abs(panel.curve.mean[-1] - panel.lines[0].values[-1]) < 0.05
    assert abs(golden.curve.mean[-1] - 0.618) < 0.05
    assert ridge.curve.mean[-1] > 0.7
    fixed = panels_of(run({"real_labels": "fixed"}, n_replicates=50), ALL, ["best_weight"])[0]
    assert fixed.lines[0].values[0] == 1.0
    # New rows have the same best weight without a ridge where there are more rows than inputs, and no theory otherwise.
    noisy = {"designs": "independent", "sigma0": 1.0}
    new = panels_of(run(noisy, n_replicates=2), ALL, ["best_weight"])
    np.testing.assert_allclose(new[0].lines[0].values, 0.828427124746)
    assert not new[1].lines
    assert not panels_of(run(noisy, n_samples=8, n_replicates=2), ALL, ["best_weight"])[0].lines
    with pytest.raises(InputError, match="at least 3 values above 0 for the panel best_weight"):
        panels_of(run(weight=[0.0, 0.5, 1.0], n_replicates=2), ALL, ["best_weight"])


def test_default_panels__are_those_of_mixed_labels(tmp_path):
    results = run(n_replicates=3)
    text = summary(results)
    assert "Excess error with mixed labels, t = 8" in text
    assert "Best weight of the real labels" in text
    save_figure(results, tmp_path / "out.png")
    assert (tmp_path / "out.png").exists()
    # A few weights have no minimum; a weight that is given twice is shown once.
    few = run(weight=[0.5, 0.5, 0.2], n_replicates=2)
    assert "Best weight of the real labels" not in summary(few)
    np.testing.assert_array_equal(panels_of(few, ALL, ["mixed_error"])[0].curve.at, [0.2, 0.5])
    chosen = run(n_replicates=2, text='[recipe]\ntitle = "t"\nridge = [0.2]\npanels = ["mixed_error"]\n')
    assert [panel.group for panel in panels_of(chosen, ALL)] == [r"$\lambda$ = 0.2"]
