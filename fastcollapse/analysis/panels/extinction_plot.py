"""The plot of extinction times over the count of a symbol."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fastcollapse.analysis.panels.extinction_times import (
    ExtinctionTime,
    are_real_counts,
    has_limit,
    quartiles_of,
    uncensored_curve,
)
from fastcollapse.analysis.panels.schedules import replace_only_size
from fastcollapse.analysis.panels.style import EDGE, EXACT, SIMULATED, darker, log_ticks, plain_number
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.discrete.extinction_time import forgetting_median_law

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The fewest groups of counts that make a curve.
_FEWEST_GROUPS = 5


def draw_extinction_times(axes: "Axes", results: RecordedRun) -> bool:
    """Draw extinction times over counts; return False and draw nothing where there is no curve or no theory."""
    if results.forgotten is None or replace_only_size(results) is None:
        return False
    last, groups = results.last, uncensored_curve(results)
    if len(groups) < _FEWEST_GROUPS:
        return False
    count = np.array([group.copies for group in groups])
    low, median, high = quartiles_of(groups, last)
    axes.fill_between(count, low, high, color=SIMULATED, alpha=0.22, linewidth=0, label="middle half of the replicates")
    axes.plot(count, median, color=SIMULATED, marker="D", mec="none", label="simulated median")
    _draw_theory(axes, groups, replace_only_size(results))
    axes.axhline(last, color=EDGE, lw=0.8)
    axes.annotate(
        "end of the run", (0.01, last), xycoords=("axes fraction", "data"), xytext=(0, 3),
        textcoords="offset points", fontsize="small", color=EDGE,
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(0.9, last * 1.6)
    for axis, ends in ((axes.xaxis, (count[0], count[-1])), (axes.yaxis, axes.get_ylim())):
        axis.set_major_formatter(plain_number)
        log_ticks(axis, *ends)
    where = "count $c$ in the corpus" if are_real_counts(results) else "expected count $c$ in generation 1"
    axes.set_xlabel(f"{where} (tokens)")
    axes.set_ylabel("forgotten at generation")
    axes.set_title("Forgetting time by count")
    return True


def _draw_theory(axes: "Axes", groups: Sequence[ExtinctionTime], n: int | None) -> None:
    """Draw the median by theory, or its two bounds where it is not known exactly, and its limit 2c/ln 2."""
    known = [(group.copies, *group.median) for group in groups if group.median is not None]
    exact = all(low == high for _, low, high in known)
    for side, label in ((1, "theory: exact median" if exact else "theory: bounds of the median"), (2, None)):
        at = [(entry[0], entry[side]) for entry in known if entry[side] is not None]
        if at and (side == 1 or not exact):
            count, median = np.array(at, dtype=float).T
            axes.plot(count, median, color=darker(SIMULATED), ls=EXACT, label=label)
    small = np.array([group.copies for group in groups if has_limit(group.copies, n)])
    if small.size > 1:
        law = forgetting_median_law(small)
        axes.plot(small, law, color=EDGE, ls=":", label=r"theory: $2c/\ln 2$ for $c \ll n$")
