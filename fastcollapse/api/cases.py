"""Figure and comparison of several runs: the cases of one recipe."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastcollapse.api.results import Results

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastcollapse.analysis.comparison import Comparison


def plot(
    results: Results | Sequence[Results],
    panel: str | None = None,
    axes: "Axes | Sequence[Axes] | np.ndarray | None" = None,
    *,
    legend: bool = True,
) -> "Figure | Axes | np.ndarray":
    """Draw the figure of the cases of a recipe, overlaid or side by side as the recipe says; see `Results.plot`."""
    from fastcollapse.analysis import figures

    return figures.plot(results, panel, axes, legend)


def compare(results: Results | Sequence[Results]) -> "Comparison":
    """Return the comparison of the cases of a recipe with theory, in one table; see `Results.compare`."""
    from fastcollapse.analysis import comparison

    return comparison.compare(results)
