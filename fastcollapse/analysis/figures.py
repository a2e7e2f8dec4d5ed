"""The figure of a run: simulation as solid lines, theory as broken ones."""

import dataclasses
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.axes import EDGE, MAP, SECOND, SIMULATED, THEORY, draw_limits, draw_plot, dress, plain_number
from fastcollapse.analysis.panels.base import case_names, panels_of, plain_size, spread, view_of
from fastcollapse.analysis.panels.extinction_times import Forgetting, copies_of, forgetting_curve, has_limit
from fastcollapse.analysis.panels.panel import Panel, is_wide, plots_of
from fastcollapse.analysis.tables import counted
from fastcollapse.errors import InputError, StoreError
from fastcollapse.simulation.results import Results
from fastcollapse.theory.discrete.extinction_time import forgetting_median_law

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINTS = 200
_LINEAR_POINTS = 2500
# Fewer groups of counts than this make no curve; heterozygosity is shown instead.
_FEWEST_GROUPS = 5
FORMATS = (".png", ".pdf", ".svg")
# Plots side by side.
_ABREAST = 3
# Longer names of cases are left to the titles of their panels.
_LONGEST_NAME = 60
_LETTERS_AN_INCH = 11


def save_figure(results: Results | Sequence[Results], path: Path) -> None:
    """Draw the figure of a run, or of the cases of a recipe, into a new file.

    Parameters
    ----------
    results : with the same recipe, if there are several.
    path : ends in .png, .pdf or .svg, and does not exist.

    Raises
    ------
    InputError
        Another ending, or the file exists or cannot be created.
    StoreError
        The file cannot be written.
    """
    check_figure(path)
    write_figure(draw([results] if isinstance(results, Results) else list(results)), path)


def check_figure(path: Path) -> None:
    """Refuse a path that does not end as a figure does.

    Raises
    ------
    InputError
        Another ending.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"figure must end in {', '.join(FORMATS)}, got {path}")


def write_figure(figure: "Figure", path: Path) -> None:
    """Write a figure into a new file; see `save_figure`."""
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


def draw(cases: Sequence[Results]) -> "Figure":
    """Return the figure of a run, or of several that differ in the cases of their recipe.

    Raises
    ------
    InputError
        A run has no finished generation.
    """
    if any(results.last < 1 for results in cases):
        raise InputError("a figure must have at least one finished generation, got none")
    recipe = cases[0].recipe
    if recipe is not None and recipe.panels == ("scatter",):
        return _scatter(cases)
    panels = [panels_of(results, _axis_of(results)) for results in cases]
    several = any(panel.group for some in panels for panel in some)
    if recipe is not None and recipe.overlay is not None and len(cases) == len(recipe.cases or ()) > 1 and not several:
        figure, used = _overlay(cases, panels)
    else:
        figure, used = _side_by_side(cases, panels)
    for one in used:
        one.spines[["top", "right"]].set_visible(False)
        one.grid(True, which="major", color="#DDDDDD", linewidth=0.6)
        one.set_axisbelow(True)
        # Below the panel, where no curve can run under it.
        if one.get_legend_handles_labels()[0]:
            one.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False, fontsize=9)
    figure.suptitle(_title(cases, figure.get_figwidth()), fontsize=11)
    return figure


def _axes(n_rows: int, n_columns: int, width: float = 5.5) -> "tuple[Figure, np.ndarray]":
    from matplotlib.figure import Figure  # start-up time; without pyplot there is no window and no state

    figure = Figure(figsize=(max(7.5, width * n_columns), 5 * n_rows), layout="constrained")
    return figure, figure.subplots(n_rows, n_columns, squeeze=False)


def _side_by_side(cases: Sequence[Results], panels: Sequence[Sequence[Panel]]) -> "tuple[Figure, list[Axes]]":
    """Draw the panels of each case beside each other."""
    plots = [plots_of(some) for some in panels]
    flat = [
        (results, plot, name)
        for results, some, name in zip(cases, plots, case_names(cases), strict=True)
        for plot in some
    ]
    # A row a case where cases have several panels.
    a_case = len(plots[0])
    abreast = 2 if len(flat) == 4 else _ABREAST
    n_columns = a_case if 1 < a_case <= abreast < len(flat) else min(len(flat), abreast)
    figure, axes = _axes(-(-len(flat) // n_columns), n_columns)
    used = list(axes.ravel())
    for one in used[len(flat) :]:
        one.set_visible(False)
    # The forgetting times of a vocabulary are no curve over generations: they take the second panel's place.
    forgetting = cases[0].recipe is None and cases[0].experiment.family == "discrete"
    for i, (one, (results, plot, name)) in enumerate(zip(used, flat, strict=False)):
        if not (forgetting and i == 1 and _forgetting_panel(one, results)):
            draw_plot(one, plot, results, i % a_case, i // a_case + 1)
            if name:
                one.set_title(f"{plot[0].title}\n{_short(name)}", fontsize=10)
    return figure, used[: len(flat)]


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else ""


def _group_name(case: Mapping[str, Any], overlay: str) -> str:
    """Return what a case is beside the overlaid key: a workflow by its name, without what goes with it."""
    if "workflow.name" in case and overlay != "workflow.name":
        return str(case["workflow.name"])
    along = "workflow." if overlay == "workflow.name" else overlay
    return ", ".join(f"{k.rpartition('.')[2]} = {v}" for k, v in case.items() if not k.startswith(along))


def _overlay(cases: Sequence[Results], panels: Sequence[Sequence[Panel]]) -> "tuple[Figure, list[Axes]]":
    """Draw cases that differ in one key into the same panels, a column for each group of the others.

    Solid is simulated, broken exact, one colour a case.
    """
    import matplotlib  # start-up time

    recipe = cases[0].recipe
    assert recipe is not None
    groups: dict[str, list[int]] = {}
    for i, case in enumerate(recipe.cases or ()):
        groups.setdefault(_group_name(case, str(recipe.overlay)), []).append(i)
    figure, axes = _axes(len(panels[0]), len(groups), width=4.6)
    for column, (group, members) in zip(axes.T, groups.items(), strict=True):
        # Theory is black: two need no colour as dark.
        colours = matplotlib.colormaps[MAP](np.linspace(0 if len(members) > 2 else 0.35, 0.9, len(members)))
        for one, k in zip(column, range(len(panels[0])), strict=True):
            some = [panels[i][k] for i in members]
            log = any(one.log for one in some)
            log |= all(one.positive for one in some) and is_wide(np.concatenate([one.curve.mean for one in some]))
            limits = {line.label: panels[i][k] for i in members for line in panels[i][k].lines if line.kind == "limit"}
            for i, colour in zip(members, colours, strict=True):
                panel, case = panels[i][k], (recipe.cases or ())[i]
                at, curve = panel.curve.at, panel.curve
                key = str(recipe.overlay).rpartition(".")[2]
                value = case.get(recipe.overlay)
                label = (f"{value}" if key == "name" else f"{key} = {value}") + (" (median)" if panel.median else "")
                one.plot(at, curve.mean * panel.factor, color=colour, lw=2.2, label=label)
                known = np.isfinite(curve.expected)
                if known.any():
                    shown = known if panel.median else np.full(len(at), True)  # some of many medians are known
                    one.plot(at[shown], curve.expected[shown] * panel.factor, color=SECOND, lw=1.0, ls=(0, (4, 3)))
                dress(one, dataclasses.replace(panel, log=log), cases[i])
            for panel in limits.values():
                draw_limits(one, panel)
            if any(np.isfinite(panels[i][k].curve.expected).any() for i in members):
                one.plot([], [], color=SECOND, lw=1.0, ls=(0, (4, 3)), label="theory: exact")
            one.set_title(f"{panels[members[0]][k].title.partition(',')[0]}\n{group}", fontsize=10)
    return figure, list(axes.ravel())


def _scatter(cases: Sequence[Results]) -> "Figure":
    """Return the estimates after the first fit, a point a replicate, a colour a case."""
    from matplotlib.figure import Figure  # start-up time

    figure = Figure(figsize=(7.5, 6), layout="constrained")
    axes = figure.subplots()
    for results, name, colour, marker in zip(cases, case_names(cases), (SIMULATED, THEORY), "ox", strict=False):
        mu, sigma = view_of(results).scatter(results)
        axes.plot(mu, sigma, marker, color=colour, ms=6, mfc="none", label=name)
    truth = cases[0].experiment.truth.to_mapping()
    axes.plot(truth["mu"], truth["sigma"], "*", color=SECOND, ms=14, label="truth")
    axes.set_xlabel("estimate of mu")
    axes.set_ylabel("estimate of sigma")
    axes.legend(frameon=False)
    axes.grid(True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    figure.suptitle(_title(cases, figure.get_figwidth()), fontsize=11)
    return figure


def _title(cases: Sequence[Results], width: float) -> str:
    results = cases[0]
    experiment, recipe = results.experiment, results.recipe
    run = f"{counted(results.n_replicates, 'replicate')}, seed {experiment.run.seed}"
    if recipe is not None:
        lines = (recipe.title, f"{recipe.source or 'own settings'}; {run}", recipe.note or "")
        return "\n".join(part for line in lines for part in textwrap.wrap(line, int(_LETTERS_AN_INCH * width)))
    if experiment.family == "discrete":
        source = f"{results.truth.source}\n"
        source += "" if results.truth.counts is None else f"{_live(results):,} symbols, "
    else:
        source = f"a {experiment.family} model, {experiment.truth.source}\n"
    return f"Recursive training on {source}workflow {experiment.workflow.name}, {run}"


def _live(results: Results) -> int:
    return int(results.metrics["support_size"][0, 0])


def _axis_of(results: Results) -> np.ndarray:
    """Return the generations to draw."""
    recipe = results.recipe
    if recipe is not None and recipe.linear:
        return np.unique(np.linspace(0, results.last, min(results.last, _LINEAR_POINTS) + 1).astype(np.int64))
    return spread(results.last, _POINTS)


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
    axes.fill_between(count, low, high, color=SIMULATED, alpha=0.25, linewidth=0, label="simulated middle half")
    axes.plot(count, median, color=SIMULATED, lw=2, marker="o", ms=3.5, label="simulated median")
    _theory_of_forgetting(axes, groups, plain_size(results))
    axes.axhline(last, color=EDGE, lw=0.8)
    axes.annotate(
        "end of the run", (0.01, last), xycoords=("axes fraction", "data"), xytext=(0, 3),
        textcoords="offset points", fontsize=8, color=EDGE,
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(0.9, last * 1.6)
    axes.xaxis.set_major_formatter(plain_number)
    axes.yaxis.set_major_formatter(plain_number)
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
            axes.plot(count, median, color=THEORY, lw=1.4, ls=(0, (5, 4)), label=label)
    small = np.array([one.copies for one in groups if has_limit(one.copies, n)])
    if small.size > 1:
        law = forgetting_median_law(small)
        axes.plot(small, law, color=SECOND, lw=1.2, ls=":", label="theory: limit 2c / ln 2, c << n")
