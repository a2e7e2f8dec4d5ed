"""The schedule of an experiment: its workflow over generations, with the maps of `[sampling]` and the best weights."""

import dataclasses
from typing import Any

from fastcollapse.config.capabilities import missing_capability
from fastcollapse.config.schedule import Schedule
from fastcollapse.datasets.rewards import load_rewards, with_rewards
from fastcollapse.errors import InputError
from fastcollapse.models.registry import family
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.storage.blocks import Header
from fastcollapse.theory.mixing.weighted_fit import optimal_weights


def real_size(experiment: Experiment, truth: Any) -> int | None:
    """Return the size of the real data of a loaded truth, in the unit of the sizes of the workflow; None for a law."""
    return family(experiment.family).truth_total(truth, experiment.model)


def schedule_of(experiment: Experiment, truth_total: int | None, recorded: Header | None = None) -> Schedule:
    """Return the schedule of an experiment.

    Parameters
    ----------
    truth_total : see `real_size`.
    recorded : header of a run of the experiment, which has the rewards of a file; by default the file is read.

    Raises
    ------
    InputError
        A size is out of bounds, the family does not support the workflow, or a file of rewards cannot be read.
    """
    workflow, n_generations = experiment.workflow, experiment.run.n_generations
    offered = family(experiment.family)
    sampling, inputs = experiment.sampling, dict[str, str]()
    if recorded is not None and recorded.rewards is not None and sampling is not None:
        inputs = {path: recorded.inputs[path] for path in sampling.files if path in recorded.inputs}
        sampling = with_rewards(sampling, recorded.rewards)
    else:
        sampling, inputs = load_rewards(sampling, experiment.base)
    schedule = dataclasses.replace(workflow.schedule(n_generations, truth_total), sampling=sampling, inputs=inputs)
    schedule.check(workflow.name, n_generations, truth_total)
    missing = missing_capability(schedule.needs, offered.CAPABILITIES, experiment.family)
    if missing:
        raise InputError(f"workflow.name must not be {workflow.name!r}: {missing}")
    if schedule.optimal:
        errors = offered.fit_errors(experiment.truth, experiment.model, schedule)
        schedule = dataclasses.replace(schedule, weight=optimal_weights(*errors), optimal=False)
    return schedule
