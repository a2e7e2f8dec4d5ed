"""Scores of runs that their stop condition has ended: only generations that every such run has."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from fastcollapse.analysis.panels.panel import GENERATION, Panel
from fastcollapse.simulation.recorded_run import RecordedRun

# A run ends at the last of its first-passage times, so that late generations are those of runs that happen to be slow.
# Where k of R replicates are left, all runs but about exp(-k) of them reach the generation: 1 of 20,000 does not.
N_LEFT = 10
RULE = f"a score needs {N_LEFT} replicates that have not met run.stop before"


def without_late_scores(results: RecordedRun, panels: Sequence[Panel]) -> list[Panel]:
    """Return the panels without scores at generations at which few replicates had not met the stop condition.

    A panel over another axis, such as extinction times, is of the whole run and has no score.
    """
    times = results.first_passage
    if times is None or (times < 0).any():  # the run has its full length
        return list(panels)
    found = []
    for panel in panels:
        curve = panel.curve
        is_late = np.ones(len(curve.at), bool)
        if panel.axis is GENERATION:
            is_late = (times[:, None] >= curve.at).sum(axis=0) < N_LEFT
        if (is_late & np.isfinite(curve.z)).any():
            rule = "; ".join(filter(None, (curve.rule, RULE)))
            curve = dataclasses.replace(curve, z=np.where(is_late, np.nan, curve.z), rule=rule)
        found.append(dataclasses.replace(panel, curve=curve))
    return found
