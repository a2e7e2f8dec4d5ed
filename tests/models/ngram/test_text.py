"""Sentences sampled from counts of n-grams: their law, and walks without an end."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from fastcollapse.config.sampling import Sampling
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.models.ngram import text
from fastcollapse.models.ngram.text import CellText
from fastcollapse.models.registry import families, family
from fastcollapse.models.text_sampler import TextSampler

CORPUS = [["a", "b"], ["a"], ["b", "c"], ["a", "b"], ["c"]]
# The smallest p-value that is accepted, of one test.
P_LIMIT = 1e-4


def law_of_sentences():
    """Return the probabilities of the sentences of the bigram model of CORPUS, which has no cycle."""
    return {"a b c": 3 / 5 * 2 / 3 * 1 / 3, "a b": 3 / 5 * 2 / 3 * 2 / 3, "a": 3 / 5 / 3,
            "b c": 1 / 5 / 3, "b": 1 / 5 * 2 / 3, "c": 1 / 5}  # fmt: skip


def p_value(law, seed, **settings):
    sampler = CellText(Sentences.from_words(CORPUS, "test"), 2, **settings)
    found = Counter(sampler.sentences(sampler.counts, 20_000, np.random.default_rng(seed)))
    assert set(found) == set(law)
    return chisquare([found[one] for one in law], [20_000 * p for p in law.values()]).pvalue


def test_sentences__have_the_law_of_the_model():
    law = law_of_sentences()
    assert sum(law.values()) == pytest.approx(1)
    assert p_value(law, 1) > P_LIMIT
    other = {**law, "a": law["a b"], "a b": law["a"]}  # the negative control
    assert p_value(other, 1) < P_LIMIT


def test_sentences__have_the_temperature_of_the_run():
    """At T = 1/2 probabilities go with squares of counts: 9 + 1 + 1 at the start, 1 + 4 after a, 4 + 1 after b."""
    cold = {"a b c": 9 / 11 * 4 / 5 * 1 / 5, "a b": 9 / 11 * 4 / 5 * 4 / 5, "a": 9 / 11 / 5,
            "b c": 1 / 11 / 5, "b": 1 / 11 * 4 / 5, "c": 1 / 11}  # fmt: skip
    assert sum(cold.values()) == pytest.approx(1)
    assert p_value(cold, 2, temperature=0.5) > P_LIMIT
    assert p_value(law_of_sentences(), 2, temperature=0.5) < P_LIMIT  # the negative control
    sampler = family("ngram").text_sampler(
        Sentences.from_words(CORPUS, "test"), family("ngram").PARAMETERS(order=2), Sampling(temperature=1e-3)
    )
    assert set(sampler.sentences(sampler.counts, 50, np.random.default_rng(1))) == {"a b"}


def test_sentences__of_order_beyond_the_longest_are_those_of_the_text():
    corpus = Sentences.from_words([["one", "two", "one"], ["two"]], "test")
    sampler = CellText(corpus, 5)
    found = sampler.sentences(sampler.counts, 50, np.random.default_rng(1))
    assert set(found) == {"one two one", "two"}
    # Counts of a later generation: only cells of the second sentence are alive.
    alive = np.zeros_like(sampler.counts)
    alive[[1, sampler._cells.offsets[sampler._cells.successors[1]]]] = 3
    assert set(sampler.sentences(alive, 20, np.random.default_rng(1))) == {"two"}


def test_sentences__of_characters_have_no_further_spaces():
    corpus = Sentences.from_words([list("to be")], "test", "character")
    sampler = CellText(corpus, 7)
    assert sampler.sentences(sampler.counts, 1, np.random.default_rng(1)) == ["to be"]


def test_walk__without_an_end_is_cut(monkeypatch):
    monkeypatch.setattr(text, "MOST_WORDS", 4)
    corpus = Sentences.from_words([["a", "a"]], "test")
    sampler = CellText(corpus, 2)
    counts = sampler.counts.copy()
    counts[sampler._cells.words == corpus.n_words] = 0
    assert sampler.sentences(counts, 1, np.random.default_rng(1)) == [f"{'a ' * 10}..."]  # 5 times 2 words


def test_walk__stops_at_a_context_without_counts():
    corpus = Sentences.from_words([["a", "b"]], "test")
    sampler = CellText(corpus, 2)
    assert sampler.sentences(np.array([1, 0, 0]), 1, np.random.default_rng(1)) == ["a ..."]
    assert sampler.sentences(np.zeros(3, np.int64), 1, np.random.default_rng(1)) == ["..."]


def test_sampler__is_that_of_one_family():
    corpus, parameters = Sentences.from_words(CORPUS, "test"), family("ngram").PARAMETERS(order=2)
    found = {name: family(name).text_sampler(corpus, parameters) for name in families()}
    assert [name for name, sampler in found.items() if isinstance(sampler, TextSampler)] == ["ngram"]
    assert set(found.values()) - {found["ngram"]} == {None}
