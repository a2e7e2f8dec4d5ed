"""Joining of replicates: finished runs of consecutive replicates as one run, bit-identical to the unsplit run."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from fastcollapse.datasets.data_files import changed_files
from fastcollapse.errors import UnreadableResults
from fastcollapse.storage.atomic_write import Rename
from fastcollapse.storage.base import Reader
from fastcollapse.storage.blocks import Block
from fastcollapse.storage.hdf5_file import write_file
from fastcollapse.storage.hdf5_store import clear_leftovers
from fastcollapse.storage.layout import groups_of
from fastcollapse.storage.pack import run_arrays
from fastcollapse.storage.parts_folder import PartsFolder
from fastcollapse.storage.readers import check_file
from fastcollapse.variables import CountRows, SampleRows

Rows = TypeVar("Rows", CountRows, SampleRows)


def join_replicates(parts: Sequence[Reader], experiment_json: str, experiment_text: str, digest: str) -> Reader:
    """Return the run of all replicates, without a state.

    Parameters
    ----------
    parts : finished runs of consecutive replicates, in their order.
    experiment_json, experiment_text, digest : of the experiment with all replicates, see `Header`.

    Raises
    ------
    UnreadableResults
        The parts are of different data.
    """
    first = parts[0].header
    for part in parts:
        changed = changed_files(first.inputs, part.header.inputs)
        if changed:
            raise UnreadableResults(f"{part.path}: holds replicates of other data: {'; '.join(changed)}")
    header = dataclasses.replace(
        first,
        experiment_json=experiment_json,
        experiment_text=experiment_text,
        digest=digest,
        n_replicates=sum(part.header.n_replicates for part in parts),
    )
    metrics, states = (
        {name: _concatenate([getattr(part, what)[name] for part in parts]) for name in getattr(header, what)}
        for what in ("metrics", "states")
    )
    n_generations = header.n_generations
    rows = None
    if header.trajectory:  # generation 0 has no counts
        rows = _merge_rows([_range_rows(part.blocks) for part in parts], n_generations)
    samples = {
        name: _merge_rows([part.sample_rows(name) for part in parts], n_generations + 1) for name in header.samples
    }
    forgotten = None if parts[0].forgotten is None else _concatenate([part.forgotten for part in parts])  # type: ignore[misc]
    return Reader(header, [Block(0, metrics, rows, states, samples)], forgotten=forgotten)


def add_replicates(path: Path, part: Path, experiment_json: str, experiment_text: str, digest: str) -> None:
    """Add the replicates of a finished run to those of the file at `path`, then remove the file `part`.

    One rename replaces the file at `path`; a kill leaves both files, or the new one.

    Raises
    ------
    InputError
        Another process writes to the path.
    UnreadableResults
        A file is damaged, or they do not belong together.
    StoreError
        The file cannot be written.
    """
    before, added = check_file(path), check_file(part)
    clear_leftovers(path, before.header.digest)
    folder = PartsFolder(path)
    try:
        for what in ("n_generations", "metrics", "states", "samples", "engine", "weighted", "trajectory"):
            if getattr(before.header, what) != getattr(added.header, what):
                raise UnreadableResults(f"{part}: {what} must be that of {path}")
        provenance = {**before.header.provenance}
        at = {"first_replicate": added.header.first_replicate, **added.header.provenance}
        provenance["added"] = [*provenance.get("added", ()), at]
        joined = join_replicates([before, added], experiment_json, experiment_text, digest)
        header = dataclasses.replace(joined.header, provenance=provenance)
        arrays, rename = run_arrays(joined, dims=True), Rename(folder.folder, replace=True, check=folder.check)
        write_file(path, arrays, groups_of(header, joined.blocks), rename)
    finally:
        folder.release()
    part.unlink(missing_ok=True)


def _concatenate(arrays: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays, axis=0)


def _merge_rows(split: Sequence[Rows], n_generations: int) -> Rows:
    """Return the rows of all ranges in the order of one run: all replicates of a generation, then the next one."""
    lengths = np.concatenate([np.diff(rows.indptr).reshape(n_generations, -1) for rows in split], axis=1)
    indptr = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths.reshape(-1), out=indptr[1:])
    merged: list[np.ndarray] = []
    for column in range(1, len(split[0])):
        arrays: list[np.ndarray] = [rows[column] for rows in split]
        dtype = max((a.dtype for a in arrays), key=lambda dtype: dtype.itemsize)
        out = np.empty((int(indptr[-1]), *arrays[0].shape[1:]), dtype)
        at = 0
        for t in range(n_generations):
            for rows, values in zip(split, arrays, strict=True):
                n_replicates = (len(rows.indptr) - 1) // n_generations
                low, high = int(rows.indptr[t * n_replicates]), int(rows.indptr[(t + 1) * n_replicates])
                out[at : at + high - low] = values[low:high]
                at += high - low
        merged.append(out)
    return type(split[0])(indptr, *merged)


def _range_rows(blocks: Sequence[Block]) -> CountRows:
    """Return the counts of one range as one matrix."""
    found = [block.rows for block in blocks if block.rows is not None]
    starts = np.cumsum([0, *(int(rows.indptr[-1]) for rows in found)])
    pointers = [rows.indptr[1:] + start for rows, start in zip(found, starts[:-1], strict=True)]
    return CountRows(
        np.concatenate([np.zeros(1, np.int64), *pointers]),
        np.concatenate([rows.indices for rows in found]),
        np.concatenate([rows.data for rows in found]),
    )
