"""Statements of papers that panels draw upon, and the workflows for which they hold.

Most of the theory is derived in this project. A panel has a statement if a theory function that it calls names a paper
in its docstring; `tests/analysis/panels/test_statements.py` compares both.
"""

from collections.abc import Callable
from typing import NamedTuple

from fastcollapse.analysis.panels.schedules import (
    accumulated_size,
    needs_beside_maps,
    replace_only_size,
    sampling_of,
    schedule_of,
)
from fastcollapse.simulation.recorded_run import RecordedRun


class Statement(NamedTuple):
    """A statement of papers.

    Parameters
    ----------
    words : what it says.
    keys : of the papers in data/references.bib.
    panels : names of the panels that draw upon it.
    holds : whether it holds for a run; by default for every run.
    """

    words: str
    keys: tuple[str, ...]
    panels: tuple[str, ...]
    holds: Callable[[RecordedRun], bool] = lambda results: True


def has_constant_size(results: RecordedRun) -> bool:
    """Whether each generation is fitted to the same number of samples of the one before."""
    return replace_only_size(results) is not None


def accumulates(results: RecordedRun) -> bool:
    """Whether each generation is fitted to all synthetic samples so far, of the same number each."""
    return accumulated_size(results) is not None


def has_fresh_data(results: RecordedRun) -> bool:
    """Whether each generation is fitted to new real data, and keeps no earlier samples."""
    schedule = schedule_of(results)
    has_real = bool((schedule.n_real > 0).all()) and schedule.real != "fixed"
    return has_real and schedule.sampling is None and not schedule.keep[1:].any()


def has_batches(results: RecordedRun) -> bool:
    """Whether each generation is fitted to whole samples of models that no map changes."""
    schedule = schedule_of(results)
    return schedule.sampling is None and not schedule.n_train.any()


def is_curated(results: RecordedRun) -> bool:
    """Whether samples are selected by a reward, with the soft rule."""
    sampling = sampling_of(results)
    return sampling is not None and sampling.best_of is not None and sampling.best_of.rule == "soft"


def is_verified(results: RecordedRun) -> bool:
    """Whether a verifier is all that acts on samples of the generation before."""
    sampling = sampling_of(results)
    schedule = schedule_of(results)
    is_alone = not schedule.first_is_real and not needs_beside_maps(schedule)
    return sampling is not None and sampling.verifier is not None and is_alone


RATIO_TO_FIRST = Statement("factors of large samples in any workflow", ("dey2024",), ("ratio_to_first",), has_batches)
ERROR_OVER_REAL = Statement(
    "fits that weigh fresh real and synthetic data", ("he2025",), ("error_over_real",), has_fresh_data
)
