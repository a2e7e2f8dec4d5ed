"""Sentences of a text: its words in order."""

from __future__ import annotations

import dataclasses
from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from fastcollapse.config.fields import show
from fastcollapse.datasets.corpus import SENTENCE_ENDS, text_items
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.datasets.text_file import open_text
from fastcollapse.datasets.text_symbols import symbol_finder
from fastcollapse.errors import InputError

_KEY = "truth.text"
# Words and ends of sentences are counted in int32.
MAX_EMISSIONS = 2**31 - 1


@dataclasses.dataclass(frozen=True, eq=False)
class Sentences:
    """The sentences of a text, in order.

    Parameters
    ----------
    labels : the V different words, by descending count, then by label.
    tokens : index of the label of every word, int32 (n).
    offsets : sentence s is `tokens[offsets[s]:offsets[s + 1]]` and never empty, int64 (S + 1).
    source : description of the origin.
    inputs : SHA-256 of the data files by path, in hexadecimal.
    unit : "word" or "character", what the labels are.

    Examples
    --------
    >>> corpus = Sentences.from_words([["a", "b"], ["b"]], "example")
    >>> corpus.labels, corpus.tokens, corpus.offsets, corpus.total
    (('b', 'a'), array([1, 0, 0], dtype=int32), array([0, 2, 3]), 2)
    """

    labels: tuple[str, ...]
    tokens: np.ndarray
    offsets: np.ndarray
    source: str
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    unit: str = "word"

    @property
    def n_words(self) -> int:
        """Number of different words V."""
        return len(self.labels)

    @property
    def n_tokens(self) -> int:
        """Number of words n, repetitions included."""
        return len(self.tokens)

    @property
    def n_sentences(self) -> int:
        """Number of sentences S."""
        return len(self.offsets) - 1

    @property
    def total(self) -> int:
        """Size of the real data: the number of sentences."""
        return self.n_sentences

    @cached_property
    def longest(self) -> int:
        """Number of words of the longest sentence."""
        return int(np.diff(self.offsets).max())

    @cached_property
    def word_counts(self) -> np.ndarray:
        """Number of times of every word, int64 (V)."""
        return np.bincount(self.tokens, minlength=self.n_words)

    @property
    def nbytes(self) -> int:
        """Bytes of the tokens and the offsets."""
        return self.tokens.nbytes + self.offsets.nbytes

    def has_same_words(self, other: Sentences) -> bool:
        """Whether another corpus has the same sentences of the same words."""
        is_same = self.labels == other.labels and self.unit == other.unit
        return is_same and np.array_equal(self.tokens, other.tokens) and np.array_equal(self.offsets, other.offsets)

    def text(self, sentence: Iterable[int]) -> str:
        """Return a sentence, given as indices of labels, as text."""
        return (" " if self.unit == "word" else "").join(self.labels[word] for word in sentence)

    @classmethod
    def from_words(cls, sentences: Iterable[Iterable[str]], source: str, unit: str = "word") -> Sentences:
        """Return the corpus of sentences that are lists of words; empty sentences are left out."""
        ids: dict[str, int] = {}
        tokens, offsets = array("i"), array("q", [0])
        for sentence in sentences:
            tokens.extend([ids.setdefault(word, len(ids)) for word in sentence])
            _close(tokens, offsets)
        return cls(*_sorted(list(ids), tokens, offsets), source, unit=unit)


def read_sentences(
    files: DataFiles,
    given: Sequence[str],
    pattern: str | None = None,
    case: str | None = None,
    unit: str | None = None,
) -> Sentences:
    """Return the sentences of text files, in their order.

    A sentence ends at the end of a line, or at a token between white space that is `.`, `!` or `?`. Its words are the
    symbols of its runs; with characters, one space is between two runs. Sentences without words are left out.

    Parameters
    ----------
    files : opens and hashes the files.
    given : their paths as written by the user.
    pattern, case, unit : see `fastcollapse.datasets.text_symbols.symbol_finder`.

    Raises
    ------
    InputError
        A file cannot be read, or the files have no words.
    """
    find = symbol_finder(pattern, case, unit)
    ids: dict[str, int] = {}
    joint = [ids.setdefault(" ", len(ids))] if unit == "character" else []
    of_run: dict[str, list[int]] = {}
    tokens, offsets = array("i"), array("q", [0])
    for path in given:
        with open_text(files, _KEY, path) as text:
            for items in text_items(text, path):
                for item in items:
                    if item in SENTENCE_ENDS:
                        _close(tokens, offsets)
                        continue
                    found = of_run.get(item)
                    if found is None:
                        found = of_run[item] = [ids.setdefault(word, len(ids)) for word in find(item)]
                    if joint and found and len(tokens) > offsets[-1]:
                        tokens.extend(joint)
                    tokens.extend(found)
                if len(tokens) + len(offsets) > MAX_EMISSIONS:
                    limit = f"must have at most {MAX_EMISSIONS:,} words and ends of sentences"
                    raise InputError(f"{_KEY} {limit}, got more in {show(path)}")
            _close(tokens, offsets)
    if not tokens:
        raise InputError(f"{_KEY} must have at least one word, got none in {show(given[0])}")
    source = f"sentences of {given[0] if len(given) == 1 else f'{len(given)} files'}"
    return Sentences(*_sorted(list(ids), tokens, offsets), source, files.hashes, unit or "word")


def _close(tokens: array[int], offsets: array[int]) -> None:
    """End the sentence if it has a word."""
    if len(tokens) > offsets[-1]:
        offsets.append(len(tokens))


def _sorted(
    labels: list[str], tokens: array[int], offsets: array[int]
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return labels by descending count, then by label, without those of no word, and the arrays of the corpus."""
    words = np.frombuffer(tokens, np.int32) if tokens else np.zeros(0, np.int32)
    counts = np.bincount(words, minlength=len(labels))
    order = sorted(np.flatnonzero(counts).tolist(), key=lambda i: (-counts[i], labels[i]))
    rank = np.zeros(len(labels), np.int32)
    rank[order] = np.arange(len(order))
    return tuple(labels[i] for i in order), rank[words], np.array(offsets, np.int64)
