"""Figure and comparison of several runs: the cases of one recipe."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastcollapse.api.results import Results
from fastcollapse.api.sweep_results import SweepResults
from fastcollapse.config.fields import show
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastcollapse.analysis.comparison import Comparison


def plot(
    results: Results | Sequence[Results],
    panel: str | Sequence[str] | None = None,
    axes: "Axes | Sequence[Axes] | np.ndarray | None" = None,
    *,
    legend: bool = True,
    width: str | float | None = None,
    style: str = "screen",
    title: str | None = None,
) -> "Figure | Axes | np.ndarray":
    """Draw several runs in one figure; see `Results.plot`.

    The cases of a recipe are overlaid or side by side as the recipe says. Of other runs, equal panels share their axes:
    a colour a run, named by what differs between the experiments.
    """
    from fastcollapse.analysis import figures

    _check_results(results, "plot")
    return figures.plot(results, panel, axes, figures.Look(style, width, title, legend))


def compare(results: Results | Sequence[Results]) -> "Comparison":
    """Return the comparison of the cases of a recipe with theory, in one table; see `Results.compare`."""
    from fastcollapse.analysis import comparison

    _check_results(results, "compare")
    return comparison.compare(results)


def _check_results(given: object, call: str) -> None:
    """Refuse what is not results; the message names the call that is meant.

    Raises
    ------
    InputError
        In one line.
    """
    if isinstance(given, RecordedRun):
        return
    if isinstance(given, list | tuple) and all(isinstance(one, RecordedRun) for one in given):
        return
    shown, advice = show(given), ""
    if isinstance(given, SweepResults):
        shown, advice = "the results of a sweep", f": use results.{call}()"
    elif isinstance(given, str | os.PathLike):
        advice = f": use open_results(PATH).{call}()"
    raise InputError(f"{call} takes results or a list of them, got {shown}{advice}")
