"""The text of the n-gram family, read from files."""

import gzip
from itertools import pairwise

import pytest

from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InputError
from fastcollapse.models.discrete.truth import DiscreteTruth
from fastcollapse.models.ngram.truth import NgramTruth


def test_load__has_the_sentences_of_all_files(tmp_path):
    (tmp_path / "b.txt").write_text("One two . Two\n")
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"two One"))
    truth = load_truth(NgramTruth(text=["b.txt", "a*"], case="keep"), tmp_path)
    sentences = [truth.text(truth.tokens[low:high]) for low, high in pairwise(truth.offsets)]
    assert sentences == ["One two", "Two", "two One"]
    assert set(truth.inputs) == {"b.txt", "a*", "a.txt.gz"}
    assert truth.source == "sentences of b.txt, a*"


@pytest.mark.parametrize(
    "keys",
    [{}, {"case": "keep"}, {"unit": "character"}, {"unit": "character", "case": "keep"}, {"token_pattern": "[a-z]+"}],
)
def test_load__has_the_counts_of_the_discrete_family(tmp_path, keys):
    (tmp_path / "a.txt").write_text("A b, c\u0301 . d  \u00ad \u2003e!\r\nf\n\nThe a? ? b\n")
    (tmp_path / "b.txt").write_text("b ! ! a\u0308 ..")
    text = ["a.txt", "b.txt"]
    words = load_truth(NgramTruth(text=text, **keys), tmp_path)
    bag = load_truth(DiscreteTruth(text=text, **keys), tmp_path)
    assert words.labels == bag.labels
    assert words.word_counts.tolist() == bag.counts.tolist()
    assert words.inputs == bag.inputs


def test_load__of_one_sentence_of_one_word_is_legal(tmp_path):
    (tmp_path / "a.txt").write_text("word")
    truth = load_truth(NgramTruth(text="a.txt"), tmp_path)
    assert (truth.total, truth.n_words, truth.longest, truth.labels) == (1, 1, 1, ("word",))


@pytest.mark.parametrize(
    ("content", "keys", "expected"),
    [
        (b"", {}, "truth.text must be a text file with words, got the empty file 'x.txt'"),
        (b" .,\n", {}, "truth.text must have at least one word, got none in 'x.txt'"),
        (b" . \n! \n", {"unit": "character"}, "truth.text must have at least one word, got none in 'x.txt'"),
        (b"abc", {"token_pattern": "[0-9]"}, "truth.text must have at least one word, got none in 'x.txt'"),
        (
            b"y x",
            {"token_pattern": "(?=x)|y"},
            "truth.token_pattern must match at least one character, got '(?=x)|y', ",
        ),
        (b"one two\0three", {}, "truth.text must be a text file, got the binary file 'x.txt'"),
        (b"one \xff", {}, "truth.text must be UTF-8 text, got 'x.txt': binary, or not UTF-8"),
    ],
)
def test_load__refuses_a_bad_text(tmp_path, content, keys, expected):
    (tmp_path / "x.txt").write_bytes(content)
    for text in ("x.txt", ["x.txt"], ["x*"]):
        with pytest.raises(InputError) as caught:
            load_truth(NgramTruth(text=text, **keys), tmp_path)
        assert str(caught.value).startswith(expected)
        assert len(str(caught.value).splitlines()) == 1
