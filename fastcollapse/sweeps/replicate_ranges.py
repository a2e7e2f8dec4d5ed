"""A large run in ranges of its replicates, joined to what the run in one piece would have been, bit for bit."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fastcollapse.simulation.experiment import Experiment
from fastcollapse.storage.base import Block, Header, Reader
from fastcollapse.variables import CountRows


class Unit(NamedTuple):
    """What is computed at once: a point, or piece `piece` of `of` of its replicates."""

    point: int
    piece: int = 0
    of: int = 1

    @property
    def name(self) -> str:
        """Of its files: "000012", or "000012-3of8" for the third piece of eight."""
        return f"{self.point:06d}" if self.of == 1 else f"{self.point:06d}-{self.piece + 1}of{self.of}"

    def replicates(self, n_replicates: int) -> range:
        """Return the replicates of the unit; the pieces have all of them, in order.

        Examples
        --------
        >>> [len(Unit(0, k, 3).replicates(10)) for k in range(3)]
        [3, 3, 4]
        """
        return range(n_replicates * self.piece // self.of, n_replicates * (self.piece + 1) // self.of)

    def experiment(self, whole: Experiment) -> Experiment:
        """Return the experiment of the unit; its first replicate goes to `simulate`."""
        n = len(self.replicates(whole.run.n_replicates))
        return dataclasses.replace(whole, run=dataclasses.replace(whole.run, n_replicates=n))


def joined(whole: Experiment, pieces: Sequence[Reader]) -> Reader:
    """Return the run of all replicates.

    Parameters
    ----------
    whole : the experiment of the run.
    pieces : finished, in the order of their replicates, without a gap.
    """
    header = dataclasses.replace(
        pieces[0].header,
        experiment_json=whole.json,
        experiment_text=whole.text,
        digest=whole.digest,
        n_replicates=whole.run.n_replicates,
        first_replicate=0,
    )
    metrics, states = (
        {name: _concatenated([getattr(piece, what)[name] for piece in pieces]) for name in getattr(header, what)}
        for what in ("metrics", "states")
    )
    rows = _rows(header, [piece.blocks for piece in pieces]) if header.trajectory else None
    forgotten = None if pieces[0].forgotten is None else _concatenated([one.forgotten for one in pieces])  # type: ignore[misc]
    return Reader(header, [Block(0, metrics, rows, states)], forgotten=forgotten)


def _concatenated(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays, axis=0)


def _rows(header: Header, pieces: Sequence[Sequence[Block]]) -> CountRows:
    """Return the counts of all pieces in the order of one run: of a generation all replicates, then the next one."""
    split = [_Rows.of(blocks) for blocks in pieces]
    n_generations = header.n_generations
    lengths = np.concatenate([np.diff(one.indptr).reshape(n_generations, -1) for one in split], axis=1)
    indptr = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths.reshape(-1), out=indptr[1:])
    made = {}
    for name in ("indices", "data"):
        arrays = [getattr(one, name) for one in split]
        out = np.empty(int(indptr[-1]), max((a.dtype for a in arrays), key=lambda dtype: dtype.itemsize))
        at = 0
        for t in range(n_generations):
            for one, values in zip(split, arrays, strict=True):
                low, high = one.bounds(t, n_generations)
                out[at : at + high - low] = values[low:high]
                at += high - low
        made[name] = out
    return CountRows(indptr, made["indices"], made["data"])


class _Rows(NamedTuple):
    """The counts of a piece as one matrix."""

    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> "_Rows":
        found = [block.rows for block in blocks if block.rows is not None]
        starts = np.cumsum([0, *(int(rows.indptr[-1]) for rows in found)])
        pointers = [rows.indptr[1:] + start for rows, start in zip(found, starts[:-1], strict=True)]
        return cls(
            np.concatenate([np.zeros(1, np.int64), *pointers]),
            np.concatenate([rows.indices for rows in found]),
            np.concatenate([rows.data for rows in found]),
        )

    def bounds(self, t: int, n_generations: int) -> tuple[int, int]:
        """Return where the entries of generation t + 1 start and end."""
        n_replicates = (len(self.indptr) - 1) // n_generations
        return int(self.indptr[t * n_replicates]), int(self.indptr[(t + 1) * n_replicates])


def piece_paths(folder: Path, index: int, of: int) -> list[Path]:
    """Return the files of all pieces of a point."""
    return [folder / f"{Unit(index, k, of).name}.h5" for k in range(of)]
