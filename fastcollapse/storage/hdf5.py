"""Runs as HDF5 files (FORMAT.md): parts while running, one file at the end; the one importer of h5py.

HDF5 only ever sees memory: it lays a file out on `_Pages`, a file object that keeps the few KB of metadata,
and the arrays go from where they are to their offsets with `pwrite`. So a full disk is a plain `OSError` (an
open HDF5 file would crash the interpreter at exit), and an array is copied once. All data sets are contiguous
and uncompressed, and read back as memory maps; FORMAT.md has the measurements.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np

from fastcollapse.errors import InputError, UnreadableResults
from fastcollapse.storage.base import Block, Header, Reader, Store
from fastcollapse.storage.files import publish, write_new
from fastcollapse.storage.layout import (
    FORMAT,
    FORMAT_VERSION,
    Array,
    Content,
    block_arrays,
    check_format,
    groups_of,
    header_arrays,
    read_block,
    read_header,
    whole,
)

PART_BYTES = 256 << 20
PART_SECONDS = 30.0
_PAGE = 4096
_SCALE_ATTRIBUTES = {"CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid"}
_Decoded = TypeVar("_Decoded")
_NOT_A_VARIABLE = "This is a netCDF dimension but not a netCDF variable."


class _Pages:
    """A sparse file in memory, for h5py's file-object driver."""

    def __init__(self) -> None:
        self.pages: dict[int, bytearray] = {}
        self.size = 0
        self._at = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self.size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def _spans(self, length: int) -> Iterator[tuple[int, int, int, int]]:
        done = 0
        while done < length:
            page, start = divmod(self._at + done, _PAGE)
            n = min(_PAGE - start, length - done)
            yield page, start, done, n
            done += n

    def write(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        for page, start, done, n in self._spans(len(view)):
            self.pages.setdefault(page, bytearray(_PAGE))[start : start + n] = view[done : done + n]
        self._at += len(view)
        self.size = max(self.size, self._at)
        return len(view)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        empty = bytes(_PAGE)
        for page, start, done, n in self._spans(len(view)):
            view[done : done + n] = self.pages.get(page, empty)[start : start + n]
        self._at += len(view)
        return len(view)

    def read(self, size: int = -1) -> bytes:
        buffer = bytearray(self.size - self._at if size < 0 else size)
        self.readinto(buffer)
        return bytes(buffer)

    def truncate(self, size: int | None = None) -> int:
        self.size = self._at if size is None else size
        return self.size

    def flush(self) -> None:
        pass


def _set_attributes(target: Any, attributes: Mapping[str, Any]) -> None:
    for key, value in attributes.items():
        if isinstance(value, str):  # fixed length: xarray's readers stumble over variable-length strings
            raw = value.encode()
            value = np.array(raw, dtype=h5py.string_dtype("utf-8", max(len(raw), 1)))
        target.attrs[key] = value


def _write(path: Path, arrays: Sequence[Array], groups: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a new HDF5 file: data sets, dimension scales by `dims`, attributes of groups ("/": the root)."""
    memory = _Pages()
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    creation.set_attr_creation_order(h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED)
    creation.set_obj_track_times(False)
    pieces: list[tuple[int, Iterable[np.ndarray]]] = []
    with h5py.File(
        memory, "w", libver=("v108", "v110"), track_order=True, alignment_threshold=512, alignment_interval=64
    ) as file:
        for name, attributes in groups.items():
            group = file if name == "/" else file.create_group(name, track_order=True)
            _set_attributes(group, attributes)
        made = {}
        for array in arrays:
            kind = h5py.h5t.py_create(array.dtype.newbyteorder("<"))
            space = h5py.h5s.create_simple(array.shape) if array.shape else h5py.h5s.create(h5py.h5s.SCALAR)
            group = file.require_group(os.path.dirname(array.name) or "/")
            leaf = os.path.basename(array.name).encode()
            made[array.name] = h5py.Dataset(h5py.h5d.create(group.id, leaf, kind, space, dcpl=creation))
            _set_attributes(made[array.name], array.attributes)
            offset = made[array.name].id.get_offset()
            if offset is not None:
                pieces.append((offset, array.converted()))
        _attach_scales(file, arrays, made)
    pages = [(page * _PAGE, [np.frombuffer(memory.pages[page], np.uint8)]) for page in sorted(memory.pages)]
    if pages:  # the last page may reach over the end
        offset, (last,) = pages[-1]
        pages[-1] = (offset, [last[: memory.size - offset]])
    write_new(path, memory.size, [*pages, *pieces])


def _attach_scales(file: h5py.File, arrays: Sequence[Array], made: dict[str, h5py.Dataset]) -> None:
    lengths = {dim: n for a in arrays for dim, n in zip(a.dims, a.shape, strict=bool(a.dims))}
    for dim, length in lengths.items():
        if dim not in made:  # netCDF's way to say "a dimension without coordinates"; takes no room
            made[dim] = file.create_dataset(dim, shape=(length,), dtype=">f4")
            made[dim].make_scale(f"{_NOT_A_VARIABLE}{length:10d}")
        else:
            made[dim].make_scale(dim)
    for array in arrays:
        for axis, dim in enumerate(array.dims):
            if dim != array.name:
                made[array.name].dims[axis].attach_scale(made[dim])


class Hdf5Store(Store):
    """Writes a run to `path`, by way of parts in the folder `path`.parts.

    A part is written by a thread of its own while the run goes on; the next one waits for it. A part that
    could not be written is pending again, and the error comes from the next call that waits.

    Parameters
    ----------
    header : what is known before the first generation.
    path : must not exist; missing folders above it are made.
    part_bytes : a commit writes a part when this much is pending, at least 1; bounds the memory, twice this.
    part_seconds : or when this long has passed since the last one, at least 0; bounds what a kill loses.

    Raises
    ------
    InputError : `path` or its parts exist, or the folder cannot be written.
    """

    def __init__(
        self,
        header: Header,
        path: str | Path,
        part_bytes: int = PART_BYTES,
        part_seconds: float = PART_SECONDS,
    ) -> None:
        super().__init__(header)
        self.path = Path(path)
        self.parts = parts_folder(self.path)
        self._part_bytes = part_bytes
        self._part_seconds = part_seconds
        self._pending_bytes = 0
        self._n_parts = 0
        self._finished = False
        self._writer = ThreadPoolExecutor(1, "fastcollapse-parts")
        self._writing: Future[None] | None = None
        self._in_part: list[Block] = []
        for taken in (self.path, self.parts):
            if os.path.lexists(taken):
                raise InputError(
                    f"output must be a new file, got {self.path}: {taken} exists, choose another name or remove it"
                )
        self._made = [folder for folder in self.path.parents if not os.path.lexists(folder)]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.parts.mkdir()
        except OSError as error:
            self._remove_made()  # not the parts: another run may have just made them
            raise InputError(
                f"output must be in a folder that can be written, got {self.path}: {self.path.parent}: {error.strerror}"
            ) from error
        arrays = [*block_arrays(header, [], dims=False), *header_arrays(header)]
        self._start_part([a for a in arrays if a.name != "generation"], groups_of(header, []))

    def _remove(self) -> None:
        shutil.rmtree(self.parts, ignore_errors=True)
        self._remove_made()

    def _remove_made(self) -> None:
        """Remove the folders made above `path`, as far as nothing else has come into them."""
        with suppress(OSError):
            for folder in self._made:
                folder.rmdir()

    def _start_part(self, arrays: Sequence[Array], groups: Mapping[str, Mapping[str, Any]]) -> None:
        """Begin to write what is pending, as `arrays`; the last part is done."""
        self._last_part = time.monotonic()
        self._in_part, self._pending, self._pending_bytes = self._pending, [], 0
        self._writing = self._writer.submit(self._write_part, arrays, groups)

    def _write_part(self, arrays: Sequence[Array], groups: Mapping[str, Mapping[str, Any]]) -> None:
        name = f"part-{self._n_parts:05d}.h5"
        temporary = self.parts / f"{name}.tmp"
        _write(temporary, arrays, groups)
        publish(temporary, self.parts / name)
        self._n_parts += 1

    def _wait(self) -> None:
        """Wait for the part that is being written; if that failed, its blocks are pending again."""
        if self._writing is None:
            return
        wait([self._writing])  # apart from its result: Ctrl-C here does not mean that the part failed
        error = self._writing.exception()
        if error is None or self._n_parts > 0:  # without the first part none can be read: it stays failed
            self._writing = None
        failed, self._in_part = self._in_part if error else [], []
        self._pending[:0] = failed
        self._pending_bytes += sum(block.nbytes for block in failed)
        if error is not None:
            raise error

    def append(self, block: Block) -> None:
        """Add the next block; see `Store.append`."""
        super().append(block)
        self._pending_bytes += self._pending[-1].nbytes

    def commit(self, state: Mapping[str, np.ndarray], force: bool = False) -> None:
        """Write a part if enough is pending, enough time has passed, or `force`; see `Store.commit`."""
        late = time.monotonic() - self._last_part >= self._part_seconds
        if self._writing is not None and self._writing.done():
            self._wait()
        if self._pending and (force or late or self._pending_bytes >= self._part_bytes):
            self._wait()
            arrays = block_arrays(self.header, self._pending, dims=False)
            # Copies: the model goes on while they are written.
            arrays += [whole(f"state/{name}", np.array(values)) for name, values in state.items()]
            version = np.int64(FORMAT_VERSION)
            root = {"format": FORMAT, "format_version": version, "digest": self.header.digest}
            self._start_part(arrays, {"/": root})
        if force:
            self._wait()

    def finish(self, final: Mapping[str, np.ndarray]) -> Reader:
        """Collect everything into `path`, streaming from the parts, and remove them; see `Store.finish`."""
        self._wait()
        header = self.header
        blocks = [block for block, _ in _read_parts(self.parts, header)] + self._pending
        arrays = block_arrays(header, blocks, dims=True)
        if "forgotten" in final:
            values = np.asarray(final["forgotten"], np.int32)
            arrays.append(whole("forgotten", values, ("replicate", "symbol")))
        temporary = self.parts / "final.tmp"
        _write(temporary, arrays + header_arrays(header), groups_of(header, blocks))
        publish(temporary, self.path)
        self._finished = True
        self._pending.clear()
        shutil.rmtree(self.parts, ignore_errors=True)
        return _read_whole(self.path, header)

    def close(self) -> None:
        """Drop what is pending; the committed parts stay, or nothing if there are none."""
        self._writer.shutdown()
        self._pending.clear()
        if not self._finished and self._n_parts <= 1:
            self._remove()


def parts_folder(path: Path) -> Path:
    """Return the folder of the parts of a running run.

    Raises
    ------
    InputError : the path ends in no file name.

    Examples
    --------
    >>> parts_folder(Path("out.h5")).name
    'out.h5.parts'
    """
    if path.name in ("", ".."):
        raise InputError(f"a results file must have a name, got {str(path)!r}")
    return path.with_name(path.name + ".parts")


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _read(path: Path) -> Content:
    """Return what a file holds, its contiguous arrays as memory maps, and check that it is ours.

    Raises
    ------
    UnreadableResults : naming the path and the reason.
    """
    try:
        whole_file = np.memmap(path, np.uint8, "r")
        arrays: dict[str, np.ndarray] = {}
        attributes: dict[str, dict[str, Any]] = {}

        def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if _text(item.attrs.get("NAME", "")).startswith(_NOT_A_VARIABLE):
                return
            attributes[name] = {k: _text(v) for k, v in item.attrs.items() if k not in _SCALE_ATTRIBUTES}
            if isinstance(item, h5py.Dataset):
                offset = item.id.get_offset()
                if offset is None:
                    arrays[name] = item[()]
                else:
                    raw = whole_file[offset : offset + item.dtype.itemsize * item.size]
                    arrays[name] = np.asarray(raw).view(item.dtype).reshape(item.shape)
            else:
                for key, child in item.items():  # in order of creation, which visititems does not keep
                    visit(key if name == "/" else f"{name}/{key}", child)

        with h5py.File(path, "r", locking=False) as file:
            visit("/", file)
        content = Content(arrays, attributes)
        check_format(content)
        return content
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise UnreadableResults(f"{path}: {_reason(path, error)}") from error


def _reason(path: Path, error: Exception) -> str:
    if os.path.isdir(path):
        return "is a folder, not a results file"
    if isinstance(error, KeyError):
        return f"is damaged: {error.args[0]} is missing"
    if not isinstance(error, OSError):
        text = str(error).splitlines()[0]
        return "is empty" if "empty file" in text else text
    if error.strerror and error.errno and not h5py.is_hdf5(path) and not os.access(path, os.R_OK):
        return f"cannot be read: {error.strerror}"
    return "is cut off or damaged" if h5py.is_hdf5(path) else "is not an HDF5 file"


def _read_parts(folder: Path, header: Header) -> Iterator[tuple[Block, dict[str, np.ndarray]]]:
    """Yield block and state of the complete parts after part 0, up to the first one missing."""
    expected = 0
    for n in range(1, 1 << 31):
        path = folder / f"part-{n:05d}.h5"
        if not path.exists():
            return
        content = _read(path)
        if content.attributes["/"].get("digest") != header.digest:
            raise UnreadableResults(f"{path}: belongs to another experiment")
        block = _decoded(path, partial(read_block, content, header))
        if block.first != expected:
            raise UnreadableResults(f"{path}: starts at generation {block.first} instead of {expected}")
        expected += block.n_generations
        yield block, content.group("state")


def _decoded(path: Path, decode: Callable[[], _Decoded]) -> _Decoded:
    try:
        return decode()
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise UnreadableResults(f"{path}: {_reason(path, error)}") from error


def _read_whole(path: Path, header: Header | None = None) -> Reader:
    """Open a finished run, whose header may be known."""
    try:
        content = _read(path)
    except FileNotFoundError as error:
        raise UnreadableResults(f"{path}: no such file") from error
    known = header or _decoded(path, lambda: read_header(content))
    block = _decoded(path, lambda: read_block(content, known))
    return Reader(known, [block], forgotten=content.arrays.get("forgotten"), path=path)


def open_file(path: str | Path) -> Reader:
    """Open a finished run, or the complete parts of one that is running or was killed.

    Parameters
    ----------
    path : the file that was given to the run, whether or not it exists yet.

    Raises
    ------
    UnreadableResults : missing, foreign, cut off, or of a newer format; naming path and reason.
    """
    path = Path(path)
    folder = parts_folder(path)
    try:
        if not os.path.lexists(path) and os.path.isdir(folder):
            content = _read(folder / "part-00000.h5")
            header = _decoded(path, lambda: read_header(content))
            parts = list(_read_parts(folder, header))
            state = parts[-1][1] if parts else None
            return Reader(header, [block for block, _ in parts], path=path, state=state)
    except FileNotFoundError as error:  # a run that finishes just now removes its parts
        if not os.path.lexists(path):
            raise UnreadableResults(f"{path}: holds no complete part yet") from error
    return _read_whole(path)
