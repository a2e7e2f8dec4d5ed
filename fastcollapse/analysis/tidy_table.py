"""Tidy table of the recorded metrics of a run or of a sweep, in long form: one row for each number."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.sweeps.axes import SweptParameter, named_axes

# The most rows of a block, unless one replicate of one metric has more.
_BLOCK_ROWS = 2**18


class TidyTable:
    """Table of every recorded number of every metric, with one row for each.

    The columns are, in this order:

    - of a sweep, `point`, its number from 0, and each swept parameter, with the names that `collect` gives them;
    - `metric`, the name of the metric, `replicate` and `generation`;
    - each further dimension of a metric, such as `ridge`: its coordinate, or its index from 0; empty for other metrics;
    - `value`, the number; empty where the metric was not evaluated.

    Rows are in the order of points, metrics, replicates and generations.

    Parameters
    ----------
    source : a `RecordedRun`, a `SweepFolder` or a `CollectedSweep`; points that are not finished have no rows.

    Raises
    ------
    InputError
        No generation, or no point, is finished.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._points = [-1] if isinstance(source, RecordedRun) else sorted(source.done())
        if not self._points:
            raise InputError(f"a table must have finished points, got none in {source.path}")
        names: set[str] = set()
        dims: dict[str, np.dtype] = {}
        self.n_rows = 0
        for results in map(self._results, self._points):
            if results.last < 0:
                raise InputError(f"a table must have at least one finished generation, got none in {results.path}")
            names |= {*results.metrics, *results.coordinates}
            for name, values in results.metrics.items():
                self.n_rows += values.size
                for dim, own in _coordinates(results, name, values.shape).items():
                    dims[dim] = np.result_type(dims.get(dim, own.dtype), own.dtype)
        self._parameters: list[tuple[int, SweptParameter]] = []
        if not isinstance(source, RecordedRun):
            axes = named_axes(source.sweep, reserved={*names, *dims, "point", "metric", "value"})
            self._parameters = [(axis, one) for axis, dimension in enumerate(axes) for one in dimension.parameters]
        integer, text, number = np.dtype(np.int64), np.dtype(object), np.dtype(np.float64)
        of_point = {"point": integer, **{parameter.name: parameter.values.dtype for _, parameter in self._parameters}}
        self.columns: dict[str, np.dtype] = {
            **(of_point if self._parameters else {}),
            **{"metric": text, "replicate": integer, "generation": integer, **dims, "value": number},
        }

    def blocks(self) -> Iterator[Mapping[str, np.ndarray]]:
        """Yield the rows in blocks of one metric: name -> array [n] of each column that this metric has."""
        for index in self._points:
            of_point: dict[str, Any] = {}
            if self._parameters:
                position = np.unravel_index(index, self._source.sweep.shape)
                of_point = {one.name: one.values[position[axis]] for axis, one in self._parameters}
                of_point = {"point": np.int64(index), **of_point}
            for block in _run_blocks(self._results(index)):
                n = len(block["value"])
                yield {**{name: np.full(n, value, self.columns[name]) for name, value in of_point.items()}, **block}

    def whole(self) -> dict[str, np.ndarray]:
        """Return all rows: name -> array [n]; where a metric does not have a dimension, NaN."""
        blocks = list(self.blocks())

        def column(name: str) -> np.ndarray:
            return np.concatenate([block.get(name, np.full(len(block["value"]), np.nan)) for block in blocks])

        return {name: column(name) for name in self.columns}

    def _results(self, index: int) -> RecordedRun:
        results: RecordedRun = self._source if index < 0 else self._source.results(index)
        return results


def _run_blocks(results: RecordedRun) -> Iterator[Mapping[str, np.ndarray]]:
    """Yield the rows of a run in blocks."""
    for name, values in results.metrics.items():
        step = max(1, _BLOCK_ROWS // max(1, values[0].size))
        for first in range(0, len(values), step):
            part = np.asarray(values[first : first + step])
            axes = {
                "replicate": np.arange(first, first + len(part)),
                "generation": results.generation,
                **_coordinates(results, name, values.shape),
            }
            yield {
                "metric": np.full(part.size, name, object),
                **{
                    axis: np.broadcast_to(
                        own.reshape([-1 if k == i else 1 for k in range(part.ndim)]), part.shape
                    ).ravel()
                    for i, (axis, own) in enumerate(axes.items())
                },
                "value": part.ravel(),
            }


def _coordinates(results: RecordedRun, name: str, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return the coordinates of the further dimensions of a metric, the indices of a dimension without coordinates."""
    return {
        dim: results.coordinates[dim].values if dim in results.coordinates else np.arange(length)
        for dim, length in zip(results.variables[name].dims, shape[2:], strict=True)
    }
