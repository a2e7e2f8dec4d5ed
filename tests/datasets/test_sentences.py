"""Sentences of texts: the rule of their ends, words and characters, several files."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse.datasets import corpus
from fastcollapse.datasets.corpus import count_words
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.datasets.sentences import Sentences, read_sentences

SAMPLE = "data/wikitext2_sample.txt.gz"


def words_of(sentences):
    """Return the sentences as lists of labels."""
    rows = np.split(sentences.tokens, sentences.offsets[1:-1])
    return [[sentences.labels[i] for i in row] for row in rows]


def read(folder, *texts, **options):
    names = []
    for i, text in enumerate(texts):
        names.append(f"{i}.txt")
        (folder / names[-1]).write_bytes(text.encode())
    return read_sentences(DataFiles(folder), names, **options)


def test_sentences__end_at_lines_and_at_stops_between_white_space(tmp_path):
    got = words_of(read(tmp_path, "A b . C! d\r\n\n . ? \r e.f ? g !\th"))
    assert got == [["a", "b"], ["c", "d"], ["e", "f"], ["g"], ["h"]]


def test_sentences__end_with_their_file(tmp_path):
    got = read(tmp_path, "a b", "c", "b")
    assert words_of(got) == [["a", "b"], ["c"], ["b"]]
    assert got.source == "sentences of 3 files"
    assert list(got.inputs) == ["0.txt", "1.txt", "2.txt"]


def test_labels__are_in_descending_order_of_the_counts(tmp_path):
    got = read(tmp_path, "z b a\nb c z b")
    assert got.labels == ("b", "z", "a", "c")
    assert got.word_counts.tolist() == [3, 2, 1, 1]
    assert (got.n_words, got.n_tokens, got.n_sentences, got.longest, got.total) == (4, 7, 2, 4, 2)


def test_case__is_kept_on_request(tmp_path):
    assert words_of(read(tmp_path, "The the NAI\u0308VE", case="keep")) == [["The", "the", "NA\u00cfVE"]]
    assert words_of(read(tmp_path, "The the", pattern=r"[A-Z]\w*", case="keep")) == [["The"]]


def test_characters__have_one_space_between_runs_and_keep_their_marks(tmp_path):
    got = read(tmp_path, "Na\u00efve  n\u0301a\tb . \u00ad . \u0915\u093f \u00ad \u094d\nहिन्दी", unit="character")
    assert words_of(got) == [
        ["n", "a", "ï", "v", "e", " ", "ń", "a", " ", "b"],
        ["\u0915\u093f", " ", "\u094d"],
        ["हि", "न्", "दी"],
    ]
    assert got.text(got.tokens[: got.offsets[1]]) == "naïve ńa b"


def test_text__joins_words_with_a_space(tmp_path):
    got = read(tmp_path, "To be  or not")
    assert got.text(got.tokens) == "to be or not"


def test_from_words__keeps_the_sentences(tmp_path):
    got = Sentences.from_words([["b", "."], [], ["."]], "test")
    assert words_of(got) == [["b", "."], ["."]]
    assert got.labels == (".", "b")


TEXTS = st.text(st.sampled_from("aAbΣς_1é  \n\r\t..!?'中ह\u0308\u093f\u200d\xad\u2060"), max_size=60)


RULES = [{}, {"case": "keep"}, {"pattern": r"\w+"}, {"pattern": r"\S"}, {"unit": "character"}]


@settings(deadline=None)
@given(text=TEXTS, chunk=st.integers(1, 7), rule=st.sampled_from(RULES))
def test_sentences__have_the_symbols_of_the_bag(tmp_path_factory, text, chunk, rule):
    """The rule of sentences changes no symbol, whatever the chunks; a stop between white space is no word."""
    folder = tmp_path_factory.mktemp("text")
    got = read(folder, f"x {text}", **rule)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "_CHUNK", chunk)
        again = read(folder, f"x {text}", **rule)
        words = count_words(DataFiles(folder), ["0.txt"], **rule)
    assert words_of(again) == words_of(got)
    bag = dict(zip(got.labels, got.word_counts.tolist(), strict=True))
    if rule == {"pattern": r"\S"}:
        runs = f"x {text}".split()
        for stop in ".!?":
            words[stop] = words.get(stop, 0) - runs.count(stop)
    assert bag == {word: n for word, n in words.items() if n}


def test_sentences__of_the_shipped_sample():
    got = read_sentences(DataFiles(), [SAMPLE], r"\w+")
    assert (got.n_tokens, got.n_words, got.n_sentences, got.longest) == (436_577, 19_919, 20_625, 115)
    rows = {tuple(row.tolist()) for row in np.split(got.tokens, got.offsets[1:-1])}
    assert len(rows) == 20_071
    words = count_words(DataFiles(), [SAMPLE], r"\w+")
    assert dict(zip(got.labels, got.word_counts.tolist(), strict=True)) == words
