"""Conversion of the metrics of a run to a tidy table of pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fastcollapse.errors import InputError, nearest
from fastcollapse.simulation.optional_packages import extra
from fastcollapse.simulation.recorded_run import RecordedRun

if TYPE_CHECKING:
    import pandas


def data_frame(run: RecordedRun, metrics: str | Sequence[str] | None = None) -> pandas.DataFrame:
    """Return a row for each replicate, generation and entry of further dimensions, see `Results.to_dataframe`."""
    with extra("pandas", "to_dataframe"):
        import pandas
    arrays = {**run.metrics, **run.states}
    dims_of = {name: run.variables[name].dims for name in arrays}
    names = _chosen(run, metrics, dims_of)
    dims = dims_of[names[0]] if names else ()
    shape = arrays[names[0]].shape if names else (run.n_replicates, run.last + 1)
    axes = [np.arange(shape[0]), run.generation]
    for dim, n in zip(dims, shape[2:], strict=True):
        axes.append(run.coordinates[dim].values if dim in run.coordinates else np.arange(n))
    index = np.meshgrid(*axes, indexing="ij")
    columns = {name: places.ravel() for name, places in zip(("replicate", "generation", *dims), index, strict=True)}
    return pandas.DataFrame(columns | {name: np.ravel(arrays[name]) for name in names})


def _chosen(run: RecordedRun, metrics: str | Sequence[str] | None, dims_of: dict[str, tuple[str, ...]]) -> list[str]:
    """Return the names of the columns, which have the same dimensions.

    Raises
    ------
    InputError
        A name is not recorded, or the dimensions differ.
    """
    if metrics is None:
        names = list(run.metrics)
        plain = [name for name in names if not dims_of[name]]
        return plain or [name for name in names if dims_of[name] == dims_of[names[0]]]
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    for name in names:
        if name not in dims_of:
            known = ", ".join(dims_of)
            raise InputError(f"metrics must be of {known}, got {name!r}{nearest(str(name), dims_of)}")
    if len({dims_of[name] for name in names}) > 1:
        given = "; ".join(f"{name} has {', '.join(dims_of[name]) or 'none'}" for name in names)
        raise InputError(f"metrics must have the same further dimensions, got: {given}")
    return names
