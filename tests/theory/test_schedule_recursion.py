"""Checks of a schedule, and the iteration over its generations."""

import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.schedule_recursion import Generation, check_schedule


def test_check_schedule__broadcasts_sizes():
    got = list(check_schedule([5, 6], n_real=3, keep=1, n_train=[0, 4]))
    assert got == [Generation(1, 5, 3, True, 0), Generation(2, 6, 3, True, 4)]


def test_check_schedule__fixed_data_exclude_fresh_data():
    got = check_schedule([5, 6], n_real=3, keep=0, real="fixed")
    assert got.n_fixed == 3
    assert [generation.n_fresh for generation in got] == [0, 0]


def test_check_schedule__may_be_empty():
    got = check_schedule([], n_real=3, keep=0, real="fixed")
    assert (len(got), got.n_fixed, list(got)) == (0, 0, [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_synthetic": 5}, "n_synthetic must be a vector, one entry for each generation, got 5"),
        ({"keep": 2}, "keep must be 0 or 1, got 2"),
        ({"n_real": [1, 2, 3]}, "n_real must be a number or 2 numbers"),
        ({"n_real": 1, "real": "none"}, "n_real must be 0 if real is 'none', got 1"),
        ({"n_real": [1, 2], "real": "fixed"}, "n_real must be constant if real is 'fixed'"),
        ({"real": "old"}, "real must be 'none', 'fresh' or 'fixed', got 'old'"),
    ],
)
def test_check_schedule__refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        check_schedule(**{"n_synthetic": [5, 6], "n_real": 0, "keep": 0} | arguments)
