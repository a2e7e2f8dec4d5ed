"""Metrics of Poisson laws: functions of the states that a model gives, `rate` (R, B), beside the truth's `rate`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np


def rate(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the rate, the mean of a count."""
    return states["rate"]


def alive(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return 1 where the rate is positive and 0 where it is lost for good."""
    return (states["rate"] > 0).astype(np.float64)


def squared_error(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the squared distance of the rate to the true one."""
    gap = states["rate"] - truth.rate
    return gap * gap


METRICS: dict[str, tuple[Callable[[Mapping[str, np.ndarray], Any], np.ndarray], str, str]] = {
    "rate": (rate, "rate, the mean of a count", "1"),
    "alive": (alive, "1 where the rate is positive", "1"),
    "squared_error": (squared_error, "squared distance of the rate to that of the truth", "1"),
}


def metrics_of(block: Any, truth: Any, names: Iterable[str] = tuple(METRICS)) -> dict[str, np.ndarray]:
    """Return metrics, float64 (R, B), of a block with `states` against the truth."""
    return {name: np.ascontiguousarray(METRICS[name][0](block.states, truth)) for name in names}
