"""Plans of all cases of a recipe, from the recipe or from the results files of its cases."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastcollapse.config.dotted_keys import overlap
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.planned_run import RunPlan
from fastcollapse.simulation.recorded_run import RecordedRun, open_run
from fastcollapse.simulation.result_paths import case_paths, numbered_paths
from fastcollapse.simulation.run_plan import (
    Mode,
    is_finished_run,
    planned,
    readable_run_at,
    run_at,
    user_metrics_of,
)
from fastcollapse.simulation.same_experiment import recorded_truth
from fastcollapse.simulation.stop_names import check_stop
from fastcollapse.storage.part_files import is_begun, parts_folder


def plan_recipe(
    experiment: Experiment | None,
    path: Path,
    mode: Mode,
    *,
    values: Mapping[str, Any] | None = None,
    numbered: bool = False,
    companions: Sequence[str] = (),
) -> tuple[Path, list[RunPlan]]:
    """Return the path of the results of a recipe and the plan of each case; an experiment without cases is one case.

    Parameters
    ----------
    experiment : the recipe; None is the experiment in the file, or in the file of each case, with new `values` by
        dotted key.
    path : the results file; for several cases see `case_paths`.
    mode : see `plan_run`.
    values : new values by dotted key, without an experiment.
    numbered : whether -2, -3, ... is added to the name of `path` until no file of the run exists, or all files contain
        this run.
    companions : suffixes of other files that must not exist at a numbered path.

    Raises
    ------
    InputError, UnreadableResults
        See `plan_run`; no case is started.
    """
    if experiment is None:
        files = recorded_files(path)
        return path, [_planned_again(file, mode, values or {}, len(files)) for file in files]
    n_cases = len(experiment.cases())
    runs: list[RecordedRun | None] = [None] * n_cases
    if mode in ("resume", "extend"):
        runs = [run_at(file) for file in case_paths(path, n_cases)]
        experiment = _seeded(experiment, runs)
    elif mode == "reuse" and not numbered:
        experiment = _seeded(experiment, [readable_run_at(file) for file in case_paths(path, n_cases)])
    cases = experiment.cases()
    for case, found in zip(cases, runs, strict=True):
        check_stop(case, user_metrics_of(found))
    truths = [load_truth(case.truth, case.base) for case in cases]
    for candidate in numbered_paths(path) if numbered else (path,):
        files = case_paths(candidate, n_cases)
        if mode == "reuse":
            runs = [readable_run_at(file) for file in files]
        others = (candidate.with_suffix(suffix) for suffix in companions)
        exists = any(os.path.lexists(file) for file in (*files, *map(parts_folder, files), *others))
        if not numbered or not exists or all(map(is_finished_run, cases, runs, truths)):
            break
    case_runs = zip(cases, files, runs, truths, strict=True)
    return candidate, [planned(case, file, mode, existing, truth, None) for case, file, existing, truth in case_runs]


def recorded_files(path: Path) -> list[Path]:
    """Return the results files of the cases whose names derive from a path; the path itself if there is a run.

    Raises
    ------
    InputError
        The file of a case is missing: no file has its experiment.
    UnreadableResults
        The file of the first case cannot be read.
    """
    named = (path.with_name(f"{path.stem}-case{1:0{digits}}{path.suffix}") for digits in range(1, 7))
    first = None if _has_run(path) else next(filter(_has_run, named), None)
    run = None if first is None else run_at(first)
    if run is None or run.recipe is None or run.recipe.cases is None:
        return [path]
    files = case_paths(path, len(run.recipe.cases))
    for number, file in enumerate(files, start=1):
        if not _has_run(file):
            raise InputError(
                f"{file}: no such file, case {number} of {len(files)}: name the recipe, which has its experiment"
            )
    return files


def _has_run(path: Path) -> bool:
    return os.path.lexists(path) or is_begun(path)


def _planned_again(path: Path, mode: Mode, values: Mapping[str, Any], n_files: int) -> RunPlan:
    """Return the plan of the run in a file, with new values; its own truth is used, so that the file is enough."""
    existing = run_at(path) or open_run(path)
    cases = existing.recipe.cases if n_files > 1 and existing.recipe is not None else None
    for key in values:
        if any(overlap(key, case_key) for case in cases or () for case_key in case):
            raise InputError(f"{key} is set by the cases of the recipe: name the file of one case, such as {path}")
    experiment = existing.experiment.with_values(values)
    check_stop(experiment, existing.user_metrics)
    experiment = dataclasses.replace(experiment, text=existing.experiment_text)
    return planned(experiment, path, mode, existing, recorded_truth(existing), None)


def _seeded(experiment: Experiment, runs: Sequence[RecordedRun | None]) -> Experiment:
    """Return a recipe with the seed of its first existing file, if it has none. Case k has the seed plus k."""
    if experiment.run.seed is not None:
        return experiment
    for k, existing in enumerate(runs):
        if existing is not None and existing.experiment.run.seed is not None:
            return experiment.with_values({"run.seed": (existing.experiment.run.seed - k) % 2**64})
    return experiment
