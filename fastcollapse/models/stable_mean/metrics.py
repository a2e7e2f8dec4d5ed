"""Metrics of an estimated location: functions of the state `error` (R, B)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.models.roles import NO_SIZES, Excluded, Role, Unanswered
from fastcollapse.variables import Metric, Variable, metric_table


def error(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the estimated location minus the true one."""
    return states["error"]


METRICS = metric_table(Metric("error", Variable("estimated location minus the true one"), error))

ROLES: dict[str, Role] = {
    "risk": Unanswered("the squared error has no mean for alpha < 2; the panel error has medians beside their theory"),
    "variance": Excluded("the scale of the law is not refitted"),
    "scaling": NO_SIZES,
    "tails": Excluded("the law has the tails of the truth in every generation"),
    "modes": Excluded("the law has one mode in every generation"),
    "invented": Excluded("the density of the truth is positive everywhere"),
}
