"""Size of a figure: letters wrapped to its width, and the height that its plots, titles and legends need."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastcollapse.analysis.legends import entries_of, place_legend, share_entries, shared_legend
from fastcollapse.analysis.residuals import HEIGHT
from fastcollapse.analysis.text_layout import points_of, text_inches, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

# Height of a plot over its width, and inches of the narrowest and of the highest plot.
_ASPECT, _LEAST, _MOST = 0.72, 1.25, 2.9
# Letters, of the labels of the axes, beside and below the axes of a plot.
_BESIDE, _UNDER = 5.2, 3.6
# Letters beside the axes of a plot with the widest labels.
_SURELY = 8.5
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
    below += 1.25 * label * max(axes.get_xlabel().count("\n") for axes in used)
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
    has_distances = any(one is not None for one in distances)
    row = height * (1 + (HEIGHT if has_distances else 0.0) + images) + _UNDER * label + under + below
    heads = _heads(figure, title, remark)
    for _ in range(2):
        most_lines = max(axes.get_title().count("\n") + bool(axes.get_title()) for axes in used)
        _arrange(figure, heads, n_rows * (row + 1.25 * most_lines * label), bottom)
        if not _narrow_titles(figure, used, n_columns):
            break


def _heads(figure: "Figure", title: str, remark: str) -> "list[tuple[Text, float]]":
    """Return the title of a figure and the remark below it, each with its height in inches."""
    room = figure.get_figwidth() - 2 * _GAP
    heads = []
    for text, setting, weight in ((title, "figure.titlesize", "bold"), (remark, "legend.fontsize", "normal")):
        if text:
            points = points_of(setting)
            lines = wrapped(text, room, points, weight)
            height = 1.25 * points / 72 * (lines.count("\n") + 1)
            is_title = setting == "figure.titlesize"
            drawn = figure.suptitle(lines, y=1, va="top") if is_title else figure.text(0.5, 1, lines, fontsize=points)
            drawn.set(ha="center", va="top")
            heads.append((drawn, height))
    return heads


def _arrange(figure: "Figure", heads: "Sequence[tuple[Text, float]]", plots: float, bottom: float) -> None:
    """Set the height of a figure, and the places of its parts.

    Parameters
    ----------
    plots, bottom : inches of all rows of plots, and of the legend below them.
    """
    above = sum(height for _, height in heads) + (_GAP if heads else 0.0)
    total = plots + above + bottom
    figure.set_figheight(total)
    at = total - 0.5 * _GAP
    for text, height in heads:
        text.set_y(at / total)
        at -= height
    engine: Any = figure.get_layout_engine()
    pad = 0.6 * _GAP
    engine.set(rect=(0, bottom / total, 1, 1 - (above + bottom) / total), w_pad=pad, h_pad=pad)


def _narrow_titles(figure: "Figure", used: "Sequence[Axes]", n_columns: int) -> bool:
    """Wrap titles that are wider than their column, and return whether there were any."""
    points, column = points_of("axes.titlesize"), figure.get_figwidth() / n_columns
    wide = [i for i, axes in enumerate(used) if _widest(axes.get_title(), points) > column - _SURELY * points / 72]
    if not wide:
        return False
    figure.draw_without_rendering()  # places the axes
    changed = False
    for i in wide:
        box, left = used[i].get_position(), (i % n_columns) * column
        middle = 0.5 * (box.x0 + box.x1) * figure.get_figwidth()
        room = 2 * min(middle - left, left + column - middle) - 0.5 * _GAP
        if _widest(used[i].get_title(), points) > room:
            used[i].title.set_text(wrapped(used[i].get_title(), room, points))
            changed = True
    return changed


def _widest(text: str, points: float) -> float:
    return max(text_inches(line, points) for line in text.split("\n"))


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
