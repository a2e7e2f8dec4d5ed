"""The points of a sweep in one file: metrics over the swept parameters, replicates and generations (FORMAT.md)."""

import json
import math
import os
import secrets
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.errors import InputError
from fastcollapse.simulation.provenance import provenance
from fastcollapse.simulation.results import Results
from fastcollapse.storage.layout import COLLECTED, FORMAT, FORMAT_VERSION, Array, whole
from fastcollapse.storage.pack import write_run, write_whole
from fastcollapse.sweeps.axes import Dimension, named_axes
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.variables import Coordinate, Variable


def collect(folder: SweepFolder, path: Path) -> int:
    """Write what is done of a sweep into one new file, and return how many points that is.

    What is not done is NaN, and so is what a shorter run, or one of fewer replicates, does not have. Trajectories stay
    where they are: `path` names the file of a point that has one of its own.

    Raises
    ------
    InputError
        The file exists or cannot be made; nothing is done yet.
    UnreadableResults
        A point is damaged.
    StoreError
        The file cannot be written.
    """
    if os.path.lexists(path):
        raise InputError(f"output must be a new file, got {path}: it exists, choose another name or remove it")
    done = sorted(folder.done())
    if not done:
        raise InputError(f"a sweep must have a finished point to be collected, got none in {folder.path}")
    points = {index: folder.results(index) for index in done}
    folder.check_before_copying(done, but=("trajectory", "forgotten", *_states(points)))
    shape, axes = folder.sweep.shape, named_axes(folder.sweep, reserved=_names(points))
    dims = [axis.dim for axis in axes]
    _make_folder_of(path)
    n_replicates = max(results.n_replicates for results in points.values())
    n_generations = max(results.last for results in points.values()) + 1
    arrays = [array for axis in axes for array in _coordinates(axis)]
    arrays += _about_points(folder, points, dims)
    coordinates = [array.name for array in arrays if array.name not in dims]
    arrays += [
        whole("replicate", np.arange(n_replicates, dtype=np.int32), ("replicate",)),
        whole("generation", np.arange(n_generations, dtype=np.int64), ("generation",)),
    ]
    shared = _further(points)
    arrays += [_array(name, one.values, (name,), one.attributes) for name, one in shared.items()]
    apart = list(_by_point(points, shared, shape, dims))
    arrays += apart
    coordinates += [array.name for array in apart]
    for name, variable in _variables(points).items():
        inner = (n_replicates, n_generations, *_lengths(points, name))

        def chunks(name: str = name, inner: tuple[int, ...] = inner) -> Iterator[np.ndarray]:
            return _padded(len(folder), points, name, inner)

        told = {**variable.attributes, **({"dims": " ".join(variable.dims)} if variable.dims else {})}
        all_dims = (*dims, "replicate", "generation", *variable.dims)
        arrays.append(Array(name, np.dtype(np.float64), (*shape, *inner), chunks, all_dims, told))
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(6)}.tmp")
    write_whole(path, temporary, arrays, {"/": _root(folder, path, coordinates, len(done))})
    return len(done)


def extract(folder: SweepFolder, index: int, path: Path) -> None:
    """Write one point as the results file that a run of its experiment gives.

    Raises
    ------
    InputError
        There is no such point, it is not done, or the file exists or cannot be made.
    UnreadableResults
        The point is damaged.
    StoreError
        The file cannot be written.
    """
    if os.path.lexists(path):
        raise InputError(f"output must be a new file, got {path}: it exists, choose another name or remove it")
    if index not in folder.done():
        raise InputError(f"point must be one that is done, 0 to {len(folder) - 1}, got {index}")
    results = folder.results(index)
    folder.check_before_copying([index])
    _make_folder_of(path)
    write_run(path, results.reader)


def _make_folder_of(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"output must be in a folder that can be written, got {path}: {error.strerror}") from error


def _names(points: Mapping[int, Results]) -> set[str]:
    """Return the names that metrics, their further dimensions and coordinates have."""
    found = set(_variables(points)).union(*(results.coordinates for results in points.values()))
    return found.union(*(variable.dims for variable in _variables(points).values()))


def _variables(points: Mapping[int, Results]) -> dict[str, Variable]:
    """Return the metrics of all points: families may differ."""
    found: dict[str, Variable] = {}
    for results in points.values():
        found.update(results.reader.header.metrics)
    return found


def _states(points: Mapping[int, Results]) -> set[str]:
    """Return the states that are no metrics."""
    return {name for results in points.values() for name in results.reader.header.states} - set(_variables(points))


def _lengths(points: Mapping[int, Results], name: str) -> tuple[int, ...]:
    """Return the largest lengths of the further dimensions of a metric."""
    shapes = [results.metrics[name].shape[2:] for results in points.values() if name in results.metrics]
    return tuple(int(n) for n in np.max(np.array(shapes, np.int64).reshape(len(shapes), -1), axis=0))


def _further(points: Mapping[int, Results]) -> dict[str, Coordinate]:
    """Return the coordinates that all points agree on."""
    found: dict[str, Coordinate] = {}
    differ = set()
    for results in points.values():
        for name, coordinate in results.coordinates.items():
            known = found.setdefault(name, coordinate)
            if not np.array_equal(known.values, coordinate.values):
                differ.add(name)
    return {name: coordinate for name, coordinate in found.items() if name not in differ}


def _by_point(
    points: Mapping[int, Results], shared: Mapping[str, Coordinate], shape: Sequence[int], dims: Sequence[str]
) -> Iterator[Array]:
    """Yield the coordinates that differ between points, NaN behind the last one of each.

    Not by their own name: xarray has no dimension whose coordinate has several.
    """
    names = dict.fromkeys(name for results in points.values() for name in results.coordinates if name not in shared)
    for name in names:
        of = {index: one.coordinates[name] for index, one in points.items() if name in one.coordinates}
        first = next(iter(of.values()))
        values = np.full((math.prod(shape), max(len(one.values) for one in of.values())), np.nan)
        for index, one in of.items():
            values[index, : len(one.values)] = one.values
        told = {**first.attributes, "of_point": name, "kind": first.values.dtype.kind}
        yield _array(f"{name}_of_point", values.reshape(*shape, -1), (*dims, f"{name}_entry"), told)


def _padded(n_points: int, points: Mapping[int, Results], name: str, inner: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Yield a metric point by point, NaN where there is nothing."""
    nothing = np.full(inner, np.nan)
    for index in range(n_points):
        values = points[index].metrics.get(name) if index in points else None
        if values is None:
            yield nothing
        elif values.shape == inner:
            yield values
        else:
            padded = nothing.copy()
            padded[tuple(map(slice, values.shape))] = values
            yield padded


def _array(name: str, values: np.ndarray, dims: Sequence[str], attributes: Mapping[str, str]) -> Array:
    return Array(name, values.dtype, values.shape, lambda: [values], tuple(dims), attributes)


def _letters(name: str, texts: np.ndarray, dims: Sequence[str], attributes: Mapping[str, str]) -> Array:
    """Return words as netCDF has them for all readers: an array of characters, the last dimension their length."""
    raw = [text.encode() for text in texts.ravel().tolist()]
    width = max(1, *map(len, raw))
    letters = np.array([one.ljust(width, b"\0") for one in raw], f"S{width}").view("S1").reshape(*texts.shape, width)
    return _array(name, letters, (*dims, f"{name}_letter"), {**attributes, "_Encoding": "utf-8"})


def _coordinates(axis: Dimension) -> Iterator[Array]:
    for parameter in axis.parameters:
        told = {"long_name": parameter.key, "key": parameter.key}
        if parameter.is_number:
            yield _array(parameter.name, parameter.values, (axis.dim,), {**told, "units": "1"})
        else:
            yield _letters(parameter.name, parameter.values, (axis.dim,), told)


def _about_points(folder: SweepFolder, points: Mapping[int, Results], dims: Sequence[str]) -> list[Array]:
    """Return whether a point is done, its seed, what its data were, and its file relative to the folder of the sweep,
    "" without one.
    """
    shape, n = folder.sweep.shape, len(folder)
    done = np.array([index in points for index in range(n)], np.int8).reshape(shape)
    seeds = np.array([folder.sweep[index].experiment.run.seed for index in range(n)], np.uint64).reshape(shape)
    truths = [points[index].reader.header.truth if index in points else None for index in range(n)]
    data = np.array([data_crc32(truth) for truth in truths], np.uint32)
    told = {"long_name": "CRC-32 of the counts of the data of [truth], 0 without any", "units": "1"}
    with_file = folder.with_file()
    paths = [str(folder.point_path(i).relative_to(folder.path)) if i in with_file else "" for i in range(n)]
    where = {"long_name": "file of the point in the folder of the sweep"}
    return [
        _array("done", done, dims, {"long_name": "is the point finished?", "units": "1"}),
        _array("seed", seeds, dims, {"long_name": "seed of the point", "units": "1"}),
        _array("data_crc32", data.reshape(shape), dims, told),
        _letters("path", np.array(paths).reshape(shape), dims, where),
    ]


def data_crc32(truth: Any) -> int:
    """Return what tells the data of a truth apart from others, 0 where it is a law."""
    counts = getattr(truth, "counts", None)
    return 0 if counts is None else zlib.crc32(np.ascontiguousarray(counts, np.int64).tobytes())


def _root(folder: SweepFolder, path: Path, coordinates: Sequence[str], n_done: int) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "format_version": np.int64(FORMAT_VERSION),
        "kind": COLLECTED,
        "digest": folder.manifest["digest"],
        "sweep": json.dumps({**folder.manifest, "seed": folder.sweep.seed}, sort_keys=False),
        "folder": os.path.relpath(folder.path, path.parent),
        "n_points": np.int64(len(folder)),
        "n_done": np.int64(n_done),
        "provenance": json.dumps(provenance(), sort_keys=True),
        "coordinates": " ".join(coordinates),
    }
