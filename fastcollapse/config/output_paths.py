"""Output paths: the endings of files, and the folders that must exist before a command writes.

A command creates the file that it is given, and a sweep its folder, but no folder above: a folder that does not exist
is most often mistyped. The folder `results`, where `run` and `sweep` write by default, is the exception.
"""

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

from fastcollapse.errors import InputError, nearest

RESULTS = (".h5", ".hdf5")
FIGURES = (".png", ".pdf", ".svg")
# The caption of a figure is beside it: NAME.caption.txt.
CAPTION = ".caption.txt"
DEFAULT_FOLDER = Path("results")
# Endings that the name of a folder must not have: the path of a file is meant.
_FILES = (*RESULTS, *FIGURES, ".toml", ".json", ".csv", ".parquet")
# Maximum number of names in a folder that are compared with a mistyped one.
_MAX_NAMES = 10_000


def check_output_file(path: Path, endings: Sequence[str], what: str = "output") -> None:
    """Refuse the path of a new file that has another ending, or whose folder does not exist or cannot be written.

    Parameters
    ----------
    endings : such as `RESULTS` or `FIGURES`.
    what : what the path is of, for errors.

    Raises
    ------
    InputError
        With the endings that are allowed, or the folder.

    Examples
    --------
    >>> check_output_file(Path("table.csv"), RESULTS)
    Traceback (most recent call last):
    fastcollapse.errors.InputError: output must end in .h5 or .hdf5, got table.csv
    """
    ending = path.suffix.lower()
    if ending not in endings:
        note = ": the figure is written beside the results" if ending in FIGURES else ""
        allowed = " or ".join(filter(None, [", ".join(endings[:-1]), endings[-1]]))
        raise InputError(f"{what} must end in {allowed}, got {path}{note}")
    check_output_parent(path, what)


def check_output_folder(path: Path) -> None:
    """Refuse the path of a folder that has the ending of a file, or whose parent does not exist or cannot be written.

    Raises
    ------
    InputError
        With the ending or the folder.
    """
    if path.suffix.lower() in _FILES:
        raise InputError(f"output must be a folder, got {path}: {path.suffix} is the ending of a file")
    check_output_parent(path / "file" if os.path.isdir(path) else path)


def make_output_folder(path: Path) -> None:
    """Make the folder of an output after `check_output_folder`; it may exist.

    Raises
    ------
    InputError
        See `check_output_folder`; or the folder cannot be made.
    """
    check_output_folder(path)
    _make(path, "output", path)


def make_output_parent(path: Path, what: str = "output") -> None:
    """Make the folder of a new file after `check_output_parent`, if it is `results`.

    Raises
    ------
    InputError
        See `check_output_parent`; or the folder cannot be made.
    """
    check_output_parent(path, what)
    _make(path.parent, what, path)


def _make(folder: Path, what: str, path: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)  # the parent may be `results`
    except OSError as error:
        kind = "be" if folder == path else "be in"
        raise InputError(f"{what} must {kind} a folder that can be made, got {path}: {error.strerror}") from error


def check_output_parent(path: Path, what: str = "output") -> None:
    """Refuse a path in a folder that does not exist or cannot be written.

    Raises
    ------
    InputError
        With the folder, and one of a similar name.

    Examples
    --------
    >>> check_output_parent(Path("nowhere/out.h5"))
    Traceback (most recent call last):
    fastcollapse.errors.InputError: output must be in a folder that exists, got nowhere/out.h5: nowhere does not exist
    """
    folder = path.parent
    if folder == DEFAULT_FOLDER and not os.path.lexists(folder):
        folder = Path()
    if not os.path.lexists(folder):
        hint = _similar_folder(folder)
        raise InputError(f"{what} must be in a folder that exists, got {path}: {folder} does not exist{hint}")
    if not folder.is_dir():
        raise InputError(f"{what} must be in a folder that can be written, got {path}: {folder} is not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{what} must be in a folder that can be written, got {path}: {folder} cannot")


def beside(path: Path, ending: str) -> Path:
    """Return the path of a file beside a results file or the folder of a sweep, with another ending.

    Examples
    --------
    >>> beside(Path("study.h5"), ".csv").name, beside(Path("study"), ".csv").name
    ('study.csv', 'study.csv')
    """
    named = path.resolve() if path.name in ("", "..") else path  # a path such as "." gets the name of its folder
    stem = named.stem if named.suffix in RESULTS else named.name
    return named.with_name(f"{stem}{ending}")


def caption_path(figure: Path) -> Path:
    """Return the path of the caption of a figure.

    Examples
    --------
    >>> caption_path(Path("figures/survival.pdf")).name
    'survival.caption.txt'
    """
    return figure.with_suffix(CAPTION)


def _similar_folder(folder: Path) -> str:
    """Return a hint that names an existing folder whose name is similar to that of the first folder that is missing."""
    missing = folder
    while not os.path.lexists(missing.parent):
        missing = missing.parent
    return nearest(missing.name, [name for name in names_in(missing.parent) if os.path.isdir(missing.parent / name)])


def names_in(folder: Path) -> list[str]:
    """Return the sorted names in a folder, with which a mistyped name is compared; none if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in itertools.islice(entries, _MAX_NAMES))
    except (OSError, ValueError):
        return []
