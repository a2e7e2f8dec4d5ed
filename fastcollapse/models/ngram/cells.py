"""Cells of an n-gram table: the pairs of a context and a next symbol that a corpus has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fastcollapse.datasets.sentences import Sentences


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a corpus and the walk over its contexts.

    A sentence is preceded by start symbols and followed by one end symbol. A context is the last `order - 1` symbols; a
    cell is a context and the next symbol. Contexts are in lexicographic order of their symbols, the first symbol
    first, so that context 0 is that of the start of a sentence; at order 2, context c is that of word c - 1. Within a
    context cells are in order of their symbols.

    Parameters
    ----------
    order : length of the n-grams, at least 2.
    n_words : number of different words V.
    n_sentences : number of sentences S.
    offsets : the cells of context c are `offsets[c]` to `offsets[c + 1] - 1`, int64 (C + 1).
    words : symbol of each cell, V for the end of the sentence, int32 (D).
    counts : number of times of each cell in the corpus, int64 (D).
    successors : context after each cell, int32 (D); that of the end is the start, so that the walk is closed.

    Examples
    --------
    >>> cells = cells_of(Sentences.from_words([["a", "b"], ["b"]], "example"), 2)
    >>> cells.offsets, cells.words, cells.counts
    (array([0, 2, 3, 4]), array([0, 1, 2, 0], dtype=int32), array([1, 1, 2, 1]))
    >>> cells.successors
    array([1, 2, 0, 1], dtype=int32)
    """

    order: int
    n_words: int
    n_sentences: int
    offsets: np.ndarray
    words: np.ndarray
    counts: np.ndarray
    successors: np.ndarray

    @property
    def n_cells(self) -> int:
        """Number of cells D."""
        return len(self.words)

    @property
    def n_contexts(self) -> int:
        """Number of contexts C."""
        return len(self.offsets) - 1

    @cached_property
    def context_counts(self) -> np.ndarray:
        """Number of times of each context in the corpus, int64 (C)."""
        return np.add.reduceat(self.counts, self.offsets[:-1])

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.offsets.nbytes + self.words.nbytes + self.counts.nbytes + self.successors.nbytes


def cells_of(sentences: Sentences, order: int) -> Cells:
    """Return the cells of a corpus at an order of at least 2.

    Cost: O(n log n log(order)) for n words and ends of sentences.
    """
    n_words, n_sentences = sentences.n_words, sentences.n_sentences
    ends = sentences.offsets[1:] + np.arange(n_sentences)
    symbols = np.insert(sentences.tokens, sentences.offsets[1:], n_words)
    lengths = np.diff(sentences.offsets) + 1
    place = np.arange(len(symbols)) - np.repeat(ends + 1 - lengths, lengths)
    contexts = _contexts(symbols, place, order - 1)
    keys = contexts * (n_words + 1) + symbols
    cells, first, counts = np.unique(keys, return_index=True, return_counts=True)
    words = cells % (n_words + 1)
    # The context after the end of a sentence is the start of the next one.
    successors = np.append(contexts, 0)[first + 1]
    sizes = np.bincount(cells // (n_words + 1))
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    return Cells(order, n_words, n_sentences, offsets, words.astype(np.int32), counts, successors.astype(np.int32))


def _contexts(symbols: np.ndarray, place: np.ndarray, length: int) -> np.ndarray:
    """Return the number of the context of `length` symbols before each position, int64.

    Parameters
    ----------
    symbols : words and ends of all sentences.
    place : index of each position in its sentence.
    """
    power, n_done = _last_symbols(symbols, place), 1  # contexts of 1, 2, 4, ... symbols
    found, n_found = np.zeros_like(power), 0
    while True:
        if length & n_done:
            found = _joined(power, found, place, n_found)
            n_found += n_done
        if n_found == length:
            return found
        power = _joined(power, power, place, n_done)
        n_done *= 2


def _last_symbols(symbols: np.ndarray, place: np.ndarray) -> np.ndarray:
    last = np.zeros(len(symbols), np.int64)
    last[1:] = symbols[:-1] + np.int64(1)
    last[place == 0] = 0
    return last


def _joined(early: np.ndarray, late: np.ndarray, place: np.ndarray, n_late: int) -> np.ndarray:
    """Return contexts of the last `n_late` symbols and the earlier ones before them; 0 stays the start."""
    if n_late == 0:
        return early
    before = np.zeros_like(early)
    before[n_late:] = early[:-n_late]
    before[place < n_late] = 0
    keys = before * (late.max() + 1) + late
    return np.unique(keys, return_inverse=True)[1]
