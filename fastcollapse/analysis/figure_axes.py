"""Axes of a figure: new ones, or those that a user gives."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastcollapse.analysis.residuals import HEIGHT
from fastcollapse.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def given_axes(given: "Sequence[Axes]", n_plots: int) -> "tuple[Figure, list[Axes]]":
    """Return the figure of given axes, and them as a list.

    Raises
    ------
    InputError
        They are not one for each plot.
    """
    if len(given) != n_plots:
        what = f"{n_plots} axes for {n_plots} plots, or panel must name one of them" if n_plots > 1 else "one Axes"
        raise InputError(f"axes must be {what}, got {len(given)}")
    from matplotlib.axes import Axes  # start-up time

    if not all(isinstance(axes, Axes) for axes in given):
        raise InputError(f"axes must be Axes of matplotlib, got {given[0]!r}")
    figure = given[0].get_figure(root=True)
    assert figure is not None
    return figure, list(given)


def new_axes(
    n_plots: int, n_columns: int, width: float, residuals: Sequence[bool] = ()
) -> "tuple[Figure, list[Axes], list[Axes | None]]":
    """Return a new figure, its axes, and below those where `residuals` is true other axes of the same generations.

    Parameters
    ----------
    width : inches of the figure; its height is set later.
    """
    from fastcollapse.analysis.inline_figure import InlineAxes, InlineFigure  # start-up time

    n_rows = -(-n_plots // n_columns)
    figure = InlineFigure(figsize=(width, 3.0), layout="constrained")
    has_low = [*residuals, *([False] * (n_plots - len(residuals)))]
    ratios = [ratio for row in range(n_rows) for ratio in (1.0, HEIGHT)]
    if not any(has_low):
        grid_axes = figure.subplots(n_rows, n_columns, squeeze=False, subplot_kw={"axes_class": InlineAxes})
        for unused in grid_axes.ravel()[n_plots:]:
            unused.remove()
        return figure, list(grid_axes.ravel()[:n_plots]), [None] * n_plots
    grid = figure.add_gridspec(2 * n_rows, n_columns, height_ratios=ratios)
    used: list[Axes] = []
    low: list[Axes | None] = []
    for i in range(n_plots):
        row, column = divmod(i, n_columns)
        rows = slice(2 * row, 2 * row + (1 if has_low[i] else 2))
        used.append(figure.add_subplot(grid[rows, column], axes_class=InlineAxes))
    for i, axes in enumerate(used):
        row, column = divmod(i, n_columns)
        low.append(figure.add_subplot(grid[2 * row + 1, column], sharex=axes) if has_low[i] else None)
    return figure, used, low


def width_of(axes: "Axes") -> float:
    """Return the inches of the figure that belong to axes: their columns of its grid, or where they are placed."""
    figure, spec = axes.get_figure(root=True), axes.get_subplotspec()
    assert figure is not None
    share = axes.get_position().width if spec is None else len(spec.colspan) / spec.get_gridspec().ncols
    return float(figure.get_figwidth() * share)
