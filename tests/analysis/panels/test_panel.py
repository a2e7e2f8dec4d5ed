"""Panels over any axis: plots, labels of points, tables, agreement, and figures of several curves."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

from fastcollapse import simulate
from fastcollapse.analysis.agreement import agreement_of
from fastcollapse.analysis.axes import draw_plot
from fastcollapse.analysis.comparison import compare
from fastcollapse.analysis.figures import draw
from fastcollapse.analysis.panels import discrete
from fastcollapse.analysis.panels.panel import QUARTILES, Axis, Curve, Line, Panel, plots_of
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.panels.scores import curve_of
from fastcollapse.analysis.report import summary
from fastcollapse.analysis.tables import number, why_not_compared
from fastcollapse.simulation.experiment import Experiment

RIDGE = Axis("lambda", "ridge lambda")
AT = np.array([0.0, 1e-3, 1e-1, 10.0])


def grid_panel(group, shift=0.0, lines=(), expected=None, **more):
    """Return a panel over ridges with 200 replicates around 1 + shift."""
    values = 1 + shift + np.random.default_rng(5).normal(0, 0.1, (200, 4))
    expected = np.full(4, np.nan) if expected is None else expected
    curve = curve_of(AT, values, None, None, expected, np.full(4, True))
    return Panel("Test error", "excess error", "error", curve, lines, axis=RIDGE, group=group, log=True, **more)


@pytest.fixture
def results(monkeypatch):
    """A run with a panel of three curves over ridges (only the last is not exact) and one over generations."""

    def maker(results, generations, options):
        line = Line("theory: deterministic equivalent", np.full(4, 3.2), "asymptotic")
        return [
            grid_panel("n = 0", expected=np.ones(4)),
            grid_panel("n = 1", 1.0, expected=np.full(4, 2.0)),
            grid_panel("n = 5", 2.0, (line,)),
        ]

    monkeypatch.setattr(discrete.PANELS, "panels", {**discrete.PANELS.panels, "grid": maker})
    text = '[recipe]\ntitle = "A grid"\npanels = ["grid", "heterozygosity"]\n'
    mapping = {
        "truth": {"uniform": 10},
        "workflow": {"name": "replace", "n_samples": 50},
        "run": {"n_generations": 5, "n_replicates": 50, "seed": 3},
    }
    return simulate(Experiment.from_mapping(mapping, text=text))


def test_plots__group_panels_by_title():
    one, two, other = grid_panel("a"), grid_panel("b"), dataclasses.replace(grid_panel("a"), title="Norm")
    assert plots_of([one, other, two]) == [[one, two], [other]]


def test_place__names_group_axis_and_value():
    assert grid_panel("n = 5").place(1) == "n = 5, lambda = 0.001"
    assert grid_panel("").place(3) == "lambda = 10"


def test_panels__function_may_return_several(results):
    panels = panels_of(results, np.arange(6))
    assert [panel.group for panel in panels] == ["n = 0", "n = 1", "n = 5", ""]


def test_summary__has_table_for_every_plot(results):
    text = summary(results)
    lines = text.splitlines()
    header = next(
        i for i, line in enumerate(lines) if line.split() == "curve lambda error +- sd exact asymptotic z".split()
    )
    assert [line.split()[3] for line in lines[header + 1 : header + 5]] == ["0", "0.001", "0.1", "10"]
    assert "n = 5" in text
    assert "asymptotic: deterministic equivalent, not scored" in text
    assert "generation        H" in text


def test_agreement__combines_curves_of_plot(results):
    grid, _ = agreement_of(results)
    # 8 scores; 4.5 is passed by chance less than once in 10,000.
    assert (grid.name, grid.n_scores, grid.noun) == ("Test error", 8, "value")
    assert grid.largest[0] < 4.5
    assert grid.largest[1].startswith(("n = 0, lambda = ", "n = 1, lambda = "))
    compared = compare(results)
    text = str(compared)
    assert compared.agrees
    assert "Test error: 8 values compared, largest |z|" in text


def test_agreement__names_location_of_disagreement(results, monkeypatch):
    wrong = grid_panel("n = 1", 1.0, expected=np.array([2.0, 2.0, 2.2, 2.0]))
    monkeypatch.setitem(discrete.PANELS.panels, "grid", lambda *_: wrong)
    compared = compare(results)
    text = str(compared)
    assert compared.agrees is False
    assert "DISAGREES with theory (|z| > 5) at n = 1, lambda = 0.1" in text


def test_why_not_compared__asymptotic_theory_has_distance_instead_of_score(results):
    line = Line("theory: deterministic equivalent", np.full(4, 1.25), "asymptotic")
    panel = grid_panel("", lines=(line,))
    assert np.isnan(panel.curve.z).all()
    off = 100 * np.abs(panel.curve.mean / 1.25 - 1).max()
    assert why_not_compared(results, [panel]) == f"no exact theory; within {off:.2g} % of the asymptotic one"
    # A percentage has no meaning outside the range of asymptotic theory.
    far = grid_panel("", lines=(Line("theory: large samples", np.array([1.0, 1.0, 1.0, 0.07]), "asymptotic"),))
    factor = (far.curve.mean / far.asymptotic()).max()
    assert factor > 10
    assert (
        why_not_compared(results, [far]) == f"no exact theory; up to a factor of {factor:.0f} from the asymptotic one"
    )


def test_number__formats_infinity():
    assert number(grid_panel(""), np.inf) == "inf"
    assert number(grid_panel(""), np.nan) == "-"
    assert number(grid_panel(""), 0.0123456) == "0.01235"


def test_draw__curves_of_plot_share_axes_and_colours(results):
    left, right = draw([results]).axes
    labels = left.get_legend_handles_labels()[1]
    assert labels == [
        "n = 0",
        "n = 1",
        "n = 5",
        "theory: exact expectation",
        "theory: deterministic equivalent",
        "mean; bars: middle 80 % of the replicates",
    ]
    assert left.get_xscale() == "symlog"
    assert left.get_yscale() == "log"
    assert left.get_xlabel() == "ridge lambda"
    assert right.get_xlabel() == "generation $t$"
    theory = [line for line in left.get_lines() if line.get_linestyle() != "None" and len(line.get_xdata())]
    assert (
        len({line.get_color() if isinstance(line.get_color(), str) else tuple(line.get_color()) for line in theory})
        == 3
    )
    assert all(line.get_linestyle() != "-" for line in theory)


def test_draw__labels_medians(results):
    values = np.ones(4)
    curve = Curve(AT, values, values * np.nan, values * 0.5, values * 2, None, None, values, np.zeros(4))
    panel = Panel("Error", "e", "median", curve, axis=RIDGE, median=True, band=QUARTILES)
    axes = Figure().subplots()
    draw_plot(axes, [panel], results)
    assert [line.get_label() for line in axes.get_lines()] == ["simulated median", "theory: exact median"]


@pytest.mark.filterwarnings("error")
def test_curve__of_infinite_replicates_has_no_deviation_and_no_warning():
    values = np.array([[-np.inf, 1.0], [0.0, 3.0]])
    got = curve_of(np.arange(2), values, None, None, np.full(2, np.nan), np.full(2, False))
    np.testing.assert_array_equal(got.mean, [-np.inf, 2.0])
    np.testing.assert_array_equal(got.sd, [np.nan, np.sqrt(2)])
