"""Results beside their theory: curves with bounds and z-scores, forgetting times with their law."""

import functools
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtr

from fastcollapse.results import Results
from fastcollapse.theory.exact_chain import exact_unique_symbols
from fastcollapse.theory.forgetting import forgetting_median_law, forgetting_quantile
from fastcollapse.theory.heterozygosity import expected_heterozygosity
from fastcollapse.theory.unique_symbols import unique_symbols_bounds
from fastcollapse.workflows import Schedule

# Bounds closer than this many standard errors are taken for the exact value.
_CLOSE = 0.1
# A sample standard deviation says little about a mean that rests on fewer rare events than this.
_EVENTS = 20
# The exact chain is used up to these costs, about a second.
_CHAIN_N, _CHAIN_WORK, _CHAIN_CELLS = 1000, 2e9, 4e6
_GROUP_WORDS = 20


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
    law, exact : the median by 2c/ln 2 and by the exact quantile; None where neither holds.
    """

    copies: float
    smallest: float
    largest: float
    n_symbols: int
    quartiles: tuple[int | None, int | None, int | None]
    law: float | None
    exact: int | None


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


@functools.lru_cache(maxsize=4)
def schedule_of(results: Results) -> Schedule:
    """Return the schedule that the run followed."""
    experiment = results.experiment
    return experiment.workflow.schedule(experiment.run.n_generations, results.truth.total)


def plain_size(results: Results) -> int | None:
    """Return n if every generation is n tokens of the one before and nothing else, otherwise None."""
    schedule = schedule_of(results)
    other = schedule.n_real.any() or schedule.n_train.any() or schedule.keep[1:].any()
    if other or schedule.start_with_data or np.ptp(schedule.n_synthetic):
        return None
    return int(schedule.n_synthetic[0])


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
        if n <= _CHAIN_N and n * n * last <= _CHAIN_WORK and n * distinct <= _CHAIN_CELLS:
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
    told = (several == values.shape[0]) | (several >= _EVENTS)
    return _curve(generations, values, None, None, expected, told)


@functools.lru_cache(maxsize=4)
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
    return _forgetting_of(results, copies, chosen) if chosen.size else None


def forgetting_curve(results: Results, bins_a_decade: int = 10) -> list[Forgetting]:
    """Return when symbols are forgotten by count: counts on their own up to 10, then logarithmic bins."""
    copies = copies_of(results)
    alive = np.flatnonzero(copies > 0)
    fine = np.rint(np.log10(np.maximum(copies[alive], 1e-300)) * bins_a_decade)
    single = (copies[alive] <= 10) & (copies[alive] == np.rint(copies[alive]))
    label = np.where(single, -1e6 + copies[alive], fine)
    order = np.argsort(label, kind="stable")
    groups = np.split(alive[order], np.flatnonzero(np.diff(label[order])) + 1) if alive.size else []
    found = [_forgetting_of(results, copies, group) for group in groups]
    return sorted(found, key=lambda one: one.copies)


def _forgetting_of(results: Results, copies: np.ndarray, chosen: np.ndarray) -> Forgetting:
    forgotten = results.forgotten
    assert forgotten is not None
    values = np.asarray(forgotten[:, chosen]).ravel()
    last = results.generation[-1]
    values = np.where(values < 0, last + 1, values)
    quartiles = np.quantile(values, [0.25, 0.5, 0.75], method="inverted_cdf")
    within = [int(q) if q <= last else None for q in quartiles]
    count = float(copies[chosen].mean())
    plain = plain_size(results) is not None
    return Forgetting(
        copies=count,
        smallest=float(copies[chosen].min()),
        largest=float(copies[chosen].max()),
        n_symbols=int(chosen.size),
        quartiles=(within[0], within[1], within[2]),
        law=float(forgetting_median_law(count)) if plain else None,
        exact=int(forgetting_quantile(count, 0.5)) if plain else None,
    )
