"""Files shipped with the project: data, recipes and sweeps; the search for a data file."""

import functools
import glob
import hashlib
from pathlib import Path

from fastcollapse.config.fields import show
from fastcollapse.errors import InputError


def find_data(path: str, base: Path | None = None, key: str = "path") -> Path:
    """Return the file of a path.

    The search order is the path itself, the folder of the experiment file, and the data shipped with fastcollapse,
    where a leading "data/" may be omitted.

    Parameters
    ----------
    path : the path as written by the user.
    base : folder of the experiment file.
    key : key of the path, for errors.

    Raises
    ------
    InputError
        The file does not exist, or is not a regular file.

    Examples
    --------
    >>> find_data("data/wikitext2_sample.txt.gz").name
    'wikitext2_sample.txt.gz'
    """
    candidates = [folder / name for folder, name in _places(Path(path), base)]
    try:
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        if any(candidate.is_dir() for candidate in candidates):
            problem = "a directory"
        else:
            problem = "a device or pipe" if any(candidate.exists() for candidate in candidates) else "no such file"
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
    raise InputError(f"{key} must be a file, got {show(path)}: {problem}")


def match_data(pattern: str, base: Path | None = None, key: str = "path") -> list[str]:
    """Return the paths of the files that a pattern with `*`, `?`, `[...]` or `**` matches, sorted.

    The first folder with a match counts, in the order of `find_data`. The paths are relative to it, as the pattern.

    Raises
    ------
    InputError
        No file matches.

    Examples
    --------
    >>> match_data("data/*sample.txt.gz")
    ['data/wikitext2_sample.txt.gz']
    """
    problem = ""
    try:
        for folder, name in _places(Path(pattern), base):
            before = Path(*Path(pattern).parts[: len(Path(pattern).parts) - len(name.parts)])
            found = glob.glob(str(name), root_dir=folder, recursive=True)
            files = sorted((before / path).as_posix() for path in found if (folder / path).is_file())
            if files:
                return files
    except (OSError, ValueError) as error:
        problem = f": {getattr(error, 'strerror', None) or error}"
    raise InputError(f"{key} must match at least one file, got {show(pattern)}{problem}")


def _places(given: Path, base: Path | None) -> list[tuple[Path, Path]]:
    """Return the folders that are searched for a path or a pattern, each with the path inside it."""
    places = [(Path(), given), *([(base, given)] if base else []), (data_folder(), given)]
    if given.parts[:1] == ("data",):
        places.append((data_folder(), Path(*given.parts[1:])))
    return places


def data_folder() -> Path:
    """Return the folder of the shipped data: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).parents[1]
    return package / "data" if (package / "data").is_dir() else package.parent / "data"


@functools.cache
def shipped_digest(path: str) -> str | None:
    """Return the SHA-256 of the shipped data file of a path, None if there is none."""
    shipped = data_folder() / path.removeprefix("data/")
    return hashlib.sha256(shipped.read_bytes()).hexdigest() if shipped.is_file() else None


def recipes() -> dict[str, Path]:
    """Return the paths of the shipped experiments by name.

    Examples
    --------
    >>> "wikitext2-unigram" in recipes()
    True
    """
    return {path.stem: path for path in sorted((data_folder() / "recipes").glob("*.toml"))}


def sweeps() -> dict[str, Path]:
    """Return the paths of the shipped sweeps by name.

    Examples
    --------
    >>> "cot-gau" in sweeps()
    True
    """
    return {path.stem: path for path in sorted((data_folder() / "sweeps").glob("*.toml"))}


def describe_recipe(path: Path) -> str:
    """Return the description of an experiment file: its first line if that is a comment, otherwise "".

    Examples
    --------
    >>> describe_recipe(recipes()["wikitext2-unigram"])
    'Unigram model retrained on its own text: 1000 generations, WikiText-2 sample'
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        first_line = file.readline(1000)
    return first_line.lstrip("# ").strip() if first_line.startswith("#") else ""
