"""Names in stop conditions: metrics of the family, or metrics of the user."""

from collections.abc import Iterable

from fastcollapse.config.fields import ValidationErrors, show
from fastcollapse.config.stop_condition import StopCondition
from fastcollapse.errors import nearest
from fastcollapse.models.registry import family
from fastcollapse.simulation.experiment import Experiment


def check_stop(experiment: Experiment, of_user: Iterable[str] = ()) -> None:
    """Refuse a stop condition with a name that is no metric.

    Parameters
    ----------
    experiment : the experiment. It accepts any name, because the functions of the user are given to the run.
    of_user : names of the metrics of the user that are given, or recorded.

    Raises
    ------
    ValidationErrors
        In one line with the name and the known ones.
    """
    if experiment.run.stop is None:
        return
    known = [*family(experiment.family).METRICS, *of_user]
    for name in StopCondition(experiment.run.stop).names:
        if name not in known:
            problem = f"must have metrics of {', '.join(known)}, got {show(name)}{nearest(name, known)}"
            advice = f"a metric of yours needs its function: simulate(..., metrics={{{name!r}: function}})"
            raise ValidationErrors([("run.stop", f"{problem}; {advice}")])
