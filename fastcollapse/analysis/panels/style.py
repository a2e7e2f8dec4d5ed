"""Colours and number formats that all plots share."""

import colorsys
from typing import Any

# Colours of Okabe and Ito, which readers with any kind of colour vision can tell apart.
SIMULATED, THEORY, SECOND, EDGE = "#0072B2", "#D55E00", "#000000", "#777777"
# Values of a publication that used other data.
OTHER_DATA = "#999999"
MAP = "viridis"
# Dashes of the exact theory.
EXACT = (0, (4, 3))
# Theory has the colour of its series, darker by this factor: it is drawn over the simulated line.
_DARKER = 0.7
# A simulated line is the part of this size of the colour of its series, and white.
_LIGHTER = 0.65
# Ends of the colour map: beyond them theory could not be told from the series, or the series not from the paper.
_FIRST_COLOUR, _LAST_COLOUR = 0.1, 0.88
# Two or three curves have colours of their own, more of them an order.
_FEW = ("#0072B2", "#D55E00", "#009E73")


def plain_number(value: float, _: Any = None) -> str:
    """Return a number as an axis shows it, without powers of ten.

    Examples
    --------
    >>> plain_number(1000.0), plain_number(0.5)
    ('1,000', '0.5')
    """
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def log_ticks(axis: Any, low: float, high: float) -> None:
    """Label a logarithmic axis of less than two decades with plain numbers; it has too few powers of ten."""
    from matplotlib.ticker import LogLocator, NullFormatter  # start-up time

    if high < 100 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter(plain_number)


def series_colours(n: int) -> list[Any]:
    """Return the colours of a number of curves in one plot."""
    import matplotlib as mpl  # start-up time
    import numpy as np

    return list(_FEW[:n]) if n <= len(_FEW) else list(mpl.colormaps[MAP](np.linspace(_FIRST_COLOUR, _LAST_COLOUR, n)))


def lighter(colour: Any) -> tuple[float, float, float]:
    """Return the colour of a simulated line: that of its series, lighter, so that theory can be seen on it."""
    from matplotlib.colors import to_rgb  # start-up time

    red, green, blue = (1 - _LIGHTER * (1 - part) for part in to_rgb(colour))
    return red, green, blue


def darker(colour: Any) -> tuple[float, float, float]:
    """Return the colour of the theory of a series: its hue, darker."""
    from matplotlib.colors import to_rgb  # start-up time

    hue, light, saturation = colorsys.rgb_to_hls(*to_rgb(colour))
    return colorsys.hls_to_rgb(hue, light * _DARKER, saturation)
