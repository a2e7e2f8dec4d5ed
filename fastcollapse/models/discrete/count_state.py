"""The state of a discrete run: a list of live symbols with their counts, and the checks of saved ones."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fastcollapse.kernels.counts.live_counts import LiveCounts
from fastcollapse.kernels.counts.multinomial import block_grid
from fastcollapse.models.base import State
from fastcollapse.models.discrete.kernels import SamplingBuffers
from fastcollapse.models.discrete.staged_buffers import StagedBuffers
from fastcollapse.models.saved_arrays import require

# Of the weights of a state, whose sum is 1.
_SUM_TOLERANCE = 1e-9


@dataclass(eq=False)
class CountState(State):
    """State of all replicates between two blocks.

    Parameters
    ----------
    live : the live symbols.
    work : buffers of the sampler; they include the fixed real set and the pool.
    totals : int64 (2), number of tokens of the state (1 for weights) and of its pool; 0 tokens mean that the state is
        the truth.
    keeps_pool : whether any generation keeps the pool of the previous one.
    """

    live: LiveCounts
    work: SamplingBuffers | StagedBuffers
    totals: np.ndarray
    keeps_pool: bool

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs.

        The lists keep their extinct symbols, because the positions determine how sums are rounded. Columns beyond the
        last list are omitted, and `restore` computes the cached probabilities and the lost mass again.
        """
        live = self.live
        end = int((live.starts[:, -1] + live.lengths[:, -1]).max())
        arrays = {name: values for name, values in live._asdict().items() if name not in ("probability", "lost")}
        arrays |= {"counts": live.counts[:, :end], "symbols": live.symbols[:, :end], "totals": self.totals}
        if isinstance(self.work, StagedBuffers) and self.work.batches.size:
            return {**arrays, "batches": self.work.batches}
        return {**arrays, "pool": self.work.pool} if self.keeps_pool else arrays

    def forgotten(self) -> np.ndarray:
        """Return the generation of first absence of each symbol, int32 (R, K), or -1."""
        return self.live.forgotten


def check_lists(live: LiveCounts) -> None:
    """Refuse saved lists that do not lie in their arrays: the kernels, which use them as indices, do not check.

    Parameters
    ----------
    live : with the starts and lengths of a file.

    Raises
    ------
    ValueError
        A list begins before the end of another, or ends beyond the last column.
    """
    n_symbols = live.symbols.shape[1]
    largest = block_grid(*live.symbols.shape)[1]
    require("lengths", ((live.lengths >= 0) & (live.lengths <= largest)).all(), "from 0 to the size of a block")
    bounds = np.column_stack([live.starts, np.full(len(live.starts), n_symbols)])
    apart = bounds[:, :-1] + live.lengths <= bounds[:, 1:]
    require("starts", (bounds >= 0).all() and (bounds <= n_symbols).all() and apart.all(), "one list after the other")


def check_counts(state: CountState, is_whole: bool = True) -> None:
    """Refuse saved counts that are no sample of the size of the state, and symbols that do not exist.

    Parameters
    ----------
    state : with the arrays of a file.
    is_whole : whether the counts are whole numbers; otherwise they are weights that sum to 1.

    Raises
    ------
    ValueError
        An array has a value that no run has.
    """
    live, n_symbols = state.live, state.live.symbols.shape[1]
    require("alive", ((live.alive >= 0) & (live.alive <= live.lengths)).all(), "from 0 to the length of a list")
    end = live.starts[:, -1] + live.lengths[:, -1]
    unpacked = (live.packed == 0) | ((live.packed == 1) & (end <= n_symbols // 2 + 1))
    require("packed", unpacked.all(), "0, or 1 for few symbols")
    require("totals", (state.totals >= 0).all(), "at least 0")
    for replicate in range(len(live.symbols)):
        listed = np.zeros(n_symbols, bool)
        for start, length in zip(live.starts[replicate], live.lengths[replicate], strict=True):
            listed[start : start + length] = True
        symbols, counts = live.symbols[replicate, listed], live.counts[replicate, listed]
        require("symbols", ((symbols >= 0) & (symbols < n_symbols)).all(), f"from 0 to {n_symbols - 1}")
        right = counts.sum() == state.totals[0] if is_whole else abs(counts.sum() - 1) < _SUM_TOLERANCE
        require("counts", (counts >= 0).all() and (right or not state.totals[0]), "a sample of the size of the state")
    require("pool", (state.work.pool >= 0).all(), "at least 0")


def whole_counts(arrays: Mapping[str, np.ndarray], dtype: type[np.number]) -> dict[str, np.ndarray]:
    """Return the saved counts and pool with the type of a run; files of version 0.1 have float64 always.

    Parameters
    ----------
    arrays : name -> saved array.
    dtype : int32 or float64.

    Raises
    ------
    ValueError
        A value is not a whole number that the type can hold.
    """
    saved = {name: arrays[name] for name in ("counts", "pool", "batches") if name in arrays}
    limit = np.iinfo(np.int32).max if dtype is np.int32 else 2**53
    for name, values in saved.items():
        require(name, np.isfinite(values).all() and (np.abs(values) <= limit).all(), f"from 0 to {limit}")
        require(name, (values == np.trunc(values)).all(), "whole numbers")
    return {name: values.astype(dtype) for name, values in saved.items()}
