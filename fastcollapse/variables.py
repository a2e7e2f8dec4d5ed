"""Data dictionary: recorded variables, their coordinates, metrics, and rows of unequal length (counts and samples)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True)
class Variable:
    """A recorded array over (replicate, generation, ...). A value that is not finite stops the run.

    Parameters
    ----------
    long_name : descriptive name.
    units : unit, "1" for a pure number.
    dims : names of the further dimensions.
    limits : infinities that are valid values.
    missing : whether the variable may be NaN for all replicates of a generation.
    ragged : whether the variable is a sample whose size depends on replicate and generation; `dims` are those of one
        point.
    """

    long_name: str
    units: str = "1"
    dims: tuple[str, ...] = ()
    limits: tuple[float, ...] = ()
    missing: bool = False
    ragged: bool = False

    @property
    def attributes(self) -> dict[str, str]:
        """Long name and unit, as attributes of the file and of xarray."""
        return {"long_name": self.long_name, "units": self.units}


@dataclass(frozen=True)
class Metric:
    """One metric of a family.

    Parameters
    ----------
    name : key in `run.record`, the file and `Results.metrics`.
    variable : the recorded variable.
    function : (quantities of a block, truth) -> float64 (R, B, ...); None where the model computes the metric during
        `advance`, with its random streams.
    on_request : whether the metric is recorded only where `run.record` names it.
    """

    name: str
    variable: Variable
    function: Callable[..., np.ndarray] | None = None
    on_request: bool = False


def metric_table(*metrics: Metric) -> dict[str, Metric]:
    """Return metrics by name, in the given order."""
    return {metric.name: metric for metric in metrics}


@dataclass(frozen=True, eq=False)
class Coordinate:
    """The entries of a dimension.

    Parameters
    ----------
    values : int64 or float64 (n), read-only.
    long_name : descriptive name.
    units : unit, "1" for a pure number.
    """

    values: np.ndarray
    long_name: str
    units: str = "1"

    def __post_init__(self) -> None:
        view = self.values[:]
        view.flags.writeable = False
        object.__setattr__(self, "values", view)

    @property
    def attributes(self) -> dict[str, str]:
        """Long name and unit, as attributes of the file and of xarray."""
        return {"long_name": self.long_name, "units": self.units}


class CountRows(NamedTuple):
    """Sparse counts of a block; the row of generation t and replicate r is (t - first) * R + r.

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
    """Samples of a block, each of any size; the row of generation t and replicate r is (t - first) * R + r.

    Parameters
    ----------
    indptr : int64 (B*R + 1), starts at 0.
    values : float64 (indptr[-1], ...), the points of all rows in order.
    """

    indptr: np.ndarray
    values: np.ndarray
