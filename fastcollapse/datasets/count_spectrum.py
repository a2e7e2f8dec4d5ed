"""Truths without arrays over symbols: counts of counts, and the Zipf-Mandelbrot law."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from fastcollapse.config.fields import MAX_COUNT, power_text
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.datasets.smooth_sums import log_spaced_nodes
from fastcollapse.errors import InputError

# The most symbols of an array over them.
MAX_SYMBOLS = 10**8
# Below this logarithm, a probability relative to the largest one is 0 in float64.
_LOG_TINY = -745.0


@dataclasses.dataclass(frozen=True, eq=False)
class CountSpectrum:
    """The counts of generation 0 as counts of counts: the number of symbols of every count.

    Parameters
    ----------
    counts : counts in ascending order, int64, shape (C), at least 1.
    n_symbols : number of symbols of each count, int64, shape (C), at least 1.
    source : description of the origin.
    inputs : SHA-256 of the data files by path, in hexadecimal.

    Raises
    ------
    InputError
        The arrays are not such classes, or their tokens are more than 10**15.

    Examples
    --------
    >>> spectrum = CountSpectrum.from_counts(np.array([3, 1, 1]))
    >>> spectrum.counts, spectrum.n_symbols, spectrum.total, spectrum.size
    (array([1, 3]), array([2, 1]), 5, 3)
    """

    counts: np.ndarray
    n_symbols: np.ndarray
    source: str = "counts of counts"
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)

    labels: ClassVar[None] = None

    def __post_init__(self) -> None:
        for name in ("counts", "n_symbols"):
            values = np.asarray(getattr(self, name))
            if values.ndim != 1 or values.dtype.kind not in "iu" or not len(values) or (values < 1).any():
                raise InputError(f"{name} of a spectrum must be whole numbers of at least 1 in one dimension")
            object.__setattr__(self, name, np.ascontiguousarray(values, np.int64))
        if self.counts.shape != self.n_symbols.shape or (np.diff(self.counts) < 1).any():
            raise InputError("counts of a spectrum must be ascending, with one number of symbols each")
        tokens = float(self.counts.astype(np.float64) @ self.n_symbols)
        if tokens > 1.01 * MAX_COUNT or self.total > MAX_COUNT:
            raise InputError(f"tokens of a spectrum must be at most {power_text(MAX_COUNT)}, got {tokens:g}")

    @classmethod
    def from_counts(
        cls, counts: np.ndarray, source: str = "counts of counts", inputs: Mapping[str, str] | None = None
    ) -> CountSpectrum:
        """Return the spectrum of counts of symbols, int64 (K); symbols without a count are left out."""
        classes, n_symbols = np.unique(counts[counts > 0], return_counts=True)
        return cls(classes, n_symbols, source, inputs or {})

    @cached_property
    def total(self) -> int:
        """Number of tokens."""
        return int(self.counts @ self.n_symbols)

    @cached_property
    def size(self) -> int:
        """Number of symbols."""
        return int(self.n_symbols.sum())

    @property
    def support_size(self) -> int:
        """Number of symbols, as `CategoricalDistribution` names it."""
        return self.size

    @property
    def nbytes(self) -> int:
        """Bytes of the classes."""
        return self.counts.nbytes + self.n_symbols.nbytes

    def classes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return probabilities in descending order and their numbers of symbols, float64 (C)."""
        return self.counts[::-1] / self.total, self.n_symbols[::-1].astype(np.float64)

    def expand(self) -> CategoricalDistribution:
        """Return the distribution over single symbols, in descending order of the counts.

        Raises
        ------
        InputError
            There are more than 10**8 symbols.
        """
        _check_expandable(self.size)
        counts = np.repeat(self.counts[::-1], self.n_symbols[::-1])
        return CategoricalDistribution(None, counts, counts / self.total, self.source, self.inputs)

    @property
    def probabilities(self) -> np.ndarray:
        """Probabilities of all symbols in descending order, float64 (K); see `expand`."""
        return self.expand().probabilities


@dataclasses.dataclass(frozen=True)
class ZipfMandelbrotLaw:
    """The law with probabilities proportional to (i + b)^-a, i = 1..size, without an array over symbols.

    Parameters
    ----------
    a : exponent, above 0.
    b : offset, above -1.
    size : number of symbols.

    Examples
    --------
    >>> law = ZipfMandelbrotLaw(1.0, 0.0, 10**12)
    >>> round(law.relative_total, 9)  # the harmonic number
    28.208236781
    """

    a: float
    b: float
    size: int

    labels: ClassVar[None] = None
    counts: ClassVar[None] = None
    total: ClassVar[None] = None

    @property
    def source(self) -> str:
        """Description of the law."""
        return f"Zipf-Mandelbrot a={self.a:g} b={self.b:g} over {self.size} symbols"

    @property
    def inputs(self) -> dict[str, str]:
        """No data files."""
        return {}

    @property
    def support_size(self) -> int:
        """Number of symbols, as `CategoricalDistribution` names it."""
        return self.size

    @property
    def nbytes(self) -> int:
        """No array is stored."""
        return 0

    def log_weight(self, index: np.ndarray) -> np.ndarray:
        """Return -a ln((i + b)/(1 + b)) of real indices i: the logarithm of p_i/p_1."""
        return -self.a * np.log1p((index - 1.0) / (1.0 + self.b))

    @cached_property
    def relative_total(self) -> float:
        """Sum of p_i/p_1 over all symbols, so that p_i = exp(log_weight(i))/relative_total."""
        index, n_symbols = self._nodes
        return float(np.exp(self.log_weight(index))[::-1] @ n_symbols[::-1])

    @cached_property
    def _nodes(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights of sums over all symbols: real indices, and the numbers of symbols that they stand for."""
        # Beyond this index all probabilities are 0 in float64.
        end = 1.0 + (1.0 + self.b) * np.expm1(min(-_LOG_TINY / self.a, 100.0))
        return log_spaced_nodes(int(min(self.size, end)), self.b, max(1.0, self.a))

    def classes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return probabilities and numbers of symbols, float64 (C), whose weighted sums are sums over the symbols.

        The classes are the nodes of a quadrature, so that the numbers are not whole. A sum over symbols of a smooth
        function of ln p is exact to about 1e-13.

        Examples
        --------
        >>> p, n_symbols = ZipfMandelbrotLaw(1.0, 2.7, 10**12).classes()
        >>> len(p), round(float(p @ n_symbols), 13), round(float(n_symbols.sum()) / 1e12, 13)
        (5757, 1.0, 1.0)
        """
        index, n_symbols = self._nodes
        return np.exp(self.log_weight(index)) / self.relative_total, n_symbols

    @cached_property
    def probabilities(self) -> np.ndarray:
        """Probabilities of all symbols, float64 (K), of at most 10**8 symbols."""
        _check_expandable(self.size)
        return CategoricalDistribution.zipf_mandelbrot(self.a, self.b, self.size).probabilities

    def expand(self) -> CategoricalDistribution:
        """Return the distribution over single symbols."""
        return CategoricalDistribution(None, None, self.probabilities, self.source)


def _check_expandable(size: int) -> None:
    if size > MAX_SYMBOLS:
        raise InputError(f"arrays over symbols must have at most {power_text(MAX_SYMBOLS)} of them, got {size:,}")


# Truths of discrete families.
SymbolTruth = CategoricalDistribution | CountSpectrum | ZipfMandelbrotLaw
# Truths that results files have.
StoredTruth = SymbolTruth | Sentences


def stored_truth(truth: Any, engine: str) -> StoredTruth | None:
    """Return the truth as a run records it; None for families whose truth is in the experiment or its data files.

    Parameters
    ----------
    truth : the loaded truth.
    engine : "spectrum" keeps no array over symbols, if the truth has counts or is a law without one; otherwise the
        truth is a distribution over single symbols.
    """
    if isinstance(truth, CountSpectrum | ZipfMandelbrotLaw):
        return truth if engine == "spectrum" else truth.expand()
    if isinstance(truth, Sentences):
        return truth
    if not isinstance(truth, CategoricalDistribution):
        return None
    if engine == "spectrum" and truth.counts is not None:
        return CountSpectrum.from_counts(truth.counts, truth.source, truth.inputs)
    return truth


def probability_classes(truth: SymbolTruth) -> tuple[np.ndarray, np.ndarray]:
    """Return the different probabilities above 0 and their numbers of symbols, float64 (C).

    Examples
    --------
    >>> probability_classes(CategoricalDistribution.from_probabilities((0.25, 0.5, 0.25, 0.0)))
    (array([0.25, 0.5 ]), array([2., 1.]))
    """
    if not isinstance(truth, CategoricalDistribution):
        return truth.classes()
    p, n_symbols = np.unique(truth.probabilities[truth.probabilities > 0], return_counts=True)
    return p, n_symbols.astype(np.float64)
