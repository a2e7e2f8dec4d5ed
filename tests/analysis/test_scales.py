"""Scales of the axes of a plot."""

import numpy as np
from matplotlib.figure import Figure

from fastcollapse import simulate
from fastcollapse.analysis.panels.panel import Axis, Line, Panel
from fastcollapse.analysis.panels.scores import unscored_curve
from fastcollapse.analysis.scales import dodged, format_axes
from fastcollapse.simulation.experiment import Experiment

RESULTS = simulate(
    Experiment.from_mapping(
        {
            "truth": {"uniform": 5},
            "workflow": {"name": "replace", "n_samples": 10},
            "run": {"n_generations": 200, "n_replicates": 2, "seed": 1},
        }
    )
)


def formatted(panel, log=False):
    axes = Figure().subplots()
    axes.plot(panel.curve.at, panel.curve.mean)
    format_axes(axes, [panel], RESULTS, log)
    return axes


def panel(at, mean, **options):
    values = np.array([mean, mean])
    return Panel("title", "label", "heading", unscored_curve(np.array(at), values), **options)


def test_generations__start_at_0_where_the_curves_do():
    axes = formatted(panel([0, 1, 10, 200], [1.0, 0.9, 0.5, 0.1]))
    assert axes.get_xscale() == "symlog"
    assert axes.get_xlim()[0] < 0
    assert axes.xaxis.get_major_locator()().tolist() == [0, 1, 10, 100]
    assert formatted(panel([0, 1, 10], [np.nan, 0.9, 0.5])).get_xscale() == "log"


def test_values__over_decades_are_logarithmic_with_0_where_there_is_one():
    assert formatted(panel([1, 10], [1.0, 1e-4]), log=True).get_yscale() == "log"
    axes = formatted(panel([0, 1, 10], [0.0, 1.0, 1e-4]), log=True)
    assert axes.get_yscale() == "symlog"
    assert axes.get_ylim()[0] == 0
    assert axes.get_yticks()[0] == 0


def test_values__that_have_underflowed_do_not_stretch_the_axis():
    axes = formatted(panel([0, 1, 10], [0.0, 1.0, 1e-300]), log=True)
    assert len(axes.get_yticks()) < 9
    assert axes.yaxis.get_transform().linthresh > 1e-20


def test_values__long_bands_are_cut_off():
    one = panel([0, 1, 10], [0.0, 1.0, 2.0])
    axes = Figure().subplots()
    axes.fill_between(one.curve.at, [-1e6] * 3, [1e6] * 3)
    format_axes(axes, [one], RESULTS, log=False)
    np.testing.assert_allclose(axes.get_ylim(), (-0.08, 2.08))


def test_values__references_are_shown_and_far_bounds_are_not():
    for kind, top in (("reference", 9.0), ("bound", 2.0)):
        lines = (Line("a line", np.array([9.0, 9.0]), kind),)
        assert top < formatted(panel([0, 10], [0.0, 2.0], lines=lines)).get_ylim()[1] < 1.1 * top


def test_dodged__curves_keep_their_order_and_stay_near_their_points():
    at = np.array([0.0, 1.0, 10.0, 100.0])
    for axis in (Axis("x", "x"), Axis("x", "x", log=False)):
        shifted = np.array([dodged(axis, at, i, 3) for i in range(3)])
        assert (np.diff(shifted, axis=0) > 0).all()
        np.testing.assert_allclose(shifted[1], at)
        assert (np.abs(shifted - at) <= np.maximum(0.3, 0.1 * at)).all()
