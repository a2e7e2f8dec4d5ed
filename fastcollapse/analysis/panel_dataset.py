"""The curves of a figure as an xarray data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.axes import band_of
from fastcollapse.analysis.figure_plots import figure_panels
from fastcollapse.analysis.panels.panel import Panel
from fastcollapse.analysis.words import plain
from fastcollapse.errors import InputError
from fastcollapse.simulation.optional_packages import extra
from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    import xarray

_LONG_NAMES = {
    "x": "generation, or the point of another axis",
    "mean": "mean over replicates, or median where is_median",
    "sd": "standard deviation over replicates",
    "low": "lower edge of the drawn band",
    "high": "upper edge of the drawn band",
    "theory": "exact value",
    "lower": "lower bound of the exact value",
    "upper": "upper bound of the exact value",
    "z": "distance to theory in standard errors",
    "line_value": "further theory and references",
}


def panel_dataset(results: RecordedRun) -> xarray.Dataset:
    """Return what the figure of a run draws, see `Results.panels`."""
    with extra("xarray", "panels"):
        import xarray
    if results.last < 1:
        raise InputError("panels must have at least one finished generation, got none")
    panels = [panel for panel in figure_panels(results) if not panel.is_picture]
    names = _curve_names(panels)
    n_points = max((len(panel.curve.at) for panel in panels), default=0)
    columns = [_columns(panel) for panel in panels]
    variables: dict[str, Any] = {
        name: (("curve", "point"), _padded([column[name] for column in columns], n_points), {"long_name": long_name})
        for name, long_name in _LONG_NAMES.items()
        if name != "line_value"
    }
    lines = [(name, panel, line) for name, panel in zip(names, panels, strict=True) for line in panel.lines]
    values = _padded([line.values * panel.factor for _, panel, line in lines], n_points)
    variables["line_value"] = (("line", "point"), values, {"long_name": _LONG_NAMES["line_value"]})
    coordinates = {
        "curve": names,
        "panel": ("curve", [plain(panel.title) for panel in panels]),
        "axis": ("curve", [panel.axis.heading for panel in panels]),
        "label": ("curve", [plain(panel.label) for panel in panels]),
        "group": ("curve", [plain(panel.group) for panel in panels]),
        "band": ("curve", [panel.band for panel in panels]),
        "is_median": ("curve", [panel.median for panel in panels]),
        "line_curve": ("line", [name for name, _, _ in lines]),
        "line_label": ("line", [plain(line.label) for _, _, line in lines]),
        "line_kind": ("line", [line.kind for _, _, line in lines]),
    }
    return xarray.Dataset(variables, coordinates, attrs={"digest": results.digest})


def _curve_names(panels: Sequence[Panel]) -> list[str]:
    """Return a name for each curve: that of its panel and of its group, numbered where two are equal."""
    names: list[str] = []
    for panel in panels:
        name = f"{panel.heading}, {plain(panel.group)}" if panel.group else panel.heading
        n_equal = sum(other == name or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({n_equal + 1})" if n_equal and name in names else name)
    return names


def _columns(panel: Panel) -> dict[str, np.ndarray]:
    """Return the numbers of a curve as the figure shows them."""
    curve, unknown = panel.curve, np.full(len(panel.curve.at), np.nan)
    low, high = band_of(panel)
    return {
        "x": curve.at,
        "mean": curve.mean * panel.factor,
        "sd": unknown if panel.median else curve.sd * panel.factor,
        "low": low,
        "high": high,
        "theory": curve.expected * panel.factor,
        "lower": unknown if curve.lower is None else curve.lower * panel.factor,
        "upper": unknown if curve.upper is None else curve.upper * panel.factor,
        "z": curve.z,
    }


def _padded(rows: Sequence[np.ndarray], n_points: int) -> np.ndarray:
    """Return rows of different lengths as one array, float64[n, n_points], filled with NaN."""
    padded = np.full((len(rows), n_points), np.nan)
    for row, values in zip(padded, rows, strict=True):
        row[: len(values)] = values
    return padded
