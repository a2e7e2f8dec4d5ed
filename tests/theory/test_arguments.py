"""Domain checks of the theory functions: each message has the argument, the rule and the value."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.arguments import integer, integers, reals


@pytest.mark.parametrize("value", [True, "1", None, [1, "a"], 1.5, -1, 2**60, float("nan"), 10**400])
def test_integers__refuse_other_than_integers_in_range(value):
    with pytest.raises(InputError, match="n must be "):
        integers("n", value, 0)


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, [0.5, 2.0], "x"])
def test_reals__refuse_values_outside_domain(value):
    with pytest.raises(InputError, match="p must be "):
        reals("p", value, 0, 1)


def test_reals__endpoints_belong_to_closed_intervals_only():
    assert reals("p", [0, 1], 0, 1).tolist() == [0.0, 1.0]
    with pytest.raises(InputError, match="strictly between 0 and 1"):
        reals("p", 0.0, 0, 1, closed=False)


def test_integer__is_scalar():
    assert integer("n", 3.0, 1) == 3
    with pytest.raises(InputError, match="n must be a single number"):
        integer("n", [3], 1)
