"""The curves of a figure as a data set."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.figures import draw
from fastcollapse.analysis.panel_dataset import panel_dataset
from fastcollapse.analysis.words import plain
from fastcollapse.simulation.experiment import Experiment

pytest.importorskip("xarray")
MAPPING = {
    "model": {"family": "poisson"},
    "truth": {"rate": 2.0},
    "workflow": {"name": "replace", "n_samples": 10},
    "run": {"n_generations": 12, "n_replicates": 200, "seed": 1},
}


def test_panel_dataset__has_what_the_figure_draws():
    results = simulate(Experiment.from_mapping(MAPPING))
    got = panel_dataset(results)
    figure = draw([results])
    assert got.sizes["curve"] == len(figure.axes)
    for curve, axes in zip(got.curve.values, figure.axes, strict=True):
        one = got.sel(curve=curve).drop_dims("line").dropna("point", how="all")
        lines = {line.get_label(): line for line in axes.get_lines()}
        simulated = lines["simulated mean"]
        np.testing.assert_array_equal(one.x, simulated.get_xdata())
        np.testing.assert_allclose(one["mean"], simulated.get_ydata())
        assert one.panel.item() == plain(axes.get_title())
        if "theory: exact expectation" in lines:
            np.testing.assert_allclose(one.theory, lines["theory: exact expectation"].get_ydata())
            assert (one.low <= one["mean"]).all()
    assert np.isfinite(got.z).any()


def test_panel_dataset__pads_curves_and_numbers_equal_names():
    recipe = {"title": "a test", "panels": ["rate", "alive", "rate"]}
    experiment = Experiment.from_mapping(MAPPING | {"recipe": recipe})
    results = simulate(experiment)
    names = panel_dataset(results).curve.values.tolist()
    assert len(set(names)) == len(names)
