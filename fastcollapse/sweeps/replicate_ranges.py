"""Replicate ranges: a large run split by replicates, and its ranges concatenated, bit-identical to the unsplit run."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from fastcollapse.datasets.data_files import changed_files
from fastcollapse.errors import UnreadableResults
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.storage.base import Reader
from fastcollapse.storage.blocks import Block
from fastcollapse.variables import CountRows, SampleRows

Rows = TypeVar("Rows", CountRows, SampleRows)


class WorkUnit(NamedTuple):
    """Smallest unit of work: a point, or one range of its replicates.

    Parameters
    ----------
    point : number of the point, from 0.
    range_index : number of the range, from 0.
    n_ranges : number of ranges of the point; 1 for the whole point.
    """

    point: int
    range_index: int = 0
    n_ranges: int = 1

    @property
    def name(self) -> str:
        """Name of its files: "000012", or "000012-3of8" for the third of eight ranges."""
        point = f"{self.point:06d}"
        return point if self.n_ranges == 1 else f"{point}-{self.range_index + 1}of{self.n_ranges}"

    def replicates(self, n_replicates: int) -> range:
        """Return the replicates of the unit; all ranges together have every replicate, in order.

        Examples
        --------
        >>> [len(WorkUnit(0, k, 3).replicates(10)) for k in range(3)]
        [3, 3, 4]
        """
        start, stop = (n_replicates * k // self.n_ranges for k in (self.range_index, self.range_index + 1))
        return range(start, stop)

    def experiment(self, full: Experiment) -> Experiment:
        """Return the experiment of the unit; `simulate` takes its first replicate as a separate argument."""
        n = len(self.replicates(full.run.n_replicates))
        return dataclasses.replace(full, run=dataclasses.replace(full.run, n_replicates=n))


def replicate_ranges(point: int, n_ranges: int) -> list[WorkUnit]:
    """Return the units of a point that is split into ranges of its replicates."""
    return [WorkUnit(point, k, n_ranges) for k in range(n_ranges)]


def range_paths(folder: Path, point: int, n_ranges: int) -> list[Path]:
    """Return the results files of all ranges of a point."""
    return [folder / f"{unit.name}.h5" for unit in replicate_ranges(point, n_ranges)]


def concatenate_ranges(full: Experiment, ranges: Sequence[Reader]) -> Reader:
    """Return the run of all replicates.

    Parameters
    ----------
    full : experiment of the unsplit run.
    ranges : finished runs of all ranges, in the order of their replicates.

    Raises
    ------
    UnreadableResults
        The ranges are of different data.
    """
    first = ranges[0].header.inputs
    for part in ranges:
        changed = changed_files(first, part.header.inputs)
        if changed:
            raise UnreadableResults(f"{part.path}: holds replicates of other data: {'; '.join(changed)}")
    header = dataclasses.replace(
        ranges[0].header,
        experiment_json=full.json,
        experiment_text=full.text,
        digest=full.digest,
        n_replicates=full.run.n_replicates,
        first_replicate=0,
    )
    metrics, states = (
        {name: _concatenate([getattr(part, what)[name] for part in ranges]) for name in getattr(header, what)}
        for what in ("metrics", "states")
    )
    n_generations = header.n_generations
    rows = None
    if header.trajectory:  # generation 0 has no counts
        rows = _merge_rows([_range_rows(part.blocks) for part in ranges], n_generations)
    samples = {
        name: _merge_rows([part.sample_rows(name) for part in ranges], n_generations + 1) for name in header.samples
    }
    forgotten = None if ranges[0].forgotten is None else _concatenate([part.forgotten for part in ranges])  # type: ignore[misc]
    return Reader(header, [Block(0, metrics, rows, states, samples)], forgotten=forgotten)


def _concatenate(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays, axis=0)


def _merge_rows(split: Sequence[Rows], n_generations: int) -> Rows:
    """Return the rows of all ranges in the order of one run: all replicates of a generation, then the next one."""
    lengths = np.concatenate([np.diff(rows.indptr).reshape(n_generations, -1) for rows in split], axis=1)
    indptr = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths.reshape(-1), out=indptr[1:])
    merged: list[np.ndarray] = []
    for column in range(1, len(split[0])):
        arrays: list[np.ndarray] = [rows[column] for rows in split]
        dtype = max((a.dtype for a in arrays), key=lambda dtype: dtype.itemsize)
        out = np.empty((int(indptr[-1]), *arrays[0].shape[1:]), dtype)
        at = 0
        for t in range(n_generations):
            for rows, values in zip(split, arrays, strict=True):
                n_replicates = (len(rows.indptr) - 1) // n_generations
                low, high = int(rows.indptr[t * n_replicates]), int(rows.indptr[(t + 1) * n_replicates])
                out[at : at + high - low] = values[low:high]
                at += high - low
        merged.append(out)
    return type(split[0])(indptr, *merged)


def _range_rows(blocks: Sequence[Block]) -> CountRows:
    """Return the counts of one range as one matrix."""
    found = [block.rows for block in blocks if block.rows is not None]
    starts = np.cumsum([0, *(int(rows.indptr[-1]) for rows in found)])
    pointers = [rows.indptr[1:] + start for rows, start in zip(found, starts[:-1], strict=True)]
    return CountRows(
        np.concatenate([np.zeros(1, np.int64), *pointers]),
        np.concatenate([rows.indices for rows in found]),
        np.concatenate([rows.data for rows in found]),
    )
