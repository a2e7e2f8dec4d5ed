"""Conversion of the results of a run to an xarray data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastcollapse.datasets.count_spectrum import SymbolTruth
from fastcollapse.errors import InputError
from fastcollapse.storage.base import Reader
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


def xarray_dataset(reader: Reader) -> xarray.Dataset:
    """Return the data set of a run, see `Results.to_xarray`."""
    try:
        import xarray  # an extra
    except ImportError as error:
        raise InputError("to_xarray must have xarray: pip install 'fastcollapse[xarray]'") from error
    header = reader.header
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
    coordinates: dict[str, Any] = {
        "generation": ("generation", generation, ATTRIBUTES["generation"]),
        "replicate": ("replicate", np.arange(header.n_replicates, dtype=np.int32), ATTRIBUTES["replicate"]),
    }
    for name, coordinate in header.coordinates.items():
        coordinates[name] = (name, coordinate.values, coordinate.attributes)
    if reader.forgotten is not None:
        variables["forgotten"] = (("replicate", header.column), reader.forgotten, ATTRIBUTES["forgotten"])
        if isinstance(header.truth, SymbolTruth) and header.truth.labels is not None:
            # Objects, because an array of fixed width would take the memory of the longest label for each.
            coordinates["symbol"] = np.array(header.truth.labels, object)
    if reader.first_passage is not None:
        variables["first_passage"] = ("replicate", reader.first_passage, ATTRIBUTES["first_passage"])
    return xarray.Dataset(variables, coords=coordinates, attrs=root_attributes(header))
