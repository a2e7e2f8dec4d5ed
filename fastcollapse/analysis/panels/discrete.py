"""Discrete distributions beside their theory: survival of all symbols, and single symbols."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.analysis.panels.count_classes import (
    classes_of,
    entropy_panel,
    lost_mass_panel,
    survival_by_count_panel,
)
from fastcollapse.analysis.panels.discrete_maps import MAP_PANELS
from fastcollapse.analysis.panels.discrete_sources import SOURCES
from fastcollapse.analysis.panels.extinction_by_count import forgetting_panel
from fastcollapse.analysis.panels.extinction_plot import draw_extinction_times
from fastcollapse.analysis.panels.extinction_times import (
    CHAIN_CELLS,
    CHAIN_N,
    CHAIN_WORK,
    extinction_table,
)
from fastcollapse.analysis.panels.family_panels import FamilyPanels
from fastcollapse.analysis.panels.heterozygosity import error_over_real, heterozygosity_panel, ratio_to_first
from fastcollapse.analysis.panels.panel import Curve, Line, Panel
from fastcollapse.analysis.panels.schedules import is_replace_only, replace_only_size, schedule_of
from fastcollapse.analysis.panels.scores import (
    EVENTS,
    bound_lines,
    curve_of,
    probability_panel,
    published_lines,
    replicates_rule,
    share_of,
    unscored_curve,
)
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.discrete.binomial_chain import MAX_CELLS, exact_chain, exact_unique_symbols
from fastcollapse.theory.discrete.coexistence import (
    coexistence_bounds,
    coexistence_bounds_published,
    not_collapsed_bounds,
    seddik_bounds,
)
from fastcollapse.theory.discrete.survival import survival_bounds, survival_bounds_published
from fastcollapse.theory.discrete.unique_symbols import unique_symbols_bounds, unique_symbols_bounds_published

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def n_symbols(results: RecordedRun) -> int:
    """Return the number of symbols with a probability above zero, those of generation 0."""
    return round(float(classes_of(results)[1].sum()))


def survival(results: RecordedRun, generations: np.ndarray) -> Curve:
    """Return the surviving share of the symbols, beside its bounds under workflow replace.

    Parameters
    ----------
    generations : int64[B], 0 to the last one of the results.
    """
    alive = results.metrics["support_size"][:, generations]
    support = float(results.metrics["support_size"][0, 0])
    n = replace_only_size(results)
    unknown = np.full(len(generations), np.nan)
    lower, upper, expected = unknown, unknown, unknown
    if n is not None:
        p, copies = classes_of(results)
        lower, upper = unique_symbols_bounds(p, n, generations, copies)
        last = int(generations.max(initial=0))
        distinct = len(p)
        affordable = n * n * last <= CHAIN_WORK and n * distinct <= CHAIN_CELLS
        if n <= CHAIN_N and affordable and (n + 1 + distinct) * last <= MAX_CELLS:
            expected = exact_unique_symbols(p, n, last, copies)[generations]
    is_scored = ((support - alive).sum(axis=0) >= EVENTS) & ((alive - 1).sum(axis=0) >= EVENTS)
    rule = f"a score needs {EVENTS} extinctions in all replicates, and {EVENTS} symbols alive besides the last ones"
    curve = curve_of(generations, alive, lower, upper, expected, is_scored, rule)
    return dataclasses.replace(
        curve,
        mean=curve.mean / support,
        sd=curve.sd / support,
        smallest=curve.smallest / support,
        largest=curve.largest / support,
        quantiles=None if curve.quantiles is None else curve.quantiles / support,
        lower=None if n is None else lower / support,
        upper=None if n is None else upper / support,
        expected=curve.expected / support,
    )


def survival_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the surviving share of the symbols, and Corollary 1 as published if the recipe asks for it."""
    curve = survival(results, generations)
    lines = bound_lines(curve)
    n = replace_only_size(results)
    if options.get("published") and n is not None:
        p, copies = classes_of(results)
        pair = unique_symbols_bounds_published(p, n, generations, copies)
        lines += published_lines("Corollary 1", pair, 1 / n_symbols(results))
    truth: Any = results.experiment.truth
    symbols = "symbols" if truth.text is None else f"{truth.unit or 'word'}s"
    title = f"{symbols.capitalize()} alive, of {n_symbols(results):,}"
    return Panel(title, f"{symbols} alive (%)", "symbols alive (%)", curve, lines, factor=100, digits=3)


def ratio_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the number of symbols over that of generation 1, the first sample, of each replicate.

    Beside it is the ratio of the two exact expectations. It differs from the expectation of the ratio: no score.
    """
    alive = results.metrics["support_size"]
    share = np.where(generations < 1, np.nan, alive[:, generations] / alive[:, [1]])
    curve = unscored_curve(generations, share)
    n, last = _constant_size(results), int(generations.max(initial=1))
    lines: tuple[Line, ...] = ()
    if n <= CHAIN_N:
        p, copies = classes_of(results)
        exact = exact_unique_symbols(p, n, last, copies)
        known = np.where(generations < 1, np.nan, exact[generations] / exact[1])
        lines = (Line("theory: ratio of exact expectations", known, "exact"),)
    title = "Share of the symbols of the first sample"
    return Panel(title, "symbols / symbols of generation 1", "of first", curve, lines, digits=4)


def symbol_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the probability that one symbol, the first by default, is alive, with sharp bounds and Theorem 1."""
    symbol, n = int(options.get("symbol") or 0), _constant_size(results)
    if results.forgotten is None:
        raise InputError("the survival of a symbol must have a finished run, got one that is not")
    extinction = np.asarray(results.forgotten)[:, symbol][:, None]
    alive = (extinction < 0) | (extinction > generations)
    p0 = float(results.truth.probabilities[symbol])
    pair = survival_bounds(p0, n, generations)
    exact = None
    if n <= CHAIN_N:
        exact = 1 - exact_chain([p0], n, int(generations.max(initial=1)))[0][0][generations]
    curve = share_of(generations, alive, pair, exact)
    lines = bound_lines(curve) + published_lines("Theorem 1", survival_bounds_published(p0, n, generations))
    return probability_panel(f"Symbol alive, $p_0$ = {p0:g}, $n$ = {n:,}", r"$\Pr(P_t > 0)$", "alive", curve, lines)


def coexistence_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the probability that both of two symbols are alive, with sharp bounds and those of Seddik et al."""
    n = _constant_size(results)
    p = results.truth.probabilities
    if np.count_nonzero(p) != 2:
        raise InputError(f"the panel coexistence must have a truth of two symbols, got {np.count_nonzero(p)}")
    p0 = float(p[p > 0][0])
    alive = results.metrics["support_size"][:, generations] > 1
    exact = None
    if n <= CHAIN_N:
        lost, fixed = exact_chain([p0], n, int(generations.max(initial=1)))
        exact = 1 - lost[0][generations] - fixed[0][generations]
    curve = share_of(generations, alive, coexistence_bounds(p0, n, generations), exact)
    lines = bound_lines(curve)
    lines += published_lines("Seddik et al.", _from_first(seddik_bounds(p0, n, generations), generations))
    both = coexistence_bounds_published(p0, n, generations)
    lines += published_lines("Theorem 1 for both symbols", _from_first(both, generations))
    return probability_panel(
        f"Both symbols alive, $p_0$ = {p0:g}, $n$ = {n:,}", r"$\Pr(0 < P_t < 1)$", "undecided", curve, lines
    )


def not_collapsed_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the probability that more than one symbol is alive, with its bounds."""
    n = _constant_size(results)
    p, copies = classes_of(results)
    h0 = max(0.0, 1 - float(copies @ p**2))
    alive = results.metrics["support_size"][:, generations] > 1
    later = not_collapsed_bounds(h0, n_symbols(results), n, np.fmax(generations, 1))
    lower, upper = (np.where(generations < 1, float(h0 > 0), values) for values in later)
    curve = share_of(generations, alive, (lower, upper), None)
    return probability_panel(
        f"More than one symbol alive, $n$ = {n:,}", r"$\Pr$(not collapsed)", "not collapsed", curve, bound_lines(curve)
    )


def paths_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the share of one symbol, the first by default, replicate by replicate."""
    symbol = int(options.get("symbol") or 0)
    sizes = schedule_of(results).n_synthetic
    p0 = float(results.truth.probabilities[symbol])
    paths = np.zeros((results.n_replicates, len(generations)))
    for r in range(results.n_replicates):
        for i, t in enumerate(generations):
            if t == 0:
                paths[r, i] = p0
                continue
            symbols, counts = results.counts(r, int(t))
            place = np.flatnonzero(symbols == symbol)
            paths[r, i] = counts[place[0]] / counts.sum() if place.size else 0.0
    # The share is a martingale under workflow replace.
    expected = np.full(len(generations), p0 if is_replace_only(results) else np.nan)
    varying = paths.std(axis=0) > 0
    rule = replicates_rule(EVENTS, results.n_replicates)
    curve = curve_of(generations, paths, None, None, expected, varying & (results.n_replicates >= EVENTS), rule)
    title = f"Share of a symbol, $p_0$ = {p0:g}, $n$ = {int(sizes[0]):,}"
    return Panel(title, "share of the symbol $P_t$", "share", curve, paths=paths)


def _constant_size(results: RecordedRun) -> int:
    """Return the constant sample size of a run under workflow replace, and refuse other runs."""
    n = replace_only_size(results)
    if n is None:
        raise InputError("this panel must have workflow replace with a constant n_samples, got another workflow")
    return n


def _from_first(pair: tuple[np.ndarray, np.ndarray], generations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return published bounds from generation 1 on; they are not stated for generation 0."""
    lower, upper = (np.where(generations < 1, np.nan, values) for values in pair)
    return lower, upper


class DiscretePanels(FamilyPanels):
    """The panels of discrete distributions, with the extinction times of their symbols."""

    def why_no_bounds(self, results: RecordedRun) -> str:
        """Return why a panel of a run has neither bounds nor an exact expectation."""
        if replace_only_size(results) is not None or not schedule_of(results).is_plain:
            return "its expectation is not known"
        if is_replace_only(results):
            return "bounds need a constant n_samples"
        return "there are no bounds for this workflow"

    def throughput(self, results: RecordedRun) -> tuple[float, str] | None:
        """Return the number of live symbols in the generations that were sampled; a spectrum has no single symbols."""
        if results.engine == "spectrum" or "support_size" not in results.metrics:
            return None
        return float(results.metrics["support_size"][:, :-1].sum()), "live symbols"

    def describe_truth(self, results: RecordedRun) -> str:
        """Return the source of the truth, and the size of real data; the source of a law names its size itself."""
        truth = results.truth
        size = "" if truth.total is None else f": {n_symbols(results):,} symbols, {truth.total:,} tokens"
        return truth.source + size

    def summary_tables(self, results: RecordedRun) -> list[str]:
        """Return the table of extinction times of a finished run."""
        has_times = results.engine == "symbols" and results.forgotten is not None
        return [extinction_table(results)] if has_times else []

    def draw_second_plot(self, axes: "Axes", results: RecordedRun) -> bool:
        """Draw extinction times over the count of a symbol; they take the place of the heterozygosity."""
        return results.engine == "symbols" and draw_extinction_times(axes, results)


PANELS = DiscretePanels(
    {
        "survival": survival_panel,
        "ratio": ratio_panel,
        "heterozygosity": heterozygosity_panel,
        "symbol": symbol_panel,
        "coexistence": coexistence_panel,
        "both_ends": coexistence_panel,  # its name in files of version 0.1
        "not_collapsed": not_collapsed_panel,
        "paths": paths_panel,
        "entropy": entropy_panel,
        "forgetting": forgetting_panel,
        "lost_mass": lost_mass_panel,
        "survival_by_count": survival_by_count_panel,
        "ratio_to_first": ratio_to_first,
        "error_over_real": error_over_real,
    },
    default=("survival", "heterozygosity", "survival_by_count"),
    staged={
        "survival": survival_panel,
        "heterozygosity": heterozygosity_panel,
        "entropy": entropy_panel,
        "ratio_to_first": ratio_to_first,
        "error_over_real": error_over_real,
    },
    sampled=MAP_PANELS,
    sources=SOURCES,
)
