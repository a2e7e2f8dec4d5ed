"""Workflows: arrays over generations against the definitions, generation by generation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse.config.sizes import Growth, resolve
from fastcollapse.config.workflows import (
    WORKFLOWS,
    Accumulate,
    AccumulateSubsample,
    Mix,
    Replace,
    Schedule,
)
from fastcollapse.errors import InputError

N_GENERATIONS = 6
sizes = st.one_of(
    st.integers(1, 10**6),
    st.lists(st.integers(1, 10**6), min_size=N_GENERATIONS, max_size=N_GENERATIONS),
    st.builds(lambda start, factor: {"start": start, "factor": factor}, st.integers(10**3, 10**6), st.floats(0.5, 3)),
    st.builds(
        lambda start, step: {"start": start, "step": step},
        st.integers(10**3, 10**6),
        st.integers(-100, 10**6),
    ),
)
flags = st.booleans()
workflows = st.one_of(
    st.builds(Replace, n_samples=sizes),
    st.builds(Accumulate, n_samples=sizes, keep_real=flags),
    st.builds(Accumulate, n_samples=sizes, keep_real=flags, n_real=sizes),
    st.builds(AccumulateSubsample, n_samples=sizes, keep_real=flags, replacement=flags),
    st.builds(Mix, n_samples=sizes, n_real=sizes, real=st.just("fresh")),
    st.builds(Mix, n_samples=sizes, n_real=st.integers(0, 10**6), real=st.just("fixed")),
)


def naive_totals(schedule: Schedule, truth_total: int | None) -> list[int]:
    pool = (truth_total or 0) if schedule.start_with_data else 0
    totals = []
    for t in range(len(schedule.keep)):
        pool = int(schedule.keep[t]) * pool + int(schedule.n_synthetic[t]) + int(schedule.n_real[t])
        totals.append(pool)
    return totals


@settings(deadline=None)
@given(workflow=workflows, truth_total=st.one_of(st.none(), st.integers(1, 10**9)))
def test_schedule__arrays_have_one_entry_a_generation_and_fit_the_pool(workflow, truth_total):
    schedule = workflow.schedule(N_GENERATIONS, truth_total)
    for array in (schedule.n_synthetic, schedule.n_real, schedule.keep, schedule.n_train):
        assert array.shape == (N_GENERATIONS,)
        assert array.dtype == np.int64
        assert array.flags.c_contiguous
    assert (schedule.n_synthetic >= 1).all()
    assert (schedule.n_real >= 0).all()
    assert set(schedule.keep.tolist()) <= {0, 1}
    expected = naive_totals(schedule, truth_total)
    np.testing.assert_array_equal(schedule.pool_totals(truth_total), expected)
    assert (schedule.n_train <= expected).all()
    assert schedule.real in ("none", "fresh", "fixed")
    assert (schedule.real == "none") == (not schedule.n_real.any())
    assert not (schedule.start_with_data and truth_total is None)


@settings(deadline=None)
@given(start=st.integers(1, 1000), factor=st.floats(0.8, 2.0), step=st.integers(0, 1000))
def test_resolve__growth_equals_a_plain_loop(start, factor, step):
    expected, value = [], 1.0
    for _ in range(8):
        expected.append(round(start * value))
        value *= factor
    if min(expected) >= 1:
        got = resolve(Growth(start=start, factor=factor), "workflow.n_samples", 8, None)
        np.testing.assert_array_equal(got, expected)
    got = resolve(Growth(start=start, step=step), "workflow.n_samples", 8, None)
    np.testing.assert_array_equal(got, [start + step * t for t in range(8)])


def test_resolve__truth_is_the_size_of_the_real_data():
    np.testing.assert_array_equal(Replace(n_samples="truth").schedule(2, 436577).n_synthetic, [436577, 436577])


def test_resolve__times_truth_is_a_rounded_multiple():
    workflow = Replace(n_samples={"times_truth": 0.5})
    assert workflow.to_mapping() == {"n_samples": {"times_truth": 0.5}}
    schedule = workflow.schedule(2, 7)
    np.testing.assert_array_equal(schedule.n_synthetic, [4, 4])
    assert (schedule.times_truth, schedule.real_times_truth) == (0.5, None)
    assert Replace(n_samples="truth").schedule(2, 7).times_truth == 1
    assert Replace(n_samples=7).schedule(2, 7).times_truth is None
    mixed = Mix(n_samples={"times_truth": 3}, n_real={"times_truth": 0}, real="fixed").schedule(2, 7)
    assert (mixed.n_synthetic.tolist(), mixed.n_real.tolist(), mixed.real_times_truth) == ([21, 21], [0, 0], 0)


@pytest.mark.parametrize(
    ("n_samples", "total", "message"),
    [
        ({"times_truth": -1}, 7, "n_samples.times_truth must be at least 0, got -1"),
        ({"times_truth": 1, "step": 1}, 7, "n_samples.step is not a known key, use times_truth"),
        ({"times": 2}, 7, "{start, power} or {times_truth}, got {'times': 2}"),
        ({"times_truth": 0.01}, 7, "n_samples must stay from 1 to 10**15 at every generation, got 0 at generation 1"),
        ({"times_truth": 1e14}, 70, "must stay from 1 to 10**15 at every generation, got 7000000000000000 at"),
        (
            {"times_truth": 0.5},
            None,
            "n_samples must be a number: this truth is a law, whose data has no size of its own, got {'times_truth'",
        ),
    ],
)
def test_times_truth__is_refused_by_its_key(n_samples, total, message):
    with pytest.raises(InputError) as caught:
        Replace(n_samples=n_samples).schedule(2, total)
    assert message in str(caught.value)


def test_replace__keeps_nothing_and_trains_on_the_whole_pool():
    schedule = Replace(n_samples=7).schedule(3, 100)
    assert not schedule.keep.any()
    assert not schedule.n_train.any()
    assert schedule.real == "none"
    assert not schedule.start_with_data


@pytest.mark.parametrize(
    ("keep_real", "truth_total", "keep", "started", "totals"),
    [
        (True, 100, [1, 1, 1], True, [107, 114, 121]),
        (False, 100, [1, 1, 1], False, [7, 14, 21]),
        (True, None, [1, 1, 1], False, [7, 14, 21]),
        (False, None, [1, 0, 1], False, [7, 7, 14]),
    ],
)
def test_accumulate__keep_real_decides_about_the_data_of_the_start(keep_real, truth_total, keep, started, totals):
    schedule = Accumulate(n_samples=7, keep_real=keep_real).schedule(3, truth_total)
    assert schedule.keep.tolist() == keep
    assert schedule.start_with_data is started
    assert schedule.pool_totals(truth_total).tolist() == totals


def test_accumulate_subsample__trains_on_n_samples_unless_told():
    workflow = AccumulateSubsample(n_samples=[5, 6], keep_real=True, replacement=True)
    schedule = workflow.schedule(2, None)
    assert schedule.n_train.tolist() == [5, 6]
    assert schedule.replacement
    workflow = AccumulateSubsample(n_samples=5, keep_real=True, replacement=False, n_train=[3, 10])
    assert workflow.schedule(2, None).n_train.tolist() == [3, 10]


def test_mix__no_real_tokens_is_no_real_data():
    assert Mix(n_samples=5, n_real=0, real="fixed").schedule(2, None).real == "none"
    assert Mix(n_samples=5, n_real="truth", real="fixed").schedule(2, 9).n_real.tolist() == [9, 9]


def test_schedule__one_generation_is_enough():
    assert Accumulate(n_samples=7, keep_real=False).schedule(1, None).pool_totals().tolist() == [7]


@pytest.mark.parametrize(
    ("make", "n_generations", "truth_total", "message"),
    [
        (
            lambda: Replace(n_samples="truth"),
            2,
            None,
            "workflow.n_samples must be a number: this truth is a law, whose data has no size of its own, got 'truth'",
        ),
        (
            lambda: Mix(n_samples=1, n_real="truth", real="fresh"),
            2,
            None,
            "workflow.n_real must be a number: this truth is a law",
        ),
        (
            lambda: Replace(n_samples=[1, 2]),
            3,
            None,
            "workflow.n_samples must list one size for each of the 3 generations, got 2",
        ),
        (
            lambda: Replace(n_samples={"start": 10, "factor": 0.1}),
            3,
            None,
            "workflow.n_samples must stay from 1 to 10**15 at every generation, got 0 at generation 3",
        ),
        (lambda: Replace(n_samples={"start": 10, "factor": 1e10}), 200, None, "got 1e+21 at generation 3"),
        (lambda: Replace(n_samples={"start": 10, "step": -5}), 3, None, "got 0 at generation 3"),
        (lambda: Replace(n_samples={"start": 0, "factor": 1e15}), 99, None, "got 0 at generation 1"),
        (
            lambda: Accumulate(n_samples=10**15, keep_real=False),
            3,
            5,
            "workflow.n_samples must keep the pool at most 10**15 tokens, got 2000000000000000 at generation 2",
        ),
        (lambda: Accumulate(n_samples=10**15, keep_real=False), 10**5, None, "at generation 3"),
        (lambda: Accumulate(n_samples=10**15, keep_real=True), 1, 1, "got 1000000000000001 at generation 1"),
        (
            lambda: AccumulateSubsample(n_samples=5, keep_real=False, replacement=False, n_train=[5, 6]),
            2,
            None,
            "workflow.n_train must be at most the pool, 5 tokens at generation 2, got 6",
        ),
    ],
)
def test_schedule__refuses_what_only_shows_over_generations(make, n_generations, truth_total, message):
    with pytest.raises(InputError) as caught:
        make().schedule(n_generations, truth_total)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Replace(n_samples=0), "workflow.n_samples must be at least 1, got 0"),
        (
            lambda: Replace(n_samples=True),
            "workflow.n_samples must be a whole number from 1 to 10**15, 'truth', a list",
        ),
        (
            lambda: Replace(n_samples=100.0),
            "workflow.n_samples must be a whole number, written without a decimal point, got 100.0",
        ),
        (
            lambda: Replace(n_samples=10**15 + 1),
            "workflow.n_samples must be at most 10**15, got 1000000000000001",
        ),
        (lambda: Replace(n_samples="thruth"), "got 'thruth'"),
        (lambda: Replace(n_samples=[]), "workflow.n_samples must be a list of at least 1, got []"),
        (lambda: Replace(n_samples=[3, 0]), "workflow.n_samples[1] must be at least 1, got 0"),
        (
            lambda: Replace(n_samples={"start": 3}),
            "workflow.n_samples must have start and either factor, step or power",
        ),
        (
            lambda: Replace(n_samples={"start": 3, "step": 1, "factor": 2.0}),
            "must have start and either factor, step or power",
        ),
        (
            lambda: Replace(n_samples={"begin": 3, "step": 1.5}),
            "workflow.n_samples.begin is not a known key, use start, factor, step, power; "
            "workflow.n_samples.start is required",
        ),
        (
            lambda: Replace(n_samples={"start": 3, "factor": float("nan")}),
            "factor must be a finite number, got nan",
        ),
        (lambda: Accumulate(n_samples=3, keep_real=1), "workflow.keep_real must be true or false, got 1"),
        (
            lambda: Mix(n_samples=3, n_real=-1, real="fresch"),
            "workflow.n_real must be at least 0, got -1; "
            "workflow.real must be one of fresh, fixed, got 'fresch' "
            "(did you mean 'fresh'?)",
        ),
        (
            lambda: Mix(n_samples=3, n_real=[1, 2], real="fixed"),
            "workflow.n_real must be one number, 'truth' or {times_truth} when workflow.real is 'fixed', got [1, 2]",
        ),
    ],
)
def test_workflow__refuses_a_bad_parameter_by_its_key(make, message):
    with pytest.raises(InputError) as caught:
        make()
    assert message in str(caught.value)


def test_workflow__numpy_values_become_plain_ones():
    workflow = Replace(n_samples=np.array([3, 4]))
    assert workflow.n_samples == (3, 4)
    assert type(Replace(n_samples=np.int64(3)).n_samples) is int


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows__are_found_by_their_name(name):
    assert WORKFLOWS[name].name == name


@pytest.mark.parametrize(
    ("replacement", "same", "n_train"),
    [(True, False, 30), (True, True, 30), (False, True, 30), (True, False, 12), (False, True, 12)],
)
def test_different_rows__hold_what_is_drawn(replacement, same, n_train):
    workflow = AccumulateSubsample(n_samples=30, keep_real=True, replacement=replacement, n_train=n_train)
    schedule = workflow.schedule(3, None)
    least, most = (int(bound[-1]) for bound in schedule.distinct_rows(same))
    rng = np.random.default_rng(20240301)
    rows = np.arange(90) % (30 if same else 90)
    counts = np.array([len(set(rng.choice(rows, n_train, replace=replacement))) for _ in range(2000)])
    # Beyond five deviations is none of 2,000; ten deviations, and the rounding of both ends, are all that is between.
    assert least <= counts.min()
    assert counts.max() <= most
    assert most - least <= 10 * 1.1 * counts.std() + 2


def test_different_rows__are_all_where_none_is_drawn_twice():
    for workflow, same, expected in (
        (Replace(n_samples=[3, 4, 5]), False, [3, 4, 5]),
        (Replace(n_samples=4), True, [4, 4, 4]),
        (Accumulate(n_samples=4, keep_real=True), False, [4, 8, 12]),
        (Accumulate(n_samples=4, keep_real=True), True, [4, 4, 4]),
        (Mix(n_samples=4, n_real=3, real="fixed"), True, [7, 7, 7]),
        (AccumulateSubsample(n_samples=4, keep_real=True, replacement=False, n_train=3), False, [3, 3, 3]),
    ):
        for bound in workflow.schedule(3, None).distinct_rows(same):
            np.testing.assert_array_equal(bound, expected)


def test_subsample__with_replacement_may_be_larger_than_its_pool():
    workflow = AccumulateSubsample(n_samples=5, keep_real=False, replacement=True, n_train=[5, 60])
    assert workflow.schedule(2, None).n_train.tolist() == [5, 60]


def test_accumulate__takes_in_fresh_real_data():
    workflow = Accumulate(n_samples=10, keep_real=True, n_real=[0, 4, 5])
    schedule = workflow.schedule(3, None)
    assert schedule.pool_totals().tolist() == [10, 24, 39]
    assert schedule.real == "fresh"
    assert {"pool_with_real", "pool", "fresh_real"} == workflow.needs()
    # Without it the workflow and its needs are those of the other families.
    assert Accumulate(n_samples=10, keep_real=True).needs() == {"pool"}
    with pytest.raises(InputError, match=r"n_real must be absent with workflow.window, got 4"):
        Accumulate(n_samples=10, keep_real=True, n_real=4, window=2)
