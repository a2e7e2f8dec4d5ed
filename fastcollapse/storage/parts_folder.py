"""Parts folder of a run in progress: exclusive lock and recovery after a crash."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fastcollapse.errors import InputError, LostRun
from fastcollapse.storage.atomic_write import TEMPORARY
from fastcollapse.storage.checksums import SIGNATURE
from fastcollapse.storage.file_lock import AlreadyLocked, Lock, owner
from fastcollapse.storage.part_files import (
    REPLACES,
    is_begun,
    is_replacing,
    listed,
    listed_parts,
    note_replaced,
    part_of,
    parts_folder,
)

_LOCK = "lock"
# Version 0.1 moved the file that a run replaces here.
_REPLACED_0_1 = "replaced.h5"
_TRIES = 10


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
    _check_replaceable(path, overwrite)
    if not overwrite and os.path.lexists(path):
        raise InputError(
            f"{path} already exists and cannot be resumed (resume=True, --resume); overwrite it (overwrite=True, "
            "--overwrite) or choose another name"
        )
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise InputError(f"output must be a new file, got {path}: {folder} exists and is not a folder")
    if is_begun(path) and not overwrite:
        raise unfinished(path)
    foreign = [one.name for one in listed(folder) if not _is_ours(one) or (part_of(one) and not overwrite)]
    if foreign:
        raise InputError(f"output must be a new file, got {path}: {folder} exists and holds {', '.join(foreign)}")


def unfinished(path: Path, differences: Sequence[str] = ()) -> InputError:
    """Return the refusal of a new run to a path whose parts are of an unfinished run.

    Parameters
    ----------
    differences : lines about the keys in which the new experiment differs from that of the unfinished run.
    """
    run = f"an unfinished run, which will replace {path}" if is_replacing(path) else "an unfinished run"
    if differences:
        return InputError(
            f"{parts_folder(path)} holds {run}, of another experiment ({'; '.join(differences)}); overwrite it "
            "(overwrite=True, --overwrite), choose another name, or resume it with its own experiment "
            "(resume=True, --resume)"
        )
    return InputError(
        f"{parts_folder(path)} holds {run}; resume it (resume=True, --resume), overwrite it (overwrite=True, "
        "--overwrite) or choose another name"
    )


def _check_replaceable(path: Path, overwrite: bool) -> None:
    if not os.path.lexists(path):
        return
    if os.path.isfile(path) and not os.path.islink(path):
        with suppress(OSError), open(path, "rb") as file:
            if file.read(len(SIGNATURE)) in (SIGNATURE, b""):  # also a damaged results file
                return
    if overwrite:
        raise InputError(f"{path} is not a results file and is not overwritten")
    raise InputError(
        f"{path} already exists and is not a results file: choose another name (resume=True, --resume and "
        "overwrite=True, --overwrite need a results file)"
    )


def _is_ours(path: Path) -> bool:
    is_part = part_of(path) is not None
    return is_part or path.name in (_LOCK, REPLACES, _REPLACED_0_1) or path.name.endswith(TEMPORARY)


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
        for one in listed(self.folder):  # temporary files of a killed writer
            if one.name.endswith(TEMPORARY):
                with suppress(OSError):  # a folder of that name is none of ours
                    one.unlink()
        self._restore_0_1()

    def _acquire(self) -> Lock:
        for _ in range(_TRIES):
            self.folder.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # a writer that ends at this moment removes the folder
                return Lock(self.folder / _LOCK)
        raise AlreadyLocked("another process")

    def _restore_0_1(self) -> None:
        """Rename the finished file that a stopped run of version 0.1 has moved away back to its name."""
        moved = self.folder / _REPLACED_0_1
        if moved.exists() and not os.path.lexists(self.path):
            if is_begun(self.path):
                note_replaced(self.path, moved)
            os.rename(moved, self.path)

    def check(self) -> None:
        """Check that this writer still has the folder.

        Raises
        ------
        LostRun
            The folder or its lock was removed, or another process has taken it.
        """
        if not self._lock.is_held():
            writer = writer_of(self.path)
            raise LostRun(
                f"{self.folder}: is no longer the folder of this run: "
                + (f"{writer} writes to it" if writer else "it was removed, or another process writes to it")
            )

    def start(self) -> None:
        """Remove the parts of an earlier run; a finished file at the path stays until the new run is complete."""
        self._remove_parts()
        (self.folder / REPLACES).unlink(missing_ok=True)
        if os.path.lexists(self.path):
            note_replaced(self.path, self.path)

    def remove(self) -> None:
        """Remove the parts in reverse order (after a kill the rest is readable) and the folder."""
        if self._lock.is_held():
            self._remove_parts()
            for name in (REPLACES, _REPLACED_0_1):
                (self.folder / name).unlink(missing_ok=True)
        self.release()

    def _remove_parts(self) -> None:
        for part in reversed(listed_parts(self.folder)):
            part.path.unlink(missing_ok=True)

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
