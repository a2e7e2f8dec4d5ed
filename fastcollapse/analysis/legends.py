"""Legends of figures: one for all plots that share series, or one below each plot."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.bands import ALL, ERRORS, MIDDLE
from fastcollapse.analysis.panels.panel import QUARTILES
from fastcollapse.analysis.panels.style import EDGE
from fastcollapse.analysis.text_layout import points_of, text_inches, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

# Width of a handle with its spaces, in letters of the legend, and the inches that stay free at the sides.
_HANDLE, _MARGIN = 4.4, 0.1
# The most columns of entries.
_MOST_COLUMNS = 5
# Inches of a legend with two columns of wrapped labels.
_LEAST_OF_TWO = 3.0


def entries_of(places: "Sequence[Axes]") -> dict[str, Any] | None:
    """Return the entries of axes, label -> handle, each once; None where one label has two looks."""
    from matplotlib.colors import to_hex  # start-up time

    found: dict[str, Any] = {}
    for axes in places:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            if label in found and not _look_alike(found[label], handle):
                return None
            # Grey stands for the colours of all series.
            if label not in found or _look(handle)[0] == to_hex(EDGE, keep_alpha=True):
                found[label] = handle
    return found


def share_entries(places: "Sequence[Axes]") -> bool:
    """Whether plots have one legend together: no label has two looks, and no two series look the same."""
    if sum(bool(axes.get_legend_handles_labels()[1]) for axes in places) < 2:
        return False
    entries = entries_of(places)
    if entries is None:
        return False
    looks = [_look(handle) for handle in entries.values() if _is_series(handle)]
    return len(set(looks)) == len(looks)


def _is_series(handle: Any) -> bool:
    """Whether an entry is a coloured series, and not theory, a band, or what was published."""
    from matplotlib.colors import to_rgb  # start-up time
    from matplotlib.lines import Line2D

    is_marked = isinstance(handle, Line2D) and handle.get_marker() in ("o", "D")
    return is_marked and len(set(to_rgb(handle.get_color()))) > 1


def _look_alike(one: Any, other: Any) -> bool:
    """Whether two handles look the same, or one is grey and they are the same but for their colours."""
    from matplotlib.colors import to_hex  # start-up time

    (colour, *rest), (other_colour, *other_rest) = _look(one), _look(other)
    grey = to_hex(EDGE, keep_alpha=True)
    return rest == other_rest and (colour == other_colour or grey in (colour, other_colour))


def _look(handle: Any) -> tuple[Any, ...]:
    """Return what tells the handles of a legend apart."""
    from matplotlib.artist import Artist  # start-up time
    from matplotlib.colors import to_hex

    known: dict[str, Any] = (handle if isinstance(handle, Artist) else handle.get_children()[0]).properties()
    colour: Any = known.get("color", known.get("facecolor"))
    shown = to_hex(colour, keep_alpha=True) if np.ndim(colour) < 2 else str(colour)
    return shown, type(handle), str(known.get("linestyle")), known.get("marker")


def place_legend(axes: "Axes", inches: float, lowest: "Axes | None" = None, names: float = 0.0) -> "Legend | None":
    """Place a legend below axes, where it cannot cover a curve.

    Parameters
    ----------
    inches : width of the figure that belongs to the axes.
    lowest : other axes below them, which the legend is below.
    names : inches of names of places below the axes, besides the labels of an axis of numbers.
    """
    from matplotlib.transforms import ScaledTranslation  # start-up time

    entries = entries_of([axes])
    if not entries:
        return None
    letters = points_of("legend.fontsize") / 72
    below = 4.6 * letters + names
    offset = ScaledTranslation(0, -below, axes.figure.dpi_scale_trans)
    lowest = axes if lowest is None else lowest
    place: dict[str, Any] = {"loc": "upper center", "bbox_transform": lowest.transAxes + offset, "borderaxespad": 0}
    return _legend(lowest, entries, inches - _MARGIN, **place)


def shared_legend(figure: "Figure", entries: Mapping[str, Any]) -> "Legend":
    """Place one legend at the bottom of a figure."""
    return _legend(figure, entries, figure.get_figwidth() - 2 * _MARGIN, loc="lower center", borderaxespad=0.3)


def _legend(owner: "Axes | Figure", entries: Mapping[str, Any], inches: float, **place: Any) -> "Legend":
    """Place a legend without a frame in the middle below its owner, in as many columns as its width has room for."""
    labels, n_columns = _columns(told_apart(list(entries)), inches)
    handles = list(entries.values())
    return owner.legend(handles, labels, ncols=n_columns, bbox_to_anchor=(0.5, 0), borderpad=0, frameon=False, **place)


def told_apart(labels: Sequence[str]) -> list[str]:
    """Return labels of bands with where each kind is, if there are several kinds.

    Examples
    --------
    >>> told_apart(["band: mean ± 2 standard errors", "band: middle half of the replicates"])
    ['band: mean ± 2 standard errors', 'band: middle half of the replicates (medians)']
    """
    kinds = {kind for label in labels for kind in (ERRORS, MIDDLE, QUARTILES, ALL) if label.endswith(kind)}
    named = list(labels)
    for i, label in enumerate(labels):
        if label.endswith(MIDDLE) and ERRORS in kinds:
            named[i] = f"{label} (log axes)"
        elif label.endswith(QUARTILES) and len(kinds) > 1 and "median" not in label:
            named[i] = f"{label} (medians)"
    return named


def _columns(labels: Sequence[str], inches: float) -> tuple[list[str], int]:
    """Return labels wrapped to columns of a legend, and their number."""
    points = points_of("legend.fontsize")
    widths = [text_inches(label, points) + _HANDLE * points / 72 for label in labels]
    for n in range(min(_MOST_COLUMNS, len(labels)), 1, -1):
        n_rows = -(-len(labels) // n)
        if sum(max(widths[i : i + n_rows]) for i in range(0, len(labels), n_rows)) <= inches:
            return list(labels), -(-len(labels) // n_rows)
    n = 2 if len(labels) > 2 and inches > _LEAST_OF_TWO else 1
    room = inches / n - _HANDLE * points / 72
    return [wrapped(label, room, points) for label in labels], n
