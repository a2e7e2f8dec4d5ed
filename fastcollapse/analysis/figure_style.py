"""Styles of figures: widths of columns and pages, letters and lines at that size."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastcollapse.config.fields import show
from fastcollapse.errors import InputError

# Inches of a column and of a page of a journal.
WIDTHS = {"one": 3.3, "two": 6.9}
# Inches that a figure may have.
_LEAST, _MOST = 2.0, 40.0
# Fonts that journals accept: letters as outlines of TrueType in PDF and PostScript, and as text in SVG.
FONTS: Mapping[Any, Any] = {
    "text.usetex": False,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "none",
}


@dataclass(frozen=True)
class Style:
    """Sizes of a figure, in points and inches.

    Parameters
    ----------
    width : inches of the figure by default, or of each of its columns where `is_wide`.
    is_wide : whether a figure of more columns is wider.
    least_column : inches of the narrowest column of plots.
    settings : settings of matplotlib.
    """

    name: str
    width: float
    is_wide: bool
    least_column: float
    settings: Mapping[Any, Any]

    def columns(self, width: float | None) -> int:
        """Return the most plots side by side in a figure of a width; None for the default width."""
        most = math.inf if self.is_wide and width is None else ((width or self.width) + 0.05) / self.least_column
        return int(max(1, min(most, MOST_COLUMNS)))

    def inches(self, width: float | None, n_columns: int) -> float:
        """Return the width of a figure of a number of columns."""
        if width is not None:
            return width
        return max(7.5, self.width * n_columns) if self.is_wide else self.width


# The most plots side by side.
MOST_COLUMNS = 3


def _settings(small: float, label: float, line: float, marker: float) -> dict[Any, Any]:
    return {
        **FONTS,
        "font.size": small,
        "axes.labelsize": label,
        "axes.titlesize": label,
        "figure.titlesize": label,
        "figure.titleweight": "bold",
        "xtick.labelsize": small,
        "ytick.labelsize": small,
        "legend.fontsize": small,
        "lines.linewidth": line,
        "lines.markersize": marker,
        "axes.linewidth": 0.6 * line,
        "xtick.major.width": 0.6 * line,
        "ytick.major.width": 0.6 * line,
        "axes.labelpad": 2.5,
        "axes.titlepad": 4.0,
        "legend.handlelength": 1.9,
        "legend.labelspacing": 0.3,
        "legend.columnspacing": 1.4,
        "legend.handletextpad": 0.6,
    }


PAPER, SCREEN = "paper", "screen"


def style_of(name: str, font_size: float = 10.0) -> Style:
    """Return a style by its name.

    Parameters
    ----------
    font_size : points of the letters that the user has set, which the style for screens follows.

    Raises
    ------
    InputError
        With the styles that there are.

    Examples
    --------
    >>> style_of("paper").columns(WIDTHS["one"]), style_of("paper").columns(WIDTHS["two"])
    (1, 3)
    """
    if name == PAPER:
        return Style(PAPER, WIDTHS["two"], False, 2.2, _settings(8.0, 9.0, 1.2, 3.5))
    if name == SCREEN:
        scale = font_size / 10
        return Style(SCREEN, 5.0, True, 2.8 * scale, _settings(10 * scale, 11 * scale, 1.6, 5.0))
    raise InputError(f"style must be paper or screen, got {show(name)}")


def inches_of(width: str | float | None) -> float | None:
    """Return the inches of a width: "one" column, "two" columns, a number of inches, or None.

    Raises
    ------
    InputError
        It is something else.

    Examples
    --------
    >>> inches_of("one"), inches_of("5.5"), inches_of(None)
    (3.3, 5.5, None)
    """
    if width is None or (isinstance(width, str) and width in WIDTHS):
        return None if width is None else WIDTHS[str(width)]
    try:
        inches = float(width)
    except (TypeError, ValueError):
        inches = math.nan
    if isinstance(width, bool) or not _LEAST <= inches <= _MOST:
        raise InputError(f"width must be one, two, or from {_LEAST:g} to {_MOST:g} inches, got {show(width)}")
    return inches
