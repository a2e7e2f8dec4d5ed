"""The folder of a run that is being written: one writer at a time, and what a kill has left in it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fastcollapse.errors import InputError
from fastcollapse.storage.checksums import SIGNATURE
from fastcollapse.storage.file_lock import Lock, Taken, owner

_LOCK = "lock"
# The finished run that --overwrite has put aside until the new one has committed something of its own to lose.
_REPLACED = "replaced.h5"
_TEMPORARY = ".tmp"
_TRIES = 10


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


def part_path(folder: Path, number: int) -> Path:
    """Return the path of a part; number 0 is the header."""
    return folder / f"part-{number:05d}.h5"


def temporary_path(path: Path) -> Path:
    """Return where a file of the folder is written before it has its name."""
    return path.with_name(path.name + _TEMPORARY)


def is_begun(path: Path) -> bool:
    """Has a run to `path` left parts that can be read?"""
    return os.path.isfile(part_path(parts_folder(path), 0))


def writer_of(path: Path) -> str | None:
    """Return the process that writes to `path`, in words; None if there is none."""
    return owner(parts_folder(path) / _LOCK)


def check_free(path: Path, overwrite: bool = False, resume: bool = False) -> None:
    """Refuse a path that a run cannot have; touches nothing.

    Parameters
    ----------
    overwrite : a results file there, finished or not, is to be replaced.
    resume : parts there are to be gone on with.

    Raises
    ------
    InputError : saying what is in the way.
    """
    writer = writer_of(path)
    if writer:
        raise _taken(path, writer)
    if not resume:
        check_taken(path, overwrite)


def _taken(path: Path, writer: object) -> InputError:
    return InputError(f"output must be written by one run at a time, got {path}: {writer} is writing it")


def check_taken(path: Path, overwrite: bool = False) -> None:
    """Refuse a path that has been used, whoever writes there now; see `check_free`."""
    folder = parts_folder(path)
    if overwrite:
        _check_replaceable(path)
    elif os.path.lexists(path):
        raise InputError(f"output must be a new file, got {path}: it exists, choose another name or overwrite it")
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise InputError(f"output must be a new file, got {path}: {folder} exists and is not a folder")
    if is_begun(path) and not overwrite:
        raise InputError(
            f"output must be a new file, got {path}: {folder} holds a run that is not finished, resume it, "
            "choose another name or overwrite it"
        )
    listed = _listed(folder)
    in_the_way = [one.name for one in listed if not _is_ours(one) or (_is_part(one) and not overwrite)]
    if in_the_way:
        raise InputError(f"output must be a new file, got {path}: {folder} exists and holds {', '.join(in_the_way)}")


def _check_replaceable(path: Path) -> None:
    if not os.path.lexists(path):
        return
    if os.path.isfile(path) and not os.path.islink(path):
        with suppress(OSError), open(path, "rb") as file:
            if file.read(len(SIGNATURE)) in (SIGNATURE, b""):  # a damaged one too
                return
    raise InputError(f"output must be a results file to be overwritten, got {path}: it is something else")


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_part(path: Path) -> bool:
    return path.name.startswith("part-") and path.suffix == ".h5"


def _is_ours(path: Path) -> bool:
    return _is_part(path) or path.name in (_LOCK, _REPLACED) or path.name.endswith(_TEMPORARY)


class Workplace:
    """The parts folder of one writer, locked until it is released.

    Parameters
    ----------
    path : the results file to be.

    Raises
    ------
    InputError : another writer has it, or the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = parts_folder(path)
        self._made = [folder for folder in (self.folder, *path.parents) if not os.path.lexists(folder)]
        try:
            self._lock = self._acquired()
        except Taken as error:
            raise _taken(path, error) from error
        except OSError as error:
            self._remove_made()
            raise InputError(
                f"output must be in a folder that can be written, got {path}: {path.parent}: {error.strerror}"
            ) from error
        for left in _listed(self.folder):  # of a writer that was killed
            if left.name.endswith(_TEMPORARY):
                left.unlink(missing_ok=True)

    def _acquired(self) -> Lock:
        for _ in range(_TRIES):
            self.folder.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # a writer that ends just now removes the folder
                return Lock(self.folder / _LOCK)
        raise Taken("another process")

    def put_aside(self) -> None:
        """Remove the parts of an earlier run and keep its finished file, if any, until `remove`."""
        self._remove_parts()
        if os.path.lexists(self.path):
            os.replace(self.path, self.folder / _REPLACED)

    def put_back(self) -> None:
        """Give a finished file that was put aside its name again, if nothing has come of the new run."""
        replaced = self.folder / _REPLACED
        if not is_begun(self.path) and replaced.exists() and not os.path.lexists(self.path):
            os.rename(replaced, self.path)

    def remove(self) -> None:
        """Remove the folder, parts last to first, so that a kill leaves what can still be read, and the lock."""
        (self.folder / _REPLACED).unlink(missing_ok=True)
        self._remove_parts()
        self.release()

    def discard(self) -> None:
        """Remove a run that has committed nothing; what was put aside is back."""
        self._remove_parts()
        self.put_back()
        self.release()

    def _remove_parts(self) -> None:
        for path in reversed(_listed(self.folder)):
            if _is_part(path) or path.name.endswith(_TEMPORARY):
                path.unlink(missing_ok=True)

    def release(self) -> None:
        """Let go of the lock; a folder that holds nothing goes too, and those above it that were made for it."""
        self._lock.release()
        with suppress(OSError):
            self.folder.rmdir()
        self._remove_made()

    def _remove_made(self) -> None:
        with suppress(OSError):
            for folder in self._made:
                if folder.exists():
                    folder.rmdir()


def numbers(folder: Path) -> Iterator[int]:
    """Yield the numbers of the parts that are there."""
    for path in _listed(folder):
        digits = path.name.removeprefix("part-").removesuffix(".h5")
        if _is_part(path) and digits.isdigit():
            yield int(digits)
