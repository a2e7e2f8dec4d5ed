"""Panels of a positive quantity of regressions beside exact or asymptotic theory."""

import math
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.analysis.panels.medians import median_curve
from fastcollapse.analysis.panels.panel import GENERATION, QUARTILES, Curve, Line, Panel, is_wide
from fastcollapse.analysis.panels.regression_theory import EQUIVALENT
from fastcollapse.analysis.panels.scores import curve_of
from fastcollapse.analysis.panels.skewed_scores import MOST_SKEWED, SkewedLaw, skewed_curve, skewness_rule

EXCESS_ERROR = r"excess error $\Vert w_t - w_0\Vert_\Sigma^2$"
HEAVY = "the mean or variance is infinite, samples near the dimension"


class Labels(NamedTuple):
    """Title, label of the values and heading of a panel."""

    title: str
    label: str
    heading: str


class Theory(NamedTuple):
    """Theory of a curve of B points.

    Parameters
    ----------
    law : expectation, spread and skewness, float64 [B] each.
    exact : bool [B], whether the expectation is exact; otherwise it is a line without a score.
    heavy : bool [B], whether the mean or the variance is infinite.
    median : float64 [B], exact medians, None where they are not known.
    label : of expectations that are not exact.
    """

    law: SkewedLaw
    exact: np.ndarray
    heavy: np.ndarray
    median: np.ndarray | None = None
    label: str = EQUIVALENT


def panel_beside(labels: Labels, at: np.ndarray, values: np.ndarray, theory: Theory, **options: Any) -> Panel:
    """Return the panel of a positive quantity, float64 (R, B); of its medians if its moments are infinite."""
    law, exact = theory.law, theory.exact
    options = {"digits": 4, "positive": True, **options}
    axis = options.get("axis", GENERATION)
    if theory.heavy.any():
        median = np.full(len(at), np.nan) if theory.median is None else theory.median
        curve = median_curve(at, values, median)
        note = f"{labels.heading}: {HEAVY}"
        return Panel(*labels, curve, log=is_wide(curve.mean, axis), band=QUARTILES, median=True, note=note, **options)
    curve = scored_curve(at, values, law._replace(expected=np.where(exact, law.expected, np.nan)))
    asymptotic = np.where(exact, np.nan, law.expected)
    lines = (Line(theory.label, asymptotic, "asymptotic"),) if np.isfinite(asymptotic).any() else ()
    return Panel(*labels, curve, lines, log=is_wide(curve.mean, axis), **options)


def scored_curve(at: np.ndarray, values: np.ndarray, law: SkewedLaw) -> Curve:
    """Return the curve scored by the law, or by Student's score where the deviation of the law is not known."""
    is_known = np.isfinite(law.expected) & np.isfinite(law.skewness)
    has_deviation = is_known & np.isfinite(law.spread)
    is_normal = is_known & (law.skewness <= MOST_SKEWED * math.sqrt(values.shape[0]))
    rule = skewness_rule(MOST_SKEWED, law.skewness, is_normal, values.shape[0])
    curve = curve_of(at, values, None, None, law.expected, is_normal, rule)
    curve.z[has_deviation] = skewed_curve(at, values, law).z[has_deviation]
    return curve
