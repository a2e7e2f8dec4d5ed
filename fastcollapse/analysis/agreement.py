"""What the scores of a run say: which panels agree with theory, and where one does not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastcollapse.analysis.panels.base import panels_of, spread
from fastcollapse.analysis.panels.panel import GENERATION, Panel
from fastcollapse.analysis.tables import counted, shown, why_not
from fastcollapse.simulation.results import Results

# A z-score beyond this is a disagreement. The generations of a run depend on each other and heterozygosity
# is skewed, so the rate is a measured one: 2 of 60,000 right runs of 2 to 60 symbols and 5 to 400 replicates
# had such a score of heterozygosity at any of the generations compared (beyond 4: about 1 of 400).
Z_LIMIT = 5.0
_COMPARED = 10
_TOO_FEW = "too few replicates or events to tell a standard error"


@dataclass(frozen=True)
class Verdict:
    """What the scores of one panel say, or of the curves of one plot together.

    Parameters
    ----------
    name : of the panel, or of the plot.
    n_told : points that could be compared; 0 for none.
    worst : the largest |z| among them, and where it is, in words.
    far : where a score disagrees with theory.
    why_not : why nothing could be compared.
    n_within : points whose mean is between bounds that are too far apart to be called exact: no score.
    noun : what a point is.
    """

    name: str
    n_told: int
    worst: tuple[float, str]
    far: tuple[str, ...]
    why_not: str = ""
    n_within: int = 0
    noun: str = "generation"

    def words(self) -> str:
        """Return the verdict as a line."""
        if self.n_told + self.n_within == 0:
            return f"{self.name}: not compared ({self.why_not})"
        score, at = self.worst
        text = f"{counted(self.n_told, self.noun)} compared, largest |z| {score:.1f} at {at}"
        if self.n_told == 0:
            text = "no exact value"
        if self.n_within:
            text += f"; {counted(self.n_within, self.noun)} between the bounds"
        if self.far:
            text += f"; DISAGREES with theory (|z| > {Z_LIMIT:g}) at {'; '.join(self.far)}"
        return f"{self.name}: {text}"


def verdicts(results: Results) -> list[Verdict]:
    """Return what the scores of each panel of a run say.

    Checked are the generations of the recipe, or up to 10 spread by their logarithm, and all points of another axis.
    """
    wanted = results.recipe.generations if results.recipe is not None else None
    generations = spread(results.last, _COMPARED) if wanted is None else shown(results)
    together: dict[tuple[str, str], list[Panel]] = {}
    for panel in panels_of(results, generations):
        together.setdefault((panel.title, panel.heading), []).append(panel)
    return [_verdict(results, panels) for panels in together.values()]


def _verdict(results: Results, panels: Sequence[Panel]) -> Verdict:
    n_told, n_within, worst, far = 0, 0, (0.0, ""), []
    for panel in panels:
        curve = panel.curve
        within = np.isnan(curve.expected) & (curve.z == 0) & (curve.lower is not None)
        told = np.isfinite(curve.z) & ~within
        n_told, n_within = n_told + int(told.sum()), n_within + int(within.sum())
        for i in np.flatnonzero(told):
            score = abs(float(curve.z[i]))
            if not worst[1] or score > worst[0]:
                worst = (score, panel.place(int(i)))
            if score > Z_LIMIT:
                far.append(panel.place(int(i)))
    why = "" if n_told + n_within else why_not(results, panels) or _TOO_FEW
    noun = "generation" if panels[0].axis is GENERATION else "value"
    return Verdict(panels[0].name, n_told, worst, tuple(far), why, n_within, noun)


def agreement(found: Sequence[Verdict]) -> str:
    """Return what several verdicts say, in a few words."""
    n_told, n_within = sum(one.n_told for one in found), sum(one.n_within for one in found)
    worst = max((one.worst[0] for one in found), default=0.0)
    far = sum(len(one.far) for one in found)
    parts = [f"{n_told:,} scores, largest |z| {worst:.1f}"] if n_told else []
    parts += [f"{n_within} between bounds"] if n_within else []
    parts += [f"{far} DISAGREE"] if far else []
    return ", ".join(parts) or "not compared"
