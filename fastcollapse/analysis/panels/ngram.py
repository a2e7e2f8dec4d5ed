"""N-gram models beside their theory: words, n-grams and contexts alive, lengths, and distances to the truth."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.analysis.panels import ngram_theory as theory
from fastcollapse.analysis.panels.family_panels import FamilyPanels, Maker
from fastcollapse.analysis.panels.panel import Curve, Line, Panel
from fastcollapse.analysis.panels.schedules import schedule_of
from fastcollapse.analysis.panels.scores import EVENTS, bound_lines, curve_of, unscored_curve
from fastcollapse.analysis.panels.text import counted
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.discrete.unique_symbols import unique_symbols_bounds

_METRICS = {"words": "support_size", "cells": "n_cells", "contexts": "n_contexts"}
_NAMES = {"cells": "n-grams", "contexts": "contexts"}
# The most relative deviation for a score of the number of words: late, few loops carry its mean, and it is skewed.
_MOST_SPREAD = 0.2
# The fewest independent parts of a distance, over all replicates, for a score.
_PARTS = 100
_POISSON = "theory: one refit, repeats within a sentence ignored"


def _unit(results: RecordedRun) -> str:
    """Return what the symbols of the text are: word or character."""
    truth: Any = results.experiment.truth
    return truth.unit or "word"


def _name(results: RecordedRun, what: str) -> str:
    """Return the name of the words, n-grams or contexts of a run."""
    return _NAMES.get(what) or f"{_unit(results)}s"


def words_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the share of the words that are alive, between words alone and whole sentences."""
    return _alive_panel(results, generations, "words")


def cells_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the share of the n-grams of the truth that are alive."""
    return _alive_panel(results, generations, "cells")


def contexts_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the share of the contexts of the truth that are alive."""
    return _alive_panel(results, generations, "contexts")


def _alive_panel(results: RecordedRun, generations: np.ndarray, what: str) -> Panel:
    """Return the panel of the share of words, n-grams or contexts alive."""
    total = theory.totals(results)[what]
    curve, lines = _alive_curve(results, generations, what, total)
    curve = dataclasses.replace(
        curve,
        mean=curve.mean / total,
        sd=curve.sd / total,
        smallest=curve.smallest / total,
        largest=curve.largest / total,
        quantiles=None if curve.quantiles is None else curve.quantiles / total,
        lower=None if curve.lower is None else curve.lower / total,
        upper=None if curve.upper is None else curve.upper / total,
        expected=curve.expected / total,
    )
    lines = tuple(dataclasses.replace(line, values=line.values / total) for line in lines)
    name, note = _name(results, what), ""
    if what == "words" and any(line.kind == "reference" for line in lines):
        note = "order 1 and whole sentences are other models: references, without scores"
    return Panel(
        f"{name.capitalize()} alive, of {total:,}",
        f"{name} alive (%)",
        f"{name} alive (%)",
        curve,
        bound_lines(curve) + lines,
        factor=100,
        digits=3,
        note=note,
    )


def _alive_curve(
    results: RecordedRun, generations: np.ndarray, what: str, total: int
) -> tuple[Curve, tuple[Line, ...]]:
    """Return the number alive beside its theory, and the lines beside it."""
    alive = results.metrics[_METRICS[what]][:, generations]
    expected = np.full(len(generations), np.nan)
    bounds, lines = theory.fixed_alive(results, what, generations), list[Line]()
    whole = theory.whole_sentences_alive(results, what, generations)
    size = theory.generation_size(results)
    if whole is not None and size is not None:
        if theory.is_whole(results) and not theory.by_words(results):
            bounds = whole
        elif what == "words":
            lines += _two_ends(results, generations, whole, size[1])
    one = theory.one_refit(results) if bounds is None else None
    if one is not None:
        number = np.where(generations == 1, one.numbers[theory.COUNTED.index(what)], np.nan)
        expected = number if one.is_exact else expected
        lines += [] if one.is_exact else [Line(_POISSON, number, "asymptotic")]
    lower, upper = (None, None) if bounds is None else bounds
    is_scored = ((total - alive).sum(axis=0) >= EVENTS) & ((alive - 1).sum(axis=0) >= EVENTS)
    rule = f"a score needs {EVENTS} losses in all replicates, and {EVENTS} alive besides the last ones"
    return curve_of(generations, alive, lower, upper, expected, is_scored, rule), tuple(lines)


def _two_ends(results: RecordedRun, generations: np.ndarray, whole: theory.Alive, n_words: int) -> list[Line]:
    """Return the words alive if words alone, or whole sentences, are resampled.

    Parameters
    ----------
    whole : bounds for whole sentences.
    n_words : words of a generation.
    """
    text = theory.text_of(results)
    lower, upper = unique_symbols_bounds(text.word_counts / text.n_tokens, n_words, generations)
    return [
        Line(f"reference: {_name(results, 'words')} alone (order 1)", (lower + upper) / 2, "reference"),
        Line(r"reference: whole sentences (order $\infty$)", (whole.lower + whole.upper) / 2, "reference"),
    ]


def words_over_sentences_panel(
    results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]
) -> Panel | tuple[()]:
    """Show the words alive over those of resampled whole sentences; a curve of any order lies near both references."""
    at = generations[generations >= 1]
    whole, size = theory.whole_sentences_alive(results, "words", at), theory.generation_size(results)
    if whole is None or size is None:
        return ()
    ends = _two_ends(results, at, whole, size[1])
    middle = ends[1].values
    lines = tuple(dataclasses.replace(line, values=line.values / middle) for line in ends)
    curve = unscored_curve(at, results.metrics["support_size"][:, at] / middle)
    margin = 2 * curve.sd / np.sqrt(results.n_replicates)
    curve = dataclasses.replace(curve, smallest=curve.mean - margin, largest=curve.mean + margin)
    units = _name(results, "words")
    title = f"{units.capitalize()} alive relative to sentences"
    return Panel(
        title, f"{units} / {units} of whole sentences", "ratio", curve, lines, digits=4, band="two standard errors"
    )


def n_words_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the number of words of the training data, whose mean the flow balance keeps."""
    values, expected = results.metrics["n_words"][:, generations], theory.expected_n_words(results)[generations]
    spread = values.std(axis=0) / np.maximum(values.mean(axis=0), 1.0)
    rule = f"a score needs a standard deviation of at most {100 * _MOST_SPREAD:.0f} % of the mean"
    curve = curve_of(generations, values, None, None, expected, spread <= _MOST_SPREAD, rule)
    units = _name(results, "words")
    return Panel(f"Number of {units}, repetitions included", units, units, curve, digits=0)


def entropy_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the entropy of the next symbol, a word or the end of the sentence, given its context."""
    title = f"Entropy of the next {_unit(results)}"
    return _plain_panel(results, generations, "entropy", title, "entropy given the context (nat)")


def heterozygosity_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean heterozygosity of the contexts, which is that of the truth less the squared distance."""
    expected = theory.true_heterozygosity(results) - theory.squared_distance(results, generations)
    limit = theory.squared_distance_limit(results)
    lines = _limit(generations, None if limit is None else theory.true_heterozygosity(results) - limit)
    title = f"Probability that two next {_name(results, 'words')} differ"
    return _distance_panel(
        results, generations, "heterozygosity", expected, (title, "heterozygosity, mean over contexts", "H"), lines
    )


def squared_distance_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean squared distance of the contexts to the truth."""
    lines = _limit(generations, theory.squared_distance_limit(results))
    noise = np.full(len(generations), theory.real_noise(results))
    lines += (Line("reference: sampling noise of the real data", noise, "reference"),)
    words = ("Squared distance to the truth", r"mean over contexts of $\sum (p_t - p_0)^2$", "squared")
    return _distance_panel(
        results, generations, "squared_distance", theory.squared_distance(results, generations), words, lines
    )


def synthetic_noise_panel(
    results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]
) -> Panel | tuple[()]:
    """Show the squared distance over the sampling noise of the real data: the noise that synthetic data adds."""
    noise, at = theory.real_noise(results), generations[generations >= 1]
    if not noise:  # each context has one next word
        return ()
    limit = theory.squared_distance_limit(results)
    lines = _limit(at, None if limit is None else limit / noise)
    times = schedule_of(results).times_truth or 0.0
    if limit is not None:
        bound = np.full(len(at), times / (1 + 2 * times))
        lines += (Line("theory: $r/(1 + 2r)$ for $n = rN$", bound, "bound"),)
    words = ("Noise added by the synthetic data", "added noise / noise of the real data", "noise")
    expected = theory.squared_distance(results, at) / noise
    return _distance_panel(results, at, "squared_distance", expected, words, lines, noise)


def total_variation_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the mean total variation distance of the contexts to the truth."""
    found = theory.total_variation(results, generations)
    words = ("Distance to the truth", "total variation, mean over contexts", "TV")
    unknown, lines = np.full(len(generations), np.nan), tuple[Line, ...]()
    if found is not None and not found[1]:
        lines = (Line("theory: Poisson or normal law in large contexts", found[0], "asymptotic"),)
    expected = found[0] if found is not None and found[1] else unknown
    return _distance_panel(results, generations, "total_variation", expected, words, lines)


def _limit(generations: np.ndarray, value: float | None) -> tuple[Line, ...]:
    """Return the line of a limit, none without one."""
    return () if value is None else (Line("theory: limit of many refits", np.full(len(generations), value), "limit"),)


def _distance_panel(
    results: RecordedRun,
    generations: np.ndarray,
    metric: str,
    expected: np.ndarray,
    words: tuple[str, str, str],
    lines: tuple[Line, ...],
    scale: float = 1.0,
) -> Panel:
    """Return the panel of a sum over contexts; `words` are title, label and heading."""
    values = results.metrics[metric][:, generations] / scale
    n_parts = len(values) * theory.effective_contexts(results)
    rule = f"a score needs {_PARTS} contexts that vary in all replicates, here {n_parts:.0f}"
    is_scored = np.full(len(generations), n_parts >= _PARTS)
    curve = curve_of(generations, values, None, None, expected, is_scored, rule)
    return Panel(*words, curve, lines, digits=6)


def _plain_panel(results: RecordedRun, generations: np.ndarray, metric: str, title: str, label: str) -> Panel:
    """Return the panel of a metric without theory."""
    return Panel(title, label, metric, unscored_curve(generations, results.metrics[metric][:, generations]), digits=4)


def _without_theory(name: str, title: str, label: str) -> Maker:
    """Return the maker of a panel of runs with a map."""

    def panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
        unit = _name(results, "words")
        return _plain_panel(results, generations, name, title.replace("words", unit), label.replace("words", unit))

    return panel


class NgramPanels(FamilyPanels):
    """The panels of n-gram models."""

    def default_names(self, results: RecordedRun) -> tuple[str, ...]:
        """Return the names of the panels of a run without a recipe: with fixed totals also distances of contexts."""
        names = super().default_names(results)
        if theory.is_fixed(results) and schedule_of(results).is_plain:
            return "words", "cells", "heterozygosity", "total_variation"
        return names

    def why_no_bounds(self, results: RecordedRun) -> str:
        """Return why a panel of a run has neither bounds nor an exact expectation."""
        if not schedule_of(results).is_plain:
            return "there is no theory of maps"
        return "its expectation is not known"

    def throughput(self, results: RecordedRun) -> tuple[float, str] | None:
        """Return the number of words that were generated, of runs that only replace their data."""
        if "n_words" not in results.metrics or not schedule_of(results).is_replace_only:
            return None
        return float(results.metrics["n_words"][:, 1:].sum()), _name(results, "words")

    def describe_truth(self, results: RecordedRun) -> str:
        """Return the source of the truth and its size."""
        truth = theory.text_of(results)
        return f"{truth.source}: {counted(truth.n_sentences, 'sentence')}, {counted(truth.n_tokens, _unit(results))}"


_SAMPLED: dict[str, Maker] = {
    "words": _without_theory("support_size", "Number of different words", "words"),
    "cells": _without_theory("n_cells", "Number of different n-grams", "n-grams"),
    "contexts": _without_theory("n_contexts", "Number of contexts", "contexts"),
    "entropy": entropy_panel,
    "n_words": _without_theory("n_words", "Number of words, repetitions included", "words"),
}
PANELS = NgramPanels(
    {
        "words": words_panel,
        "cells": cells_panel,
        "contexts": contexts_panel,
        "words_over_sentences": words_over_sentences_panel,
        "entropy": entropy_panel,
        "n_words": n_words_panel,
        "heterozygosity": heterozygosity_panel,
        "squared_distance": squared_distance_panel,
        "synthetic_noise": synthetic_noise_panel,
        "total_variation": total_variation_panel,
    },
    default=("words", "cells", "entropy", "n_words"),
    staged=_SAMPLED,
    sources=theory.SOURCES,
)
