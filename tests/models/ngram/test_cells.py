"""Cells of n-gram tables against a plain count, and the table of the shipped sample."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.datasets.sentences import Sentences, read_sentences
from fastcollapse.models.ngram.cells import cells_of


def naive_cells(sentences, order):
    """Return the counts of the cells: (context as a tuple, "^" before the first word; next word or "$") -> count."""
    found = Counter()
    for sentence in sentences:
        padded = ["^"] * (order - 1) + sentence + ["$"]
        for i in range(order - 1, len(padded)):
            found[tuple(padded[i - order + 1 : i]), padded[i]] += 1
    return found


def named_cells(cells, labels):
    """Walk from the start and return the cells as `naive_cells` names them; each context must be reached."""
    names = {0: ("^",) * (cells.order - 1)}
    waiting, found = [0], {}
    while waiting:
        context = waiting.pop()
        for g in range(cells.offsets[context], cells.offsets[context + 1]):
            word, after = cells.words[g], cells.successors[g]
            is_end = word == cells.n_words
            found[names[context], "$" if is_end else labels[word]] = cells.counts[g]
            following = names[0] if is_end else (*names[context][1:], labels[word])
            if after not in names:
                names[after] = following
                waiting.append(after)
            assert names[after] == following
    assert len(names) == cells.n_contexts
    return found, names


CORPORA = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=9), min_size=1, max_size=8)


@settings(deadline=None)
@given(corpus=CORPORA, order=st.integers(2, 12))
def test_cells__equal_the_plain_count(corpus, order):
    sentences = Sentences.from_words(corpus, "test")
    cells = cells_of(sentences, order)
    found, names = named_cells(cells, sentences.labels)
    assert found == naive_cells(corpus, order)
    assert (cells.order, cells.n_words, cells.n_sentences) == (order, sentences.n_words, len(corpus))
    dtypes = [array.dtype for array in (cells.offsets, cells.words, cells.counts, cells.successors)]
    assert dtypes == [np.int64, np.int32, np.int64, np.int32]
    # Contexts are in lexicographic order, with the start first; cells in order of their symbols, with the end last.
    rank = {"^": -1} | {label: i for i, label in enumerate(sentences.labels)}
    in_order = [[rank[word] for word in names[c]] for c in range(cells.n_contexts)]
    assert in_order == sorted(in_order)
    assert all((np.diff(row) > 0).all() for row in np.split(cells.words, cells.offsets[1:-1]))


@settings(deadline=None)
@given(corpus=CORPORA, order=st.integers(2, 12))
def test_cells__are_a_flow(corpus, order):
    """Each context is entered as often as it is left, and the start is entered once a sentence."""
    cells = cells_of(Sentences.from_words(corpus, "test"), order)
    entered = np.bincount(cells.successors, cells.counts, cells.n_contexts)
    np.testing.assert_array_equal(entered, cells.context_counts)
    assert cells.context_counts[0] == len(corpus)


def test_cells__of_one_sentence():
    cells = cells_of(Sentences.from_words([["a"]], "test"), 64)
    assert (cells.n_cells, cells.n_contexts) == (2, 2)
    assert cells.successors.tolist() == [1, 0]


@pytest.fixture(scope="module")
def shipped():
    return read_sentences(DataFiles(), ["data/wikitext2_sample.txt.gz"], r"\w+")


@pytest.mark.parametrize(
    ("order", "n_cells", "n_contexts", "entropy", "single"),
    [
        (2, 203_415, 19_920, 4.095858220490, 0.0163),
        (3, 355_405, 197_050, 1.644312392665, 0.3589),
        (4, 405_447, 339_875, 0.681776287026, 0.7076),
        (8, 423_914, 403_298, 0.446917947745, 0.8788),
        (16, 424_980, 404_898, 0.445045513196, 0.8811),
    ],
)
def test_cells__of_the_shipped_sample(shipped, order, n_cells, n_contexts, entropy, single):
    cells = cells_of(shipped, order)
    sizes, totals = np.diff(cells.offsets), cells.context_counts
    assert (cells.n_cells, cells.n_contexts, totals.sum()) == (n_cells, n_contexts, 457_202)
    p = cells.counts / np.repeat(totals, sizes)
    assert -(cells.counts @ np.log(p)) / totals.sum() == pytest.approx(entropy, abs=1e-11)
    assert totals[sizes == 1].sum() / totals.sum() == pytest.approx(single, abs=5e-5)
