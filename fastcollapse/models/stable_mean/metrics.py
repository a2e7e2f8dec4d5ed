"""Metrics of an estimated location: functions of the state `error` (R, B)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.variables import Metric, Variable, metric_table


def error(states: Mapping[str, np.ndarray], truth: Any) -> np.ndarray:
    """Return the estimated location minus the true one."""
    return states["error"]


METRICS = metric_table(Metric("error", Variable("estimated location minus the true one"), error))
