"""Data dictionary: recorded variables, their coordinates, metrics, and rows of unequal length (counts and samples)."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np

# Number of values of a derived metric that are computed at a time, so that intermediate values stay in the cache.
_CHUNK_VALUES = 65_536


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
    of_user : whether the variable is a metric that the user has given as a function; no other run has it.
    """

    long_name: str
    units: str = "1"
    dims: tuple[str, ...] = ()
    limits: tuple[float, ...] = ()
    missing: bool = False
    ragged: bool = False
    of_user: bool = False

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


@dataclass(frozen=True, eq=False)
class DerivedArray:
    """A metric of a block, float64 (R, B), that is computed from the states of the block whenever it is read.

    `np.asarray` returns its values. A slice of it, of replicates or of replicates and generations, is derived from the
    same slice of the states.

    Parameters
    ----------
    function : states of some replicates and generations -> their values, float64 (r, b). A value depends on the states
        of its replicate and generation only. It can be pickled.
    states : name -> float64 (R, B, ...), of at least one state; nobody changes these arrays any more.
    n_threads : number of threads that compute the values.

    Examples
    --------
    >>> variance = DerivedArray(lambda states: states["sigma"] ** 2, {"sigma": np.array([[1.0, 2.0, 3.0]])})
    >>> variance.shape, np.asarray(variance[:, 1:])
    ((1, 3), array([[4., 9.]]))
    """

    function: Callable[[Mapping[str, np.ndarray]], np.ndarray]
    states: Mapping[str, np.ndarray]
    n_threads: int = 1

    ndim: ClassVar[int] = 2

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of replicates and generations."""
        n_replicates, n_generations = next(iter(self.states.values())).shape[:2]
        return n_replicates, n_generations

    @property
    def nbytes(self) -> int:
        """Bytes of the values."""
        return 8 * self.shape[0] * self.shape[1]

    def __getitem__(self, where: slice | tuple[slice, slice]) -> "DerivedArray":
        return replace(self, states={name: values[where] for name, values in self.states.items()})

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        out = np.empty(self.shape, dtype)
        run_tasks(self.tasks(out), self.n_threads)
        return out

    def tasks(self, out: np.ndarray) -> list[Callable[[], None]]:
        """Return functions that together write the values into an array (R, B)."""
        n_replicates, n_generations = self.shape
        step = max(1, _CHUNK_VALUES // max(1, n_generations))
        return [partial(self._write, out, slice(start, start + step)) for start in range(0, n_replicates, step)]

    def _write(self, out: np.ndarray, rows: slice) -> None:
        out[rows] = self.function({name: values[rows] for name, values in self.states.items()})


def run_tasks(tasks: Sequence[Callable[[], None]], n_threads: int) -> None:
    """Call functions in this thread and in others, as far as the process may have them."""
    remaining = iter(tasks)

    def work() -> None:
        for task in remaining:
            task()

    n_others = min(n_threads, len(tasks)) - 1
    if n_others < 1:
        work()
        return
    with ThreadPoolExecutor(n_others) as pool:
        others = []
        with suppress(RuntimeError):  # the process may not have another thread
            for _ in range(n_others):
                others.append(pool.submit(work))
        work()
        for other in others:
            other.result()


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
    data : int (indptr[-1]), counts, at least 1; or float64, weights above 0.
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
