"""Sizes and limits of pools and fixed real batches."""

import numpy as np
import pytest

from fastcollapse.config.kernel_schedule import kernel_schedule
from fastcollapse.config.workflows import Accumulate, AccumulateSubsample, Mix, Replace
from fastcollapse.errors import InputError
from fastcollapse.models.pools import check_fitted, check_pool_memory, n_fixed_real, n_kept_after, pool_capacity


@pytest.mark.parametrize(
    ("workflow", "capacity", "n_kept"),
    [
        (Replace(n_samples=8), 8, [0, 0, 0]),
        (Accumulate(n_samples=8, keep_real=False), 16, [0, 8, 16]),
        (AccumulateSubsample(n_samples=8, keep_real=True, replacement=False), 24, [8, 16, 24]),
        (Mix(n_samples=6, n_real=3, real="fresh"), 9, [0, 0, 0]),
    ],
    ids=lambda value: value.name if hasattr(value, "name") else "",
)
def test_pool__has_the_sizes_of_its_workflow(workflow, capacity, n_kept):
    plan = kernel_schedule(workflow.schedule(3, None))
    assert pool_capacity(plan) == capacity
    assert [n_kept_after(plan, generation) for generation in (1, 2, 3)] == n_kept


@pytest.mark.parametrize(("real", "expected"), [("fixed", 3), ("fresh", 0)])
def test_n_fixed_real__is_the_size_of_a_fixed_batch(real, expected):
    assert n_fixed_real(Mix(n_samples=6, n_real=3, real=real).schedule(2, None)) == expected


def test_check_fitted__names_the_first_generation_with_too_few_points():
    schedule = Replace(n_samples=[5, 1, 1]).schedule(3, None)
    with pytest.raises(InputError, match=r"^workflow\.n_samples must give at least 2 points .* got 1 at generation 2$"):
        check_fitted(schedule, schedule.n_synthetic)
    check_fitted(schedule, np.array([2, 2, 2]))


def test_check_pool_memory__rejects_more_than_4e9_values():
    check_pool_memory(4 * 10**9)
    with pytest.raises(InputError, match=r"at most 4000000000 numbers, got 4000000001$"):
        check_pool_memory(4 * 10**9 + 1)
