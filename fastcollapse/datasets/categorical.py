"""Categorical distributions: the truth of discrete families."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from fastcollapse.config.fields import show
from fastcollapse.errors import InputError


@dataclasses.dataclass(frozen=True, eq=False)
class CategoricalDistribution:
    """The distribution of generation 0 over K symbols.

    Parameters
    ----------
    labels : K names; None for a distribution without data, whose symbols are numbers.
    counts : the real data, int64, shape (K,), at least 1; None for a distribution without data.
    probabilities : float64, shape (K,), non-negative, sum 1.
    source : description of the origin.
    inputs : SHA-256 of the data files by path, in hexadecimal.
    """

    labels: tuple[str, ...] | None
    counts: np.ndarray | None
    probabilities: np.ndarray
    source: str
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def support_size(self) -> int:
        """Number of symbols K, including those of probability zero."""
        return len(self.probabilities)

    @property
    def total(self) -> int | None:
        """Number of tokens of the real data; None without data."""
        return None if self.counts is None else int(self.counts.sum())

    @property
    def nbytes(self) -> int:
        """Bytes of the probabilities."""
        return self.probabilities.nbytes

    @classmethod
    def from_counts(cls, words: dict[str, int], source: str, key: str, given: str) -> CategoricalDistribution:
        """Return the empirical distribution of counted words: descending by count, then by label.

        Parameters
        ----------
        source : description of the origin of the words.
        key, given : the key of the file and its value, for errors.

        Raises
        ------
        InputError
            Fewer than two words have a count above 0.
        """
        present = {word: count for word, count in words.items() if count}
        if len(present) < 2:
            raise InputError(f"{key} must have at least two different words, got {len(present)} in {show(given)}")
        order = sorted(present.items(), key=lambda item: (-item[1], item[0]))
        counts = np.array([count for _, count in order], dtype=np.int64)
        return cls(tuple(word for word, _ in order), counts, counts / counts.sum(), source)

    @classmethod
    def zipf_mandelbrot(cls, a: float, b: float, size: int) -> CategoricalDistribution:
        """Return the distribution with probabilities proportional to (i + b)^-a, i = 1..size."""
        weights = np.arange(1.0, size + 1)
        weights += b
        np.log(weights, out=weights)
        weights *= -a
        weights -= weights[0]  # the largest weight; without this, (1 + b)**-a can overflow
        np.exp(weights, out=weights)
        weights /= weights.sum()
        return cls(None, None, weights, f"Zipf-Mandelbrot a={a:g} b={b:g} over {size} symbols")

    @classmethod
    def uniform(cls, size: int) -> CategoricalDistribution:
        """Return the uniform distribution over `size` symbols."""
        return cls(None, None, np.full(size, 1 / size), f"uniform over {size} symbols")

    @classmethod
    def from_probabilities(cls, probabilities: tuple[float, ...]) -> CategoricalDistribution:
        """Return the distribution with these probabilities, divided by their sum."""
        given = np.array(probabilities)
        return cls(None, None, given / math.fsum(given), f"given probabilities of {len(given)} symbols")
