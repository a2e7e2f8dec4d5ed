"""Sentences and tables of n-grams for tests of n-gram models."""

import functools

import numpy as np

from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.datasets.sentences import Sentences, read_sentences
from fastcollapse.models.ngram.cells import cells_of

# Six sentences with loops over contexts at order 2.
TOY = "a b c", "a c", "b c a", "c b", "a b", "d a"


def toy():
    return Sentences.from_words([line.split() for line in TOY], "a test")


@functools.cache
def shipped():
    """Return the shipped sample, in the rule of the golden values."""
    return read_sentences(DataFiles(), ["data/wikitext2_sample.txt.gz"], pattern=r"\w+")


@functools.cache
def first(n_sentences):
    """Return the first sentences of the shipped sample."""
    whole = shipped()
    ends = zip(whole.offsets[:n_sentences], whole.offsets[1:], strict=False)
    return Sentences.from_words([[whole.labels[i] for i in whole.tokens[a:b]] for a, b in ends], "a test")


def table_of(sentences, order):
    """Return the arrays that theory takes."""
    cells = cells_of(sentences, order)
    return {name: getattr(cells, name) for name in ("offsets", "words", "counts", "successors")}


def holders_of(sentences):
    """Return the number of sentences that have each word."""
    numbers = np.repeat(np.arange(sentences.n_sentences), np.diff(sentences.offsets))
    pairs = np.unique(np.stack([numbers, sentences.tokens]), axis=1)
    return np.bincount(pairs[1], minlength=sentences.n_words)


def heterozygosity_of(offsets, counts):
    """Return the heterozygosity and the number of times of each context."""
    totals = np.add.reduceat(counts, offsets[:-1])
    shares = counts / np.repeat(totals, np.diff(offsets))
    return 1 - np.add.reduceat(shares**2, offsets[:-1]), totals
