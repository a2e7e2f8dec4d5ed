"""Theory of a run of n-gram models, float64 over generations."""

from typing import Any, NamedTuple

import numpy as np

from fastcollapse.analysis.panels.schedules import cached_by_results, schedule_of
from fastcollapse.analysis.panels.statements import Statement
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.models.ngram.cells import Cells, cells_of
from fastcollapse.models.ngram.parameters import NgramParameters
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.language.fixed_totals import fixed_totals_alive_bounds
from fastcollapse.theory.language.flow import ngram_expected_counts
from fastcollapse.theory.language.one_refit import ngram_alive_one_refit, ngram_alive_one_refit_poisson
from fastcollapse.theory.language.real_data import (
    contexts_fresh_distance,
    contexts_replace_distance,
    contexts_squared_distance,
    contexts_squared_distance_limit,
)
from fastcollapse.theory.language.total_variation import contexts_total_variation
from fastcollapse.theory.language.whole_sentences import sentences_alive_bounds
from fastcollapse.theory.ngram_table import are_small

# Contexts of the dense solve of one refit: about four seconds of one core; larger tables have the Poisson values.
_MOST_CONTEXTS = 3000
# The quantities that are counted, in the order of `ngram_alive_one_refit`.
COUNTED = ("words", "cells", "contexts")


class Alive(NamedTuple):
    """Bounds of an expected number over some generations, NaN where there are none."""

    lower: np.ndarray
    upper: np.ndarray


class OneRefit(NamedTuple):
    """The expected numbers of words, cells and contexts after one refit.

    Parameters
    ----------
    numbers : in the order of `COUNTED`.
    is_exact : whether they are exact; otherwise returns within a sentence are neglected.
    """

    numbers: tuple[float, float, float]
    is_exact: bool


class Contexts(NamedTuple):
    """The contexts of a run with fixed totals.

    Parameters
    ----------
    h : heterozygosity of each context in the truth, float64 [C].
    real : number of times of each context in the truth, int64 [C].
    drawn : synthetic tokens of each context in a generation, int64 [C].
    kind : "replace"; "fixed" or "fresh", where the real data has the size of the truth; or "other".
    """

    h: np.ndarray
    real: np.ndarray
    drawn: np.ndarray
    kind: str


def text_of(results: RecordedRun) -> Sentences:
    """Return the sentences of the truth."""
    truth: Any = results.truth
    assert isinstance(truth, Sentences)
    return truth


def model_of(results: RecordedRun) -> NgramParameters:
    """Return the parameters of the model."""
    model = results.experiment.model
    assert isinstance(model, NgramParameters)
    return model


@cached_by_results
def cells(results: RecordedRun) -> Cells:
    """Return the cells of the truth."""
    return cells_of(text_of(results), model_of(results).order)


def is_fixed(results: RecordedRun) -> bool:
    """Whether the contexts have fixed totals."""
    return model_of(results).is_fixed


def by_words(results: RecordedRun) -> bool:
    """Whether a generation has a budget of words, which it exceeds by the rest of a sentence."""
    return model_of(results).by_words


def totals(results: RecordedRun) -> dict[str, int]:
    """Return the number of words, cells and contexts of the truth."""
    table = cells(results)
    return dict(zip(COUNTED, (table.n_words, table.n_cells, table.n_contexts), strict=True))


def generation_size(results: RecordedRun) -> tuple[int, int] | None:
    """Return the sentences and words of each generation of a walk that only replaces its data, None for other runs.

    The size that is not the budget is the expected one.
    """
    schedule, truth = schedule_of(results), text_of(results)
    sizes = schedule.n_synthetic
    if is_fixed(results) or not schedule.is_replace_only or np.ptp(sizes):
        return None
    size, length = int(sizes[0]), truth.n_tokens / truth.n_sentences
    return (max(1, round(size / length)), size) if by_words(results) else (size, max(1, round(size * length)))


def is_whole(results: RecordedRun) -> bool:
    """Whether a context has all that came before in its sentence, so that whole sentences are resampled."""
    return model_of(results).order > text_of(results).longest


@cached_by_results
def word_holders(results: RecordedRun) -> np.ndarray:
    """Return the number of sentences that have each word, int64 [V]."""
    text = text_of(results)
    sentence = np.repeat(np.arange(text.n_sentences), np.diff(text.offsets))
    pairs = np.unique(text.tokens * np.int64(text.n_sentences) + sentence)
    return np.bincount(pairs // text.n_sentences, minlength=text.n_words)


def _holders(results: RecordedRun, what: str) -> np.ndarray | None:
    """Return the number of sentences that have each word, cell or context; None where it is not its count."""
    if what == "words":
        return word_holders(results)
    if not is_whole(results):
        return None
    # A context is all that came before: no sentence has it twice.
    return cells(results).counts if what == "cells" else cells(results).context_counts


def whole_sentences_alive(results: RecordedRun, what: str, generations: np.ndarray) -> Alive | None:
    """Return the number that is alive if whole sentences are resampled, the exact law of a high order."""
    size, holders = generation_size(results), _holders(results, what)
    if size is None or holders is None:
        return None
    return Alive(*sentences_alive_bounds(holders, text_of(results).n_sentences, generations, size[0]))


@cached_by_results
def one_refit(results: RecordedRun) -> OneRefit | None:
    """Return what is alive at generation 1 if it is fitted to sentences of the truth alone; None for other runs."""
    schedule, table = schedule_of(results), cells(results)
    is_first_alone = not (schedule.start_with_data and schedule.keep[0]) and not schedule.n_real.any()
    if is_fixed(results) or by_words(results) or not is_first_alone or schedule.n_train.any():
        return None
    size = int(schedule.n_synthetic[0])
    if table.n_contexts <= _MOST_CONTEXTS:
        return OneRefit(
            ngram_alive_one_refit(table.offsets, table.words, table.counts, table.successors, size), is_exact=True
        )
    return OneRefit(ngram_alive_one_refit_poisson(table.offsets, table.words, table.counts, size), is_exact=False)


def fixed_alive(results: RecordedRun, what: str, generations: np.ndarray) -> Alive | None:
    """Return the number of words or cells alive with fixed totals, None for other runs."""
    if not is_fixed(results) or contexts_of(results).kind != "replace" or what == "contexts":
        return None
    table = cells(results)
    found = fixed_totals_alive_bounds(table.offsets, table.words, table.counts, generations, contexts_of(results).drawn)
    return Alive(*(found[:2] if what == "words" else found[2:]))


@cached_by_results
def contexts_of(results: RecordedRun) -> Contexts:
    """Return the contexts of a run with fixed totals."""
    schedule, table = schedule_of(results), cells(results)
    real = table.context_counts
    shares = table.counts / np.repeat(real, np.diff(table.offsets))
    h = np.maximum(1 - np.add.reduceat(shares**2, table.offsets[:-1]), 0)
    drawn = np.rint((schedule.times_truth or 0) * real).astype(np.int64)
    kind = "other"
    if schedule.is_replace_only:
        kind = "replace"
    elif not schedule.keep.any() and not schedule.start_with_data and schedule.real_times_truth == 1:
        kind = schedule.real
    return Contexts(h, real, drawn, kind)


def expected_n_words(results: RecordedRun) -> np.ndarray:
    """Return the expected number of words at generations 0..T, NaN where it is not known."""
    schedule, truth = schedule_of(results), text_of(results)
    unknown = np.full(schedule.n_generations + 1, np.nan)
    unknown[0] = truth.n_tokens
    if is_fixed(results):
        contexts, table = contexts_of(results), cells(results)
        if contexts.kind == "other":
            return unknown
        is_word = table.words < table.n_words
        words = np.bincount(
            np.repeat(np.arange(table.n_contexts), np.diff(table.offsets)), table.counts * is_word, table.n_contexts
        )
        sizes = contexts.drawn + (0 if contexts.kind == "replace" else contexts.real)
        unknown[1:] = (sizes * words / contexts.real).sum()
        return unknown
    if by_words(results):
        return unknown
    sentences = np.append(truth.n_sentences, schedule.pool_totals(truth.n_sentences))
    return ngram_expected_counts(truth.n_tokens, truth.n_sentences, sentences)


def squared_distance(results: RecordedRun, generations: np.ndarray) -> np.ndarray:
    """Return the expected squared distance of the contexts to the truth, NaN where it is not known."""
    contexts = contexts_of(results)
    if contexts.kind == "replace" and (contexts.drawn > 0).all():
        return contexts_replace_distance(contexts.h, contexts.real, contexts.drawn, generations)
    if contexts.kind == "fixed":
        return contexts_squared_distance(contexts.h, contexts.real, contexts.drawn, generations)
    if contexts.kind == "fresh":
        return contexts_fresh_distance(contexts.h, contexts.real, contexts.drawn, generations)
    return np.where(generations == 0, 0.0, np.nan)


def squared_distance_limit(results: RecordedRun) -> float | None:
    """Return the limit of the squared distance where the real data stays in every fit; None for other runs."""
    contexts = contexts_of(results)
    if contexts.kind != "fixed":
        return None
    return contexts_squared_distance_limit(contexts.h, contexts.real, contexts.drawn)


def real_noise(results: RecordedRun) -> float:
    """Return the squared distance of the real data to the law of which it is a sample, estimated from it."""
    contexts = contexts_of(results)
    return float((contexts.h / contexts.real) @ (contexts.real / contexts.real.sum()))


def true_heterozygosity(results: RecordedRun) -> float:
    """Return the mean heterozygosity of the contexts of the truth."""
    contexts = contexts_of(results)
    return float(contexts.h @ (contexts.real / contexts.real.sum()))


def effective_contexts(results: RecordedRun) -> float:
    """Return how many equal contexts would have the relative spread of the squared distance."""
    contexts = contexts_of(results)
    parts = contexts.h * (contexts.drawn > 0)
    squares = float((parts**2).sum())
    return float(parts.sum()) ** 2 / squares if squares else 0.0


def total_variation(results: RecordedRun, generations: np.ndarray) -> tuple[np.ndarray, bool] | None:
    """Return the expected total variation where the real data stays in every fit, and whether it is exact."""
    contexts, table = contexts_of(results), cells(results)
    if contexts.kind != "fixed":
        return None
    values = contexts_total_variation(table.offsets, table.counts, contexts.drawn, generations)
    return values, bool(are_small(contexts.real, contexts.drawn).all())


def _real_rows_stay(results: RecordedRun) -> bool:
    """Whether each context of a text is fitted to tokens of its own number, with the real ones or with none."""
    return contexts_of(results).kind in ("replace", "fixed")


SOURCES = (
    Statement(
        "distance of contexts from their law", ("seddik2024",), ("squared_distance", "synthetic_noise"), _real_rows_stay
    ),
)
