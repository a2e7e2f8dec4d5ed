"""Extinction times of symbols by their count, with theory: panel and table.

The extinction time of a symbol is the generation in which it is first absent; the file calls it `forgotten`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.panel import QUARTILES, Axis, Curve, Line, Panel
from fastcollapse.analysis.panels.schedules import replace_only_size, schedule_of
from fastcollapse.analysis.panels.text import table
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.discrete.binomial_chain import MAX_CELLS, exact_chain
from fastcollapse.theory.discrete.extinction_time import forgetting_median_law
from fastcollapse.theory.discrete.survival import survival_bounds

# Limits of the cost of the exact chain, about a second.
CHAIN_N, CHAIN_WORK, CHAIN_CELLS = 1000, 2_000_000_000, 4_000_000
# A half, with room for the rounding of sums that are exactly a half.
_HALF = 0.5 + 1e-12
# The last generation that medians of theory are searched in.
_HORIZON = 100_000
# The limit 2c/ln 2 is off by 1 % where c is this share of n (c = 10 of n = 1000).
_SMALL_SHARE = 0.01
# The fewest symbols of one count that make a group; otherwise counts within 10 % join them.
_GROUP_SIZE = 20
# Symbols with fewer expected copies are absent from most first samples.
_FEWEST_COPIES = 0.3
# Counts in the table.
_TABLE_COUNTS = (1, 10, 100)

# Earliest and latest generation of a median; None is beyond the run.
Bracket = tuple[int | None, int | None]


@dataclass(frozen=True)
class ExtinctionTime:
    """Extinction times of the symbols of about one count.

    Parameters
    ----------
    copies : mean count of the symbols (its expectation in generation 1 where nothing was counted).
    smallest, largest : the range of these counts.
    n_symbols : number of symbols.
    quartiles : generations by which 25, 50 and 75 % of symbols x replicates are extinct; None is beyond the run.
    law : 2c/ln 2, the limit of the median for 1 << c << n; None for other workflows, and for counts above n/100.
    median : earliest and latest generation of the median by theory, equal where it is known exactly; None where there
        is no theory.
    """

    copies: float
    smallest: float
    largest: float
    n_symbols: int
    quartiles: tuple[int | None, int | None, int | None]
    law: float | None
    median: Bracket | None


def copies_of(results: RecordedRun) -> np.ndarray:
    """Return the number of tokens of each symbol in generation 1, float64[K]: its expectation, or the real counts.

    The real counts are returned where sample sizes differ from generation to generation, or are that of the real data.
    """
    n = replace_only_size(results)
    truth = results.truth
    if truth.counts is not None and (n is None or n == truth.total):
        return truth.counts.astype(np.float64)
    return (n or int(schedule_of(results).n_synthetic[0])) * truth.probabilities


def are_real_counts(results: RecordedRun) -> bool:
    """Whether `copies_of` are the counts of the real data."""
    counts = results.truth.counts
    return counts is not None and np.array_equal(copies_of(results), counts)


def extinction_time(results: RecordedRun, count: float) -> ExtinctionTime | None:
    """Return the extinction times of symbols of `count` copies, or None where no symbol has about that count.

    Fewer than 20 such symbols are joined by all within 10 % of the count.
    """
    copies = copies_of(results)
    chosen = np.flatnonzero(np.isclose(copies, count, rtol=1e-9))
    if chosen.size < _GROUP_SIZE:
        chosen = np.flatnonzero(np.abs(copies - count) <= 0.1 * count * (1 + 1e-9))
    return _extinction_times(results, copies, [chosen])[0] if chosen.size else None


def extinction_curve(results: RecordedRun, bins_a_decade: int = 10) -> list[ExtinctionTime]:
    """Return extinction times by count: one group for each count up to 10, then logarithmic bins."""
    copies = copies_of(results)
    alive = np.flatnonzero(copies > 0)
    fine = np.rint(np.log10(np.maximum(copies[alive], 1e-300)) * bins_a_decade)
    single = (copies[alive] <= 10) & (copies[alive] == np.rint(copies[alive]))
    label = np.where(single, -1e6 + copies[alive], fine)
    order = np.argsort(label, kind="stable")
    groups = np.split(alive[order], np.flatnonzero(np.diff(label[order])) + 1) if alive.size else []
    return sorted(_extinction_times(results, copies, groups), key=lambda times: times.copies)


def uncensored_curve(results: RecordedRun) -> list[ExtinctionTime]:
    """Return extinction times by count up to the first median beyond the run.

    Later medians within the run would be those of groups that happened to be early.
    """
    groups = [group for group in extinction_curve(results) if group.copies >= _FEWEST_COPIES]
    n_known = next((i for i, group in enumerate(groups) if group.quartiles[1] is None), len(groups))
    return groups[:n_known]


def quartiles_of(groups: Sequence[ExtinctionTime], last: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the quartiles of groups, float64 [n] each; those beyond the run are its last generation."""
    low, middle, high = (
        np.array([last if group.quartiles[i] is None else group.quartiles[i] for group in groups], dtype=float)
        for i in range(3)
    )
    return low, middle, high


def extinction_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the median extinction time over the count of a symbol, with its theory."""
    if results.forgotten is None:
        raise InputError("the panel forgetting must have forgetting times: of a sweep they are in its folder")
    groups = uncensored_curve(results)
    if not groups:
        raise InputError("the panel forgetting must have symbols that are forgotten within the run, got none")
    return times_panel(groups, results.last)


def times_panel(groups: Sequence[ExtinctionTime], last: int) -> Panel:
    """Return the panel of the quartiles of groups over their counts, with their theory."""
    low, middle, high = quartiles_of(groups, last)
    ends = [group.median or (None, None) for group in groups]
    lower, upper = (np.array([np.nan if end[side] is None else end[side] for end in ends], float) for side in (0, 1))
    unknown = np.full(len(groups), np.nan)
    curve = Curve(
        at=np.array([group.copies for group in groups]),
        mean=middle,
        sd=unknown,
        smallest=low,
        largest=high,
        lower=lower,
        upper=upper,
        expected=np.where(lower == upper, lower, np.nan),
        z=unknown,
        rule="extinction times have no score: the symbols of a replicate depend on each other",
    )
    law = np.array([np.nan if group.law is None else group.law for group in groups])
    lines = (Line(r"theory: $2c/\ln 2$ for $c \ll n$", law, "asymptotic"),) if np.isfinite(law).any() else ()
    axis = Axis("count", "count $c$ in the corpus (tokens)")
    return Panel(
        "Forgetting time by count", "forgotten at generation", "forgotten", curve, lines,
        log=True, digits=1, band=QUARTILES, axis=axis, median=True,
    )  # fmt: skip


def extinction_table(results: RecordedRun) -> str:
    """Return the table of extinction times of symbols of 1, 10 and 100 copies; "" if there are no such symbols."""
    last = results.last
    rows, joined, notes = [], [], []
    times = [(count, group) for count in _TABLE_COUNTS if (group := extinction_time(results, count)) is not None]
    if not times:
        return ""
    for count, group in times:
        name = f"{count}"
        if not math.isclose(group.smallest, group.largest, rel_tol=1e-9):
            name += "*"
            span = f"{group.smallest:.4g} to {group.largest:.4g}"
            joined.append(f"{count}: symbols of {span}, mean {group.copies:.4g}")
        low, median, high = (f"> {last:,}" if q is None else f"{q:,}" for q in group.quartiles)
        law = "-" if group.law is None else f"{group.law:,.1f}"
        rows.append([name, f"{group.n_symbols:,}", low, median, high, _bracket(group.median, last), law])
    if joined:
        notes.append(f"* {'; '.join(joined)}")
    if any(group.law is not None for _, group in times):
        notes.append("2c/ln 2: limit of the median for 1 << c << n")
    if any(group.median is not None and group.median[0] != group.median[1] for _, group in times):
        notes.append("a range of theory: bounds of the median")
    which = "occurred c times" if are_real_counts(results) else "are expected c times in generation 1"
    title = f"Generation in which symbols that {which} are forgotten (quantiles over symbols and replicates)"
    header = ["c", "symbols", "25 %", "median", "75 %", "median by theory", "2c/ln 2"]
    return "\n".join([title, table(header, rows), *(f"  {note}" for note in notes)])


def _bracket(median: Bracket | None, last: int) -> str:
    """Return the median by theory, or its bounds."""
    if median is None:
        return "-"
    earliest, latest = median
    if earliest is None:
        return f"> {last:,}"
    if latest is None:
        return f">= {earliest:,}"
    return f"{earliest:,}" if earliest == latest else f"{earliest:,} to {latest:,}"


def _extinction_times(results: RecordedRun, copies: np.ndarray, groups: Sequence[np.ndarray]) -> list[ExtinctionTime]:
    """Return the extinction times of groups of symbols, int64 arrays of their numbers."""
    forgotten = results.forgotten
    assert forgotten is not None
    last = results.last
    n = replace_only_size(results)
    medians: Sequence[Bracket | None] = [None] * len(groups)
    if n is not None:
        medians = median_brackets(n, [results.truth.probabilities[group] for group in groups], last)
    times = []
    for group, median in zip(groups, medians, strict=True):
        values = np.asarray(forgotten[:, group]).ravel()
        values = np.where(values < 0, last + 1, values)
        quartiles = np.quantile(values, [0.25, 0.5, 0.75], method="inverted_cdf")
        within = [int(q) if q <= last else None for q in quartiles]
        count, largest = float(copies[group].mean()), float(copies[group].max())
        times.append(
            ExtinctionTime(
                copies=count,
                smallest=float(copies[group].min()),
                largest=largest,
                n_symbols=int(group.size),
                quartiles=(within[0], within[1], within[2]),
                law=float(forgetting_median_law(count)) if has_limit(largest, n) else None,
                median=median,
            )
        )
    return times


def has_limit(count: float, n: int | None) -> bool:
    """Whether the limit 2c/ln 2 of the median holds closely for symbols of `count` copies among n tokens."""
    return n is not None and count <= _SMALL_SHARE * n * (1 + 1e-9)


def median_brackets(n: int, groups: Sequence[np.ndarray], last: int) -> list[Bracket]:
    """Return the earliest and latest generation, 1 to `last`, in which half of each group is extinct.

    They follow from the two `survival_bounds`, and up to n = 1000 from the exact chain. None is beyond `last`.

    Parameters
    ----------
    groups : the true probabilities of the symbols of each group, above 0.
    """
    if not groups:
        return []
    # The law depends on p alone: each distinct p of a group is evaluated once, with its share of the group.
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
            is_extinct = np.add.reduceat(share * alive(np.repeat(middle, sizes)), first) <= _HALF
            low, high = np.where(is_extinct, low, middle), np.where(is_extinct, middle, high)
        return [int(k) for k in high]

    earliest = search(lambda k: survival_bounds(p, n, k)[0])
    latest = search(lambda k: survival_bounds(p, n, k)[1])
    if n <= CHAIN_N and n * p.size <= CHAIN_CELLS:
        reached = min(end, CHAIN_WORK // (n * n), MAX_CELLS // (n + 1 + p.size))
        alive = np.add.reduceat(share[:, None] * (1 - exact_chain(p, n, reached)[0]), first)
        for i, curve in enumerate(alive):
            extinct = np.flatnonzero(curve <= _HALF)
            if extinct.size:
                earliest[i] = latest[i] = int(extinct[0])
            else:
                earliest[i] = max(earliest[i], reached + 1)
    # No upper bound is known beyond the horizon.
    return [
        (low if low <= last else None, high if high <= end else None)
        for low, high in zip(earliest, latest, strict=True)
    ]
