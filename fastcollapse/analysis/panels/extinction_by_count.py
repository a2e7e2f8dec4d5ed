"""Extinction times by the count in the real data, from the metric `survival` of the spectrum engine."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.extinction_times import (
    Bracket,
    ExtinctionTime,
    extinction_panel,
    has_limit,
    median_brackets,
    times_panel,
)
from fastcollapse.analysis.panels.panel import Panel
from fastcollapse.analysis.panels.schedules import replace_only_size
from fastcollapse.datasets.count_spectrum import CountSpectrum
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.theory.discrete.extinction_time import forgetting_median_law


def forgetting_panel(results: RecordedRun, generations: np.ndarray, options: Mapping[str, Any]) -> Panel:
    """Show the median extinction time over the count of a symbol, with its theory."""
    if results.engine == "spectrum":
        return times_panel(times_by_original_count(results), results.last)
    return extinction_panel(results, generations, options)


def times_by_original_count(results: RecordedRun) -> list[ExtinctionTime]:
    """Return extinction times by the count in the real data, from the metric `survival` of the spectrum engine.

    They end with the first median beyond the run. A group of several counts has the earliest median of its smallest
    count and the latest one of its largest.

    Raises
    ------
    KeyError
        The run has not recorded the metric.
    InputError
        No median is within the run.
    """
    alive, starts = results.metrics["survival"].mean(axis=0), results.coordinates["original_count"].values
    last, n, total = results.last, replace_only_size(results), results.real_size or 1
    truth = results.truth
    assert isinstance(truth, CountSpectrum)  # the metric needs counts
    first = np.searchsorted(truth.counts, starts)
    end = np.append(first[1:], len(truth.counts))
    smallest, largest = truth.counts[first], truth.counts[end - 1]
    early: Sequence[Bracket | None] = [None] * len(starts)
    late = early
    if n is not None:
        early, late = (median_brackets(n, list(ends[:, None] / total), last) for ends in (smallest, largest))
    groups = []
    for g, (from_, to) in enumerate(zip(first, end, strict=True)):
        at = [int(k) for k in ((alive[:, g] > share).sum() for share in (0.75, 0.5, 0.25))]
        within = [k if k <= last else None for k in at]
        if within[1] is None:
            break
        numbers = truth.n_symbols[from_:to]
        count = float(truth.counts[from_:to] @ numbers / numbers.sum())
        earliest, latest = early[g], late[g]
        groups.append(
            ExtinctionTime(
                copies=count,
                smallest=float(smallest[g]),
                largest=float(largest[g]),
                n_symbols=int(numbers.sum()),
                quartiles=(within[0], within[1], within[2]),
                law=float(forgetting_median_law(count)) if has_limit(float(largest[g]), n) else None,
                median=None if earliest is None or latest is None else (earliest[0], latest[1]),
            )
        )
    if not groups:
        raise InputError("the panel forgetting must have symbols that are forgotten within the run, got none")
    return groups
