"""The schedule of a run, and other quantities that are computed once for a run."""

import functools
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from fastcollapse.config.sampling import Sampling
from fastcollapse.config.schedule import Schedule
from fastcollapse.simulation import schedules
from fastcollapse.simulation.recorded_run import RecordedRun

Value = TypeVar("Value")


def cached_by_results(function: Callable[[RecordedRun], Value]) -> Callable[[RecordedRun], Value]:
    """Cache the value of a function for each run, as long as the results are in use."""
    cache: WeakKeyDictionary[RecordedRun, Value] = WeakKeyDictionary()

    @functools.wraps(function)
    def cached(results: RecordedRun) -> Value:
        if results not in cache:
            cache[results] = function(results)
        return cache[results]

    return cached


@cached_by_results
def schedule_of(results: RecordedRun) -> Schedule:
    """Return the schedule that a run followed."""
    return schedules.schedule_of(results.experiment, results.real_size, results.reader.header)


def sampling_of(results: RecordedRun) -> Sampling | None:
    """Return the maps of a run, or None."""
    sampling = schedule_of(results).sampling
    return sampling if sampling is not None and sampling.maps else None


def needs_beside_maps(schedule: Schedule) -> frozenset[str]:
    """Return the capabilities that a schedule needs besides its maps."""
    return schedule.needs - frozenset(schedule.sampling.maps if schedule.sampling else ())


def is_replace_only(results: RecordedRun) -> bool:
    """Whether each generation is fitted to all samples of the generation before and to nothing else."""
    return schedule_of(results).is_replace_only


def replace_only_size(results: RecordedRun) -> int | None:
    """Return the constant sample size of a run that only replaces its data; None for other runs."""
    sizes = schedule_of(results).n_synthetic
    return int(sizes[0]) if is_replace_only(results) and not np.ptp(sizes) else None


def own_schedule(results: RecordedRun) -> Schedule | None:
    """Return the schedule of a run whose fits are to all synthetic points of a pool; None with other data."""
    schedule = schedule_of(results)
    return None if schedule.n_real.any() or schedule.n_train.any() else schedule


def accumulated_size(results: RecordedRun) -> int | None:
    """Return the constant sample size of a run that keeps all its data from the first fit on; None for other runs."""
    schedule, sizes = own_schedule(results), schedule_of(results).n_synthetic
    return int(sizes[0]) if schedule is not None and schedule.keep.all() and not np.ptp(sizes) else None
