"""Axes of a figure."""

import pytest
from matplotlib.figure import Figure

from fastcollapse.analysis.figure_axes import figure_axes, width_of
from fastcollapse.errors import InputError


def test_figure_axes__new_ones_are_in_a_grid_and_the_rest_is_hidden():
    figure, axes = figure_axes(None, 3, 2)
    assert len(axes) == 3
    assert [place.get_visible() for place in figure.axes] == [True, True, True, False]


def test_figure_axes__given_ones_are_taken_as_they_are():
    figure = Figure()
    given = list(figure.subplots(1, 2))
    assert figure_axes(given, 2, 1) == (figure, given)
    with pytest.raises(InputError, match="axes must be one Axes, got 2"):
        figure_axes(given, 1, 1)


def test_width_of__counts_columns_of_the_grid():
    figure = Figure(figsize=(6, 3))
    assert [width_of(place) for place in figure.subplots(1, 2)] == [3, 3]
    assert width_of(figure.add_axes((0.1, 0.1, 0.5, 0.5))) == pytest.approx(3)
