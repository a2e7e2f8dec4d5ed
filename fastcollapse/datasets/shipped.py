"""Files shipped with the project: data, recipes and sweeps; the search for a data file."""

from pathlib import Path

from fastcollapse.config.fields import show
from fastcollapse.errors import InputError


def find_data(path: str, base: Path | None = None, key: str = "path") -> Path:
    """Return the file that a path names.

    It is looked for as given, then in the folder of the experiment file, then among the files shipped with
    the project, where a leading "data/" may be left out.

    Parameters
    ----------
    path
        As the user wrote it.
    base
        Folder of the experiment file.
    key
        The key the path came from, for errors.

    Raises
    ------
    InputError
        No such file, or not a regular file.

    Examples
    --------
    >>> find_data("data/wikitext2_sample.txt.gz").name
    'wikitext2_sample.txt.gz'
    """
    given = Path(path)
    candidates = [given, *([base / given] if base else []), data_folder() / given]
    if given.parts[:1] == ("data",):
        candidates.append(data_folder().joinpath(*given.parts[1:]))
    try:
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        found = (
            "a directory"
            if any(c.is_dir() for c in candidates)
            else ("a device or pipe" if any(c.exists() for c in candidates) else "no such file")
        )
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or str(error)
    raise InputError(f"{key} must be a file, got {show(path)}: {found}")


def data_folder() -> Path:
    """Return the folder of the shipped data: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).parents[1]
    return package / "data" if (package / "data").is_dir() else package.parent / "data"


def recipes() -> dict[str, Path]:
    """Return the experiments shipped with the project, by name.

    Examples
    --------
    >>> "wikitext2-unigram" in recipes()
    True
    """
    return {path.stem: path for path in sorted((data_folder() / "recipes").glob("*.toml"))}


def sweeps() -> dict[str, Path]:
    """Return the sweeps shipped with the project, by name.

    Examples
    --------
    >>> "cot-gau" in sweeps()
    True
    """
    return {path.stem: path for path in sorted((data_folder() / "sweeps").glob("*.toml"))}


def describe_recipe(path: Path) -> str:
    """Return what an experiment file says about itself: its first line, if that is a comment, otherwise "".

    Examples
    --------
    >>> describe_recipe(recipes()["wikitext2-unigram"])
    'Unigram model retrained on its own text: 1000 generations of the WikiText-2 sample'
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        first = file.readline(1000)
    return first.lstrip("# ").strip() if first.startswith("#") else ""
