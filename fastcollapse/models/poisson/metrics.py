"""Metrics of Poisson laws: functions of the state `rate` (R, B) and of the `rate` of the truth."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.variables import Metric, Variable, metric_table


def rate(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the rate, the mean of a count."""
    return states["rate"]


def alive(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return 1 where the rate is positive and 0 where the law is extinct (rate 0)."""
    return (states["rate"] > 0).astype(np.float64)


def squared_error(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the squared distance between the rate and the true rate."""
    gap = states["rate"] - truth.rate
    return gap * gap


METRICS = metric_table(
    Metric("rate", Variable("rate, the mean of a count"), rate),
    Metric("alive", Variable("1 where the rate is positive"), alive),
    Metric("squared_error", Variable("squared distance of the rate to that of the truth"), squared_error),
)
