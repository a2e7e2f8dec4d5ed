"""Detect the first non-finite value in a block."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from fastcollapse.variables import SampleRows, Variable


@dataclass(frozen=True)
class Fault:
    """Position and value of a non-finite number."""

    name: str
    replicate: int
    generation: int
    value: float

    def __str__(self) -> str:
        return f"{self.name} of replicate {self.replicate} is {self.value} at generation {self.generation}"


def first_fault(
    arrays: Iterable[tuple[str, np.ndarray, Variable]], first: int, first_replicate: int = 0
) -> Fault | None:
    """Return the first non-finite value of a block, by generation and then replicate; None if all are finite.

    Parameters
    ----------
    arrays : name, float64 (R, B, ...), and the variable, which says where values may be infinite or missing.
    first : generation of the first column.
    first_replicate : number of the first replicate.

    Examples
    --------
    >>> first_fault([("mean", np.array([[0.0, 1.0], [2.0, np.inf]]), Variable("mean"))], 5)
    Fault(name='mean', replicate=1, generation=6, value=inf)
    """
    faults: list[Fault] = []
    finite_ids: set[int] = set()
    for name, values, variable in arrays:
        # Several names may share an array, and a broadcast array holds one number: nothing is read twice.
        if id(values) in finite_ids:
            continue
        part = values[:1, :1] if values.strides[:2] == (0, 0) and values.size else values
        # One pass: a sum is non-finite if any term is.
        with np.errstate(over="ignore", invalid="ignore"):
            is_finite = np.isfinite(np.add.reduce(part, axis=None))
        if is_finite:
            finite_ids.add(id(values))
            continue
        fault = _first(name, values, variable, first, first_replicate)
        if fault is not None:
            faults.append(fault)
    return earliest(faults)


def first_sample_fault(
    samples: Iterable[tuple[str, SampleRows, Variable]], first: int, n_replicates: int, first_replicate: int = 0
) -> Fault | None:
    """Return the first non-finite value in the ragged rows of a block; None if all are finite.

    Parameters
    ----------
    samples : name, rows in order of generation then replicate, and the variable.
    first : generation of the first row.
    n_replicates : number of replicates.
    first_replicate : number of the first replicate.
    """
    faults = []
    for name, (indptr, values), variable in samples:
        wrong = ~np.isfinite(values)
        for limit in variable.limits:
            wrong &= values != limit
        points = np.flatnonzero(wrong.any(axis=tuple(range(1, wrong.ndim))))
        if points.size:
            row = int(np.searchsorted(indptr, points[0], side="right")) - 1
            generation, replicate = divmod(row, n_replicates)
            value = float(values[points[0]][wrong[points[0]]].ravel()[0])
            faults.append(Fault(name, first_replicate + replicate, first + generation, value))
    return earliest(faults)


def earliest(faults: Iterable[Fault | None]) -> Fault | None:
    """Return the first fault by generation and then replicate; None if there is none."""
    present = [fault for fault in faults if fault is not None]
    return min(present, key=lambda fault: (fault.generation, fault.replicate), default=None)


def _first(name: str, values: np.ndarray, variable: Variable, first: int, first_replicate: int) -> Fault | None:
    """Return the first fault of an array, by a check of every value; see `Variable.missing`."""
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
