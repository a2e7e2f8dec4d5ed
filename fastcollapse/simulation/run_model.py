"""The model of a run, and the metrics that the run records."""

from collections.abc import Sequence
from typing import Any

from fastcollapse.config.schedule import Schedule
from fastcollapse.config.section_base import build
from fastcollapse.errors import InputError
from fastcollapse.models.base import Model
from fastcollapse.models.registry import family
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.variables import Variable


def model_of(
    experiment: Experiment, truth: Any, schedule: Schedule, engine: str = "", record: Sequence[str] | None = None
) -> Model:
    """Return the model of a run.

    Parameters
    ----------
    truth : the loaded truth.
    schedule : the workflow as arrays over generations.
    engine : the recorded engine; "" for a new run, whose model chooses.
    record : what the model records; by default what the run does.

    Raises
    ------
    InputError
        The family does not support this combination of values.
    """
    parameters: Any = experiment.model
    if engine:
        parameters = build(type(parameters), {**parameters.to_mapping(), "engine": engine})
    return family(experiment.family).create(
        truth, parameters, schedule, experiment.run.record if record is None else tuple(record)
    )


def recorded_metrics(experiment: Experiment, model: type[Model]) -> dict[str, Variable]:
    """Return the recorded metrics and their variables, by default all metrics.

    Raises
    ------
    InputError
        A metric of the family is not available with these parameters and maps.
    """
    record = experiment.run.record
    offered = model.available_metrics(experiment.model, experiment.sampling)
    missing = [name for name in model.METRICS if name in record and name not in offered]
    if missing:
        known = ", ".join(offered)
        raise InputError(f"run.record must be of {known} with these keys of the model and sampling, got {missing[0]!r}")
    named = {name: metric.variable for name, metric in offered.items() if name in record}
    return named or {name: metric.variable for name, metric in offered.items() if not metric.on_request}
