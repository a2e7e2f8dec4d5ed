"""Discrete distributions beside their theory: survival, heterozygosity, one symbol, entropy."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.base import (
    EVENTS,
    Maker,
    bound_lines,
    chance,
    curve_of,
    is_plain,
    once,
    plain_size,
    published_lines,
    schedule_of,
    share_of,
)
from fastcollapse.analysis.panels.extinction_times import CHAIN_CELLS, CHAIN_N, CHAIN_WORK, forgetting_panel
from fastcollapse.analysis.panels.panel import Curve, Line, Panel
from fastcollapse.errors import InputError
from fastcollapse.simulation.results import Results
from fastcollapse.theory.discrete.binomial_chain import MAX_CELLS, exact_chain, exact_unique_symbols
from fastcollapse.theory.discrete.coexistence import (
    both_ends_bounds,
    both_ends_bounds_published,
    not_collapsed_bounds,
    seddik_bounds,
)
from fastcollapse.theory.discrete.heterozygosity import expected_heterozygosity
from fastcollapse.theory.discrete.survival import survival_bounds, survival_bounds_published
from fastcollapse.theory.discrete.unique_symbols import unique_symbols_bounds, unique_symbols_bounds_published

# The heterozygosity of m equal symbols has about the law of a chi-square of m - 1 degrees: skewed, so that
# the spread of a few replicates now and then is far too small. Their degrees together must be as many.
_DEGREES = 100


def n_symbols(results: Results) -> int:
    """Return how many symbols are alive in generation 0: those of probability zero are none."""
    return int(np.count_nonzero(results.truth.probabilities))


def survival(results: Results, generations: np.ndarray) -> Curve:
    """Return the surviving share of the symbols, beside its bounds under plain resampling.

    Parameters
    ----------
    generations : int64[B], 0 to the last one of the results.
    """
    alive = results.metrics["support_size"][:, generations]
    support = float(results.metrics["support_size"][0, 0])
    n = plain_size(results)
    unknown = np.full(len(generations), np.nan)
    lower, upper, expected = unknown, unknown, unknown
    if n is not None:
        lower, upper = unique_symbols_bounds(results.truth.probabilities, n, generations)
        last = int(generations.max(initial=0))
        distinct = np.unique(results.truth.probabilities).size
        affordable = n * n * last <= CHAIN_WORK and n * distinct <= CHAIN_CELLS
        if n <= CHAIN_N and affordable and (n + 1 + distinct) * last <= MAX_CELLS:
            expected = exact_unique_symbols(results.truth.probabilities, n, last)[generations]
    told = ((support - alive).sum(axis=0) >= EVENTS) & ((alive - 1).sum(axis=0) >= EVENTS)
    curve = curve_of(generations, alive, lower, upper, expected, told)
    share = {
        name: getattr(curve, name) / support
        for name in ("mean", "sd", "smallest", "largest", "lower", "upper", "expected")
    }
    if n is None:
        share |= {"lower": None, "upper": None}
    return Curve(at=generations, z=curve.z, **share)


def heterozygosity(results: Results, generations: np.ndarray) -> Curve:
    """Return the heterozygosity beside its exact expectation, which every workflow has.

    Parameters
    ----------
    generations : int64[B], 0 to the last one of the results.
    """
    values = results.metrics["heterozygosity"][:, generations]
    expected = _expected_heterozygosity(results)[generations]
    several = (values > 0).sum(axis=0)
    enough = values.shape[0] * expected >= _DEGREES * (1 - expected)
    told = ((several == values.shape[0]) | (several >= EVENTS)) & enough
    return curve_of(generations, values, None, None, expected, told)


@once
def _expected_heterozygosity(results: Results) -> np.ndarray:
    schedule, truth = schedule_of(results), results.truth
    total = truth.total or 0
    return expected_heterozygosity(
        max(0.0, 1 - float((truth.probabilities**2).sum())),
        schedule.n_synthetic,
        schedule.n_real,
        schedule.keep,
        schedule.n_train,
        replacement=schedule.replacement,
        real=schedule.real,
        start_total=total if schedule.start_with_data else 0,
        real_is_truth=schedule.real == "fixed" and int(schedule.n_real[0]) == total,
    )


def survival_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the surviving share of the vocabulary, with Corollary 1 as published where the recipe asks for it."""
    curve = survival(results, generations)
    lines = bound_lines(curve)
    n = plain_size(results)
    if options.get("published") and n is not None:
        pair = unique_symbols_bounds_published(results.truth.probabilities, n, generations)
        lines += published_lines("Corollary 1", pair, 1 / n_symbols(results))
    title = f"Share of symbols still alive, of {n_symbols(results):,}"
    return Panel(title, "symbols still alive (%)", "alive %", curve, lines, factor=100, digits=3)


def ratio_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the symbols that are left as a share of those of the first sample, generation 1, replicate by replicate.

    Beside it the ratio of the two exact expectations, which is not quite the expectation of the ratio: no score.
    """
    alive = results.metrics["support_size"]
    share = np.where(generations < 1, np.nan, alive[:, generations] / alive[:, [1]])
    unknown = np.full(len(generations), np.nan)
    curve = curve_of(generations, share, None, None, unknown, np.isfinite(unknown))
    n, last = _constant_size(results), int(generations.max(initial=1))
    lines: tuple[Line, ...] = ()
    if n <= CHAIN_N:
        exact = exact_unique_symbols(results.truth.probabilities, n, last)
        known = np.where(generations < 1, np.nan, exact[generations] / exact[1])
        lines = (Line("theory: ratio of exact expectations", known, "exact"),)
    title = "Share of the symbols of the first sample"
    return Panel(title, "symbols / symbols of generation 1", "of first", curve, lines, digits=4)


def heterozygosity_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the chance that two tokens differ."""
    curve = heterozygosity(results, generations)
    return Panel("Chance that two tokens differ", "heterozygosity, 1 - sum p²", "H", curve)


def symbol_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the chance that one symbol, the first by default, is still alive, beside Theorem 1 and its sharp pair."""
    symbol, n = int(options.get("symbol") or 0), _constant_size(results)
    forgotten = results.forgotten
    if forgotten is None:
        raise InputError("the survival of a symbol must have a finished run, got one that is not")
    lost = np.asarray(forgotten)[:, symbol][:, None]
    alive = (lost < 0) | (lost > generations)
    p0 = float(results.truth.probabilities[symbol])
    pair = survival_bounds(p0, n, generations)
    exact = None
    if n <= CHAIN_N:
        exact = 1 - exact_chain([p0], n, int(generations.max(initial=1)))[0][0][generations]
    curve = share_of(generations, alive, pair, exact)
    lines = bound_lines(curve) + published_lines("Theorem 1", survival_bounds_published(p0, n, generations))
    return chance(f"Survival of a symbol, p = {p0:g}, n = {n:,}", "Pr(P_k > 0)", "alive", curve, lines)


def both_ends_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the chance that neither of two symbols is lost, beside the bounds of Seddik et al. and the sharp ones."""
    n = _constant_size(results)
    p = results.truth.probabilities
    if np.count_nonzero(p) != 2:
        raise InputError(f"the panel both_ends must have a truth of two symbols, got {np.count_nonzero(p)}")
    p0 = float(p[p > 0][0])
    alive = results.metrics["support_size"][:, generations] > 1
    exact = None
    if n <= CHAIN_N:
        lost, fixed = exact_chain([p0], n, int(generations.max(initial=1)))
        exact = 1 - lost[0][generations] - fixed[0][generations]
    curve = share_of(generations, alive, both_ends_bounds(p0, n, generations), exact)
    lines = bound_lines(curve)
    lines += published_lines("Seddik et al.", _from_first(seddik_bounds(p0, n, generations), generations))
    lines += published_lines("two ends", _from_first(both_ends_bounds_published(p0, n, generations), generations))
    return chance(f"Not collapsed, p = {p0:g}, n = {n:,}", "Pr(0 < P_k < 1)", "undecided", curve, lines)


def not_collapsed_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the chance that more than one symbol is left, inside its bounds."""
    n = _constant_size(results)
    p = results.truth.probabilities
    h0 = max(0.0, 1 - float((p**2).sum()))
    alive = results.metrics["support_size"][:, generations] > 1
    bounds = not_collapsed_bounds(h0, int(np.count_nonzero(p)), n, generations)
    curve = share_of(generations, alive, bounds, None)
    return chance(
        f"More than one symbol left, n = {n:,}", "Pr(not collapsed)", "not collapsed", curve, bound_lines(curve)
    )


def paths_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
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
            found = np.flatnonzero(symbols == symbol)
            paths[r, i] = counts[found[0]] / counts.sum() if found.size else 0.0
    # A martingale: the share keeps its mean under plain resampling.
    expected = np.full(len(generations), p0 if is_plain(results) else np.nan)
    varying = paths.std(axis=0) > 0
    curve = curve_of(generations, paths, None, None, expected, varying & (results.n_replicates >= EVENTS))
    title = f"Share of a symbol, p = {p0:g}, n = {int(sizes[0]):,}"
    return Panel(title, "P_k", "share", curve, paths=paths)


def entropy_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the entropy as a share of that of the truth."""
    values = results.metrics["entropy"]
    values = values[:, generations] / values[0, 0]
    unknown = np.full(len(generations), np.nan)
    curve = curve_of(generations, values, None, None, unknown, np.full(len(generations), False))
    return Panel("Entropy", "entropy / entropy of the truth", "entropy", curve)


PANELS: Mapping[str, Maker] = MappingProxyType(
    {
        "survival": survival_panel,
        "ratio": ratio_panel,
        "heterozygosity": heterozygosity_panel,
        "symbol": symbol_panel,
        "both_ends": both_ends_panel,
        "not_collapsed": not_collapsed_panel,
        "paths": paths_panel,
        "entropy": entropy_panel,
        "forgetting": forgetting_panel,
    }
)
DEFAULT = ("survival", "heterozygosity")


def _constant_size(results: Results) -> int:
    n = plain_size(results)
    if n is None:
        raise InputError("this panel must have plain resampling with a constant n_samples, got another workflow")
    return n


def _from_first(pair: tuple[np.ndarray, np.ndarray], generations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return published bounds from generation 1 on: they say nothing of generation 0."""
    lower, upper = (np.where(generations < 1, np.nan, values) for values in pair)
    return lower, upper


def why_no_bounds(results: Results) -> str:
    """Return why a quantity has no theory here."""
    if plain_size(results) is not None:
        return "its expectation is not known"
    if is_plain(results):
        return "bounds need a constant n_samples"
    return "there are no bounds for this workflow"


def size_of(results: Results) -> str:
    """Return the size of a corpus; the source of a law names its size itself."""
    truth = results.truth
    return "" if truth.total is None else f": {n_symbols(results):,} symbols, {truth.total:,} tokens"


def throughput(results: Results) -> tuple[float, str]:
    """Return the live symbols that were drawn from."""
    return float(results.metrics["support_size"][:, :-1].sum()), "live symbols"
