"""Metrics of kernel ridge regressions: test errors against the given labels of rows that no generation has seen.

The states are `generator` (R, B, 2), mean squared error over the rows held out and outputs, and share of rows with the
right label; `shown` (R, B, S), predictions at the rows that figures show; and, where a predictor is trained downstream,
`predictor` (R, B, M, L, 2) likewise, for M numbers of samples and L ridges.

The errors are of clean labels, as the file has them: the noise that generations add is not in them, but what no
function of the kernel can learn of the labels is."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fastcollapse.variables import Variable

States = Mapping[str, np.ndarray]


def generator_error(states: States) -> np.ndarray:
    """Mean squared error of a generation; 0 for generation 0, which is the labels."""
    return states["generator"][..., 0]


def generator_accuracy(states: States) -> np.ndarray:
    """Share of rows whose label is the nearest to the prediction, or has the largest output."""
    return states["generator"][..., 1]


def generator_shown(states: States) -> np.ndarray:
    """Predictions at the rows that figures show: the number, or the label with the largest output."""
    return states["shown"]


def predictor_error(states: States) -> np.ndarray:
    """Mean squared error of the predictor."""
    return states["predictor"][..., 0]


def predictor_accuracy(states: States) -> np.ndarray:
    """Share of rows to which the predictor gives the right label."""
    return states["predictor"][..., 1]


# Name -> function, name for people, further dimensions.
METRICS: dict[str, tuple] = {
    "generator_error": (generator_error, "test error of the generator", ()),
    "generator_accuracy": (generator_accuracy, "test accuracy of the generator", ()),
    "generator_shown": (generator_shown, "prediction of the generator", ("shown",)),
}
DOWNSTREAM: dict[str, tuple] = {
    "test_error": (predictor_error, "test error downstream"),
    "test_accuracy": (predictor_accuracy, "test accuracy downstream"),
}
METRICS |= DOWNSTREAM


def available(model: Any) -> dict[str, Variable]:
    """Return the metrics that a run with these parameters has: those of the predictor where it has one.

    Parameters
    ----------
    model : with `downstream`, None or with `axis`, the name of the axis of its ridges.
    """
    found = {name: Variable(row[1], dims=row[2]) for name, row in METRICS.items() if name not in DOWNSTREAM}
    if model.downstream is not None:
        dims = ("downstream_samples", model.downstream.axis)
        found |= {name: Variable(row[1], dims=dims, missing=True) for name, row in DOWNSTREAM.items()}
    return found


def metrics_of(block: Any, truth: Any, names: Iterable[str] = ()) -> dict[str, np.ndarray]:
    """Return metrics of a block, by default all that it has: name -> float64 (R, B, ...)."""
    wanted = names or [name for name in METRICS if name not in DOWNSTREAM or "predictor" in block.states]
    return {name: METRICS[name][0](block.states) for name in wanted}
