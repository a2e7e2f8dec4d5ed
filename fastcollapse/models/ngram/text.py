"""Sentences that can be read, sampled from the counts of an n-gram model."""

import numpy as np

from fastcollapse.datasets.sentences import Sentences
from fastcollapse.models.ngram.cells import cells_of
from fastcollapse.models.text_sampler import TextSampler

# A sentence is cut at this number of words, or at a multiple of the longest one of the text: with fixed totals a walk
# may never meet an end.
MOST_WORDS, MOST_TIMES = 200, 5
CUT = "..."


class CellText(TextSampler):
    """Walks over the cells of a text, as text.

    Parameters
    ----------
    truth : the sentences of generation 0.
    order : length of the n-grams.
    temperature : T of the run; weights are c^(1/T).

    Examples
    --------
    >>> text = CellText(Sentences.from_words([["one", "two"], ["two"]], "example"), 2)
    >>> text.sentences(np.array([2, 0, 2, 0]), 1, np.random.default_rng(1))
    ['two']
    """

    def __init__(self, truth: Sentences, order: int, temperature: float = 1.0) -> None:
        self._truth, self._cells, self._temperature = truth, cells_of(truth, order), temperature
        self.counts, self._most = self._cells.counts, max(MOST_WORDS, MOST_TIMES * truth.longest)

    def sentences(self, counts: np.ndarray, n: int, generator: np.random.Generator) -> list[str]:
        """Return sentences: walks from the start, each next word by the counts of its context, as the run draws it.

        A walk also stops at a context without counts, which fixed totals may have, and after five times as many
        words as the longest sentence of the text, at least 200.
        """
        sums = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
        return [self._sentence(counts, sums, generator) for _ in range(n)]

    def _sentence(self, counts: np.ndarray, sums: np.ndarray, generator: np.random.Generator) -> str:
        """Return one sentence.

        Parameters
        ----------
        sums : sums of the counts of all cells before each one, int64 (D + 1).
        """
        cells, context = self._cells, 0
        words: list[int] = []
        while True:
            first, last = cells.offsets[context], cells.offsets[context + 1]
            if sums[first] == sums[last] or len(words) == self._most:
                return f"{self._truth.text(words)} {CUT}".strip()
            if self._temperature == 1:
                cell = int(np.searchsorted(sums, generator.integers(sums[first], sums[last]), side="right")) - 1
            else:
                mine = np.cumsum((counts[first:last] / counts[first:last].max()) ** (1 / self._temperature))
                cell = int(first + np.searchsorted(mine, generator.random() * mine[-1], side="right"))
            word, context = int(cells.words[cell]), int(cells.successors[cell])
            if word == cells.n_words:
                return self._truth.text(words)
            words.append(word)
