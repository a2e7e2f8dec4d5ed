"""Detect the first non-finite value in a block."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from fastcollapse.variables import SampleRows, Variable


@dataclass(frozen=True)
class Fault:
    """Where the first number out of range is."""

    name: str
    replicate: int
    generation: int
    value: float

    def __str__(self) -> str:
        return f"{self.name} of replicate {self.replicate} is {self.value} at generation {self.generation}"


def first_fault(
    arrays: Iterable[tuple[str, np.ndarray, Variable]], first: int, first_replicate: int = 0
) -> Fault | None:
    """Return the first number out of range in a block that begins at generation `first`, the earliest one, or None.

    Parameters
    ----------
    arrays: a name, float64 (R, B, ...), and what it is: what of it may be infinite or missing

    Examples
    --------
    >>> first_fault([("mean", np.array([[0.0, 1.0], [2.0, np.inf]]), Variable("mean"))], 5)
    Fault(name='mean', replicate=1, generation=6, value=inf)
    """
    found: list[Fault] = []
    sound: set[int] = set()
    for name, values, variable in arrays:
        # Two names may have one array, and what is constant is one number: nothing is read twice.
        if id(values) in sound:
            continue
        seen = values[:1, :1] if values.strides[:2] == (0, 0) and values.size else values
        # One pass: a sum with a NaN or an infinity in it is one.
        with np.errstate(over="ignore", invalid="ignore"):
            finite = np.isfinite(np.add.reduce(seen, axis=None))
        if finite:
            sound.add(id(values))
            continue
        fault = _first(name, values, variable, first, first_replicate)
        if fault is not None:
            found.append(fault)
    return earliest(found)


def first_sample_fault(
    samples: Iterable[tuple[str, SampleRows, Variable]], first: int, n_replicates: int, first_replicate: int = 0
) -> Fault | None:
    """Return the first value out of range in the ragged rows of a block that begins at generation `first`, or None.

    Parameters
    ----------
    samples : a name, rows that are ordered by generation and then replicate, and what they are.
    """
    found = []
    for name, (indptr, values), variable in samples:
        wrong = ~np.isfinite(values)
        for limit in variable.limits:
            wrong &= values != limit
        points = np.flatnonzero(wrong.reshape(len(values), -1).any(axis=1))
        if points.size:
            row = int(np.searchsorted(indptr, points[0], side="right")) - 1
            generation, replicate = divmod(row, n_replicates)
            value = float(values[points[0]][wrong[points[0]]].ravel()[0])
            found.append(Fault(name, first_replicate + replicate, first + generation, value))
    return earliest(found)


def earliest(faults: Iterable[Fault | None]) -> Fault | None:
    """Return the fault of the first generation, and there of the first replicate; None where there is none."""
    known = [fault for fault in faults if fault is not None]
    return min(known, key=lambda fault: (fault.generation, fault.replicate), default=None)


def _first(name: str, values: np.ndarray, variable: Variable, first: int, first_replicate: int) -> Fault | None:
    """Look at every number; what is missing is missing from all replicates of a generation."""
    wrong = ~np.isfinite(values)
    for limit in variable.limits:
        wrong &= values != limit
    further = tuple(range(2, values.ndim))
    if variable.missing:
        absent = np.isnan(values).all(axis=(0, *further))
        wrong &= ~absent.reshape(1, -1, *(1 for _ in further))
    where = wrong.any(axis=further)
    if not where.any():
        return None
    column = int(where.any(axis=0).argmax())
    row = int(where[:, column].argmax())
    value = float(values[row, column][wrong[row, column]].ravel()[0])
    return Fault(name, first_replicate + row, first + column, value)
