"""Metrics of the user: functions of the state of one replicate at one generation."""

import keyword
import numbers
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from fastcollapse.errors import InputError, UserCodeError
from fastcollapse.models.base import Model, ModelBlock
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.simulation.state_view import StateView, StateViews
from fastcollapse.variables import Variable

# A function from the state to a number.
UserMetric = Callable[[StateView], float]
# Names of a results file that are no metric.
_RESERVED = (
    *(
        "generation",
        "replicate",
        "forgotten",
        "first_passage",
        "trajectory",
        "counts",
        "truth",
        "metrics",
        "symbol",
        "cell",
    ),
    "checksums",
)


class UserMetrics:
    """The metrics of the user in a run.

    Parameters
    ----------
    functions : name -> function.
    views : makes the states that the functions read.
    """

    def __init__(self, functions: Mapping[str, UserMetric], views: StateViews) -> None:
        self._functions, self._views = dict(functions), views

    def evaluate(
        self, block: ModelBlock, first: int, n_generations: int, n_replicates: int, first_replicate: int
    ) -> dict[str, np.ndarray]:
        """Return the metrics of a block, name -> float64 (R, B).

        Raises
        ------
        UserCodeError
            A function failed, or returned no finite number, at the first such generation.
        """
        values = {name: np.empty((n_replicates, n_generations)) for name in self._functions}
        for replicate, step, state in self._views.of_block(block, first, n_generations, n_replicates, first_replicate):
            for name, function in self._functions.items():
                values[name][replicate, step] = _number(name, function, state)
        return values


def _number(name: str, function: UserMetric, state: StateView) -> float:
    where = f"of replicate {state.replicate} at generation {state.generation}"
    try:
        value: Any = function(state)
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")
        raise UserCodeError(f"metric {name} {where} failed: {reason}", state.generation) from error
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if not isinstance(value, numbers.Real | np.bool_) or not np.isfinite(float(value)):
        shown = " ".join(repr(value).split())[:60]
        raise UserCodeError(f"metric {name} {where} must be a finite number, got {shown}", state.generation)
    return float(value)


def named_metrics(given: Any) -> Mapping[str, UserMetric]:
    """Return the metrics of the user.

    Raises
    ------
    InputError
        They are no mapping, or a name is no identifier.
    """
    if not isinstance(given, Mapping):
        raise InputError(f"metrics must be a mapping of names to functions of a state, got {type(given).__name__}")
    for name in given:
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or not name.isascii():
            raise InputError(f"the name of a metric must be an identifier, got {name!r}")
    return given


def user_variables(given: Mapping[str, UserMetric], model: Model) -> dict[str, Variable]:
    """Return the variables of metrics of the user.

    Parameters
    ----------
    given : name -> function.
    model : the model of the run.

    Raises
    ------
    InputError
        A name is used by the run, or a value is not a function.
    """
    used = {*model.METRICS, *model.state_variables(), *model.coordinates(), *_RESERVED}
    for variable in (*model.state_variables().values(), *(metric.variable for metric in model.METRICS.values())):
        used |= {*variable.dims}
    used |= {f"{name}{suffix}" for name in model.state_variables() for suffix in ("_size", "_point")}
    for name, function in given.items():
        if name in used:
            raise InputError(f"metrics must have names that the run does not use, got {name!r}")
        if not callable(function):
            raise InputError(f"metrics[{name!r}] must be a function of a state, got {type(function).__name__}")
    return {name: Variable(f"{name}, a metric of the user", of_user=True) for name in given}


def check_given(recorded: RecordedRun, given: Iterable[str], is_returned: bool = False) -> None:
    """Refuse to continue or to return a run without its metrics of the user, or with others.

    Parameters
    ----------
    recorded : the run.
    given : names of the metrics that are given.
    is_returned : whether the run is returned as it is. Then it may have more metrics: it has their numbers.

    Raises
    ------
    InputError
        In one line with both lists.
    """
    there, here = set(recorded.user_metrics), set(given)
    if there != here and not (is_returned and here <= there):
        lists = (", ".join(sorted(names)) or "none" for names in (there, here))
        advice = "give metrics={...}" if there - here else "overwrite=True runs it again with them"
        raise InputError("{} has the metrics of the user {}, got {}: {}".format(recorded.path, *lists, advice))
