"""Run plans: whether a run at a path starts, resumes, is finished, or is refused."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, get_args

from fastcollapse.config.output_paths import RESULTS, check_output_file, check_output_parent
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InputError, nearest
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.extension import at_size_of, check_no_point, reason_to_restart, replicates_path
from fastcollapse.simulation.planned_run import RunPlan
from fastcollapse.simulation.recorded_run import RecordedRun, open_run
from fastcollapse.simulation.same_experiment import (
    check_same_experiment,
    experiment_diff,
    recorded_truth,
    with_seed_of,
)
from fastcollapse.simulation.schedules import real_size, schedule_of
from fastcollapse.simulation.stop_names import check_stop
from fastcollapse.simulation.user_metrics import UserMetric, named_metrics
from fastcollapse.storage.base import Store
from fastcollapse.storage.blocks import Header
from fastcollapse.storage.part_files import is_begun, is_replacing
from fastcollapse.storage.parts_folder import check_free, unfinished
from fastcollapse.storage.readers import open_parts

Mode = Literal["reuse", "resume", "extend", "overwrite"]
_MODES = get_args(Mode)


def plan_run(
    experiment: Experiment,
    path: str | Path | None = None,
    mode: Mode = "reuse",
    *,
    truth: Any = None,
    first_replicate: int | None = None,
    store: Callable[[Header], Store] | None = None,
    recorded: RecordedRun | None = None,
    metrics: Mapping[str, UserMetric] | None = None,
) -> RunPlan:
    """Return the plan of a run, without simulation and without writing.

    The truth is loaded, the schedule is computed, and an existing file at `path` is opened once.

    Parameters
    ----------
    experiment : the experiment; a missing seed is that of the run at the path, or is drawn from the system.
    path : the results file, or None for a run in memory.
    mode : "reuse" starts a run, or returns a finished run of the same experiment; it refuses anything else at the path.
        "resume" also resumes an unfinished run of the same experiment. "extend" also takes a run with fewer generations
        or replicates, to which it adds those that are missing. "overwrite" replaces a results file.
    truth : the truth, if it is already loaded, see `load_truth`.
    first_replicate : number of the first replicate, so that a part of a run has the random streams of the full run; by
        default that of the resumed run, or 0.
    store : creates the store of the results, instead of `path`.
    recorded : results whose rewards are used in place of their file, for a run in memory.
    metrics : metrics of the user, see `simulate`.

    Raises
    ------
    InputError
        A value is not allowed, a data file cannot be read, `path` cannot be written, or the run to resume is one of
        another experiment.
    UnreadableResults
        The file to resume is damaged.

    Examples
    --------
    >>> plan = plan_run(Experiment.from_mapping({
    ...     "truth": {"uniform": 5},
    ...     "workflow": {"name": "replace", "n_samples": 10},
    ...     "run": {"n_generations": 3, "n_replicates": 2, "seed": 1}}))
    >>> plan.action, plan.n_left, plan.schedule.n_synthetic
    ('start', 3, array([10, 10, 10]))
    """
    if mode not in _MODES:
        raise InputError(f"mode must be one of {', '.join(_MODES)}, got {mode!r}{nearest(str(mode), _MODES)}")
    if isinstance(first_replicate, bool) or not (first_replicate is None or isinstance(first_replicate, int)):
        raise InputError(f"first_replicate must be a whole number, got {first_replicate!r}")
    if first_replicate is not None and first_replicate < 0:
        raise InputError(f"first_replicate must be at least 0, got {first_replicate}")
    if path is None and mode in ("resume", "extend"):
        raise InputError("resume must have the path of a results file, got None")
    given = {} if metrics is None else named_metrics(metrics)
    target, existing = None if path is None else Path(path), None
    if target is not None and mode != "overwrite":
        existing = readable_run_at(target) if mode == "reuse" else run_at(target)
    check_stop(experiment, (*given, *user_metrics_of(existing)))
    plan = planned(experiment, target, mode, existing, truth, first_replicate, store, recorded)
    return dataclasses.replace(plan, metrics=given)


def user_metrics_of(existing: RecordedRun | None) -> tuple[str, ...]:
    """Return the names of the metrics of the user in a run; none without a run."""
    return () if existing is None else existing.user_metrics


def planned(
    experiment: Experiment,
    path: Path | None,
    mode: Mode,
    existing: RecordedRun | None,
    truth: Any,
    first_replicate: int | None,
    store: Callable[[Header], Store] | None = None,
    recorded: RecordedRun | None = None,
) -> RunPlan:
    """Return the plan of a run at a path with the run `existing`."""
    if path is not None and existing is None:
        check_output_file(path, RESULTS)
    first = first_replicate or 0
    if mode in ("resume", "extend") and existing is not None:
        first = existing.first_replicate if first_replicate is None else first_replicate
        experiment = with_seed_of(experiment, existing)
        if truth is None:  # its data files may have changed; if they are gone, the recorded truth is used
            with suppress(InputError):
                truth = load_truth(experiment.truth, experiment.base)
        if mode == "extend" and path is not None and existing.last < 0:  # a kill left it without data, beside the file
            existing = readable_run_at(path) or existing
        if mode == "extend" and path is not None and experiment_diff(experiment, existing, truth, first):
            plan = _extended(experiment, path, existing, truth, first)
            return dataclasses.replace(plan, extended=existing)
        larger = _is_larger(experiment, existing, truth, first)
        advice = "; --extend makes it longer, or adds replicates" if larger else ""
        check_same_experiment(experiment, existing, truth, first, advice)
    elif mode == "reuse" and path is not None:
        experiment, existing = _reused(experiment, path, existing, truth, first)
    if existing is not None and existing.finished:
        return RunPlan(experiment, truth, None, path, "finished", existing, first_replicate=first)
    if existing is not None:
        truth = recorded_truth(existing) or truth
    experiment = experiment.resolve_seed()
    truth = load_truth(experiment.truth, experiment.base) if truth is None else truth
    known = existing or recorded
    schedule = schedule_of(experiment, real_size(experiment, truth), None if known is None else known.reader.header)
    if path is not None:
        check_free(path, mode == "overwrite", resume=existing is not None)
        check_output_parent(path)
    action: Literal["start", "resume"] = "start" if existing is None else "resume"
    engine = "" if existing is None else existing.engine
    return RunPlan(experiment, truth, schedule, path, action, existing, mode == "overwrite", first, store, engine)


def _reused(
    experiment: Experiment, path: Path, existing: RecordedRun | None, truth: Any, first: int
) -> tuple[Experiment, RecordedRun | None]:
    """Return an experiment with the seed of its finished run at a path, and the run; None if nothing is at the path.

    Raises
    ------
    InputError
        Something else is at the path. The message has each key that differs, with both values.
    """
    check_free(path, resume=True)  # another process may write to it
    if existing is not None:
        seeded = with_seed_of(experiment, existing)
        truth = load_truth(experiment.truth, experiment.base) if truth is None else truth
        if is_finished_run(seeded, existing, truth, first):
            return seeded, existing
    if is_begun(path) and (existing is None or is_replacing(path)):
        with suppress(FileNotFoundError):
            run = RecordedRun(open_parts(path))
            raise unfinished(path, experiment_diff(with_seed_of(experiment, run), run, truth, first))
    if existing is not None:
        seeded = with_seed_of(experiment, existing)
        differing = "; ".join(experiment_diff(seeded, existing, truth, first))
        larger = _is_larger(seeded, existing, truth, first)
        verb = "extend it (resume=True, --extend), overwrite" if larger else "overwrite"
        rule = "" if larger else "; resume=True and --resume need the same experiment"
        raise InputError(
            f"{path} already exists (another experiment: {differing}); {verb} it (overwrite=True, --overwrite) or "
            f"choose another name{rule}"
        )
    return experiment, None


def _is_larger(experiment: Experiment, existing: RecordedRun, truth: Any, first: int) -> bool:
    """Whether an experiment is the recorded one but for more generations or replicates."""
    differs = bool(experiment_diff(experiment, existing, truth, first))
    return differs and not experiment_diff(at_size_of(experiment, existing.experiment), existing, truth, first)


def _extended(experiment: Experiment, path: Path, existing: RecordedRun, truth: Any, first: int) -> RunPlan:
    """Return the plan of the next step from a run to one with more generations or replicates.

    The steps are: finish the run; add generations; run the new replicates to a file of their own; join the files. Each
    step replaces the file at the path in one rename, or leaves it, so that after a kill the same call continues.

    Raises
    ------
    InputError
        The experiments differ in more than these numbers, or the path is of a point of a sweep.
    """
    check_no_point(path)
    old, run = existing.experiment.run, experiment.run
    check_same_experiment(at_size_of(experiment, existing.experiment), existing, truth, first)
    check_free(path, resume=True)
    truth = recorded_truth(existing) or truth
    n_old, n_new = old.n_replicates, run.n_replicates - old.n_replicates
    is_longer = run.n_generations > old.n_generations

    def again(finished: RecordedRun) -> RunPlan | None:
        """Return the next step, or None at the end."""
        found = run_at(path)
        assert found is not None
        done = not experiment_diff(experiment, found, truth, first)
        return None if done and found.finished else planned(experiment, path, "extend", found, truth, first)

    def sized(n_generations: int, n_replicates: int) -> Experiment:
        size = dataclasses.replace(run, n_generations=n_generations, n_replicates=n_replicates)
        return dataclasses.replace(experiment, run=size)

    n_later = run.n_generations if n_new else 0
    if not existing.finished:
        n_later += run.n_generations - old.n_generations
        own = dataclasses.replace(existing.experiment, base=experiment.base)
        if own.model.names_code:  # results have no code; both models are the same
            own = dataclasses.replace(own, model=experiment.with_code().model)
        plan = planned(own, path, "resume", existing, truth, first)
        return dataclasses.replace(plan, then=again, n_later=n_later)
    reason = reason_to_restart(experiment, existing, truth) if is_longer else ""
    if n_new and run.stop is not None:
        reason = "with run.stop all replicates go on until the last has met it"
    if is_longer or reason:
        size = run.n_replicates if reason else n_old
        target = sized(run.n_generations, size)
        schedule = schedule_of(target, real_size(target, truth), existing.reader.header)
        common: dict[str, Any] = {"path": path, "overwrite": True, "first_replicate": first, "then": again}
        if reason:
            warning = f"{path} is computed again from generation 0, because {reason}"
            return RunPlan(target, truth, schedule, warning=warning, **common)
        common |= {"existing": existing, "engine": existing.engine, "n_later": n_later}
        return RunPlan(target, truth, schedule, action="continue", **common)
    part = replicates_path(path, first + n_old, first + run.n_replicates - 1)
    more = planned(sized(run.n_generations, n_new), part, "resume", run_at(part), truth, first + n_old)
    join = RunPlan(experiment, truth, None, path, "join", existing, first_replicate=first, added=part)
    return dataclasses.replace(more, then=lambda _: join, final_path=path)


def is_finished_run(experiment: Experiment, existing: RecordedRun | None, truth: Any, first_replicate: int = 0) -> bool:
    """Whether a run is finished and has this experiment. An experiment without a seed is always a new run."""
    if existing is None or not existing.finished or experiment.run.seed is None:
        return False
    return not experiment_diff(experiment, existing, truth, first_replicate)


def run_at(path: Path) -> RecordedRun | None:
    """Return the run at a path, finished or not; None if there is none.

    It is the unfinished run if that will replace the finished file at the path.
    """
    if is_replacing(path):
        with suppress(FileNotFoundError):  # it has no part yet
            return RecordedRun(open_parts(path))
    return open_run(path) if os.path.lexists(path) or is_begun(path) else None


def readable_run_at(path: Path) -> RecordedRun | None:
    """Return the run in the file at a path; None if no file can be read."""
    try:
        return open_run(path) if os.path.lexists(path) else None
    except InputError:
        return None
