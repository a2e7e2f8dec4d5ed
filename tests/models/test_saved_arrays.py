"""Saved arrays are copied into a state, or refused by name."""

import numpy as np
import pytest

from fastcollapse.models.saved_arrays import require, restore_array


def test_restore_array__copies_the_values():
    target = np.zeros((2, 3))
    restore_array({"mean": np.arange(6.0).reshape(2, 3)}, "mean", target)
    np.testing.assert_array_equal(target, [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({}, r"mean of a state must have shape \(2,\), got none"),
        ({"mean": np.zeros(3)}, r"mean of a state must have shape \(2,\), got \(3,\)"),
        ({"mean": np.zeros(2, int)}, "mean of a state must be finite numbers of type float64"),
        ({"mean": np.array([0.0, np.nan])}, "mean of a state must be finite numbers of type float64"),
    ],
)
def test_restore_array__refuses_what_no_run_has(arrays, expected):
    target = np.zeros(2)
    with pytest.raises(ValueError, match=f"^{expected}$"):
        restore_array(arrays, "mean", target)
    assert (target == 0.0).all()


def test_require__names_the_array_and_what_is_allowed():
    require("counts", True, "at least 0")
    with pytest.raises(ValueError, match=r"^counts of a state must be at least 0$"):
        require("counts", np.bool_(False), "at least 0")
