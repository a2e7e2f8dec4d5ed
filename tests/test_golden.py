"""Regression test of numbers: every conformance case against its golden values, on any processor."""

import json
import math

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.models.registry import families
from tests import golden
from tests.test_conformance import CASES, experiment_of

# Relative tolerance; rounding of the kernel ridge solves depends on the processor.
RTOL = {"kernel_ridge": 1e-6}
GOLDEN = json.loads(golden.PATH.read_text())


def assert_golden(got, expected, rtol):
    assert got["integers"] == expected["integers"]
    assert got["floats"].keys() == expected["floats"].keys()
    for name, values in expected["floats"].items():
        np.testing.assert_allclose(got["floats"][name], values, rtol=rtol, atol=rtol * 1e-3, err_msg=name)


def test_golden__has_every_case():
    assert list(GOLDEN) == [param.id for param in CASES]


@pytest.mark.parametrize("family", families())
def test_numbers__equal_golden_values(tables, family):
    rtol = RTOL.get(family, 1e-9)
    for param in CASES:
        if param.values[0] == family:
            got = golden.golden_values(simulate(experiment_of(*param.values, tables), threads=1))
            assert_golden(got, GOLDEN[param.id], rtol)
    # Negative control: another seed.
    param = next(param for param in CASES if param.values[0] == family)
    other = golden.golden_values(simulate(experiment_of(*param.values, tables, seed=1), threads=1))
    with pytest.raises(AssertionError):
        assert_golden(other, GOLDEN[param.id], rtol)
    assert any(math.isfinite(value) for values in other["floats"].values() for value in values)
