"""Agreement of a run with theory, panel by panel, from the z-scores."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fastcollapse.analysis.generations import log_spaced_generations, table_generations
from fastcollapse.analysis.panels.panel import GENERATION, Panel
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.panels.text import counted
from fastcollapse.analysis.tables import why_not_compared
from fastcollapse.simulation.recorded_run import RecordedRun

# Limit of |z| for agreement. The generations of a run depend on each other and heterozygosity is skewed, so its rate of
# false alarms is measured: 2 of 60,000 correct runs of 2 to 60 symbols and 5 to 400 replicates were beyond it in the
# heterozygosity of any compared generation (about 1 of 400 were beyond 4).
Z_LIMIT = 5.0
_N_COMPARED = 10


@dataclass(frozen=True)
class Agreement:
    """Agreement of one panel with theory, or of the curves of one plot together.

    Parameters
    ----------
    name : of the panel, or of the plot.
    n_scores : number of points that are compared with an exact value.
    largest : the largest |z| among them, and its place in words.
    disagrees : the places of scores beyond Z_LIMIT, from exact values or from bounds.
    n_unscored : number of points that have an exact value or bounds, and no score.
    reason : why no point, or not every point, has a score; "" if all have one.
    n_bounded, n_within : number of points that are compared with bounds alone, which are too far apart to stand for the
        exact value, and number of these that are within them.
    noun : the name of a point.
    """

    name: str
    n_scores: int
    largest: tuple[float, str]
    disagrees: tuple[str, ...]
    n_unscored: int = 0
    reason: str = ""
    n_bounded: int = 0
    n_within: int = 0
    noun: str = "generation"

    def line(self) -> str:
        """Return the agreement as a line of text."""
        score, place = self.largest
        parts = [f"{counted(self.n_scores, self.noun)} compared, largest |z| {score:.1f} at {place}"]
        if self.n_scores == 0:
            parts = ["not compared with an exact value" if self.n_bounded else f"not compared ({self.reason})"]
        elif self.n_unscored:
            parts.append(f"{counted(self.n_unscored, self.noun)} not compared ({self.reason})")
        if self.n_bounded:
            parts.append(
                f"{counted(self.n_bounded, self.noun)} compared with bounds alone, {self.n_within:,} within them"
            )
        if self.disagrees:
            parts.append(f"DISAGREES with theory (|z| > {Z_LIMIT:g}) at {'; '.join(self.disagrees)}")
        return f"{self.name}: {'; '.join(parts)}"


def agreement_of(results: RecordedRun) -> list[Agreement]:
    """Return the agreement of each panel of a run with theory.

    Compared are the generations of the recipe, or up to 10 spaced by their logarithm, and all points of another axis.
    """
    has_generations = results.recipe is not None and results.recipe.generations is not None
    generations = table_generations(results) if has_generations else log_spaced_generations(results.last, _N_COMPARED)
    plots: dict[tuple[str, str], list[Panel]] = {}
    for panel in panels_of(results, generations):
        if panel.is_picture:
            continue
        plots.setdefault((panel.title, panel.heading), []).append(panel)
    return [_plot_agreement(results, panels) for panels in plots.values()]


def _plot_agreement(results: RecordedRun, panels: Sequence[Panel]) -> Agreement:
    """Return the agreement of the panels of one plot."""
    curves = [panel.curve for panel in panels]
    n_scores = _n_points(curve.is_compared for curve in curves)
    largest, disagrees = (0.0, ""), []
    for panel, curve in zip(panels, curves, strict=True):
        is_compared = curve.is_compared
        for i in np.flatnonzero(is_compared | curve.has_bounds_only):
            score = abs(float(curve.z[i]))
            if is_compared[i] and (not largest[1] or score > largest[0]):
                largest = (score, panel.place(int(i)))
            if score > Z_LIMIT:
                disagrees.append(panel.place(int(i)))
    reason = "; ".join(dict.fromkeys(curve.rule for curve in curves if curve.is_unscored.any() and curve.rule))
    if not reason and n_scores == 0:
        reason = why_not_compared(results, panels) or "all its values are given"
    return Agreement(
        panels[0].name,
        n_scores,
        largest,
        tuple(disagrees),
        n_unscored=_n_points(curve.is_unscored for curve in curves),
        reason=reason,
        n_bounded=_n_points(curve.has_bounds_only for curve in curves),
        n_within=_n_points(curve.is_within_bounds for curve in curves),
        noun="generation" if panels[0].axis is GENERATION else "value",
    )


def _n_points(masks: Iterable[np.ndarray]) -> int:
    return sum(int(mask.sum()) for mask in masks)


def verdict(agreements: Sequence[Agreement]) -> str:
    """Return which metrics of one run, or of several cases, were compared with exact theory, and whether they agree.

    A metric that is within bounds is not called compared: wide bounds hold for wrong numbers too.
    """
    by_name: dict[str, list[Agreement]] = {}
    for agreement in agreements:
        by_name.setdefault(agreement.name, []).append(agreement)
    compared, bounded, others, wrong = list[str](), list[str](), list[str](), list[str]()
    for name, group in by_name.items():
        n_compared = sum(agreement.n_scores > 0 for agreement in group)
        in_cases = f" in {n_compared} of {counted(len(group), 'case')}" if 0 < n_compared < len(group) else ""
        kind = compared if n_compared else bounded if any(agreement.n_bounded for agreement in group) else others
        kind.append(name + in_cases)
        wrong += [name] if any(agreement.disagrees for agreement in group) else []
    of_all = f"{len(compared)} of {counted(len(by_name), 'metric')}"
    head = f"the simulation agrees with exact theory in {of_all} ({', '.join(compared)})"
    if wrong:
        head = f"the simulation disagrees with theory in {', '.join(wrong)}; {of_all} compared with exact theory"
    elif not compared:
        head = f"{of_all} compared with exact theory" if by_name else "pictures are not compared with theory"
    parts = [head]
    parts += [f"compared with bounds alone: {', '.join(bounded)}"] if bounded else []
    parts += [f"not compared: {', '.join(others)}"] if others else []
    return "; ".join(parts)


def total_agreement(agreements: Sequence[Agreement]) -> str:
    """Return several agreements in a few words."""
    n_scores = sum(agreement.n_scores for agreement in agreements)
    largest = max((agreement.largest[0] for agreement in agreements), default=0.0)
    scores = [f"{n_scores:,} scores, largest |z| {largest:.1f}"] if n_scores else []
    return "; ".join([*scores, verdict(agreements)])
