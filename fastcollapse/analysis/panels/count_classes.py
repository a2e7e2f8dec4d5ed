"""Panels of discrete runs whose theory is a sum over classes of symbols: entropy, lost mass, survival by count."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.panel import Line, Panel
from fastcollapse.analysis.panels.schedules import cached_by_results, replace_only_size
from fastcollapse.analysis.panels.scores import bound_lines, curve_of, unscored_curve
from fastcollapse.datasets.count_spectrum import probability_classes
from fastcollapse.errors import InputError
from fastcollapse.models.discrete.truth import DiscreteTruth
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.discrete.entropy import entropy_path
from fastcollapse.theory.discrete.lost_mass import lost_mass_bounds, zipf_lost_mass
from fastcollapse.theory.discrete.survival import survival_bounds
from fastcollapse.theory.discrete.unique_symbols import unique_symbols_bounds

# The theory of the entropy is for many tokens and several symbols.
_MANY_TOKENS, _SEVERAL_SYMBOLS = 1000, 20
# The fewest symbols, of all replicates together, that a score of the lost mass rests on.
_EFFECTIVE_SYMBOLS = 100
# Original counts whose survival is drawn, as far as the truth has them.
_DRAWN_COUNTS = (1, 2, 5, 10, 20, 50)


@cached_by_results
def classes_of(results: RecordedRun) -> tuple[np.ndarray, np.ndarray]:
    """Return the different probabilities of generation 0 and their numbers of symbols, float64 (C)."""
    return probability_classes(results.truth)


def entropy_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the entropy as a share of that of the truth, and its expectation for large n under workflow replace."""
    values = results.metrics["entropy"]
    start = values[0, 0]
    curve = unscored_curve(generations, values[:, generations] / start)
    n = replace_only_size(results)
    lines: tuple[Line, ...] = ()
    if n is not None and n >= _MANY_TOKENS:
        p, copies = classes_of(results)
        several = unique_symbols_bounds(p, n, generations, copies)[0] >= _SEVERAL_SYMBOLS
        path = np.where(several, entropy_path(p, n, generations, copies) / start, np.nan)
        if several.any():
            lines = (Line("theory: large $n$", path, "asymptotic"),)
    # A small loss needs its own digits.
    digits = 5 if curve.mean.min(initial=1.0) < 1 - 1e-2 else 8
    return Panel("Entropy", "entropy / entropy of the truth", "entropy", curve, lines, digits=digits)


def lost_mass_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the true probability of the lost symbols, with its bounds, which meet at generation 1.

    For a Zipf-Mandelbrot law with an exponent above 1 generation 1 also has the limit of many tokens.
    """
    values = results.metrics["lost_mass"][:, generations]
    unknown, n = np.full(len(generations), np.nan), replace_only_size(results)
    lines: tuple[Line, ...] = ()
    if n is None:
        curve = unscored_curve(generations, values)
    else:
        p, copies = classes_of(results)
        lower, upper = lost_mass_bounds(p, n, generations, copies)
        known = np.isfinite(values).all(axis=0)
        n_symbols = np.array([_effective_symbols(p, copies, n, int(k)) for k in generations])
        is_scored = known & (values.shape[0] * n_symbols >= _EFFECTIVE_SYMBOLS)
        rule = f"a score needs {_EFFECTIVE_SYMBOLS} symbols of all replicates that may be lost"
        exact = np.where(generations <= 1, lower, np.nan)
        curve = curve_of(generations, values, lower, upper, exact, is_scored, rule)
        lines = bound_lines(curve) if (generations > 1).any() else ()
        law = results.experiment.truth.zipf_mandelbrot if isinstance(results.experiment.truth, DiscreteTruth) else None
        if law is not None and law.a > 1:
            limit = np.where(generations == 1, float(zipf_lost_mass(law.a, n, law.b)), unknown)
            lines += (Line("theory: $C n^{-(1 - 1/a)}$, large $n$", limit, "asymptotic"),)
    return Panel("True probability of the lost symbols", "lost mass", "lost", curve, lines, log=True, digits=8)


def _effective_symbols(p: np.ndarray, copies: np.ndarray, n: int, k: int) -> float:
    """Return how many equal symbols would give the variance of the lost mass: (sum of v)^2 / sum of v^2."""
    lower, upper = survival_bounds(p, n, k)
    alive = 0.5 * (lower + upper)
    variance = p**2 * alive * (1 - alive)
    squares = float(copies @ variance**2)
    return float(copies @ variance) ** 2 / squares if squares > 0 else 0.0


def survival_by_count_panel(
    results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]
) -> Sequence[Panel]:
    """Show the share of the symbols of some original counts that are alive, one curve for each count."""
    values, counts = results.metrics["survival"], results.coordinates["original_count"].values
    n, total = replace_only_size(results), results.real_size
    assert total is not None  # the metric needs counts
    panels = []
    for count in _DRAWN_COUNTS:
        place = np.flatnonzero(counts == count)
        if not place.size:
            continue
        share = values[:, generations, place[0]]
        curve = unscored_curve(generations, share)
        if n is not None:
            lower, upper = survival_bounds(count / total, n, generations)
            unknown, rule = np.full(len(generations), np.nan), "a score needs replicates that are not all equal"
            has_variance = share.std(axis=0) > 0
            curve = curve_of(generations, share, lower, upper, unknown, has_variance, rule)
        panels.append(
            Panel(
                "Symbols alive by count $c$ in the data", "symbols alive (%)", f"c = {count}", curve,
                bound_lines(curve), factor=100, digits=3, group=f"$c$ = {count}",
            )
        )  # fmt: skip
    if not panels:
        raise InputError(f"the panel survival_by_count must have an original count of {_DRAWN_COUNTS}, got none")
    return panels
