"""The grid of chains on mixed labels: its order, and names of curves."""

from types import SimpleNamespace

import numpy as np

from fastcollapse.analysis.panels.label_grid import default_panels, grid_of_labels, ridge_name, shown_ridges


def results(weights, ridges):
    values = np.arange(2.0 * 3 * len(weights) * len(ridges)).reshape(2, 3, len(weights), len(ridges))
    coordinates = {"weight": SimpleNamespace(values=weights), "ridge": SimpleNamespace(values=ridges)}
    return SimpleNamespace(metrics={"mixed_error": values, "other": -values}, coordinates=coordinates)


def test_grid__has_each_weight_once_in_ascending_order():
    made = results([0.5, 0.1, 0.5], [0.1, 1.0])
    grid = grid_of_labels(made)
    assert grid.weights.tolist() == [0.1, 0.5]
    assert grid.ridges.tolist() == [0.1, 1.0]
    np.testing.assert_array_equal(grid.values, made.metrics["mixed_error"][:, :, [1, 0]])
    np.testing.assert_array_equal(grid_of_labels(made, "other").values, -grid.values)


def test_default_panels__need_three_weights_above_0_for_a_minimum():
    assert default_panels(results([0.0, 0.5, 0.7, 1.0], [0.1])) == ("mixed_error", "best_weight")
    assert default_panels(results([0.0, 0.5, 1.0], [0.1])) == ("mixed_error",)
    assert default_panels(SimpleNamespace(metrics={})) == ()


def test_ridges__are_chosen_by_a_recipe():
    assert shown_ridges(np.array([0.1, 1.0, 10.0]), {"ridge": [1.0]}) == [1]
    assert ridge_name(0.00123456) == r"$\lambda$ = 0.00123"
