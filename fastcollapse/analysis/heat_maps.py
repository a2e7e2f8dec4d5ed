"""Heat maps of a sweep over two parameters: simulated values, and theory where it is known."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastcollapse.analysis.panels.panel import Curve, Panel
from fastcollapse.analysis.panels.style import MAP
from fastcollapse.analysis.sweep_axes import WIDE, Side
from fastcollapse.analysis.sweep_panels import Drawn
from fastcollapse.analysis.text_layout import points_of, text_inches

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Numbers are white on colours below this, and are left out if they would be smaller than this number of points.
_DARK, _LEAST_POINTS = 0.6, 5.5
# Theory that is known in fewer cells than this share of them has no heat map.
_MOSTLY = 0.5
# Share of a column that the cells have: the rest are labels and the colour bar.
_CELLS = 0.62


class HeatMap(NamedTuple):
    """Values over two parameters.

    Parameters
    ----------
    title : of its plot.
    values : float64 (second, first).
    norm : the colour scale.
    label : of the values.
    unscored : bool (second, first), where theory is known and there is no score.
    """

    title: str
    values: np.ndarray
    norm: Any
    label: str
    unscored: np.ndarray


def heat_maps_of(drawn: Drawn) -> list[HeatMap]:
    """Return the heat maps of a figure in their order: first those with theory, which is beside them."""
    pairs = [_pair(plot, *drawn.sides) for plot in drawn.plots]
    with_theory = [one for simulated, theory in pairs if theory is not None for one in (simulated, theory)]
    return with_theory + [simulated for simulated, theory in pairs if theory is None]


def _pair(plot: Sequence[Panel], first: Side, second: Side) -> tuple[HeatMap, HeatMap | None]:
    """Return the heat map of simulated values of a plot, and that of theory if most of it is known."""
    simulated = _cells(plot, first, second, lambda curve: curve.mean)
    expected = _cells(plot, first, second, lambda curve: curve.expected)
    z = _cells(plot, first, second, lambda curve: curve.z)
    unscored = np.isfinite(simulated) & np.isfinite(expected) & np.isnan(z)
    norm = _norm(np.concatenate([simulated.ravel(), expected.ravel()]))
    kinds = {panel.median for panel in plot}
    middle = "mean (median where tails are heavy)" if len(kinds) > 1 else "median" if True in kinds else "mean"
    brackets = "; in brackets: no score" if unscored.any() else ""
    title, label = plot[0].title, plot[0].label
    shown = HeatMap(f"{title}\nsimulated {middle}{brackets}", simulated, norm, label, unscored)
    if np.isfinite(expected).sum() < _MOSTLY * np.isfinite(simulated).sum():
        return shown, None
    return shown, HeatMap(f"{title}\ntheory", expected, norm, label, np.zeros_like(unscored))


def _cells(plot: Sequence[Panel], first: Side, second: Side, part: Callable[[Curve], np.ndarray]) -> np.ndarray:
    """Return a part of the curves of a plot as cells of a heat map, float64 (second, first)."""
    cells = np.full((second.dimension.length, first.dimension.length), np.nan)
    for panel in plot:
        columns = np.searchsorted(np.sort(first.at), panel.curve.at)
        order = np.argsort(first.at)[columns]
        is_known = np.isfinite(panel.curve.mean)
        cells[second.groups.index(panel.group), order[is_known]] = part(panel.curve)[is_known] * panel.factor
    return cells


def _norm(values: np.ndarray) -> Any:
    """Return the colour scale of values, logarithmic for a wide range."""
    from matplotlib.colors import LogNorm, Normalize  # start-up time

    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
    return LogNorm(low, high) if low > 0 and high / low >= WIDE else Normalize(low, high if high > low else low + 1)


def draw_heat_map(axes: "Axes", one: HeatMap, sides: Sequence[Side], column: float) -> None:
    """Draw a heat map with a number in each cell where it fits; those without a score are in brackets.

    Parameters
    ----------
    column : inches of the figure that belong to the axes.
    """
    first, second = sides
    image = axes.imshow(one.values, norm=one.norm, cmap=MAP, aspect="auto", origin="lower")
    label = points_of("xtick.labelsize")
    is_long = max(text_inches(name, label) for name in first.names) > _CELLS * column / first.dimension.length - 0.04
    turned: dict[str, Any] = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if is_long else {}
    axes.set_xticks(range(first.dimension.length), first.names, **turned)
    axes.set_yticks(range(second.dimension.length), second.names)
    axes.tick_params(length=0)
    largest = float(np.nanmax(np.abs(one.values)))
    texts = {
        (j, i): f"({_number(value, largest)})" if one.unscored[j, i] else _number(value, largest)
        for (j, i), value in np.ndenumerate(one.values)
        if np.isfinite(value)
    }
    small, room = points_of("legend.fontsize"), _CELLS * column / one.values.shape[1]
    widest = max((text_inches(text, small) for text in texts.values()), default=0.0)
    points = small if widest <= 0.95 * room else small * 0.95 * room / widest
    for (j, i), text in texts.items() if points >= _LEAST_POINTS else ():
        shade = "white" if one.norm(one.values[j, i]) < _DARK else "black"
        axes.text(i, j, text, ha="center", va="center", color=shade, fontsize=points)
    axes.set_xlabel(first.label)
    axes.set_ylabel(second.label)
    axes.set_title(one.title)
    axes.figure.colorbar(image, cax=axes.inset_axes((1.03, 0, 0.04, 1)), label=one.label)


def _number(value: float, largest: float) -> str:
    """Return a number as short as a cell needs it.

    Examples
    --------
    >>> _number(0.98765, 1.0), _number(1.57e-46, 1.0), _number(1.57e-7, 1e-6), _number(-12345.6, 12345.6)
    ('0.988', '<0.001', '2e-07', '-1e+04')
    """
    if 0 < value < 1e-3 <= 1e-1 <= largest:
        return "<0.001"
    return f"{value:.3g}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.0e}"
