"""Extension of a finished run: whether a longer run continues it with the same bits, or is computed from its start."""

import dataclasses
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.config.dotted_keys import flat
from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.provenance import provenance
from fastcollapse.simulation.recorded_run import RecordedRun, open_run
from fastcollapse.simulation.run_model import model_of, recorded_metrics
from fastcollapse.simulation.schedules import real_size, schedule_of

# Folder and file of a sweep, whose points have the size of its experiment.
_POINTS, _SWEEP = "points", "sweep.json"


def at_size_of(experiment: Experiment, recorded: Experiment) -> Experiment:
    """Return an experiment, cut to the numbers of generations and replicates of a recorded one where it has more.

    Lists of `[workflow]` and `[model]` with a value for each generation are cut too.

    Examples
    --------
    >>> recorded = Experiment.from_mapping({
    ...     "truth": {"uniform": 5}, "workflow": {"name": "replace", "n_samples": [4, 8]},
    ...     "run": {"n_generations": 2, "n_replicates": 1}})
    >>> longer = recorded.with_values({"run.n_generations": 3, "workflow.n_samples": [4, 8, 16]})
    >>> at_size_of(longer, recorded) == recorded
    True
    """
    length, old_length = experiment.run.n_generations, recorded.run.n_generations
    values: dict[str, Any] = {
        "run.n_generations": min(length, old_length),
        "run.n_replicates": min(experiment.run.n_replicates, recorded.run.n_replicates),
    }
    before = flat(recorded.to_mapping())
    for key, value in flat(experiment.to_mapping()).items() if length > old_length else ():
        old = before.get(key)
        if key.startswith(("workflow.", "model.")) and isinstance(value, list) and isinstance(old, list):
            if (len(value), len(old)) == (length, old_length):
                values[key] = value[:old_length]
    return experiment.with_values(values)


def check_no_point(path: Path) -> None:
    """Refuse the results file of a point of a sweep.

    Raises
    ------
    InputError
        The path is in the folder of a sweep.
    """
    folder = Path(path).absolute().parent
    if folder.name == _POINTS and (folder.parent / _SWEEP).exists():
        raise InputError(
            f"{path} is a point of the sweep {folder.parent} and cannot be extended: copy it elsewhere, or start a "
            "sweep with more generations or replicates"
        )


def replicates_path(path: Path, first: int, last: int) -> Path:
    """Return the results file of new replicates, which exists until they are added to the run at `path`.

    Examples
    --------
    >>> replicates_path(Path("out.h5"), 10, 19).name
    'out-replicates-10-19.h5'
    """
    return path.with_name(f"{path.stem}-replicates-{first}-{last}{path.suffix}")


def clear_added(results: RecordedRun) -> None:
    """Remove the file of new replicates that a kill has left after it was added to the run."""
    added = results.provenance.get("added", ())
    if results.path is None or not added:
        return
    first, end = added[-1]["first_replicate"], results.first_replicate + results.n_replicates
    part = replicates_path(results.path, first, end - 1)
    with suppress(InputError):
        run = dataclasses.replace(results.experiment.run, n_replicates=end - first)
        if os.path.lexists(part) and open_run(part).digest == dataclasses.replace(results.experiment, run=run).digest:
            part.unlink()


def reason_to_restart(experiment: Experiment, recorded: RecordedRun, truth: Any) -> str:
    """Return why more generations of a finished run cannot be continued from its state; "" if they can.

    Parameters
    ----------
    experiment : the experiment with more generations.
    recorded : the finished run.
    truth : the loaded truth.
    """
    if not recorded.reader.state:
        return "its file has no state at its end"
    streams = (made.get("streams", 1) for made in (recorded.provenance, provenance()))
    if len(set(streams)) > 1:
        return "its random streams are of another version"
    header, old = recorded.reader.header, recorded.experiment
    sizes = real_size(experiment, truth)
    schedules = [schedule_of(one, sizes, header) for one in (old, experiment)]
    if _differ(*schedules):
        return "the schedule of its generations depends on their number"
    if old.model.names_code:  # results have no code; both models are the same but for their length
        experiment = experiment.with_code()
        old = dataclasses.replace(old, model=experiment.model)
    before = model_of(old, truth, schedules[0], recorded.engine)
    after = model_of(experiment, truth, schedules[1])
    if (type(before), before.ENGINE) != (type(after), after.ENGINE):
        return "a longer run has another engine"
    n = old.run.n_generations
    own = [name for name, variable in header.metrics.items() if not variable.of_user]
    same_metrics = list(recorded_metrics(experiment, type(after))) == own
    if not same_metrics or before.length_settings(n) != after.length_settings(n):
        return "the numbers of its generations depend on the length of the run"
    return ""


def _differ(old: Schedule, new: Schedule) -> bool:
    """Whether the first generations of a longer schedule are not those of a shorter one."""
    n = old.n_generations
    for field in dataclasses.fields(Schedule):
        if field.name in ("sampling", "inputs"):  # compared with the experiment
            continue
        values = [getattr(one, field.name) for one in (old, new)]
        if any(isinstance(value, np.ndarray) for value in values):
            if any(value is None for value in values) or not np.array_equal(values[0], values[1][:n]):
                return True
        elif values[0] != values[1]:
            return True
    return old.needs != new.needs
