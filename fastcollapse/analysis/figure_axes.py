"""Axes of a figure: new ones, or those that a user gives."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastcollapse.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def figure_axes(
    given: "Sequence[Axes] | None", n_plots: int, n_columns: int, size: tuple[float, float] = (5.5, 5.0)
) -> "tuple[Figure, list[Axes]]":
    """Return a new figure and its axes, or the given axes and their figure.

    Parameters
    ----------
    size : inches of one plot of a new figure.

    Raises
    ------
    InputError
        The number of given axes is another.
    """
    if given is not None:
        if len(given) != n_plots:
            what = f"{n_plots} axes for {n_plots} plots, or panel must name one of them" if n_plots > 1 else "one Axes"
            raise InputError(f"axes must be {what}, got {len(given)}")
        from matplotlib.axes import Axes  # start-up time

        if not all(isinstance(axes, Axes) for axes in given):
            raise InputError(f"axes must be Axes of matplotlib, got {given[0]!r}")
        figure = given[0].get_figure(root=True)
        assert figure is not None
        return figure, list(given)
    from fastcollapse.analysis.inline_figure import InlineAxes, InlineFigure  # start-up time

    n_rows = -(-n_plots // n_columns)
    figure = InlineFigure(figsize=(max(7.5, size[0] * n_columns), size[1] * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False, subplot_kw={"axes_class": InlineAxes})
    for unused in axes.ravel()[n_plots:]:
        unused.set_visible(False)
    return figure, list(axes.ravel()[:n_plots])


def width_of(axes: "Axes") -> float:
    """Return the inches of the figure that belong to axes: their columns of its grid, or where they are placed."""
    figure, spec = axes.get_figure(root=True), axes.get_subplotspec()
    assert figure is not None
    share = axes.get_position().width if spec is None else len(spec.colspan) / spec.get_gridspec().ncols
    return float(figure.get_figwidth() * share)
