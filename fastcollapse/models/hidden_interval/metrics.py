"""Metrics of the hidden interval: functions of the state `total_variation` (R, B), which is the parameter a."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.models.roles import NO_SIZES, Excluded, Reading, Role
from fastcollapse.variables import Metric, Variable, metric_table

# The first theorem of the paper calls a model collapsed from here on.
_COLLAPSED = 0.1


def total_variation(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the total variation distance to the truth."""
    return states["total_variation"]


def collapsed(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return 1 where the total variation distance is above 1/10, otherwise 0."""
    return (states["total_variation"] > _COLLAPSED).astype(np.float64)


METRICS = metric_table(
    Metric("total_variation", Variable("total variation distance to the truth"), total_variation),
    Metric("collapsed", Variable("1 where the total variation distance is above 1/10"), collapsed),
)

ROLES: dict[str, Role] = {
    "risk": (Reading(("total_variation",), "total variation distance", bound="a is at most 1/4"),),
    "variance": Excluded("half of every law is uniform on [0, 1]"),
    "scaling": NO_SIZES,
    "tails": Excluded("half of every law is uniform on [0, 1], which is all of the truth"),
    "modes": Excluded("the truth is uniform and has no mode"),
    "invented": (Reading(("total_variation",), "mass outside of [0, 1]", lambda a: a / 2),),
}
