"""Theorems of the limit: which runs they cover."""

import numpy as np
import pytest

from fastcollapse.models.roles import Limit, Reading
from fastcollapse.simulation.profile.evidence import limit_of
from tests.simulation.profile._hand_made import hand_made

LIMIT = Limit(True, "it vanishes")
READING = Reading(("trace_ratio",), "variance", limits={"replace": (LIMIT,), "accumulate": (LIMIT,)})


@pytest.mark.parametrize(
    ("workflow", "expected"),
    [
        ({"name": "replace", "n_samples": 10}, LIMIT),
        ({"name": "replace", "n_samples": [10, 20]}, None),
        ({"name": "replace", "n_samples": {"start": 10, "factor": 2.0}}, None),
        ({"name": "accumulate", "n_samples": 10, "keep_real": True}, LIMIT),
        ({"name": "accumulate", "n_samples": 10, "keep_real": False}, None),
        ({"name": "mix", "n_samples": 10, "n_real": 5, "real": "fresh"}, None),
    ],
)
def test_limit__covers_plain_workflows_only(workflow, expected):
    run = hand_made("gaussian", {"trace_ratio": np.ones((2, 3))}, workflow)
    assert limit_of(run, READING) == expected


def test_limit__a_further_section_is_not_covered():
    run = hand_made("gaussian", {"trace_ratio": np.ones((2, 3))}, {"name": "replace", "n_samples": 10})
    sections = run.experiment.to_mapping()
    run.experiment = type("Changed", (), {"to_mapping": lambda self: {**sections, "sampling": {"temperature": 0.5}}})()
    assert limit_of(run, READING) is None


def test_limit__depends_on_its_assumptions():
    from fastcollapse.models.ridge.metrics import ROLES

    (reading,) = ROLES["risk"]
    for n, expected in ((10, True), (5, None)):  # four inputs: least squares has a finite error from 6 samples on
        run = hand_made("ridge", {"generator_error": np.ones((2, 3))}, {"name": "replace", "n_samples": n})
        limit = limit_of(run, reading)
        assert (limit and limit.reached) == expected
    run = hand_made(
        "ridge", {"generator_error": np.ones((2, 3))}, {"name": "replace", "n_samples": 10}, model={"ridge": 0.1}
    )
    assert limit_of(run, reading) is None


def test_limit__of_the_error_of_a_gaussian_mean_depends_on_the_estimator():
    from fastcollapse.models.gaussian.metrics import ROLES

    reading = ROLES["risk"][1]
    reached = []
    for estimator in ("unbiased", "mle"):
        metrics, workflow = {"squared_error": np.ones((2, 3))}, {"name": "replace", "n_samples": 10}
        limit = limit_of(hand_made("gaussian", metrics, workflow, model={"estimator": estimator}), reading)
        reached.append(limit.reached)
    assert reached == [True, False]
