"""When the symbols of a run are forgotten, by how often they occurred, beside what theory says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.base import plain_size, schedule_of
from fastcollapse.analysis.panels.panel import QUARTILES, Axis, Curve, Line, Panel
from fastcollapse.errors import InputError
from fastcollapse.simulation.results import Results
from fastcollapse.theory.discrete.binomial_chain import MAX_CELLS, exact_chain
from fastcollapse.theory.discrete.extinction_time import forgetting_median_law
from fastcollapse.theory.discrete.survival import survival_bounds

# The exact chain is used up to these costs, about a second.
CHAIN_N, CHAIN_WORK, CHAIN_CELLS = 1000, 2_000_000_000, 4_000_000
# Half; where it is exactly that, the sums round.
_HALF = 0.5 + 1e-12
# Medians of theory are looked for up to this generation.
_HORIZON = 100_000
# The limit 2c/ln 2 is off by 1 % where c is this share of n (c = 10 of n = 1000).
_SMALL_SHARE = 0.01
_GROUP_WORDS = 20
# Symbols of fewer expected copies are rarely there at all.
_FEWEST_COPIES = 0.3

Bracket = tuple[int | None, int | None]


@dataclass(frozen=True)
class Forgetting:
    """When the symbols of about one count are forgotten.

    Parameters
    ----------
    copies : mean count of the symbols (its expectation in generation 1 where nothing was counted).
    smallest, largest : the range of these counts.
    n_symbols : how many symbols.
    quartiles : generations by which 25, 50 and 75 % of symbols x replicates are forgotten; None is not
        within the run.
    law : 2c/ln 2, the limit of the median for 1 << c << n; None for another workflow, or counts above n/100.
    median : earliest and latest generation that the median can be by theory, equal where it is known exactly;
        a None in it is beyond the run; None where there is no theory.
    """

    copies: float
    smallest: float
    largest: float
    n_symbols: int
    quartiles: tuple[int | None, int | None, int | None]
    law: float | None
    median: Bracket | None


def copies_of(results: Results) -> np.ndarray:
    """Return float64[K], the tokens of each symbol in generation 1: expected, or those of the real data.

    The real data counts where no generation has a size that the law of forgetting could refer to.
    """
    n = plain_size(results)
    truth = results.truth
    if truth.counts is not None and (n is None or n == truth.total):
        return truth.counts.astype(np.float64)
    return (n or int(schedule_of(results).n_synthetic[0])) * truth.probabilities


def forgetting(results: Results, count: float) -> Forgetting | None:
    """Return when symbols of `count` copies are forgotten, or None if there is none about that count.

    Of fewer than 20 such symbols, all within 10 % of the count are taken.
    """
    copies = copies_of(results)
    chosen = np.flatnonzero(np.isclose(copies, count, rtol=1e-9))
    if chosen.size < _GROUP_WORDS:
        chosen = np.flatnonzero(np.abs(copies - count) <= 0.1 * count * (1 + 1e-9))
    return _forgetting_of(results, copies, [chosen])[0] if chosen.size else None


def forgetting_panel(results: Results, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the median generation in which symbols are forgotten over how often they occurred, with its theory."""
    if results.forgotten is None:
        raise InputError("the panel forgetting must have forgetting times: of a sweep they are in its folder")
    groups = [one for one in forgetting_curve(results) if one.copies >= _FEWEST_COPIES]
    # Up to the first median beyond the run: later ones within it are those that happened to be early.
    censored = next((i for i, one in enumerate(groups) if one.quartiles[1] is None), len(groups))
    groups = groups[:censored]
    if not groups:
        raise InputError("the panel forgetting must have symbols that are forgotten within the run, got none")
    low, middle, high = (
        np.array([results.last if one.quartiles[i] is None else one.quartiles[i] for one in groups], dtype=float)
        for i in range(3)
    )
    ends = [one.median or (None, None) for one in groups]
    lower, upper = (np.array([np.nan if end[side] is None else end[side] for end in ends], float) for side in (0, 1))
    unknown = np.full(len(groups), np.nan)
    curve = Curve(
        at=np.array([one.copies for one in groups]),
        mean=middle,
        sd=unknown,
        smallest=low,
        largest=high,
        lower=lower,
        upper=upper,
        expected=np.where(lower == upper, lower, np.nan),
        z=unknown,
    )
    law = np.array([np.nan if one.law is None else one.law for one in groups])
    lines = (
        (Line("theory: limit 2c / ln 2 of the median, c << n", law, "asymptotic"),) if np.isfinite(law).any() else ()
    )
    axis = Axis("count", "count c in the corpus (tokens)")
    return Panel(
        "Forgetting time by count", "forgotten at generation", "forgotten", curve, lines,
        log=True, digits=1, band=QUARTILES, axis=axis, median=True,
    )  # fmt: skip


def forgetting_curve(results: Results, bins_a_decade: int = 10) -> list[Forgetting]:
    """Return when symbols are forgotten by count: counts on their own up to 10, then logarithmic bins."""
    copies = copies_of(results)
    alive = np.flatnonzero(copies > 0)
    fine = np.rint(np.log10(np.maximum(copies[alive], 1e-300)) * bins_a_decade)
    single = (copies[alive] <= 10) & (copies[alive] == np.rint(copies[alive]))
    label = np.where(single, -1e6 + copies[alive], fine)
    order = np.argsort(label, kind="stable")
    groups = np.split(alive[order], np.flatnonzero(np.diff(label[order])) + 1) if alive.size else []
    return sorted(_forgetting_of(results, copies, groups), key=lambda one: one.copies)


def _forgetting_of(results: Results, copies: np.ndarray, groups: Sequence[np.ndarray]) -> list[Forgetting]:
    forgotten = results.forgotten
    assert forgotten is not None
    last = results.last
    n = plain_size(results)
    medians: Sequence[Bracket | None] = [None] * len(groups)
    if n is not None:
        medians = _medians(n, [results.truth.probabilities[group] for group in groups], last)
    found = []
    for group, median in zip(groups, medians, strict=True):
        values = np.asarray(forgotten[:, group]).ravel()
        values = np.where(values < 0, last + 1, values)
        quartiles = np.quantile(values, [0.25, 0.5, 0.75], method="inverted_cdf")
        within = [int(q) if q <= last else None for q in quartiles]
        count, largest = float(copies[group].mean()), float(copies[group].max())
        found.append(
            Forgetting(
                copies=count,
                smallest=float(copies[group].min()),
                largest=largest,
                n_symbols=int(group.size),
                quartiles=(within[0], within[1], within[2]),
                law=float(forgetting_median_law(count)) if has_limit(largest, n) else None,
                median=median,
            )
        )
    return found


def has_limit(count: float, n: int | None) -> bool:
    """Is the limit 2c/ln 2 of the median said of symbols of `count` copies among n tokens?"""
    return n is not None and count <= _SMALL_SHARE * n * (1 + 1e-9)


def _medians(n: int, groups: Sequence[np.ndarray], last: int) -> list[Bracket]:
    """Return the earliest and latest generation, 1 to `last`, by which half of a group is lost.

    By the two ends of `survival_bounds`; up to n = 1000 by the exact chain. None is beyond `last`.

    Parameters
    ----------
    groups : the true probabilities of the symbols of each group, above 0.
    """
    if not groups:
        return []
    # The law depends on p alone: each distinct p of a group once, with its share of the group.
    parts = [np.unique(group, return_counts=True) for group in groups]
    p = np.concatenate([values for values, _ in parts])
    share = np.concatenate([copies / copies.sum() for _, copies in parts])
    sizes = [len(values) for values, _ in parts]
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    end = min(last, _HORIZON)

    def search(alive: Callable[[np.ndarray], np.ndarray]) -> list[int]:
        """Bisect for the first generation in which at most half of each group is alive."""
        low, high = np.zeros(len(groups), np.int64), np.full(len(groups), end + 1)
        while (high - low > 1).any():
            middle = (low + high) // 2
            half = np.add.reduceat(share * alive(np.repeat(middle, sizes)), first) <= _HALF
            low, high = np.where(half, low, middle), np.where(half, middle, high)
        return [int(k) for k in high]

    earliest = search(lambda k: survival_bounds(p, n, k)[0])
    latest = search(lambda k: survival_bounds(p, n, k)[1])
    if n <= CHAIN_N and n * p.size <= CHAIN_CELLS:
        reached = min(end, CHAIN_WORK // (n * n), MAX_CELLS // (n + 1 + p.size))
        alive = np.add.reduceat(share[:, None] * (1 - exact_chain(p, n, reached)[0]), first)
        for i, curve in enumerate(alive):
            half = np.flatnonzero(curve <= _HALF)
            if half.size:
                earliest[i] = latest[i] = int(half[0])
            else:
                earliest[i] = max(earliest[i], reached + 1)
    # Beyond the horizon but within the run nothing more is known.
    return [
        (low if low <= last else None, high if high <= end else None)
        for low, high in zip(earliest, latest, strict=True)
    ]
