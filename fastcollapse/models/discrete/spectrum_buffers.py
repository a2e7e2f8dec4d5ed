"""Work arrays of a run with count spectra, which grow where a generation needs more room."""

import math

from fastcollapse.kernels.spectrum.bag import Bag, new_bags
from fastcollapse.kernels.spectrum.refit import Scratch, new_scratch
from fastcollapse.kernels.spectrum.split import N_PROBABILITIES

# First length of the list of far values at most; it grows.
_MOST_FAR = 1 << 22


class SpectrumBuffers:
    """Sizes of the work arrays of a run, and the arrays. They change no number.

    Parameters
    ----------
    n_symbols : number of symbols of the truth.
    largest : largest number of tokens of a generation.

    Attributes
    ----------
    n_cells : cells of a bag.
    n_far : far values of a bag.
    n_classes : drawn classes of a replicate, at least; there is room for one in each row.
    """

    def __init__(self, n_symbols: int, largest: int) -> None:
        # Cells for the counts that several symbols have, and few far ones: about the root of the tokens.
        self.n_cells = 1 << min(24, max(10, (2 * math.isqrt(largest)).bit_length()))
        self.n_far = min(n_symbols, 2 * largest // self.n_cells, _MOST_FAR) + 1024
        self.n_classes = 0
        self._arrays: tuple[Scratch, Bag] | None = None
        self._shape: tuple[int, ...] = ()

    def n_bytes(self, n_threads: int) -> int:
        """Return the size of the bags and of the probabilities of a class."""
        return n_threads * 8 * (self.n_cells + 2 * self.n_far + 3 * N_PROBABILITIES)

    def bags(self, n_threads: int) -> Bag:
        """Return new empty bags, one for each thread."""
        return new_bags(n_threads, self.n_cells, self.n_far)

    def arrays(self, n_threads: int, n_rows: int) -> tuple[Scratch, Bag]:
        """Return work arrays and empty bags for `n_rows` rows of a replicate, allocated once."""
        shape = (n_threads, n_rows, max(self.n_classes, n_rows))
        if self._arrays is None or self._shape != shape:
            self._arrays = None  # so that the old and the new ones are not in memory together
            self._arrays = new_scratch(*shape), self.bags(n_threads)
            self._shape = shape
        return self._arrays

    def grow_far(self) -> None:
        """Quadruple the room for far values."""
        self.n_far *= 4

    def grow(self, n_rows: int) -> None:
        """Quadruple the room for far values and for classes, which were as many as `n_rows`."""
        self.grow_far()
        self.n_classes = 4 * max(self.n_classes, n_rows)
        self._arrays = None
