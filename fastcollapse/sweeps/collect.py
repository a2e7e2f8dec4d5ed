"""Collected sweep: one file with metrics over swept parameters, replicates and generations (FORMAT.md)."""

import json
import math
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.config.output_paths import RESULTS, check_output_file, make_output_parent
from fastcollapse.datasets.count_spectrum import CountSpectrum
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.errors import InputError
from fastcollapse.simulation.provenance import provenance
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.storage.atomic_write import remove_abandoned
from fastcollapse.storage.hdf5_file import write_file
from fastcollapse.storage.layout import COLLECTED, FORMAT, FORMAT_VERSION, Array, memory_array
from fastcollapse.storage.pack import write_run
from fastcollapse.sweeps.axes import Dimension, named_axes
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.panel_scores import PanelScore, score_arrays
from fastcollapse.sweeps.points import Point
from fastcollapse.sweeps.text_arrays import text_array
from fastcollapse.variables import Coordinate, Variable

# Longest text of a value of a swept key, in characters; longer ones are shortened.
_LONGEST_TEXT = 1000


def collect_sweep(
    folder: SweepFolder | str | Path,
    path: str | Path,
    scores: Callable[[RecordedRun], Sequence[PanelScore]] | None = None,
) -> int:
    """Write the finished points of a sweep into one new file.

    Unfinished points are NaN, and so are the missing generations and replicates of shorter or smaller runs.
    Trajectories are not copied; the variable `path` of the file names the results file of each point that has one.

    Parameters
    ----------
    folder : the sweep, or the path of its folder.
    path : the new file.
    scores : compares a point with its theory; the file has what it returns. `SweepResults.save` gives one.

    Returns
    -------
    Number of finished points.

    Raises
    ------
    InputError
        The file exists, has another ending than .h5 or .hdf5 or cannot be made, or no point is finished.
    UnreadableResults
        A point is damaged.
    StoreError
        The file cannot be written.
    """
    folder, path = _opened(folder), _new_file(path)
    done = sorted(folder.done())
    if not done:
        raise InputError(f"a sweep must have a finished point to be collected, got none in {folder.path}")
    points = {index: folder.results(index) for index in done}
    folder.check_before_copying(done, skip=("trajectory", "forgotten", *_states(points)))
    shape, axes = folder.sweep.shape, named_axes(folder.sweep, reserved=_names(points))
    dims = [axis.dim for axis in axes]
    make_output_parent(path)
    n_replicates = max(results.n_replicates for results in points.values())
    n_generations = max(results.last for results in points.values()) + 1
    arrays = [array for axis in axes for array in _coordinates(axis)]
    arrays += _point_arrays(folder, points, dims)
    coordinates = [array.name for array in arrays if array.name not in dims]
    arrays += [
        memory_array("replicate", np.arange(n_replicates, dtype=np.int32), ("replicate",)),
        memory_array("generation", np.arange(n_generations, dtype=np.int64), ("generation",)),
    ]
    shared = _shared_coordinates(points)
    arrays += [_array(name, coordinate.values, (name,), coordinate.attributes) for name, coordinate in shared.items()]
    own = list(_own_coordinates(points, shared, shape, dims))
    arrays += own
    coordinates += [array.name for array in own]
    of_points = {} if scores is None else {index: scores(results) for index, results in points.items()}
    compared = score_arrays(of_points, shape, dims)
    arrays += compared
    coordinates += [array.name for array in compared[:1]]
    for name, variable in _variables(points).items():
        inner = (n_replicates, n_generations, *_lengths(points, name))

        def chunks(name: str = name, inner: tuple[int, ...] = inner) -> Iterator[np.ndarray]:
            return _padded(len(folder), points, name, inner)

        attributes = {**variable.attributes, **({"dims": " ".join(variable.dims)} if variable.dims else {})}
        all_dims = (*dims, "replicate", "generation", *variable.dims)
        arrays.append(Array(name, np.dtype(np.float64), (*shape, *inner), chunks, all_dims, attributes))
    remove_abandoned(path.parent, path.name)
    write_file(path, arrays, {"/": _root(folder, path, coordinates, len(done))})
    return len(done)


def extract_point(folder: SweepFolder | str | Path, index: int, path: str | Path) -> Point:
    """Write one point of a sweep as a results file, the same file that a run of its experiment writes.

    Parameters
    ----------
    folder : the sweep, or the path of its folder.
    index : number of the point, from 0.
    path : the new file.

    Returns
    -------
    The point.

    Raises
    ------
    InputError
        The point is not finished, or the file exists or cannot be made.
    UnreadableResults
        The point is damaged.
    StoreError
        The file cannot be written.
    """
    folder, path = _opened(folder), _new_file(path)
    if index not in folder.done():
        raise InputError(f"point must be one that is done, 0 to {len(folder) - 1}, got {index}")
    results = folder.results(index)
    folder.check_before_copying([index])
    make_output_parent(path)
    write_run(path, results.reader)
    return folder.sweep[index]


def _opened(folder: SweepFolder | str | Path) -> SweepFolder:
    return folder if isinstance(folder, SweepFolder) else SweepFolder(Path(folder))


def _new_file(path: str | Path) -> Path:
    path = Path(path)
    check_output_file(path, RESULTS)
    if os.path.lexists(path):
        raise InputError(f"{path} already exists; remove it or choose another name")
    return path


def _names(points: Mapping[int, RecordedRun]) -> set[str]:
    """Return the names of metrics, of their further dimensions and of coordinates."""
    names = set(_variables(points)).union(*(results.coordinates for results in points.values()))
    return names.union(*(variable.dims for variable in _variables(points).values()))


def _variables(points: Mapping[int, RecordedRun]) -> dict[str, Variable]:
    """Return the metrics of all points, which may be of different families."""
    variables: dict[str, Variable] = {}
    for results in points.values():
        variables.update(results.reader.header.metrics)
    return variables


def _states(points: Mapping[int, RecordedRun]) -> set[str]:
    """Return the names of states that are not metrics."""
    return {name for results in points.values() for name in results.reader.header.states} - set(_variables(points))


def _lengths(points: Mapping[int, RecordedRun], name: str) -> tuple[int, ...]:
    """Return the largest length of each further dimension of a metric."""
    shapes = [results.metrics[name].shape[2:] for results in points.values() if name in results.metrics]
    return tuple(int(n) for n in np.max(np.array(shapes, np.int64).reshape(len(shapes), -1), axis=0))


def _shared_coordinates(points: Mapping[int, RecordedRun]) -> dict[str, Coordinate]:
    """Return the coordinates that are equal in all points."""
    coordinates: dict[str, Coordinate] = {}
    differ = set()
    for results in points.values():
        for name, coordinate in results.coordinates.items():
            first = coordinates.setdefault(name, coordinate)
            if not np.array_equal(first.values, coordinate.values):
                differ.add(name)
    return {name: coordinate for name, coordinate in coordinates.items() if name not in differ}


def _own_coordinates(
    points: Mapping[int, RecordedRun], shared: Mapping[str, Coordinate], shape: Sequence[int], dims: Sequence[str]
) -> Iterator[Array]:
    """Yield the coordinates that differ between points, padded with NaN.

    They have another name, because in xarray a coordinate with the name of its dimension has no other dimensions.
    """
    names = dict.fromkeys(name for results in points.values() for name in results.coordinates if name not in shared)
    for name in names:
        own = {index: results.coordinates[name] for index, results in points.items() if name in results.coordinates}
        first = next(iter(own.values()))
        values = np.full((math.prod(shape), max(len(coordinate.values) for coordinate in own.values())), np.nan)
        for index, coordinate in own.items():
            values[index, : len(coordinate.values)] = coordinate.values
        attributes = {**first.attributes, "of_point": name, "kind": first.values.dtype.kind}
        yield _array(f"{name}_of_point", values.reshape(*shape, -1), (*dims, f"{name}_entry"), attributes)


def _padded(
    n_points: int, points: Mapping[int, RecordedRun], name: str, inner: tuple[int, ...]
) -> Iterator[np.ndarray]:
    """Yield a metric point by point, padded with NaN."""
    missing = np.full(inner, np.nan)
    for index in range(n_points):
        values = points[index].metrics.get(name) if index in points else None
        if values is None:
            yield missing
        elif values.shape == inner:
            yield values
        else:
            padded = missing.copy()
            padded[tuple(map(slice, values.shape))] = values
            yield padded


def _array(name: str, values: np.ndarray, dims: Sequence[str], attributes: Mapping[str, str]) -> Array:
    return Array(name, values.dtype, values.shape, lambda: [values], tuple(dims), attributes)


def _coordinates(axis: Dimension) -> Iterator[Array]:
    for parameter in axis.parameters:
        attributes = {"long_name": parameter.key, "key": parameter.key}
        if parameter.is_number:
            yield _array(parameter.name, parameter.values, (axis.dim,), {**attributes, "units": "1"})
        else:
            texts = np.array([_shortened(text) for text in parameter.values.tolist()], object)
            yield text_array(parameter.name, texts, (axis.dim,), attributes)


def _shortened(text: str) -> str:
    """Return a text, or the first characters of a long one and its CRC-32: an array takes the longest for each."""
    return text if len(text) <= _LONGEST_TEXT else f"{text[:100]}... {zlib.crc32(text.encode()):08x}"


def _point_arrays(folder: SweepFolder, points: Mapping[int, RecordedRun], dims: Sequence[str]) -> list[Array]:
    """Return the arrays over points: done, seed, checksum of the data, and path of the file in the folder or ""."""
    shape, n = folder.sweep.shape, len(folder)
    done = np.array([index in points for index in range(n)], np.int8).reshape(shape)
    seeds = np.array([folder.sweep[index].experiment.run.seed for index in range(n)], np.uint64).reshape(shape)
    truths = [points[index].reader.header.truth if index in points else None for index in range(n)]
    data = np.array([data_crc32(truth) for truth in truths], np.uint32)
    crc_attributes = {"long_name": "CRC-32 of the counts of the data of [truth], 0 without any", "units": "1"}
    with_file = folder.with_file()
    paths = [str(folder.point_path(i).relative_to(folder.path)) if i in with_file else "" for i in range(n)]
    engines = np.array([points[index].reader.header.engine if index in points else "" for index in range(n)])
    engine_attributes = {"long_name": "engine of the point, if it is not that of single symbols"}
    path_attributes = {"long_name": "file of the point in the folder of the sweep"}
    return [
        _array("done", done, dims, {"long_name": "1 if the point is finished, otherwise 0", "units": "1"}),
        _array("seed", seeds, dims, {"long_name": "seed of the point", "units": "1"}),
        _array("data_crc32", data.reshape(shape), dims, crc_attributes),
        text_array("path", np.array(paths).reshape(shape), dims, path_attributes),
        *([text_array("engine_in_use", engines.reshape(shape), dims, engine_attributes)] if engines.any() else []),
    ]


def data_crc32(truth: Any) -> int:
    """Return the CRC-32 of the counts of a truth, or of the arrays of its spectrum or sentences; 0 without data."""
    if isinstance(truth, Sentences):
        return zlib.crc32(truth.offsets.tobytes(), zlib.crc32(truth.tokens.tobytes()))
    counts = getattr(truth, "counts", None)
    if counts is None:
        return 0
    crc = zlib.crc32(np.ascontiguousarray(counts, np.int64).tobytes())
    return zlib.crc32(truth.n_symbols.tobytes(), crc) if isinstance(truth, CountSpectrum) else crc


def _root(folder: SweepFolder, path: Path, coordinates: Sequence[str], n_done: int) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "format_version": np.int64(FORMAT_VERSION),
        "kind": COLLECTED,
        "digest": folder.manifest["digest"],
        "sweep": json.dumps({**folder.manifest, "seed": folder.sweep.seed, "inputs": folder.inputs}, sort_keys=False),
        "folder": os.path.relpath(folder.path, path.parent),
        "n_points": np.int64(len(folder)),
        "n_done": np.int64(n_done),
        "provenance": json.dumps(provenance(), sort_keys=True),
        "coordinates": " ".join(coordinates),
    }
