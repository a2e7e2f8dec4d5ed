"""Metrics of linear regressions: functions of the states and of the truth, a `Regression`.

The states are `inside` (R, B, d), the weights in the basis of the eigenvectors of Sigma. For isotropic inputs they may
be `overlap` <w, w0>, `squared_norm` |w|^2 and `squared_gap` |w - w0|^2 (R, B) instead. With a downstream predictor,
`predictor` (R, B, M, L, 6) holds its excess test error, the three parts of this error, |w_pred|^2 and <w_pred, w0>, for
M sample sizes and L ridges; with a synthetic share it is (R, B, M, P, L, 6) for P shares. With mixed labels, `mixed`
(R, B, W, L) holds the errors for W weights and L ridges.

All errors are excess test errors |w - w0|^2 in the norm of Sigma, without the noise of the labels.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from fastcollapse.models.roles import Limit, Reading, Role, Unanswered
from fastcollapse.variables import Metric, Variable, metric_table


class RegressionQuantities:
    """Quantities that several metrics of regressions (R, B) share; each is computed once, at its first use.

    Parameters
    ----------
    states : name -> float64 (R, B, ...), see the docstring of this module.
    truth : has `spectrum` and `weights` (d) in the basis of the eigenvectors, and the `norm` of the weights.
    """

    def __init__(self, states: Mapping[str, np.ndarray], truth: Any) -> None:
        self.states = states
        self.truth = truth

    @cached_property
    def squared_norm(self) -> np.ndarray:
        """Squared norm |w|^2, float64 (R, B)."""
        if "squared_norm" in self.states:
            return self.states["squared_norm"]
        return np.einsum("rbi,rbi->rb", self.states["inside"], self.states["inside"])

    @cached_property
    def overlap(self) -> np.ndarray:
        """Overlap <w, w0>, float64 (R, B)."""
        if "overlap" in self.states:
            return self.states["overlap"]
        return np.einsum("rbi,i->rb", self.states["inside"], self.truth.weights)

    def predictor(self, column: int) -> np.ndarray:
        """Return one column of the predictor, float64 (R, B, M, L) or (R, B, M, P, L)."""
        return self.states["predictor"][..., column]


def generator_error(q: RegressionQuantities) -> np.ndarray:
    """Return |w - w0|^2 in the norm of Sigma."""
    if "squared_gap" in q.states:
        return q.truth.spectrum[0] * q.states["squared_gap"]
    gap = q.states["inside"] - q.truth.weights
    return np.einsum("rbi,rbi,i->rb", gap, gap, q.truth.spectrum)


def generator_norm(q: RegressionQuantities) -> np.ndarray:
    """Return |w|."""
    return np.sqrt(q.squared_norm)


def generator_alignment(q: RegressionQuantities) -> np.ndarray:
    """Return the cosine of the angle between w and w0."""
    return _cosine(q.overlap, q.squared_norm, q.truth.norm)


def predictor_error(q: RegressionQuantities) -> np.ndarray:
    """Return |w_pred - w0|^2 in the norm of Sigma."""
    return q.predictor(0)


def predictor_bias(q: RegressionQuantities) -> np.ndarray:
    """Return |(M - 1) w0|^2 in the norm of Sigma, the bias of the ridge, where M = (S + ridge)^-1 S."""
    return q.predictor(1)


def predictor_variance(q: RegressionQuantities) -> np.ndarray:
    """Return the part of the test error due to the noise of the downstream labels."""
    return q.predictor(2)


def predictor_synthetic(q: RegressionQuantities) -> np.ndarray:
    """Return the part of the test error due to the error delta of synthetic labels.

    It is |(S + ridge)^-1 S_2 delta|^2 in the norm of Sigma, where S_2 = X_2'X_2/T are the synthetic rows X_2, all or a
    share of them, and delta = w - w0 unless a run gives it.
    """
    return q.predictor(3)


def predictor_cross(q: RegressionQuantities) -> np.ndarray:
    """Return the test error less its parts, the products of different parts in the norm of Sigma."""
    return q.predictor(0) - q.predictor(1) - q.predictor(2) - q.predictor(3)


def predictor_norm(q: RegressionQuantities) -> np.ndarray:
    """Return |w_pred|."""
    return np.sqrt(q.predictor(4))


def predictor_alignment(q: RegressionQuantities) -> np.ndarray:
    """Return the cosine of the angle between w_pred and w0."""
    return _cosine(q.predictor(5), q.predictor(4), q.truth.norm)


def mixed_error(q: RegressionQuantities) -> np.ndarray:
    """Return |w - w0|^2 in the norm of Sigma of the chains on mixed labels."""
    return q.states["mixed"]


def _cosine(overlap: np.ndarray, square: np.ndarray, norm: float) -> np.ndarray:
    # The cosine of zero weights is set to 0.
    length = np.sqrt(square) * norm
    return np.clip(np.divide(overlap, length, out=np.zeros_like(overlap), where=length != 0), -1, 1)


_GENERATOR = (
    Metric("generator_error", Variable("excess test error of the generator"), generator_error),
    Metric("generator_norm", Variable("norm of the generator's weights"), generator_norm),
    Metric("generator_alignment", Variable("cosine of the generator's weights and the true ones"), generator_alignment),
)
# The dimensions of these metrics are set by `with_downstream`, because their names depend on the parameters.
_PREDICTOR = (
    Metric("test_error", Variable("excess test error downstream", missing=True), predictor_error),
    Metric("test_bias", Variable("part of the ridge in the test error", missing=True), predictor_bias),
    Metric(
        "test_variance", Variable("part of the downstream noise in the test error", missing=True), predictor_variance
    ),
    Metric(
        "test_synthetic",
        Variable("part of the error of synthetic labels in the test error", missing=True),
        predictor_synthetic,
    ),
    Metric("test_norm", Variable("norm of the downstream weights", missing=True), predictor_norm),
    Metric(
        "test_alignment",
        Variable("cosine of the downstream weights and the true ones", missing=True),
        predictor_alignment,
    ),
)
_CROSS = Metric("test_cross", Variable("products of the parts of the test error", missing=True), predictor_cross)
_MIXED = Metric("mixed_error", Variable("excess test error with mixed labels", dims=("weight", "ridge")), mixed_error)
METRICS = metric_table(*_GENERATOR, *_PREDICTOR, _CROSS, _MIXED)
DOWNSTREAM = metric_table(*_PREDICTOR, _CROSS)
# Metrics of a predictor that is a generation, fine-tuned: those of labels of the truth, and of synthetic ones beside.
_TUNED, _SYNTHETIC = _PREDICTOR[:3], (_PREDICTOR[3], _CROSS)
# Metrics of quantities that only some runs have.
BESIDE = {**dict.fromkeys(DOWNSTREAM, "predictor"), "mixed_error": "mixed"}
# Metrics that need the three parts of the error, which cost three times as much.
PARTS = ("test_bias", "test_variance", "test_synthetic", "test_cross")


def _is_noisy_least_squares(experiment: Any) -> bool:
    """Return whether the generators are least squares with noise and a finite expected error."""
    model, n, d = experiment.model, experiment.workflow.n_samples, experiment.truth.dimension
    is_finite = isinstance(n, int) and d is not None and n > d + 1
    is_gaussian = model.sampler == "exact"
    return model.ridge == 0 and model.synthetic_noise > 0 and is_gaussian and is_finite


ROLES: dict[str, Role] = {
    "risk": (
        Reading(
            ("generator_error",),
            "excess error of the generator",
            limits={
                "replace": (
                    Limit(True, "its mean grows by the same amount each fit (ols_error_mean)", _is_noisy_least_squares),
                ),
                "accumulate": (
                    Limit(
                        False,
                        "its mean is at most pi^2/6 of that of the first fit (accumulate_error_limit)",
                        _is_noisy_least_squares,
                    ),
                ),
            },
        ),
    ),
    "scaling": (Reading(("test_error",), "test error downstream"),),
    **dict.fromkeys(
        ("variance", "tails", "modes", "invented"), Unanswered("a regression generates labels, not inputs")
    ),
}


def available(parameters: Any) -> dict[str, Metric]:
    """Return the metrics of a run with these `RidgeParameters`."""
    mixed = {} if parameters.mixed_labels is None else metric_table(_MIXED)
    down = parameters.downstream
    predictor: tuple[Metric, ...] = _PREDICTOR
    if down is not None and down.is_tuned:
        predictor = (*_TUNED, *(_SYNTHETIC if down.is_mixed else ()))
    elif down is not None and down.is_mixed:
        predictor = (*_PREDICTOR, _CROSS)
    return {**with_downstream(_GENERATOR, predictor, down), **mixed}


def with_downstream(generator: Iterable[Metric], downstream: Iterable[Metric], predictor: Any) -> dict[str, Metric]:
    """Return the metrics of a regression by name, with the downstream metrics if the run trains a predictor.

    Parameters
    ----------
    generator, downstream : metrics of the generator and of the downstream predictor.
    predictor : the section `[model.downstream]`, whose `coordinates()` are the dimensions, or None.
    """
    metrics = metric_table(*generator)
    if predictor is not None:
        dims = tuple(predictor.coordinates())
        metrics |= {m.name: replace(m, variable=replace(m.variable, dims=dims)) for m in downstream}
    return metrics


def metrics_of(block: Any, truth: Any, names: Iterable[str] = ()) -> dict[str, np.ndarray]:
    """Return metrics of a block, by default all: name -> float64 (R, B), for the predictor (R, B, M, L)."""
    q = RegressionQuantities(block.quantities, truth)
    selected = names or [name for name in METRICS if name not in BESIDE or BESIDE[name] in block.quantities]
    functions = {name: METRICS[name].function for name in selected}
    return {name: function(q) for name, function in functions.items() if function}
