"""Size of a figure: letters wrapped to its width, and the height that its plots, titles and legends need."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastcollapse.analysis.legends import entries_of, place_legend, share_entries, shared_legend
from fastcollapse.analysis.residuals import HEIGHT
from fastcollapse.analysis.text_layout import points_of, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Height of a plot over its width, and inches of the narrowest and of the highest plot.
_ASPECT, _LEAST, _MOST = 0.72, 1.25, 2.9
# Letters, of the labels of the axes, beside and below the axes of a plot.
_BESIDE, _UNDER = 5.2, 3.6
# Inches between the parts of a figure.
_GAP = 0.06


def finish(
    figure: "Figure",
    used: "Sequence[Axes]",
    n_columns: int,
    title: str,
    remark: str,
    legend: bool = True,
    distances: "Sequence[Axes | None]" = (),
    images: float = 0.0,
    below: float = 0.0,
) -> None:
    """Write the title and the remark of a new figure, place its legends, and set its height.

    Parameters
    ----------
    title : of the figure, or "".
    remark : a line below it in small letters, or "".
    distances : the axes of distances below each plot, or None.
    images : height of the images above a plot, over that of the plot.
    below : inches that names of places need below a plot.
    """
    width, n_rows = figure.get_figwidth(), -(-len(used) // n_columns)
    label, small = points_of("axes.labelsize") / 72, points_of("legend.fontsize") / 72
    column = width / n_columns
    plot_width = column - _BESIDE * label
    height = min(max(_ASPECT * plot_width, _LEAST), _MOST)
    for axes in used:
        wrap_labels(axes, column, height)
    shared = legend and share_entries(used)
    lows = [*distances, *([None] * (len(used) - len(distances)))]
    legends = (
        [place_legend(axes, column, low, below) for axes, low in zip(used, lows, strict=True)]
        if legend and not shared
        else []
    )
    bottom = 0.0
    if shared:
        bottom = _height(figure, shared_legend(figure, entries_of(used) or {})) + 0.3 * small
    under = max((_height(figure, one) for one in legends if one is not None), default=0.0)
    most_lines = max((axes.get_title().count("\n") + 1 if axes.get_title() else 0 for axes in used), default=0)
    has_distances = any(one is not None for one in distances)
    row = height * (1 + (HEIGHT if has_distances else 0.0) + images)
    row += _UNDER * label + 1.25 * most_lines * label + under + below
    above = 0.0
    parts = [(title, "title"), (remark, "remark")]
    heights = []
    for text, kind in parts:
        points = 72 * (label if kind == "title" else small)
        lines = wrapped(text, width - 2 * _GAP, points, "bold" if kind == "title" else "normal") if text else ""
        heights.append((lines, (lines.count("\n") + 1) * 1.25 * points / 72 if lines else 0.0))
        above += heights[-1][1]
    above += _GAP if above else 0.0
    total = n_rows * row + above + bottom
    figure.set_figheight(total)
    (head, head_height), (foot, _) = heights
    if head:
        figure.suptitle(head, y=1 - 0.5 * _GAP / total, va="top")
    if foot:
        figure.text(0.5, 1 - (0.5 * _GAP + head_height) / total, foot, ha="center", va="top", fontsize=72 * small)
    engine: Any = figure.get_layout_engine()
    pad = _GAP * 0.6
    engine.set(rect=(0, bottom / total, 1, 1 - (above + bottom) / total), w_pad=pad, h_pad=pad)


def wrap_labels(axes: "Axes", column: float, height: float) -> None:
    """Wrap title and labels of axes to their column and height in inches."""
    title, label = points_of("axes.titlesize"), points_of("axes.labelsize")
    room = column - _BESIDE * label / 72 + 0.05
    if axes.get_title():
        axes.title.set_text(wrapped(axes.get_title(), room, title))
    axes.xaxis.label.set_text(wrapped(axes.get_xlabel(), room, label))
    axes.yaxis.label.set_text(wrapped(axes.get_ylabel(), height, label))


def _height(figure: "Figure", artist: Any) -> float:
    """Return the height of an artist in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # start-up time

    canvas = figure.canvas
    try:
        extent = artist.get_window_extent(FigureCanvasAgg(figure).get_renderer())  # type: ignore[no-untyped-call]
    finally:
        figure.set_canvas(canvas)
    return float(extent.height / figure.dpi)
