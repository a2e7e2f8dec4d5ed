"""Replicate ranges: a large run split by replicates, and its ranges concatenated, bit-identical to the unsplit run."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fastcollapse.simulation.experiment import Experiment
from fastcollapse.storage.base import Reader
from fastcollapse.storage.joined_replicates import join_replicates


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


def most_ranges(experiment: Experiment) -> int:
    """Return the maximum number of ranges of a point: the replicates of a run with `run.stop` end together."""
    return experiment.run.n_replicates if experiment.run.stop is None else 1


def range_paths(folder: Path, point: int, n_ranges: int) -> list[Path]:
    """Return the results files of all ranges of a point."""
    return [folder / f"{unit.name}.h5" for unit in replicate_ranges(point, n_ranges)]


def concatenate_ranges(full: Experiment, ranges: Sequence[Reader]) -> Reader:
    """Return the run of all replicates, see `join_replicates`."""
    return join_replicates(ranges, full.json, full.text, full.digest)
