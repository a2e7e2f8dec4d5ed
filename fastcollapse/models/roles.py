"""Roles of the metrics of a family in the definitions of model collapse: which metric is its risk, variance, tail.

A family has `Model.ROLES`, role -> what plays it: readings of recorded metrics, the first recorded one first;
`SymbolModes`; `Excluded`, where the definition can never hold; or `Unanswered`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Role -> what it means, as a noun.
ROLES = {
    "risk": "risk",
    "variance": "variance",
    "scaling": "test errors of a downstream predictor",
    "tails": "the loss of tails",
    "modes": "the loss of modes",
    "invented": "mass where the truth has none",
}


@dataclass(frozen=True)
class Limit:
    """What a theorem says about many generations of a workflow with a constant n_samples of at least 2.

    Parameters
    ----------
    reached : whether the definition holds in the limit: the risk is unbounded, or the variance vanishes.
    words : the statement, with the function of the theory that has the numbers.
    applies : experiment -> whether the assumptions hold.
    """

    reached: bool
    words: str
    applies: Callable[[Any], bool] = lambda experiment: True


@dataclass(frozen=True)
class Reading:
    """A quantity of recorded metrics that plays a role.

    Parameters
    ----------
    metrics : names of the metrics, which must all be recorded.
    words : the quantity.
    function : arrays of the metrics, float64 (R, T+1, ...) -> the quantity of the same shape.
    limits : name of a workflow -> its limits, of which the first that applies is taken; a pool keeps its first sample.
    bound : why the quantity is bounded in every run, or "".
    """

    metrics: tuple[str, ...]
    words: str
    function: Callable[..., np.ndarray] = lambda values: values
    limits: Mapping[str, tuple[Limit, ...]] = field(default_factory=dict)
    bound: str = ""


@dataclass(frozen=True)
class SymbolModes:
    """Modes that are symbols of large true probability; `Results.forgotten` says when they are lost."""


@dataclass(frozen=True)
class Excluded:
    """A definition that holds in no run of the family, and why."""

    reason: str


@dataclass(frozen=True)
class Unanswered:
    """A definition that no run of the family answers, and why."""

    reason: str


Role = tuple[Reading, ...] | SymbolModes | Excluded | Unanswered
# The scaling law of a family without a downstream predictor.
NO_SIZES = Unanswered("a run has one n_samples a generation and no downstream predictor; a sweep has a grid")


def share_left(values: np.ndarray) -> np.ndarray:
    """Return values over those of generation 0, NaN where these are 0.

    Examples
    --------
    >>> share_left(np.array([[2.0, 1.0, 0.5]]))
    array([[1.  , 0.5 , 0.25]])
    """
    start = values[:, :1]
    return np.divide(values, start, out=np.full(values.shape, np.nan), where=start != 0)


def share_lost(values: np.ndarray) -> np.ndarray:
    """Return 1 - `share_left`.

    Examples
    --------
    >>> share_lost(np.array([[100.0, 80.0]]))
    array([[0. , 0.2]])
    """
    return 1 - share_left(values)


def variance_left(log_sigma: np.ndarray) -> np.ndarray:
    """Return the variance over that of generation 0, from the log of the standard deviation.

    Examples
    --------
    >>> variance_left(np.log(np.array([[2.0, 1.0]])))
    array([[1.  , 0.25]])
    """
    return np.exp(np.minimum(2 * (log_sigma - log_sigma[:, :1]), 700.0))
