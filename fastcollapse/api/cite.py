"""Citations as BibTeX: of the package, of a recipe, and of results."""

import functools
import operator
import os
from collections.abc import Sequence
from pathlib import Path

from fastcollapse.analysis.citations import Citations, citations_of, citations_of_file, citations_of_sweep
from fastcollapse.api.sweep_results import SweepResults
from fastcollapse.config.fields import show
from fastcollapse.datasets.recipe_files import find_shipped, unlisted
from fastcollapse.datasets.shipped import recipes, sweeps
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun, check_run
from fastcollapse.sweeps.collected_results import open_sweep
from fastcollapse.sweeps.path_kinds import call_for

Cited = RecordedRun | SweepResults | str | os.PathLike[str]


def cite(what: Cited | Sequence[RecordedRun] | None = None) -> str:
    """Return BibTeX of the package, and of the papers and data that results or a recipe draw upon.

    Each entry has lines that begin with %, which say what it is for: the source of a recipe, a statement of the theory
    beside which the panels show the run, or data. Theory is that of the panels of a run; a recipe that has not run has
    its source and its data.

    Parameters
    ----------
    what : results, or a list of them; the results of a sweep; the path of a results file, of the folder of a sweep, of
        a collected sweep or of an experiment file; the name of a recipe or a sweep. By default the package alone.

    Raises
    ------
    UnreadableResults
        A file cannot be read.
    InputError
        It is something else.

    Examples
    --------
    >>> print(cite("sur-gau").splitlines()[8])
    % recipe: arXiv:2412.17646, figure of Theorem 3
    """
    return _citations(what).bibtex()


def _citations(what: object) -> Citations:
    """Return the citations of what `cite` is given."""
    if what is None:
        return Citations()
    if isinstance(what, RecordedRun):
        return citations_of(what)
    if isinstance(what, SweepResults):
        return _of_path(str(what.path))
    if isinstance(what, list | tuple) and what and all(isinstance(one, RecordedRun) for one in what):
        return functools.reduce(operator.or_, map(citations_of, what))
    if isinstance(what, str | os.PathLike):
        return _of_path(os.fspath(what))
    raise InputError(f"cite takes results, a path, or the name of a recipe, got {show(what)}")


def _of_path(path: str) -> Citations:
    """Return the citations of a file, of the folder of a sweep, or of the name of a recipe."""
    if path in recipes() or path in sweeps():
        return citations_of_file(find_shipped(path).path)
    if not os.path.lexists(path) and not Path(path).suffix:
        raise InputError(f"cite must be given {unlisted(path, [*recipes(), *sweeps()], ', or a file')}")
    with call_for(path, "results", "collected", "sweep folder", "experiment", "sweep file"):
        if Path(path).suffix.lower() == ".toml":
            return citations_of_file(path)
        sweep = open_sweep(Path(path))
        if sweep is not None:
            return citations_of_sweep(sweep)
        return citations_of(check_run(Path(path), everything=False, checksums_required=False))
