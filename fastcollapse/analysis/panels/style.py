"""Colours and number formats that all plots share."""

from typing import Any

# Colours of Okabe and Ito, which readers with any kind of colour vision can tell apart.
SIMULATED, THEORY, SECOND, EDGE = "#0072B2", "#D55E00", "#000000", "#777777"
MAP = "viridis"


def plain_number(value: float, _: Any = None) -> str:
    """Return a number as an axis shows it, without powers of ten.

    Examples
    --------
    >>> plain_number(1000.0), plain_number(0.5)
    ('1,000', '0.5')
    """
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def font_size(size: float) -> float:
    """Return a font size for texts of 10 points, in the proportion of the font size that the user has set."""
    import matplotlib  # start-up time

    return size * float(matplotlib.rcParams["font.size"]) / 10
