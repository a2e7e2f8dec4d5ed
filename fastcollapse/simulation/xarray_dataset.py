"""Conversion of the results of a run to an xarray data set."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.datasets.count_spectrum import SymbolTruth
from fastcollapse.errors import InputError
from fastcollapse.simulation.counts_matrix import counts_matrix
from fastcollapse.simulation.optional_packages import extra
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.storage.layout import (
    ATTRIBUTES,
    SIZE_SUFFIX,
    root_attributes,
    sample_attributes,
    size_attributes,
    variable_attributes,
)

if TYPE_CHECKING:
    import xarray

# The most bytes of an array of counts.
_DENSE_BYTES = 1 << 28


def xarray_dataset(run: RecordedRun, trajectory: bool = False) -> xarray.Dataset:
    """Return the data set of a run, see `Results.to_xarray`."""
    with extra("xarray", "to_xarray"):
        import xarray
    reader, header = run.reader, run.reader.header
    plane = ("replicate", "generation")
    generation = np.arange(reader.n_committed + 1, dtype=np.int64)
    variables: dict[str, Any] = {}
    for name, values in (*reader.metrics.items(), *reader.states.items()):
        variables[name] = ((*plane, *header.variables[name].dims), values, variable_attributes(header, name))
    for name, variable in header.samples.items():
        indptr, points = reader.sample_rows(name)
        sizes = np.diff(indptr).reshape(len(generation), header.n_replicates)
        variables[f"{name}{SIZE_SUFFIX}"] = (plane[::-1], sizes, size_attributes(name, variable))
        variables[name] = ((f"{name}_point", *variable.dims), points, sample_attributes(variable))
    if trajectory and not (header.states or header.samples):
        variables["counts"] = ((*plane, header.column), _dense_counts(run), _counts_attributes(run))
    coordinates: dict[str, Any] = {
        "generation": ("generation", generation, ATTRIBUTES["generation"]),
        "replicate": ("replicate", np.arange(header.n_replicates, dtype=np.int32), ATTRIBUTES["replicate"]),
    }
    for name, coordinate in header.coordinates.items():
        coordinates[name] = (name, coordinate.values, coordinate.attributes)
    if reader.forgotten is not None:
        variables["forgotten"] = (("replicate", header.column), reader.forgotten, ATTRIBUTES["forgotten"])
    if header.column in {dim for dims, *_ in variables.values() for dim in dims}:
        if isinstance(header.truth, SymbolTruth) and header.truth.labels is not None:
            # Objects, because an array of fixed width would take the memory of the longest label for each.
            coordinates["symbol"] = np.array(header.truth.labels, object)
    if reader.first_passage is not None:
        variables["first_passage"] = ("replicate", reader.first_passage, ATTRIBUTES["first_passage"])
    return xarray.Dataset(variables, coords=coordinates, attrs=root_attributes(header))


def _dense_counts(run: RecordedRun) -> np.ndarray:
    """Return the counts of all replicates, int64 or float64 [R, T + 1, K].

    Raises
    ------
    InputError
        They are not recorded, or take too much memory.
    """
    if not run.has_trajectory:
        raise InputError('run.record must contain "trajectory" for to_xarray(trajectory=True), got none')
    shape = (run.n_replicates, run.last + 1, run.reader.header.n_columns)
    n_bytes = 8 * math.prod(shape)
    if n_bytes > _DENSE_BYTES:
        raise InputError(
            f"to_xarray(trajectory=True) must take at most {_DENSE_BYTES >> 20} MiB, got {n_bytes >> 20:,} MiB for "
            f"counts[{', '.join(map(str, shape))}]; counts_matrix(replicate) is sparse"
        )
    counts = np.empty(shape, np.float64 if run.reader.header.weighted else np.int64)
    for replicate in range(run.n_replicates):
        counts[replicate] = counts_matrix(run, replicate).toarray()
    return counts


def _counts_attributes(run: RecordedRun) -> dict[str, str]:
    long_name = "weight of a symbol" if run.reader.header.weighted else "count of a symbol"
    note = {} if run.has_real_counts else {"comment": "generation 0 is a law: it has no counts, and zeros stand here"}
    return {"long_name": long_name, "units": "1", **note}
