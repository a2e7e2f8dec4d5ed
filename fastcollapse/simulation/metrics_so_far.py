"""Metrics of the generations that a run has computed, for a callback after each block."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from fastcollapse.storage.blocks import join_columns

# Called after each block with the metrics so far; a true value stops the run.
OnBlock = Callable[[Mapping[str, np.ndarray]], Any]


class MetricsSoFar(Mapping[str, np.ndarray]):
    """Name -> float64[R, generations so far, ...], read-only; the blocks of a metric are joined when it is read.

    Examples
    --------
    >>> metrics = MetricsSoFar({"m": np.zeros((2, 1))})
    >>> metrics.add({"m": np.ones((2, 3))})
    >>> metrics["m"].shape
    (2, 4)
    """

    def __init__(self, metrics: Mapping[str, Any]) -> None:
        self._parts: dict[str, list[Any]] = {name: [values] for name, values in metrics.items()}

    def add(self, metrics: Mapping[str, Any]) -> None:
        """Add the metrics of the next block."""
        for name, parts in self._parts.items():
            parts.append(metrics[name])

    def __getitem__(self, name: str) -> np.ndarray:
        joined = join_columns(self._parts[name])
        self._parts[name] = [joined]
        view = joined.view()
        view.flags.writeable = False
        return view

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy as a dictionary of the arrays."""
        return dict, (dict(self),)
