"""First-passage times: the first generation at which each replicate meets the stop condition of a run."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastcollapse.config.stop_condition import StopCondition
from fastcollapse.errors import InputError, nearest
from fastcollapse.variables import Variable


class FirstPassage:
    """First-passage times of a run, which grow with its blocks.

    Parameters
    ----------
    condition : the stop condition.
    n_replicates : number of replicates R.

    Attributes
    ----------
    times : int32 (R), the first generation that meets the condition; -1 where none has.

    Examples
    --------
    >>> passage = FirstPassage(StopCondition("m < 1"), 2)
    >>> passage.observe(1, {"m": np.array([[2.0, 0.0, 0.0], [2.0, 2.0, 0.5]])}), passage.times
    (3, array([2, 3], dtype=int32))
    """

    def __init__(self, condition: StopCondition, n_replicates: int) -> None:
        self._condition = condition
        self.times = np.full(n_replicates, -1, np.int32)

    @property
    def all_met(self) -> bool:
        """Whether every replicate has met the condition."""
        return bool((self.times >= 0).all())

    def observe(self, first: int, metrics: Mapping[str, Any]) -> int | None:
        """Read a block, and return the number of its generations until all replicates have met the condition.

        Parameters
        ----------
        first : generation of the first column.
        metrics : name -> float64 (R, B).

        Returns
        -------
        int or None
            None if a replicate has not met it.
        """
        met = self._condition.met({name: np.asarray(metrics[name]) for name in self._condition.names})
        new = (self.times < 0) & met.any(axis=1)
        self.times[new] = first + met.argmax(axis=1)[new]
        return int(self.times.max()) - first + 1 if self.all_met else None

    def forget(self, first: int) -> None:
        """Remove the times from generation `first` on, which are computed again."""
        self.times[self.times >= first] = -1


def first_passage_of(stop: str | None, metrics: Mapping[str, Variable], n_replicates: int) -> FirstPassage | None:
    """Return the first-passage times of a run before its first block; None without a stop condition.

    Parameters
    ----------
    stop : value of `run.stop`.
    metrics : the recorded metrics.

    Raises
    ------
    InputError
        A metric of the condition is not recorded, or has further dimensions.
    """
    if stop is None:
        return None
    condition = StopCondition(stop)
    for name in condition.names:
        if name not in metrics:
            known = ", ".join(metrics)
            raise InputError(f"run.stop must have recorded metrics, of {known}, got {name!r}{nearest(name, metrics)}")
        if metrics[name].dims:
            raise InputError(
                f"run.stop must have metrics of one number, got {name!r} over {', '.join(metrics[name].dims)}"
            )
    return FirstPassage(condition, n_replicates)
