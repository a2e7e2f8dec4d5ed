"""Parts folder of a run in progress: exclusive lock and recovery after a crash."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fastcollapse.errors import InputError
from fastcollapse.storage.checksums import SIGNATURE
from fastcollapse.storage.file_lock import AlreadyLocked, Lock, owner

_LOCK = "lock"
# The previous run when a file is overwritten; it is deleted after the new run is complete.
_REPLACED = "replaced.h5"
_TEMPORARY = ".tmp"
_TRIES = 10


def parts_folder(path: Path) -> Path:
    """Return the folder of the parts of an unfinished run.

    Raises
    ------
    InputError
        The path does not end in a file name.

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
    """Return the temporary name of a file while it is written."""
    return path.with_name(path.name + _TEMPORARY)


def is_begun(path: Path) -> bool:
    """Whether there are readable parts of a run to `path`."""
    return os.path.isfile(part_path(parts_folder(path), 0))


def writer_of(path: Path) -> str | None:
    """Return the process that writes to `path`, for example "process 22407 on vm", or None."""
    return owner(parts_folder(path) / _LOCK)


def check_free(path: Path, overwrite: bool = False, resume: bool = False) -> None:
    """Check that a run can write to a path; nothing is written.

    Parameters
    ----------
    overwrite : whether the run replaces an existing results file, finished or not.
    resume : whether the run resumes from existing parts.

    Raises
    ------
    InputError
        Another process writes to the path, or a file exists there.
    """
    writer = writer_of(path)
    if writer:
        raise _busy(path, writer)
    if not resume:
        check_unused(path, overwrite)


def _busy(path: Path, writer: object) -> InputError:
    return InputError(f"{path} is being written by {writer}")


def check_unused(path: Path, overwrite: bool = False) -> None:
    """Check that nothing exists at a path that a run would replace; see `check_free`."""
    folder = parts_folder(path)
    if overwrite:
        _check_replaceable(path)
    elif os.path.lexists(path):
        raise InputError(f"{path} already exists; overwrite it (overwrite=True, --overwrite) or choose another name")
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise InputError(f"output must be a new file, got {path}: {folder} exists and is not a folder")
    if is_begun(path) and not overwrite:
        raise InputError(
            f"{folder} holds an unfinished run; resume it (resume=True, --resume), overwrite it or choose another name"
        )
    listed = _listed(folder)
    foreign = [one.name for one in listed if not _is_ours(one) or (_is_part(one) and not overwrite)]
    if foreign:
        raise InputError(f"output must be a new file, got {path}: {folder} exists and holds {', '.join(foreign)}")


def _check_replaceable(path: Path) -> None:
    if not os.path.lexists(path):
        return
    if os.path.isfile(path) and not os.path.islink(path):
        with suppress(OSError), open(path, "rb") as file:
            if file.read(len(SIGNATURE)) in (SIGNATURE, b""):  # also a damaged results file
                return
    raise InputError(f"{path} is not a results file and is not overwritten")


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_part(path: Path) -> bool:
    return path.name.startswith("part-") and path.suffix == ".h5"


def _is_ours(path: Path) -> bool:
    return _is_part(path) or path.name in (_LOCK, _REPLACED) or path.name.endswith(_TEMPORARY)


class PartsFolder:
    """Parts folder of one writer, locked until it is released.

    Parameters
    ----------
    path : results file of the run.

    Raises
    ------
    InputError
        Another process has the lock, or the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = parts_folder(path)
        self._created = [folder for folder in (self.folder, *path.parents) if not os.path.lexists(folder)]
        try:
            self._lock = self._acquire()
        except AlreadyLocked as error:
            raise _busy(path, error) from error
        except OSError as error:
            self._remove_created()
            raise InputError(
                f"output must be in a folder that can be written, got {path}: {path.parent}: {error.strerror}"
            ) from error
        for path in _listed(self.folder):  # temporary files of a killed writer
            if path.name.endswith(_TEMPORARY):
                with suppress(OSError):  # a folder of that name is none of ours
                    path.unlink()

    def _acquire(self) -> Lock:
        for _ in range(_TRIES):
            self.folder.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # a writer that ends at this moment removes the folder
                return Lock(self.folder / _LOCK)
        raise AlreadyLocked("another process")

    def stash_previous(self) -> None:
        """Remove the parts of the previous run, and keep its finished file until `remove`."""
        self._remove_parts()
        if os.path.lexists(self.path):
            os.replace(self.path, self.folder / _REPLACED)

    def restore_previous(self) -> None:
        """Rename the file of the previous run back if the new run has committed nothing."""
        previous = self.folder / _REPLACED
        if not is_begun(self.path) and previous.exists() and not os.path.lexists(self.path):
            os.rename(previous, self.path)

    def remove(self) -> None:
        """Remove the previous run, the parts in reverse order (after a kill the rest is readable), and the folder."""
        (self.folder / _REPLACED).unlink(missing_ok=True)
        self._remove_parts()
        self.release()

    def discard(self) -> None:
        """Remove a run that has committed nothing, and restore the previous run."""
        self._remove_parts()
        self.restore_previous()
        self.release()

    def _remove_parts(self) -> None:
        for path in reversed(_listed(self.folder)):
            if _is_part(path) or path.name.endswith(_TEMPORARY):
                path.unlink(missing_ok=True)

    def release(self) -> None:
        """Release the lock; remove the folder if it is empty, and the parent folders that were made for it."""
        self._lock.release()
        with suppress(OSError):
            self.folder.rmdir()
        self._remove_created()

    def _remove_created(self) -> None:
        with suppress(OSError):
            for folder in self._created:
                if folder.exists():
                    folder.rmdir()


def part_numbers(folder: Path) -> Iterator[int]:
    """Yield the numbers of the existing parts."""
    for path in _listed(folder):
        digits = path.name.removeprefix("part-").removesuffix(".h5")
        if _is_part(path) and digits.isdigit():
            yield int(digits)
