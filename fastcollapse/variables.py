"""The data dictionary: recorded variables, their coordinates, metrics, and the two kinds of rows of unequal length."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True)
class Variable:
    """A recorded array over (replicate, generation, ...).

    Its values are finite, or the run stops.

    Parameters
    ----------
    long_name : its name for people.
    units : its unit, "1" where it has none.
    dims : names of its further dimensions.
    limits : infinities that are legal values.
    missing : whether it may be NaN for all replicates of a generation.
    ragged : whether it is a sample whose size differs by replicate and generation; `dims` are those of one point.
    """

    long_name: str
    units: str = "1"
    dims: tuple[str, ...] = ()
    limits: tuple[float, ...] = ()
    missing: bool = False
    ragged: bool = False

    @property
    def attributes(self) -> dict[str, str]:
        """Long name and unit, as a file and xarray have them."""
        return {"long_name": self.long_name, "units": self.units}


@dataclass(frozen=True)
class Metric:
    """One metric of a family.

    Parameters
    ----------
    name : its key in `run.record`, the file and `Results.metrics`.
    variable : what is recorded: name for people, unit, further dimensions, legal infinities.
    function : (quantities of a block, truth) -> float64 (R, B, ...); None where the model computes the metric while it
        advances, with its streams at hand.
    """

    name: str
    variable: Variable
    function: Callable[..., np.ndarray] | None = None


def metric_table(*metrics: Metric) -> dict[str, Metric]:
    """Return metrics by name, in the order given."""
    return {metric.name: metric for metric in metrics}


@dataclass(frozen=True, eq=False)
class Coordinate:
    """The entries of a dimension: int64 or float64 (n), read-only, a name for people and a unit."""

    values: np.ndarray
    long_name: str
    units: str = "1"

    def __post_init__(self) -> None:
        frozen = self.values[:]
        frozen.flags.writeable = False
        object.__setattr__(self, "values", frozen)

    @property
    def attributes(self) -> dict[str, str]:
        """Long name and unit, as a file and xarray have them."""
        return {"long_name": self.long_name, "units": self.units}


class CountRows(NamedTuple):
    """Sparse counts of a block, row = (t - first) * R + r.

    Parameters
    ----------
    indptr : int64 (B*R + 1), starts at 0.
    indices : int (indptr[-1]), columns, ascending within a row.
    data : int (indptr[-1]), counts, at least 1.
    """

    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray


class SampleRows(NamedTuple):
    """Samples of a block, of any size each, row = (t - first) * R + r.

    Parameters
    ----------
    indptr : int64 (B*R + 1), starts at 0.
    values : float64 (indptr[-1], ...), the points of all rows, one row after the other.
    """

    indptr: np.ndarray
    values: np.ndarray
