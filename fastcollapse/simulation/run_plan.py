"""Decide what a run does at a path: start, resume, return the finished run, or refuse."""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fastcollapse.config.schedule import Schedule
from fastcollapse.config.workflows import missing_capability
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InputError
from fastcollapse.models.base import Model
from fastcollapse.models.registry import family
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.results import Results, open_results
from fastcollapse.simulation.same_experiment import (
    check_same_experiment,
    experiment_diff,
    recorded_truth,
    with_seed_of,
)
from fastcollapse.storage.base import Store
from fastcollapse.storage.blocks import Header
from fastcollapse.storage.parts_folder import check_free, is_begun, parts_folder

Mode = Literal["new", "reuse", "resume", "overwrite"]


@dataclass(frozen=True, eq=False)
class RunPlan:
    """One run: what is simulated, where it is written, and what is there already.

    Parameters
    ----------
    experiment : the experiment, with its seed.
    truth : the loaded truth; None where the finished run at `path` has it.
    schedule : the workflow as arrays over generations; None where the run is finished.
    path : the results file; None keeps the results in memory.
    action : "start" a new run, "resume" one, or return the "finished" one.
    found : the run at `path`, where it is resumed or finished.
    overwrite : whether a results file at `path` is replaced.
    first_replicate : the number of the first replicate.
    store : makes the store in place of `path` or memory; None for these two.
    """

    experiment: Experiment
    truth: Any
    schedule: Schedule | None
    path: Path | None = None
    action: Literal["start", "resume", "finished"] = "start"
    found: Results | None = None
    overwrite: bool = False
    first_replicate: int = 0
    store: Callable[[Header], Store] | None = None

    @property
    def n_left(self) -> int:
        """Number of generations to run."""
        return self.experiment.run.n_generations - (0 if self.found is None else max(self.found.last, 0))

    @property
    def is_finished(self) -> bool:
        """Whether there is nothing to run."""
        return self.action == "finished"

    def model(self) -> Model:
        """Return the model of the run.

        Raises
        ------
        InputError
            The family does not serve these values together.
        """
        assert self.schedule is not None
        experiment = self.experiment
        return family(experiment.family).create(self.truth, experiment.model, self.schedule, experiment.run.record)


def plan_run(
    experiment: Experiment,
    path: str | Path | None = None,
    mode: Mode = "new",
    *,
    truth: Any = None,
    first_replicate: int | None = None,
    store: Callable[[Header], Store] | None = None,
) -> RunPlan:
    """Return the plan of a run; nothing is simulated or written.

    The truth is loaded, the schedule is made, and what is at `path` is opened once.

    Parameters
    ----------
    experiment : what to simulate; without a seed it has that of the run to resume, or one drawn from the system.
    path : the results file, or None for a run in memory.
    mode : "new" refuses a path that exists. "reuse" returns the finished run there if it is this experiment's, and is
        else as "new". "resume" continues the run there, which must be this experiment's; a finished one is returned,
        and where there is none it is started. "overwrite" replaces a results file.
    truth : the truth if it is loaded already, see `load_truth`.
    first_replicate : the number of the first replicate, so that a part of a run draws what the whole one would; None
        is that of the run to resume, or 0.
    store : makes the store that takes the results in place of `path`.

    Raises
    ------
    InputError
        A value is not allowed, a data file cannot be read, or `path` cannot be had; to resume, the run there is another
        experiment's.
    UnreadableResults
        To resume, the file or a part of it is damaged.
    """
    if path is None:
        if mode == "resume":
            raise InputError("resume must have the path of a results file, got None")
        return _planned(experiment, None, mode, None, truth, first_replicate, store)
    target, found = Path(path), None
    if mode == "resume":
        found = run_at(target)
    elif mode == "reuse":
        found = readable_run_at(target)
    return _planned(experiment, target, mode, found, truth, first_replicate, store)


def _planned(
    experiment: Experiment,
    path: Path | None,
    mode: Mode,
    found: Results | None,
    truth: Any,
    first_replicate: int | None,
    store: Callable[[Header], Store] | None = None,
) -> RunPlan:
    """Return the plan of a run at a path where `found` is the run that is there."""
    first = first_replicate or 0
    if mode == "resume" and found is not None:
        first = found.first_replicate if first_replicate is None else first_replicate
        experiment = with_seed_of(experiment, found)
        if truth is None and experiment.base is not None:  # its data files may have changed
            truth = load_truth(experiment.truth, experiment.base)
        check_same_experiment(experiment, found, truth, first)
    elif found is not None:
        truth = load_truth(experiment.truth, experiment.base) if truth is None else truth
        if not _is_finished_run(experiment, found, truth, first):
            differing = "; ".join(experiment_diff(experiment, found, truth, first))
            raise InputError(
                f"{path} already exists (another experiment: {differing}): overwrite it or choose another name"
            )
    if found is not None and found.finished:
        return RunPlan(experiment, truth, None, path, "finished", found, first_replicate=first)
    if found is not None:
        truth = recorded_truth(found) or truth
    experiment = experiment.resolve_seed()
    truth = load_truth(experiment.truth, experiment.base) if truth is None else truth
    schedule = schedule_of(experiment, truth)
    if path is not None:
        check_free(path, mode == "overwrite", resume=found is not None)
        _check_folder(path)
    action: Literal["start", "resume"] = "start" if found is None else "resume"
    return RunPlan(experiment, truth, schedule, path, action, found, mode == "overwrite", first, store)


def plan_recipe(
    experiment: Experiment | None,
    path: Path,
    mode: Mode,
    *,
    values: Mapping[str, Any] | None = None,
    numbered: bool = False,
    companions: Sequence[str] = (),
) -> tuple[Path, list[RunPlan]]:
    """Return the path of a recipe's results and the plan of each case; an experiment without cases is one case.

    Parameters
    ----------
    experiment : the recipe; None resumes the experiment in the file, with other `values` by dotted key.
    path : the results file; of several cases it is that of `case_paths`.
    mode : see `plan_run`.
    numbered : whether -2, -3, ... is added to the name of `path` until no file of the run exists, or all of them hold
        the run already.
    companions : suffixes of other files that must not exist beside a numbered path.

    Raises
    ------
    InputError, UnreadableResults
        As `plan_run`; no case has started.
    """
    if experiment is None:
        found = open_results(path)
        return path, [_planned(found.experiment.with_values(values or {}), path, mode, found, None, None)]
    n_cases = len(experiment.cases())
    looks: list[Results | None] = [None] * n_cases
    if mode == "resume":
        looks = [run_at(file) for file in case_paths(path, n_cases)]
        experiment = _seeded(experiment, looks)
    cases = experiment.cases()
    truths = [load_truth(case.truth, case.base) for case in cases]
    for case, truth in zip(cases, truths, strict=True):
        schedule_of(case, truth)
    for candidate in _numbered(path) if numbered else (path,):
        files = case_paths(candidate, n_cases)
        if mode == "reuse":
            looks = [readable_run_at(file) for file in files]
        others = (candidate.with_suffix(suffix) for suffix in companions)
        taken = any(os.path.lexists(one) for one in (*files, *map(parts_folder, files), *others))
        if not numbered or not taken or all(map(_is_finished_run, cases, looks, truths)):
            break
    given = zip(cases, files, looks, truths, strict=True)
    return candidate, [_planned(case, file, mode, found, truth, None) for case, file, found, truth in given]


def case_paths(path: Path, n_cases: int) -> list[Path]:
    """Return the results files of a run: the path, or one for each case, -case1, -case2, ... before its ending."""
    if n_cases == 1:
        return [path]
    return [path.with_name(f"{path.stem}-case{k}{path.suffix}") for k in range(1, n_cases + 1)]


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    for number in itertools.count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def free_path(path: Path) -> Path:
    """Return the path, or with -2, -3, ... before its ending the first that does not exist."""
    return next(candidate for candidate in _numbered(path) if not os.path.lexists(candidate))


def _seeded(experiment: Experiment, looks: Sequence[Results | None]) -> Experiment:
    """Return a recipe with the seed that the first of its files tells, if it has none: case k has the seed plus k."""
    if experiment.run.seed is not None:
        return experiment
    for k, found in enumerate(looks):
        if found is not None and found.experiment.run.seed is not None:
            return experiment.with_values({"run.seed": (found.experiment.run.seed - k) % 2**64})
    return experiment


def _is_finished_run(experiment: Experiment, found: Results | None, truth: Any, first_replicate: int = 0) -> bool:
    """Whether a run is finished and this experiment's; one without a seed is new each time."""
    if found is None or not found.finished or experiment.run.seed is None:
        return False
    return not experiment_diff(experiment, found, truth, first_replicate)


def schedule_of(experiment: Experiment, truth: Any) -> Schedule:
    """Return the schedule of an experiment.

    Raises
    ------
    InputError
        A size out of bounds, or a workflow that the family does not serve.
    """
    schedule = experiment.workflow.schedule(experiment.run.n_generations, truth.total)
    missing = missing_capability(schedule.needs, family(experiment.family).CAPABILITIES, experiment.family)
    if missing:
        raise InputError(f"workflow.name must be another one than {experiment.workflow.name!r}: {missing}")
    return schedule


def run_at(path: Path) -> Results | None:
    """Return the run at a path, finished or not; None where there is none."""
    return open_results(path) if os.path.lexists(path) or is_begun(path) else None


def readable_run_at(path: Path) -> Results | None:
    """Return the run in the file at a path; None where there is none that can be read."""
    try:
        return open_results(path) if os.path.lexists(path) else None
    except InputError:
        return None


def _check_folder(path: Path) -> None:
    """Refuse a path whose folder cannot be written."""
    folder = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"output must be in a folder that can be written, got {path}: {folder} is not one")
