"""Kinds of paths: which call is meant where a call is given the path of something else."""

import difflib
import itertools
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fastcollapse.config.output_paths import FIGURES, RESULTS, names_in
from fastcollapse.datasets.shipped import recipes, sweeps
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment_file import read_toml
from fastcollapse.storage.checksums import SIGNATURE
from fastcollapse.storage.hdf5_file import read_file
from fastcollapse.storage.layout import COLLECTED, PACK
from fastcollapse.storage.part_files import is_begun
from fastcollapse.sweeps.manifest import MANIFEST

# Kind -> what the path is, and the call for it.
_MEANT = {
    "results": "{path} is the results file of a run: use open_results({path})",
    "parts": "{path} is a part of an unfinished run: use open_results({owner})",
    "collected": "{path} is a collected sweep: use open_sweep({path})",
    "sweep folder": "{path} is the folder of a sweep: use open_sweep({path})",
    "in a sweep": "{path} is a part of a sweep: use open_sweep({owner}), and its results(n) for the results of point n",
    "experiment": "{path} is an experiment file without a section [sweep]: use simulate({path})",
    "sweep file": "{path} is an experiment file with a section [sweep]: use run_sweep({path}, FOLDER)",
    "recipe": "{path} is the name of a recipe: use simulate({path})",
    "recipe.toml": "{path} does not exist; {owner} is a recipe: use simulate({owner})",
    "shipped sweep": "{path} is the name of a sweep: use run_sweep({path}, FOLDER)",
    "shipped sweep.toml": "{path} does not exist; {owner} is a sweep: use run_sweep({owner}, FOLDER)",
    "figure": "{path} is a figure: use open_results({owner})",
}


@contextmanager
def call_for(path: str | os.PathLike[str], *expected: str) -> Iterator[None]:
    """Name the call that is meant if what is done with a path fails because the path is of another kind.

    Parameters
    ----------
    expected : kinds that the caller accepts; for these its own error is kept.

    Raises
    ------
    InputError
        With the call that is meant, or with a file of a similar name if there is none at the path.
    """
    try:
        yield
    except InputError as error:
        raise explained(error, path, expected, _MEANT, repr) from error.__cause__


def explained(
    error: InputError,
    path: str | os.PathLike[str],
    expected: Collection[str],
    meanings: Mapping[str, str],
    quoted: Callable[[str], str],
) -> InputError:
    """Return the error that says what is meant, if something failed because a path is of another kind.

    It names a file of a similar name if there is none at the path. Otherwise the error itself is returned.

    Parameters
    ----------
    error : the error of what was done with the path.
    expected : kinds that the caller accepts; for these its own error is kept.
    meanings : kind -> message with the fields `path` and `owner`. The kinds are "results", "parts", "collected",
        "sweep folder", "in a sweep", "experiment", "sweep file", "recipe", "recipe.toml", "shipped sweep",
        "shipped sweep.toml" and "figure".
    quoted : path -> its text in the message.
    """
    kinds = _kinds(Path(path))
    if kinds and not set(expected) & kinds.keys():
        kind, owner = next(iter(kinds.items()))
        return InputError(meanings[kind].format(path=quoted(str(path)), owner=quoted(str(owner))))
    hint = "" if kinds or "did you mean" in str(error) else _similar_file(Path(path))
    return InputError(f"{error}{hint}") if hint else error


def _kinds(path: Path) -> dict[str, Path]:
    """Return the kinds of a path, with the path that belongs to each; empty if it is of no known kind."""
    try:
        if os.path.lexists(path / MANIFEST):
            return {"sweep folder": path}
        found = _kinds_of_file(path) if path.is_file() else {}
        for folder in itertools.islice(path.parents, 2):
            if not found and os.path.lexists(folder / MANIFEST) and path.exists():
                return {"in a sweep": folder}
        for folder in (path, path.parent):
            run = folder.with_suffix("") if folder.suffix == ".parts" else None
            if run is not None and is_begun(run):
                return {"parts": run}
        return found if path.exists() else _kinds_of_name(path)
    except (OSError, ValueError, InputError):  # a path that cannot be read has no kind: its own error is kept
        return {}


def _kinds_of_file(path: Path) -> dict[str, Path]:
    with open(path, "rb") as file:
        start = file.read(len(SIGNATURE))
    if start == SIGNATURE:
        kind = read_file(path).attributes["/"].get("kind")
        return {} if kind == PACK else {"collected" if kind == COLLECTED else "results": path}
    if path.suffix.lower() in FIGURES:
        beside = [path.with_suffix(ending) for ending in RESULTS if path.with_suffix(ending).is_file()]
        return dict.fromkeys(["figure"], beside[0]) if beside else {}
    if path.suffix.lower() == ".toml":
        return {"sweep file" if "sweep" in read_toml(path)[0] else "experiment": path}
    return {}


def _kinds_of_name(path: Path) -> dict[str, Path]:
    """Return the kinds of a path at which there is no file."""
    if path.name and is_begun(path):
        return {"results": path}
    name, ending = (path.stem, ".toml") if path.suffix == ".toml" else (str(path), "")
    shipped = {"recipe": recipes(), "shipped sweep": sweeps()}
    return {f"{kind}{ending}": Path(name) for kind, names in shipped.items() if name in names}


def _similar_file(path: Path) -> str:
    """Return a hint that names a file of a similar name, where there is none at the path."""
    if os.path.lexists(path):
        return ""
    names = names_in(path.parent)
    whole = [f"{path.name}{ending}" for ending in RESULTS if f"{path.name}{ending}" in names]
    if whole:
        return f" (did you mean '{whole[0]}'?)"
    # Stems are compared, because two names are not similar by their ending.
    stems = {Path(name).stem: name for name in names if Path(name).suffix == path.suffix}
    close = difflib.get_close_matches(path.stem, stems, n=1)
    return f" (did you mean '{stems[close[0]]}'?)" if close else ""
