"""The figure of a run: simulation as solid lines, theory as broken ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.comparison import (
    Curve,
    Forgetting,
    copies_of,
    forgetting_curve,
    has_limit,
    heterozygosity,
    n_symbols,
    plain_size,
    spread,
    survival,
)
from fastcollapse.errors import InputError, StoreError
from fastcollapse.report import counted
from fastcollapse.results import Results
from fastcollapse.theory.forgetting import forgetting_median_law

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by every kind of colour vision.
_SIMULATED, _THEORY, _SECOND, _EDGE = "#0072B2", "#D55E00", "#000000", "#777777"
_POINTS = 200
# Fewer groups of counts than this make no curve; heterozygosity is shown instead.
_FEWEST_GROUPS = 5
FORMATS = (".png", ".pdf", ".svg")


def save_figure(results: Results, path: Path) -> None:
    """Draw the figure of a run into a new file.

    Parameters
    ----------
    path : ends in .png, .pdf or .svg, and does not exist.

    Raises
    ------
    InputError
        Another ending, or the file exists or cannot be created.
    StoreError
        The file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"figure must end in {', '.join(FORMATS)}, got {path}")
    figure = draw(results)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "xb")
    except FileExistsError:
        raise InputError(f"figure must be a new file, got {path}: it exists") from None
    except OSError as error:
        raise InputError(f"figure must be in a folder that can be written, got {path}: {error.strerror}") from None
    try:
        with file:
            figure.savefig(file, format=path.suffix[1:].lower(), dpi=160)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
        raise


def draw(results: Results) -> "Figure":
    """Return the figure of a run: survival, and forgetting times or heterozygosity.

    Raises
    ------
    InputError
        The run has no finished generation.
    """
    from matplotlib.figure import Figure  # start-up time; without pyplot there is no window and no state

    if results.last < 1:
        raise InputError("a figure must have at least one finished generation, got none")
    figure = Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    _survival_panel(left, results)
    if not _forgetting_panel(right, results):
        _heterozygosity_panel(right, results)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(True, which="major", color="#DDDDDD", linewidth=0.6)
        axes.set_axisbelow(True)
        # Below the panel, where no curve can run under it.
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False, fontsize=9)
    truth, experiment = results.truth, results.experiment
    size = "" if truth.counts is None else f"{n_symbols(results):,} symbols, "
    figure.suptitle(
        f"Recursive training on {truth.source}\n{size}workflow {experiment.workflow.name}, "
        f"{counted(results.n_replicates, 'replicate')}, seed {experiment.run.seed}",
        fontsize=11,
    )
    return figure


def _simulated(axes: "Axes", curve: Curve, factor: float) -> None:
    axes.fill_between(
        curve.generations,
        np.fmax(curve.mean - curve.sd, curve.smallest) * factor,
        np.fmin(curve.mean + curve.sd, curve.largest) * factor,
        color=_SIMULATED,
        alpha=0.25,
        linewidth=0,
        label="standard deviation over replicates",
    )
    marker = "o" if curve.generations.size <= 12 else None
    axes.plot(
        curve.generations,
        curve.mean * factor,
        color=_SIMULATED,
        marker=marker,
        ms=5,
        lw=3.5,
        label="simulated mean",
    )


def _generation_axis(axes: "Axes", last: int) -> None:
    axes.set_xscale("log")
    axes.set_xlim(1, max(last, 2))
    axes.set_xlabel("generation")
    axes.xaxis.set_major_formatter(_plain_number)


def _plain_number(value: float, _: Any = None) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _survival_panel(axes: "Axes", results: Results) -> None:
    last = results.last
    curve = survival(results, spread(last, _POINTS))
    _simulated(axes, curve, 100)
    if curve.lower is not None and curve.upper is not None:
        at = curve.generations
        axes.plot(at, curve.lower * 100, color=_THEORY, lw=1.4, ls=(0, (5, 4)), label="theory: lower bound")
        axes.plot(at, curve.upper * 100, color=_SECOND, lw=1.4, ls=":", label="theory: upper bound")
    _generation_axis(axes, last)
    axes.set_ylim(0, 103)
    axes.set_ylabel("symbols still alive (%)")
    axes.set_title("Survival of the vocabulary", fontsize=10)


def _heterozygosity_panel(axes: "Axes", results: Results) -> None:
    last = results.last
    curve = heterozygosity(results, spread(last, _POINTS))
    _simulated(axes, curve, 1)
    axes.plot(
        curve.generations,
        curve.expected,
        color=_THEORY,
        lw=1.6,
        ls=(0, (5, 4)),
        label="theory: exact expectation",
    )
    _generation_axis(axes, last)
    axes.set_ylabel("heterozygosity, 1 - sum p²")
    axes.set_title("Chance that two tokens differ", fontsize=10)
    axes.ticklabel_format(axis="y", useOffset=False)


def _forgetting_panel(axes: "Axes", results: Results) -> bool:
    """Draw forgetting time against count; False, and nothing drawn, where there is no curve or no law."""
    if results.forgotten is None or plain_size(results) is None:
        return False
    last = results.last
    groups = [one for one in forgetting_curve(results) if one.copies >= 0.3]
    # Up to the first median beyond the run: later ones within it are those that happened to be early.
    censored = next((i for i, one in enumerate(groups) if one.quartiles[1] is None), len(groups))
    groups = groups[:censored]
    if len(groups) < _FEWEST_GROUPS:
        return False
    count = np.array([one.copies for one in groups])
    low, median, high = (
        np.array([last if one.quartiles[i] is None else one.quartiles[i] for one in groups], dtype=float)
        for i in range(3)
    )
    axes.fill_between(count, low, high, color=_SIMULATED, alpha=0.25, linewidth=0, label="simulated middle half")
    axes.plot(count, median, color=_SIMULATED, lw=2, marker="o", ms=3.5, label="simulated median")
    _theory_of_forgetting(axes, groups, plain_size(results))
    axes.axhline(last, color=_EDGE, lw=0.8)
    axes.annotate(
        "end of the run", (0.01, last), xycoords=("axes fraction", "data"), xytext=(0, 3),
        textcoords="offset points", fontsize=8, color=_EDGE,
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(0.9, last * 1.6)
    axes.xaxis.set_major_formatter(_plain_number)
    axes.yaxis.set_major_formatter(_plain_number)
    in_data = results.truth.counts is not None and np.array_equal(copies_of(results), results.truth.counts)
    where = "count c in the corpus" if in_data else "expected count c in generation 1"
    axes.set_xlabel(f"{where} (tokens)")
    axes.set_ylabel("forgotten at generation")
    axes.set_title("Forgetting time by count", fontsize=10)
    return True


def _theory_of_forgetting(axes: "Axes", groups: Sequence[Forgetting], n: int | None) -> None:
    """Draw the median by theory, or its two bounds where it is not known exactly, and its limit 2c/ln 2."""
    known = [(one.copies, *one.median) for one in groups if one.median is not None]
    exact = all(low == high for _, low, high in known)
    for side, label in ((1, "theory: exact median" if exact else "theory: bounds of the median"), (2, None)):
        at = [(one[0], one[side]) for one in known if one[side] is not None]
        if at and (side == 1 or not exact):
            count, median = np.array(at, dtype=float).T
            axes.plot(count, median, color=_THEORY, lw=1.4, ls=(0, (5, 4)), label=label)
    small = np.array([one.copies for one in groups if has_limit(one.copies, n)])
    if small.size > 1:
        law = forgetting_median_law(small)
        axes.plot(small, law, color=_SECOND, lw=1.2, ls=":", label="theory: limit 2c / ln 2, c << n")
