"""Metrics of the uniform levels: functions of the states `level` and `total_variation` (R, B)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.models.roles import NO_SIZES, Excluded, Reading, Role, Unanswered
from fastcollapse.variables import Metric, Variable, metric_table


def level(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the highest level that the training data reach."""
    return states["level"]


def total_variation(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the total variation distance to the truth."""
    return states["total_variation"]


def collapsed(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return 1 where the fit is g, otherwise 0: the distance of g is at least 3/4, that of h at most 1/2."""
    return (states["total_variation"] > 0.5).astype(np.float64)


METRICS = metric_table(
    Metric("level", Variable("highest level that the training data reach"), level),
    Metric("total_variation", Variable("total variation distance to the truth"), total_variation),
    Metric("collapsed", Variable("1 where the model has collapsed"), collapsed),
)


def mass_above(distance: np.ndarray) -> np.ndarray:
    """Return the mass above level 0: that of g is its total variation distance, that of h is half of it."""
    return np.where(distance > 0.5, distance, distance / 2)


ROLES: dict[str, Role] = {
    "risk": (Reading(("total_variation",), "total variation distance", bound="it is at most 1"),),
    "variance": Excluded("at least half of every law is uniform on a length of 1/2 or more"),
    "scaling": NO_SIZES,
    "tails": Unanswered("no metric says how much of level 0 is lost"),
    "modes": Excluded("the truth is uniform and has no mode"),
    "invented": (Reading(("total_variation",), "mass above level 0", mass_above),),
}
