"""Metrics of kernel ridge regressions: test errors against the given labels of rows that no generation has seen.

The model computes them itself while it advances, because they need the held-out rows and the streams of the
predictor. A generation gives mean squared error over the held-out rows and outputs, the share of rows with the right
label, and predictions at the rows that figures show. A predictor trained downstream gives error and share for M numbers
of samples and L ridges.

Errors are of clean labels, as the file has them: the noise that generations add is not in them, but the part of the
labels that no function of the kernel can learn is.
"""

from typing import Any

from fastcollapse.models.base import with_downstream
from fastcollapse.variables import Metric, Variable, metric_table

_GENERATOR = (
    Metric("generator_error", Variable("test error of the generator")),
    Metric("generator_accuracy", Variable("test accuracy of the generator")),
    Metric("generator_shown", Variable("prediction of the generator", dims=("shown",))),
)
_PREDICTOR = (
    Metric("test_error", Variable("test error downstream", missing=True)),
    Metric("test_accuracy", Variable("test accuracy downstream", missing=True)),
)
METRICS = metric_table(*_GENERATOR, *_PREDICTOR)


def available(model: Any) -> dict[str, Metric]:
    """Return the metrics that a run with these parameters has: those of the predictor where it has one.

    Parameters
    ----------
    model : with `downstream`, None or with `axis`, the name of the axis of its ridges.
    """
    return with_downstream(_GENERATOR, _PREDICTOR, model.downstream)
