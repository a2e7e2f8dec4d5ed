"""The files that `fastcollapse run` writes: new, replaced, gone on with, or recognised as what is asked for."""

import dataclasses
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.results import Results, open_results
from fastcollapse.simulation.same_experiment import check_same_experiment, experiment_diff, with_seed_of
from fastcollapse.storage.parts_folder import check_free, is_begun, parts_folder

FIGURE_SUFFIX = ".png"
_FIGURE_SUFFIXES = (FIGURE_SUFFIX, ".pdf", ".svg")


@dataclasses.dataclass(frozen=True, eq=False)
class Output:
    """One case of a run and the file for it.

    Parameters
    ----------
    case : what is run.
    path : its results file.
    truth : what is loaded of its truth; None where the file has it.
    found : what the file holds already, of this very case; None where it is started.
    """

    case: Experiment
    path: Path
    truth: Any
    found: Results | None = None

    @property
    def n_left(self) -> int:
        """Number of generations to run."""
        return self.case.run.n_generations - (0 if self.found is None else max(self.found.last, 0))

    @property
    def is_done(self) -> bool:
        """Is there nothing to run?"""
        return self.found is not None and self.found.finished


def new_outputs(cases: Sequence[Experiment], truths: Sequence[Any], path: Path, overwrite: bool) -> list[Output]:
    """Return the outputs of a run to `path`; a case that is there already, finished, is recognised.

    Raises
    ------
    InputError
        A file cannot be written, or holds something else.
    """
    made = []
    for case, truth, file in zip(cases, truths, case_paths(path, len(cases)), strict=True):
        _check_name(file)
        found = None if overwrite else find_finished_run(case, truth, file)
        if found is None:
            check_free(file, overwrite)
            _check_folder(file)
        made.append(Output(case, file, truth, found))
    return made


def resumed_outputs(cases: Sequence[Experiment], truths: Sequence[Any], path: Path) -> list[Output]:
    """Return the outputs of a run to go on with; what is not there yet is started.

    A seed that the experiment does not give is that of the first file there is.

    Raises
    ------
    InputError
        A file holds another experiment, or one that is being written.
    UnreadableResults
        A file is damaged.
    """
    files = case_paths(path, len(cases))
    there = [open_results(file) if os.path.lexists(file) or is_begun(file) else None for file in files]
    made = []
    for case, truth, file, found in zip(cases, truths, files, there, strict=True):
        _check_name(file)
        seeded = case if found is None else with_seed_of(case, found)
        if found is not None:
            check_same_experiment(seeded, found, truth, found.first_replicate)
        if found is None or not found.finished:
            check_free(file, resume=found is not None)  # before any case is started
            _check_folder(file)
        made.append(Output(seeded, file, truth, found))
    return made


def first_seed(path: Path, n_cases: int) -> int | None:
    """Return the seed of case 1 of a recipe as the first of its files tells it; None if there is none."""
    for k, file in enumerate(case_paths(path, n_cases)):
        if os.path.lexists(file) or is_begun(file):
            seed = open_results(file).experiment.run.seed
            return None if seed is None else (seed - k) % 2**64
    return None


def find_finished_run(case: Experiment, truth: Any, path: Path) -> Results | None:
    """Return the finished run that a file holds, if it is this case's."""
    if case.run.seed is None or not os.path.lexists(path):
        return None
    try:
        found = open_results(path)
        return found if found.finished and not experiment_diff(case, found, truth) else None
    except InputError:
        return None


def default_path(cases: Sequence[Experiment], truths: Sequence[Any], path: Path) -> Path:
    """Return the path, or with -2, -3, ... before its ending the first that is free or holds all of the run already.

    Free is a path if its figure, its files and their parts do not exist.
    """

    def taken(candidate: Path) -> bool:
        files = case_paths(candidate, len(cases))
        if all(find_finished_run(*one) for one in zip(cases, truths, files, strict=True)):
            return False
        others = (candidate.with_suffix(FIGURE_SUFFIX), *map(parts_folder, files))
        return any(os.path.lexists(one) for one in (*files, *others))

    return _numbered(path, taken)


def free_path(path: Path) -> Path:
    """Return the path, or with -2, -3, ... before its ending the first that does not exist."""
    return _numbered(path, os.path.lexists)


def _numbered(path: Path, taken: Any) -> Path:
    candidate, number = path, 1
    while taken(candidate):
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def case_paths(path: Path, n_cases: int) -> list[Path]:
    """Return the results files of a run: the path, or one for each case, -case1, -case2, ... before its ending."""
    if n_cases == 1:
        return [path]
    return [path.with_name(f"{path.stem}-case{k}{path.suffix}") for k in range(1, n_cases + 1)]


def _check_name(output: Path) -> None:
    if output.name in ("", ".."):
        raise InputError(f"output must be the name of a new file, got {str(output)!r}")
    if output.suffix.lower() in _FIGURE_SUFFIXES:
        raise InputError(
            f"output must not end in {', '.join(_FIGURE_SUFFIXES)}, got {output}: "
            "the figure is written beside the results"
        )


def _check_folder(output: Path) -> None:
    folder = next(parent for parent in output.absolute().parents if os.path.lexists(parent))
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"output must be in a folder that can be written, got {output}: {folder} is not one")


def kept(output: Path, again: Sequence[str] = ()) -> str:
    """Return what is kept of a run that has stopped, and the command that goes on with it, if there is one."""
    if not is_begun(output):
        return "nothing was written"
    last = open_results(output).last
    if last < 0:
        return f"{parts_folder(output)} keeps no generation yet"
    held = f"{parts_folder(output)} keeps generations 0 to {last:,}"
    return f"{held}: {shlex.join(again)} goes on" if again else held
