"""Shares over generations."""

import numpy as np
import pytest

from fastcollapse.config.shares import Power, ShareField, resolve_share
from fastcollapse.errors import InputError


def test_resolve_share__numbers_lists_and_powers():
    np.testing.assert_array_equal(resolve_share(0.25, "a", 3), [0.25, 0.25, 0.25])
    np.testing.assert_array_equal(resolve_share((0.0, 1.0), "a", 2), [0.0, 1.0])
    np.testing.assert_allclose(resolve_share(Power(start=0.5, power=-1.0), "a", 4), 0.5 / np.arange(1, 5))
    np.testing.assert_array_equal(resolve_share(Power(start=0.0, power=100.0), "a", 2000), np.zeros(2000))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1.5, "at most 1, got 1.5"),
        (-0.1, "at least 0, got -0.1"),
        ("best", "a list of them or a table {start, power}, got 'best'"),
        ([0.1, 2], r"\[1\] must be at most 1, got 2"),
        ({"start": 0.5}, "power is required"),
        (True, "must be a number, got True"),
        (None, "must be a number, got None"),
        (float("nan"), "must be a finite number, got nan"),
    ],
)
def test_share__refuses(value, words):
    with pytest.raises(InputError, match=words):
        ShareField()(value)


def test_resolve_share__refuses_other_lengths_and_shares_above_1():
    with pytest.raises(InputError, match=r"workflow.weight must list one share for each of the 3 generations, got 2"):
        resolve_share((0.1, 0.2), "workflow.weight", 3)
    with pytest.raises(InputError, match=r"must stay from 0 to 1 at every generation, got 1.5 at generation 3"):
        resolve_share(Power(start=0.5, power=1.0), "workflow.weight", 5)
