"""Panels of fits to real and synthetic rows together."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.comparison import compare
from fastcollapse.analysis.figures import draw
from fastcollapse.analysis.panels.downstream_grid import SAMPLES
from fastcollapse.analysis.panels.panel import GENERATION
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.panels.ridge import PANELS
from fastcollapse.analysis.panels.strong_collapse import plateau_panel, ridge_gain_panel
from fastcollapse.analysis.report import comparison_text, summary
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment

pytestmark = pytest.mark.filterwarnings("ignore::fastcollapse.errors.InfiniteMomentWarning")
# Fewer than 40 scores in this file: beyond 5 in one of 40,000 right files.
Z_LIMIT = 5.0
ALL = np.arange(3)
RIDGES = [0.0, 0.01, 0.03, 0.06, 0.1, 0.2, 0.4]


def run(down=(), model=(), truth=(), n_replicates=300, workflow=()):
    downstream = {"n_samples": [40, 100, 1000, 10_000], "synthetic_share": [0.0, 0.5, 1.0], "ridge": RIDGES}
    mapping = {
        "model": {
            "family": "ridge",
            "designs": "independent",
            "sigma": 0.3,
            "downstream": {**downstream, **dict(down)},
            **dict(model),
        },
        "truth": {"dimension": 20, **dict(truth)},
        "workflow": {"name": "replace", "n_samples": 60, **dict(workflow)},
        "run": {"n_generations": 2, "n_replicates": n_replicates, "seed": 8},
    }
    return simulate(Experiment.from_mapping(mapping))


@pytest.fixture(scope="module")
def results():
    return run({"delta": 0.01})


def test_plateau__agrees_with_exact_theory(results):
    panels = plateau_panel(results, ALL, {"ridge": [0.0]})
    assert [panel.group for panel in panels] == ["synthetic share 0", "synthetic share 0.5", "synthetic share 1"]
    assert all(panel.axis is SAMPLES and panel.log for panel in panels)
    for panel in panels:
        assert np.isfinite(panel.curve.z).all()
        assert np.abs(panel.curve.z).max() < Z_LIMIT
    # share^2 d times the variance, to which the error of many rows is close.
    limits = [[line.values[0] for line in panel.lines if line.kind == "limit"] for panel in panels]
    assert limits[0] == []
    np.testing.assert_allclose(np.ravel(limits[1:]), [0.05, 0.2])
    np.testing.assert_allclose([panel.curve.mean[-1] for panel in panels[1:]], [0.05, 0.2], rtol=0.1)


def test_plateau__of_a_ridge_is_asymptotic(results):
    panel = plateau_panel(results, ALL, {"ridge": [0.1]})[1]
    assert np.isnan(panel.curve.z).all()
    np.testing.assert_allclose(panel.curve.mean, panel.asymptotic(), rtol=0.1)


def test_ridge_gain__is_that_of_theory(results):
    """A ridge gains more, the larger the plateau: P/(1 + P) of the error for many rows, P = share^2 E|delta|^2."""
    panels = ridge_gain_panel(results, ALL, {})
    for panel in panels:
        assert (panel.curve.mean <= 1).all()
        assert (np.abs(panel.curve.mean - panel.asymptotic()) < 4 * panel.curve.sd + 0.05).all()
    np.testing.assert_allclose([panel.curve.mean[-1] for panel in panels[1:]], [1 / 1.05, 1 / 1.2], atol=0.01)
    assert panels[2].curve.sd[-1] < 0.01


def test_optimum__is_over_samples(results):
    panels = PANELS.panels["optimum"](results, ALL, {})
    assert all(panel.axis is SAMPLES for panel in panels)
    for panel in panels[1:]:
        np.testing.assert_allclose(panel.curve.mean[1:], panel.asymptotic()[1:], rtol=0.35)


@pytest.mark.parametrize("name", ["test_error", "error_by_ridge", "error_by_samples", "decomposition"])
def test_panels__have_a_curve_for_each_share(name, results):
    panels = PANELS.panels[name](results, ALL, {})
    if name != "decomposition":
        assert {panel.group for panel in panels} == {"synthetic share 0", "synthetic share 0.5", "synthetic share 1"}
    for panel in panels:
        assert np.nanmax(np.abs(np.append(panel.curve.z, 0.0))) < Z_LIMIT


def test_decomposition__has_products():
    vector = np.linspace(-0.5, 0.1, 20).tolist()
    panels = PANELS.panels["decomposition"](run({"delta": vector, "ridge": [0.01, 0.1], "n_samples": 40}), ALL, {})
    parts = {panel.group: panel.curve.mean for panel in panels}
    assert set(parts) == {"bias", "variance", "synthetic labels", "products", "total"}
    total = sum(mean for name, mean in parts.items() if name != "total")
    np.testing.assert_allclose(total, parts["total"])


def test_generations__label_the_synthetic_rows():
    results = run({"n_samples": [40, 100]}, n_replicates=100)
    panels = PANELS.panels["error_by_generation"](results, ALL, {"ridge": [0.0]})
    assert all(panel.axis is GENERATION for panel in panels)
    assert {panel.group for panel in panels} == {"synthetic share 0", "synthetic share 0.5", "synthetic share 1"}
    assert "$t$ = 2" in PANELS.panels["error_by_samples"](results, ALL, {"ridge": [0.0]})[0].title
    # Only real rows: nothing depends on the generation.
    mean = panels[0].curve.mean
    assert np.ptp(mean) < 0.2 * mean[0]


def test_fine_tuning__names_its_share():
    results = run({"start": "generation", "n_samples": 40, "ridge": [0.0, 0.1, 0.2]}, n_replicates=20)
    panels = PANELS.panels["fine_tuning"](results, ALL, {})
    assert "synthetic share 1" in panels[0].title


@pytest.mark.parametrize("down", [{"n_samples": [40, 100]}, {"n_samples": 40}])
def test_short_grid__of_given_delta_has_its_errors(down):
    """Only generation 0 has a fit, which is not in panels over generations."""
    results = run({"delta": 0.01, "ridge": [0.0, 0.1], **down}, n_replicates=20)
    panels = PANELS.panels["test_error"](results, ALL, {})
    assert {panel.group for panel in panels} == {"synthetic share 0", "synthetic share 0.5", "synthetic share 1"}
    assert all(np.isfinite(panel.curve.mean).all() and panel.curve.mean.size for panel in panels)


@pytest.mark.parametrize(
    ("down", "start"), [({"delta": [1.0] * 20}, None), ({"delta": 1.0}, None), ({}, None), ({}, "generation")]
)
def test_theory__is_that_of_the_same_run_in_other_units(down, start):
    """Squares of large weights are beyond the limit of theory for weights."""
    unit = 2.0**80
    sigma, given = 0.5, {"n_samples": [10, 100], "ridge": [0.0, 0.1, 0.2, 0.3]} | down
    given |= {} if start is None else {"start": start}
    large = dict(given)
    if "delta" in down:
        large["delta"] = [unit] * 20 if isinstance(down["delta"], list) else unit**2
    own = run(given, {"sigma": sigma}, n_replicates=3)
    other = run(large, {"sigma": sigma * unit}, {"norm": unit}, n_replicates=3)
    for name, factor in (("plateau", unit**2), ("ridge_gain", 1.0), ("optimum", 1.0)):
        got, expected = (PANELS.panels[name](results, ALL, {}) for results in (other, own))
        for one, two in zip(got, expected, strict=True):
            for line, same in zip(one.lines, two.lines, strict=True):
                np.testing.assert_allclose(line.values, factor * same.values, rtol=1e-9)


def test_tables_and_figure__of_a_run(results):
    assert "synthetic share 0.5" in summary(results)
    assert "Test error" in comparison_text(results, compare(results))
    assert draw([results]) is not None


NEEDS = [
    ("plateau", {}, {"synthetic_share": None}, "model.downstream.synthetic_share must be given for the panel plateau"),
    (
        "ridge_gain",
        {},
        {"synthetic_share": None},
        "model.downstream.synthetic_share must be given for the panel ridge_gain",
    ),
    ("ridge_gain", {}, {"ridge": [0.1, 0.2]}, "model.downstream.ridge must have the value 0 for the panel ridge_gain"),
    (
        "ridge_gain",
        {},
        {"ridge": None, "exponent": [0.0, 0.5]},
        "model.downstream.ridge must have the value 0 for the panel ridge_gain",
    ),
    ("optimum", {}, {"ridge": [0.0, 0.1]}, "model.downstream.ridge must have at least 3 values above 0"),
]


@pytest.mark.parametrize(("name", "options", "down", "message"), NEEDS)
def test_panels__name_what_they_need(name, options, down, message):
    with pytest.raises(InputError, match=message):
        panels_of(run(down, n_replicates=2), ALL, [name])
