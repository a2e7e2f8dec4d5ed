"""Axes of a figure."""

import pytest
from matplotlib.figure import Figure

from fastcollapse.analysis.figure_axes import given_axes, new_axes, width_of
from fastcollapse.errors import InputError


def test_new_axes__are_in_a_grid_without_empty_places():
    figure, axes, low = new_axes(3, 2, 6.9)
    assert figure.axes == axes
    assert len(axes) == 3
    assert low == [None, None, None]


def test_new_axes__of_distances_are_below_their_plots_and_share_generations():
    figure, [left, right], [low, none] = new_axes(2, 2, 6.9, [True, False])
    assert none is None
    assert low.get_shared_x_axes().joined(low, left)
    assert not low.get_shared_x_axes().joined(low, right)
    figure.canvas.draw()
    assert low.get_position().y1 < left.get_position().y0
    assert right.get_position().y0 == pytest.approx(low.get_position().y0, abs=0.02)


def test_given_axes__are_taken_as_they_are():
    figure = Figure()
    given = list(figure.subplots(1, 2))
    assert given_axes(given, 2) == (figure, given)
    with pytest.raises(InputError, match="axes must be one Axes, got 2"):
        given_axes(given, 1)


def test_width_of__counts_columns_of_the_grid():
    figure = Figure(figsize=(6, 3))
    assert [width_of(place) for place in figure.subplots(1, 2)] == [3, 3]
    assert width_of(figure.add_axes((0.1, 0.1, 0.5, 0.5))) == pytest.approx(3)
