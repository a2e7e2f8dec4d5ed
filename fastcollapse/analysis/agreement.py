"""Agreement of a run with theory, panel by panel, from the z-scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastcollapse.analysis.generations import log_spaced_generations, table_generations
from fastcollapse.analysis.panels.panel import GENERATION, Panel
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.panels.text import counted
from fastcollapse.analysis.tables import why_not_compared
from fastcollapse.simulation.results import Results

# Limit of |z| for agreement. The generations of a run depend on each other and heterozygosity is skewed, so its rate of
# false alarms is measured: 2 of 60,000 correct runs of 2 to 60 symbols and 5 to 400 replicates were beyond it in the
# heterozygosity of any compared generation (about 1 of 400 were beyond 4).
Z_LIMIT = 5.0
_N_COMPARED = 10
_TOO_FEW = "too few replicates or events for a standard error"
_TOO_SKEWED = "its distribution is too skewed for a z-score at this number of replicates"


@dataclass(frozen=True)
class Agreement:
    """Agreement of one panel with theory, or of the curves of one plot together.

    Parameters
    ----------
    name : of the panel, or of the plot.
    n_scores : number of points with a score.
    largest : the largest |z| among them, and its place in words.
    disagrees : the places of scores beyond Z_LIMIT.
    reason : why nothing could be compared, or "".
    n_within_bounds : number of points whose mean is between bounds that are too far apart for a score.
    noun : the name of a point.
    """

    name: str
    n_scores: int
    largest: tuple[float, str]
    disagrees: tuple[str, ...]
    reason: str = ""
    n_within_bounds: int = 0
    noun: str = "generation"

    def line(self) -> str:
        """Return the agreement as a line of text."""
        if self.n_scores + self.n_within_bounds == 0:
            return f"{self.name}: not compared ({self.reason})"
        score, place = self.largest
        text = f"{counted(self.n_scores, self.noun)} compared, largest |z| {score:.1f} at {place}"
        if self.n_scores == 0:
            text = "no exact value"
        if self.n_within_bounds:
            text += f"; {counted(self.n_within_bounds, self.noun)} within bounds"
        if self.disagrees:
            text += f"; DISAGREES with theory (|z| > {Z_LIMIT:g}) at {'; '.join(self.disagrees)}"
        return f"{self.name}: {text}"


def agreement_of(results: Results) -> list[Agreement]:
    """Return the agreement of each panel of a run with theory.

    Compared are the generations of the recipe, or up to 10 spaced by their logarithm, and all points of another axis.
    """
    has_generations = results.recipe is not None and results.recipe.generations is not None
    generations = table_generations(results) if has_generations else log_spaced_generations(results.last, _N_COMPARED)
    plots: dict[tuple[str, str], list[Panel]] = {}
    for panel in panels_of(results, generations):
        plots.setdefault((panel.title, panel.heading), []).append(panel)
    return [_plot_agreement(results, panels) for panels in plots.values()]


def _plot_agreement(results: Results, panels: Sequence[Panel]) -> Agreement:
    """Return the agreement of the panels of one plot."""
    n_scores, n_within_bounds, largest, disagrees = 0, 0, (0.0, ""), []
    for panel in panels:
        curve = panel.curve
        has_score = np.isfinite(curve.z) & ~curve.is_within_bounds
        n_scores += int(has_score.sum())
        n_within_bounds += int(curve.is_within_bounds.sum())
        for i in np.flatnonzero(has_score):
            score = abs(float(curve.z[i]))
            if not largest[1] or score > largest[0]:
                largest = (score, panel.place(int(i)))
            if score > Z_LIMIT:
                disagrees.append(panel.place(int(i)))
    reason = "" if n_scores + n_within_bounds else why_not_compared(results, panels) or _why_no_score(results, panels)
    noun = "generation" if panels[0].axis is GENERATION else "value"
    return Agreement(panels[0].name, n_scores, largest, tuple(disagrees), reason, n_within_bounds, noun)


def _why_no_score(results: Results, panels: Sequence[Panel]) -> str:
    """Return why panels that have a theory have no score."""
    too_skewed = results.n_replicates > 1 and any(panel.curve.too_skewed for panel in panels)
    return _TOO_SKEWED if too_skewed else _TOO_FEW


def total_agreement(agreements: Sequence[Agreement]) -> str:
    """Return several agreements in a few words."""
    n_scores = sum(agreement.n_scores for agreement in agreements)
    n_within_bounds = sum(agreement.n_within_bounds for agreement in agreements)
    largest = max((agreement.largest[0] for agreement in agreements), default=0.0)
    n_disagree = sum(len(agreement.disagrees) for agreement in agreements)
    parts = [f"{n_scores:,} scores, largest |z| {largest:.1f}"] if n_scores else []
    parts += [f"{n_within_bounds} within bounds"] if n_within_bounds else []
    parts += [f"{n_disagree} DISAGREE"] if n_disagree else []
    return ", ".join(parts) or "not compared"
