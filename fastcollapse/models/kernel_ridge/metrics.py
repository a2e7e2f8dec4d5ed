"""Metrics of kernel ridge regressions: test errors on held-out rows against their given labels.

The model computes these metrics while it advances, because they need the held-out rows and the streams of the
predictor. The metrics of a generation are the mean squared error over the held-out rows and outputs, the fraction of
rows with the correct label, and the predictions at the rows shown in figures. A downstream predictor has an error and
a fraction for M sample sizes and L ridges.

Errors are relative to the clean labels of the file. They do not include the noise that generations add, but they
include the part of the labels that the kernel cannot represent.
"""

from typing import Any

from fastcollapse.models.base import with_downstream
from fastcollapse.models.roles import Reading, Role, Unanswered
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

ROLES: dict[str, Role] = {
    "risk": (Reading(("generator_error",), "test error of the generator"),),
    "scaling": (Reading(("test_error",), "test error downstream"),),
    **dict.fromkeys(
        ("variance", "tails", "modes", "invented"), Unanswered("a regression generates labels, not inputs")
    ),
}


def available(parameters: Any) -> dict[str, Metric]:
    """Return the metrics of a run; `parameters.downstream` is None or has `axis`, the name of the ridge dimension."""
    return with_downstream(_GENERATOR, _PREDICTOR, parameters.downstream)
