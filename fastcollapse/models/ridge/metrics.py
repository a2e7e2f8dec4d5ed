"""Metrics of linear regressions beside the true one: functions of the states that a model gives.

The states are `inside` (R, B, d), the weights in the basis of the eigenvectors of Sigma, or `overlap` <w, w0>,
`squared_norm` |w|^2 and `squared_gap` |w - w0|^2 (R, B) of isotropic inputs; and, where a predictor is trained
downstream, `predictor` (R, B, M, L, 6): its excess test error, the three parts of it, |w_pred|^2 and <w_pred, w0>, for
M numbers of samples and L ridges. The truth is a `Regression`.

All errors are excess test errors |w - w0|^2 in the norm of Sigma: the noise of the labels is not in them."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from fastcollapse.models.base import with_downstream
from fastcollapse.variables import Metric, Variable, metric_table


class Fits:
    """Regressions (R, B) beside the truth: what several metrics need, made once, when first asked for.

    Parameters
    ----------
    states : name -> float64 (R, B, ...), see the head of this file.
    truth : `spectrum` and `weights` (d) in that basis, and `norm`, that of the weights.
    """

    def __init__(self, states: Mapping[str, np.ndarray], truth: Any) -> None:
        self.states = states
        self.truth = truth

    @cached_property
    def squared_norm(self) -> np.ndarray:
        if "squared_norm" in self.states:
            return self.states["squared_norm"]
        return np.einsum("rbi,rbi->rb", self.states["inside"], self.states["inside"])

    @cached_property
    def overlap(self) -> np.ndarray:
        if "overlap" in self.states:
            return self.states["overlap"]
        return np.einsum("rbi,i->rb", self.states["inside"], self.truth.weights)

    def predictor(self, column: int) -> np.ndarray:
        """Return one number of the predictor, float64 (R, B, M, L)."""
        return self.states["predictor"][..., column]


def generator_error(fits: Fits) -> np.ndarray:
    """|w - w0|^2 in the norm of Sigma."""
    if "squared_gap" in fits.states:
        return fits.truth.spectrum[0] * fits.states["squared_gap"]
    gap = fits.states["inside"] - fits.truth.weights
    return np.einsum("rbi,rbi,i->rb", gap, gap, fits.truth.spectrum)


def generator_norm(fits: Fits) -> np.ndarray:
    """|w|."""
    return np.sqrt(fits.squared_norm)


def generator_alignment(fits: Fits) -> np.ndarray:
    """Cosine of the angle between w and w0."""
    return _cosine(fits.overlap, fits.squared_norm, fits.truth.norm)


def predictor_error(fits: Fits) -> np.ndarray:
    """|w_pred - w0|^2 in the norm of Sigma."""
    return fits.predictor(0)


def predictor_bias(fits: Fits) -> np.ndarray:
    """|(M - 1) w0|^2 in the norm of Sigma, M = (S + ridge)^-1 S: what the ridge costs on labels without noise."""
    return fits.predictor(1)


def predictor_variance(fits: Fits) -> np.ndarray:
    """The part of the noise of the downstream labels."""
    return fits.predictor(2)


def predictor_synthetic(fits: Fits) -> np.ndarray:
    """|M (w - w0)|^2 in the norm of Sigma: the part of the generator's error."""
    return fits.predictor(3)


def predictor_norm(fits: Fits) -> np.ndarray:
    """|w_pred|."""
    return np.sqrt(fits.predictor(4))


def predictor_alignment(fits: Fits) -> np.ndarray:
    """Cosine of the angle between w_pred and w0."""
    return _cosine(fits.predictor(5), fits.predictor(4), fits.truth.norm)


def _cosine(overlap: np.ndarray, square: np.ndarray, norm: float) -> np.ndarray:
    # Weights that have vanished altogether point nowhere.
    length = np.sqrt(square) * norm
    return np.clip(np.divide(overlap, length, out=np.zeros_like(overlap), where=length != 0), -1, 1)


_GENERATOR = (
    Metric("generator_error", Variable("excess test error of the generator"), generator_error),
    Metric("generator_norm", Variable("norm of the generator's weights"), generator_norm),
    Metric("generator_alignment", Variable("cosine of the generator's weights and the true ones"), generator_alignment),
)
# The predictor's metrics have the dimensions samples and ridge, whose names a run's parameters give.
_PREDICTOR = (
    Metric("test_error", Variable("excess test error downstream", missing=True), predictor_error),
    Metric("test_bias", Variable("part of the ridge in the test error", missing=True), predictor_bias),
    Metric(
        "test_variance", Variable("part of the downstream noise in the test error", missing=True), predictor_variance
    ),
    Metric(
        "test_synthetic", Variable("part of the generator's error in the test error", missing=True), predictor_synthetic
    ),
    Metric("test_norm", Variable("norm of the downstream weights", missing=True), predictor_norm),
    Metric(
        "test_alignment",
        Variable("cosine of the downstream weights and the true ones", missing=True),
        predictor_alignment,
    ),
)
METRICS = metric_table(*_GENERATOR, *_PREDICTOR)
DOWNSTREAM = metric_table(*_PREDICTOR)
# The metrics that need the three parts of the error, which take three times as long.
PARTS = ("test_bias", "test_variance", "test_synthetic")


def available(model: Any) -> dict[str, Metric]:
    """Return the metrics that a run with these parameters has: those of the predictor where it has one.

    Parameters
    ----------
    model : with `downstream`, None or with `axis`, the name of the axis of its ridges.
    """
    return with_downstream(_GENERATOR, _PREDICTOR, model.downstream)


def metrics_of(block: Any, truth: Any, names: Iterable[str] = ()) -> dict[str, np.ndarray]:
    """Return metrics of a block, by default all that it has: name -> float64 (R, B), of the predictor (R, B, M, L)."""
    fits = Fits(block.quantities, truth)
    wanted = names or [name for name in METRICS if name not in DOWNSTREAM or "predictor" in block.quantities]
    found = {}
    for name in wanted:
        function = METRICS[name].function
        assert function is not None
        found[name] = function(fits)
    return found
