"""Words of a text: the Unicode rule, expressions of users, and bounded memory."""

import gzip
import re
import signal
import sys
import tracemalloc
import unicodedata
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse.config.fields import ValidationErrors
from fastcollapse.datasets import corpus, data_files, text_symbols
from fastcollapse.datasets.corpus import count_words
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.datasets.shipped import recipes
from fastcollapse.datasets.text_symbols import symbol_finder
from fastcollapse.errors import InputError
from fastcollapse.models.discrete.truth import DiscreteTruth
from fastcollapse.simulation.experiment import Experiment

SAMPLE = "data/wikitext2_sample.txt.gz"


def count(folder, text, pattern=None):
    path = folder / "x.txt"
    path.write_bytes(text.encode())
    return dict(count_words(DataFiles(folder), ["x.txt"], pattern))


def naive_words(text):
    """Walk through the characters of a text."""
    kept = "".join(c for c in text if c not in "\xad\u061c\u200e\u200f\u2060\ufeff")
    words, joiners = [""], ""
    for c in unicodedata.normalize("NFC", kept.lower()):
        if c.isalnum() or c == "_" or (words[-1] and unicodedata.category(c) in ("Mn", "Mc", "Me")):
            words[-1] += joiners + c
            joiners = ""
        elif words[-1] and c in "\u180e\u200c\u200d":
            joiners += c
        else:
            words.append("")
            joiners = ""
    return dict(Counter(filter(None, words)))


def test_words__of_devanagari_are_whole(tmp_path):
    got = count(tmp_path, "हिन्दी विकिपीडिया में हिन्दी है\n")
    assert got == {"हिन्दी": 2, "विकिपीडिया": 1, "में": 1, "है": 1}


@pytest.mark.parametrize(
    "word",
    ["தமிழ்", "বাংলা", "తెలుగు", "ภาษาไทยที่", "שָׁלוֹם", "مُحَمَّد", "нау́ка", "ᠮᠣᠩᠭᠣᠯ\u180eᠠ", "می\u200cخواهم", "क्\u200dष", "བོད"],
)
def test_words__of_scripts_with_marks_and_joiners_are_whole(tmp_path, word):
    assert count(tmp_path, f"a {word}, ({word})") == {"a": 1, unicodedata.normalize("NFC", word): 2}


def test_words__do_not_depend_on_the_normal_form(tmp_path):
    assert count(tmp_path, "na\u00efve nai\u0308ve NAI\u0308VE x") == {"na\u00efve": 3, "x": 1}
    assert count(tmp_path, "\u212bngstr\u00f6m A\u030angstro\u0308m \u00e5ngstr\u00f6m") == {"\u00e5ngstr\u00f6m": 3}


def test_words__in_lower_case_keep_the_marks_that_it_makes(tmp_path):
    assert count(tmp_path, "\u0130stanbul I\u0307stanbul") == {"i\u0307stanbul": 2}


def test_words__lose_soft_hyphens_and_directional_marks(tmp_path):
    assert count(tmp_path, "co\xadoperate cooperate \u200ecooperate\u200f a\xad\u0308 \u00e4") == {
        "cooperate": 3,
        "\u00e4": 2,
    }


def test_words__begin_with_no_mark_and_end_with_no_joiner(tmp_path):
    assert count(tmp_path, "\u0301a \u200cb\u200c c\u200b\u0301d") == {"a": 1, "b": 1, "c": 1, "d": 1}


def test_words__know_every_mark_of_unicode():
    marks = [chr(i) for i in range(sys.maxunicode + 1) if unicodedata.category(chr(i))[0] == "M"]
    others = [chr(i) for i in range(0xE0000, 0xE1000) if unicodedata.category(chr(i))[0] != "M"]
    assert all(text_symbols._word(ord(mark) >> 8).fullmatch(f"a{mark}") for mark in marks)
    assert not any(text_symbols._word(ord(other) >> 8).fullmatch(f"a{other}") for other in others)
    # Marks of two scripts in one word.
    assert symbol_finder()("x\u20e3\u094dy \u0301z") == ["x\u20e3\u094dy", "z"]


TEXTS = st.text(
    st.sampled_from("aAbΣσ_1é \n\r\t.-'İ中ह\u0308\u0301\u093f\u094d\u200c\u200d\xad\u20e3\u2060\u0130"), max_size=60
)


@settings(deadline=None)
@given(text=TEXTS)
def test_words__equal_the_plain_reading_whatever_the_chunks(tmp_path_factory, text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "_CHUNK", 5)
        got = count(tmp_path_factory.mktemp("text"), f"x {text}")
    assert got == naive_words(f"x {text}")


@settings(deadline=None)
@given(text=TEXTS)
def test_words__of_equivalent_texts_are_equal(text):
    expected = Counter(symbol_finder()(unicodedata.normalize("NFC", text)))
    assert Counter(symbol_finder()(unicodedata.normalize("NFD", text))) == expected


def test_words__of_the_shipped_sample_by_both_rules():
    for pattern, expected in ((None, (436_571, 19_917)), (r"\w+", (436_577, 19_919))):
        words = count_words(DataFiles(), [SAMPLE], pattern)
        assert (sum(words.values()), len(words)) == expected


def test_recipes__on_the_shipped_sample_state_the_rule_of_their_numbers():
    named = [path for path in recipes().values() if "wikitext2_sample" in path.read_text(encoding="utf-8")]
    assert len(named) == 7
    assert all(Experiment.from_toml(path).truth.token_pattern == r"\w+" for path in named)


def test_token_pattern__is_searched_in_the_lower_case_text(tmp_path):
    text = "Don't stop, don't! A-B Nai\u0308ve"
    assert count(tmp_path, text, r"\w+(?:'\w+)*|[!,]") == {
        "don't": 2, "stop": 1, ",": 1, "!": 1, "a": 1, "b": 1, "nai": 1, "ve": 1,
    }  # fmt: skip
    assert count(tmp_path, text, r"^\S") == {"d": 2, "s": 1, "a": 1, "n": 1}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("(", "must be a regular expression, got '(': missing ), unterminated subpattern at position 0"),
        ("a{99999999999}", "must be a regular expression, got 'a{99999999999}': the repetition number is too large"),
        ("(?L)a", "must be a regular expression, got '(?L)a': "),
        ("(" * 20_000, "must be a regular expression, got '((((((((((((((((((((("),
        (r"(\w)+", r"must be a regular expression without capturing groups, written (?:...), got '(\\w)+'"),
        (r"\w*", r"must be a regular expression that matches at least one character, got '\\w*'"),
        (r"\b", r"must be a regular expression that matches at least one character, got '\\b'"),
        ("[^.]+", "must be a regular expression that matches no white space, at which the text is split, got '[^.]+'"),
        ("", "must be a string that is not empty, got ''"),
        (3, "must be a string that is not empty, got 3"),
    ],
)
def test_token_pattern__refuses_a_bad_expression(pattern, expected):
    with pytest.raises(ValidationErrors) as caught:
        DiscreteTruth(text="x.txt", token_pattern=pattern)
    assert f"truth.token_pattern {expected}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_token_pattern__with_an_empty_match_in_the_text_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"truth\.token_pattern must match at least one character, got '\(\?=x\)\|y'"):
        count(tmp_path, "y x", "(?=x)|y")


def test_token_pattern__needs_a_text():
    with pytest.raises(ValidationErrors, match=r"truth\.token_pattern must be given with truth\.text, got it with tr"):
        DiscreteTruth(uniform=5, token_pattern="a")


def test_token_pattern__stays_with_a_new_text_and_goes_with_the_text():
    experiment = Experiment.from_toml(recipes()["wikitext2-unigram"])
    assert experiment.with_values({"truth.text": "b.txt"}).truth == DiscreteTruth(text="b.txt", token_pattern=r"\w+")
    assert experiment.with_values({"truth.token_pattern": "[a-z]+"}).truth.text == experiment.truth.text
    assert experiment.with_values({"truth.uniform": 5, "workflow.n_samples": 9}).truth == DiscreteTruth(uniform=5)


def test_token_pattern__that_backtracks_without_end_can_be_interrupted(tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.2)  # of CPU time: the search takes longer on any machine
    try:
        with pytest.raises(KeyboardInterrupt):
            count(tmp_path, "a" * 80, r"(?:\w+)+!")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)


def peak_of(function, *arguments):
    tracemalloc.start()
    try:
        function(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("pattern", [None, r"\w+"])
def test_memory__does_not_grow_with_the_length_of_a_line(tmp_path, monkeypatch, pattern):
    monkeypatch.setattr(corpus, "_CHUNK", 2**12)
    monkeypatch.setattr(data_files, "_BUFFER", 2**12)
    path = tmp_path / "x.txt.gz"
    path.write_bytes(gzip.compress(b"ab cd " * 100_000))
    assert peak_of(count_words, DataFiles(tmp_path), ["x.txt.gz"], pattern) < 500_000
    assert count_words(DataFiles(tmp_path), ["x.txt.gz"], pattern) == {"ab": 100_000, "cd": 100_000}


def test_memory__of_a_run_without_white_space_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "_CHUNK", 2**12)
    monkeypatch.setattr(data_files, "_BUFFER", 2**12)
    monkeypatch.setattr(corpus, "_LONGEST", 2**14)
    path = tmp_path / "x.txt.gz"
    path.write_bytes(gzip.compress(b"a" * 3_000_000))
    message = "truth.text must have white space after at most 16,384 characters, got a longer run in 'x.txt.gz'"

    def refused():
        with pytest.raises(InputError, match=re.escape(message)):
            count_words(DataFiles(tmp_path), ["x.txt.gz"])

    assert peak_of(refused) < 1_000_000


def test_longest_run__does_not_depend_on_the_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "_LONGEST", 20)
    for chunk in (1, 3, 20, 21, 1000):
        monkeypatch.setattr(corpus, "_CHUNK", chunk)
        assert count(tmp_path, f"b {'a' * 20} b") == {"b": 2, "a" * 20: 1}
        for text in (f"b {'a' * 21} b", f"b {'a' * 21}"):
            with pytest.raises(InputError, match="must have white space after at most 20 characters"):
                count(tmp_path, text)
