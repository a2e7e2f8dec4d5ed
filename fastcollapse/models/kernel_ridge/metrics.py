"""Metrics of kernel ridge regressions: test errors on held-out rows against their given labels.

The model computes these metrics while it advances, because they need the held-out rows and the streams of the
predictor. The metrics of a generation are the mean squared error over the held-out rows and outputs, the fraction of
rows with the correct label, and the predictions at the rows shown in figures. A downstream predictor has an error and
a fraction for M sample sizes and L ridges. Chains on mixed labels have an error for W weights and L ridges. If all
generations have the same rows, or a fit is added to the function before, the exact expectations of errors given the
rows of a replicate are metrics too.

Errors are relative to the clean labels of the file. They do not include the noise that generations add, but they
include the part of the labels that the kernel cannot represent.
"""

from typing import Any

from fastcollapse.models.ridge.metrics import with_downstream
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
_GRID = ("weight", "ridge")
_MIXED = Metric("mixed_error", Variable("test error with mixed labels", dims=_GRID))
_EXPECTED = Metric(
    "generator_expected", Variable("test error of the generator expected for the rows of a replicate", missing=True)
)
_MIXED_EXPECTED = Metric(
    "mixed_expected", Variable("test error with mixed labels expected for the rows of a replicate", dims=_GRID)
)
METRICS = metric_table(*_GENERATOR, *_PREDICTOR, _MIXED, _EXPECTED, _MIXED_EXPECTED)
# Expectations given the rows of a replicate, which cost as much as the errors.
EXPECTED = (_EXPECTED.name, _MIXED_EXPECTED.name)

ROLES: dict[str, Role] = {
    "risk": (Reading(("generator_error",), "test error of the generator"),),
    "scaling": (Reading(("test_error",), "test error downstream"),),
    **dict.fromkeys(
        ("variance", "tails", "modes", "invented"), Unanswered("a regression generates labels, not inputs")
    ),
}


def available(parameters: Any) -> dict[str, Metric]:
    """Return the metrics of a run with these `KernelRidgeParameters`."""
    is_mixed, is_dependent = parameters.mixed_labels is not None, parameters.is_dependent
    is_expected = is_dependent or parameters.from_previous
    more = {_MIXED: is_mixed, _EXPECTED: is_expected, _MIXED_EXPECTED: is_mixed and is_dependent}
    found = with_downstream(_GENERATOR, _PREDICTOR, parameters.downstream)
    return {**found, **metric_table(*(metric for metric, is_served in more.items() if is_served))}
