"""Results beside their theory: curves with bounds and z-scores, forgetting times with their law."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from scipy.special import ndtri, stdtr

from fastcollapse.results import Results
from fastcollapse.theory.discrete import survival_bounds
from fastcollapse.theory.exact_chain import MAX_CELLS, exact_chain, exact_unique_symbols
from fastcollapse.theory.forgetting import forgetting_median_law
from fastcollapse.theory.heterozygosity import expected_heterozygosity
from fastcollapse.theory.unique_symbols import unique_symbols_bounds
from fastcollapse.workflows import Schedule

# Bounds closer than this many standard errors are taken for the exact value.
_CLOSE = 0.1
# A sample standard deviation says little about a mean that rests on fewer rare events than this.
_EVENTS = 20
# The heterozygosity of m equal symbols has about the law of a chi-square of m - 1 degrees: skewed, so that
# the spread of a few replicates now and then is far too small. Their degrees together must be as many.
_DEGREES = 100
# The exact chain is used up to these costs, about a second.
_CHAIN_N, _CHAIN_WORK, _CHAIN_CELLS = 1000, 2_000_000_000, 4_000_000
# Half; where it is exactly that, the sums round.
_HALF = 0.5 + 1e-12
# Medians of theory are looked for up to this generation.
_HORIZON = 100_000
# The limit 2c/ln 2 is off by 1 % where c is this share of n (c = 10 of n = 1000).
_SMALL_SHARE = 0.01
_GROUP_WORDS = 20

Value = TypeVar("Value")
Bracket = tuple[int | None, int | None]


@dataclass(frozen=True, eq=False)
class Curve:
    """A quantity over generations, simulated and in theory.

    Parameters
    ----------
    generations : int64[B].
    mean, sd, smallest, largest : float64[B], over replicates; the standard deviation is the unbiased one, and
        NaN for a single replicate.
    lower, upper : float64[B], bounds of the expectation, or None.
    expected : float64[B], the exact expectation, NaN where it is not known.
    z : float64[B], distance to the expectation, or else to the nearer bound if outside of them (0 inside), in
        standard errors, brought from Student's law to the normal one; NaN where it cannot be told.
    """

    generations: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray
    lower: np.ndarray | None
    upper: np.ndarray | None
    expected: np.ndarray
    z: np.ndarray


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


def marks(n_generations: int) -> np.ndarray:
    """Return the generations a short table shows: all of up to 10, else 1, 2, 5, 10, ... and the last.

    Examples
    --------
    >>> marks(120)
    array([  1,   2,   5,  10,  20,  50, 100, 120])
    """
    if n_generations <= 10:
        return np.arange(1, n_generations + 1)
    series = [m * 10**e for e in range(8) for m in (1, 2, 5) if m * 10**e <= n_generations]
    return np.unique([*series, n_generations])


def spread(n_generations: int, most: int) -> np.ndarray:
    """Return at most `most` generations from 1 to the last, evenly spread by their logarithm.

    Examples
    --------
    >>> spread(1000, 4)
    array([   1,   10,  100, 1000])
    """
    if n_generations < 1:
        return np.empty(0, np.int64)
    return np.unique(np.rint(np.geomspace(1, n_generations, most)).astype(np.int64))


def _once(function: Callable[[Results], Value]) -> Callable[[Results], Value]:
    """Keep what `function` says of results for as long as these are in use, and no longer."""
    known: WeakKeyDictionary[Results, Value] = WeakKeyDictionary()

    @functools.wraps(function)
    def kept(results: Results) -> Value:
        if results not in known:
            known[results] = function(results)
        return known[results]

    return kept


def n_symbols(results: Results) -> int:
    """Return how many symbols are alive in generation 0: those of probability zero are none."""
    return int(np.count_nonzero(results.truth.probabilities))


@_once
def schedule_of(results: Results) -> Schedule:
    """Return the schedule that the run followed."""
    experiment = results.experiment
    return experiment.workflow.schedule(experiment.run.n_generations, results.truth.total)


def is_plain(results: Results) -> bool:
    """Is every generation tokens of the one before and nothing else?"""
    schedule = schedule_of(results)
    other = schedule.n_real.any() or schedule.n_train.any() or schedule.keep[1:].any()
    return not other and not schedule.start_with_data


def plain_size(results: Results) -> int | None:
    """Return n if every generation is n tokens of the one before and nothing else, otherwise None."""
    sizes = schedule_of(results).n_synthetic
    return int(sizes[0]) if is_plain(results) and not np.ptp(sizes) else None


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
        affordable = n * n * last <= _CHAIN_WORK and n * distinct <= _CHAIN_CELLS
        if n <= _CHAIN_N and affordable and (n + 1 + distinct) * last <= MAX_CELLS:
            expected = exact_unique_symbols(results.truth.probabilities, n, last)[generations]
    told = ((support - alive).sum(axis=0) >= _EVENTS) & ((alive - 1).sum(axis=0) >= _EVENTS)
    curve = _curve(generations, alive, lower, upper, expected, told)
    share = {
        name: getattr(curve, name) / support
        for name in ("mean", "sd", "smallest", "largest", "lower", "upper", "expected")
    }
    if n is None:
        share |= {"lower": None, "upper": None}
    return Curve(generations=generations, z=curve.z, **share)


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
    told = ((several == values.shape[0]) | (several >= _EVENTS)) & enough
    return _curve(generations, values, None, None, expected, told)


@_once
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


def _curve(
    generations: np.ndarray,
    values: np.ndarray,
    lower: np.ndarray | None,
    upper: np.ndarray | None,
    expected: np.ndarray,
    told: np.ndarray,
) -> Curve:
    n_replicates = values.shape[0]
    mean = values.mean(axis=0)
    sd = values.std(axis=0, ddof=1) if n_replicates > 1 else np.full(mean.shape, np.nan)
    error = sd / np.sqrt(n_replicates)
    distance = mean - expected
    if lower is not None and upper is not None:
        close = np.isnan(expected) & (upper - lower <= _CLOSE * error)
        expected = np.where(close, (lower + upper) / 2, expected)
        outside = np.where(mean < lower, mean - lower, np.where(mean > upper, mean - upper, 0.0))
        distance = np.where(np.isnan(expected), outside, mean - expected)
        distance[np.isnan(lower)] = np.nan
    z = _normal_score(distance, error, n_replicates)
    z[~told | (sd <= 1e-12 * np.abs(mean))] = np.nan
    # Values that cannot vary, such as the truth itself: rounding is all that may differ.
    z[np.abs(distance) <= 1e-12 * np.abs(mean)] = 0.0
    return Curve(generations, mean, sd, values.min(axis=0), values.max(axis=0), lower, upper, expected, z)


def _normal_score(distance: np.ndarray, error: np.ndarray, n: int) -> np.ndarray:
    """Return the normal score whose tail is that of distance/error under Student's law of n - 1 degrees."""
    if n < 2:
        return np.full(distance.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = distance / error
        score = -ndtri(stdtr(n - 1, -np.abs(ratio)))
    # Far out the tail underflows; there any large number says the same.
    return np.sign(ratio) * np.where(np.isinf(score), np.abs(ratio), score)


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
    if n <= _CHAIN_N and n * p.size <= _CHAIN_CELLS:
        reached = min(end, _CHAIN_WORK // (n * n), MAX_CELLS // (n + 1 + p.size))
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
