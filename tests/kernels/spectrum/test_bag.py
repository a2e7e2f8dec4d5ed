"""The bag against NumPy's unique."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.spectrum.bag import TOO_SHORT, add, empty, new_bags


@kernel
def _fill(values, numbers, bag):
    for i in range(values.shape[0]):
        add(values[i], numbers[i], bag)


def one_bag(n_cells, n_far):
    bags = new_bags(1, n_cells, n_far)
    return type(bags)(*(array[0] for array in bags))


SMALL = st.integers(0, 40)
WIDE = st.integers(0, 10**15)


@given(st.lists(st.tuples(SMALL | WIDE, st.integers(1, 9)), max_size=200), st.sampled_from([1, 8, 64]))
def test_empty__returns_each_value_once_in_order(items, n_cells):
    bag = one_bag(n_cells, 2000)
    values, numbers = (np.array([item[i] for item in items], np.int64) for i in (0, 1))
    for _ in range(2):  # a bag is reused
        _fill(values, numbers, bag)
        got_values, got_numbers = np.zeros((2, 300), np.int64)
        end = empty(bag, 1, got_values, got_numbers)
        expected, where = np.unique(values, return_inverse=True)
        np.testing.assert_array_equal(got_values[1:end], expected)
        np.testing.assert_array_equal(got_numbers[1:end], np.bincount(where, numbers, len(expected)))
        assert not bag.cells.any()
        assert not bag.info[TOO_SHORT]


def test_bag__says_that_a_list_is_too_short():
    short = one_bag(1, 3)
    _fill(np.array([0, 10**6]), np.array([1, 4]), short)
    assert short.info[TOO_SHORT] == 1
    few = one_bag(8, 3)
    _fill(np.arange(5), np.ones(5, np.int64), few)
    values, numbers = np.zeros((2, 4), np.int64)
    assert empty(few, 0, values, numbers) == 4
    assert few.info[TOO_SHORT] == 1
