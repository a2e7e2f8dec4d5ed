"""Sizes: numbers of tokens that may change over generations."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from fastcollapse.config.fields import (
    MAX_COUNT,
    FloatField,
    IntField,
    ListField,
    ValidationErrors,
    is_list,
    parameter,
    power_text,
    refuse,
    show,
)
from fastcollapse.config.section_base import Section, TableField

if TYPE_CHECKING:
    import numpy as np


@dataclasses.dataclass(frozen=True)
class Growth(Section):
    """A size at generation t: `start * factor**(t - 1)` or `start * t**power`, rounded, or `start + step * (t - 1)`."""

    start: int = parameter(IntField(0, MAX_COUNT), "size at generation 1", unit="tokens")
    factor: float | None = parameter(FloatField(0, 1e15, above=True), "growth per generation", default=None)
    step: int | None = parameter(IntField(-MAX_COUNT, MAX_COUNT), "growth per generation", default=None, unit="tokens")
    power: float | None = parameter(FloatField(-100, 100), "exponent of the generation", default=None)

    def relations(self) -> list[tuple[str, str]]:
        """Return what is wrong with the keys together: (key, problem) pairs."""
        if [self.factor, self.step, self.power].count(None) != 2:
            return [("", f"must have start and either factor, step or power, got {show(self.to_mapping())}")]
        return []


@dataclasses.dataclass(frozen=True)
class TimesTruth(Section):
    """A multiple of the size of the real data, rounded to a whole number."""

    times_truth: float = parameter(FloatField(0, MAX_COUNT), "multiple of the size of the real data")


Size = int | str | tuple[int, ...] | Growth | TimesTruth


def multiple_of_truth(size: Size | None) -> float | None:
    """Return a size as a multiple of the real data; None for a size that is given otherwise.

    Examples
    --------
    >>> multiple_of_truth("truth"), multiple_of_truth(TimesTruth(times_truth=0.5)), multiple_of_truth(12)
    (1.0, 0.5, None)
    """
    if isinstance(size, TimesTruth):
        return size.times_truth
    return 1.0 if size == "truth" else None


@dataclasses.dataclass(frozen=True)
class SizeField:
    """Accept a size: a whole number, a name, a list over generations, or a table of `Growth` or `TimesTruth`."""

    list_depth: ClassVar[int] = 1

    minimum: int = 1
    names: tuple[str, ...] = ("truth",)

    @property
    def text(self) -> str:
        """Return what the field accepts, in words."""
        names = "".join(f"'{name}', " for name in self.names)
        return (
            f"whole number from {self.minimum} to {power_text(MAX_COUNT)}, {names}"
            "a list of them or a table {start, factor}, {start, step}, {start, power} or {times_truth}"
        )

    def __call__(self, value: object) -> Size:
        """Return the checked value."""
        entry = IntField(self.minimum, MAX_COUNT)
        if isinstance(value, str):
            if value not in self.names:
                raise refuse(f"a {self.text}", value)
            return str(value)
        if isinstance(value, TimesTruth) or (isinstance(value, Mapping) and "times_truth" in value):
            return TableField(TimesTruth)(value)  # type: ignore[return-value]
        if isinstance(value, Mapping) and value.keys().isdisjoint(field.name for field in dataclasses.fields(Growth)):
            raise refuse(f"a {self.text}", value)
        if isinstance(value, Mapping | Growth):
            return TableField(Growth)(value)  # type: ignore[return-value]
        if is_list(value):
            return ListField(entry)(value)
        if value is None or isinstance(value, bool):
            raise refuse(f"a {self.text}", value)
        return entry(value)


def resolve(size: Size, key: str, n_generations: int, truth_total: int | None, minimum: int = 1) -> np.ndarray:
    """Return a size at every generation.

    Geometric growth multiplies step by step in a fixed order, so that the sizes are equal on every machine.

    Parameters
    ----------
    size : a value that `SizeField` accepts.
    key : key of the size, for errors.
    n_generations : T, at least 1.
    truth_total : size of the real data; None when the truth has no counts.
    minimum : smallest size allowed, 0 or 1.

    Returns
    -------
    ndarray
        int64, shape (T,), from `minimum` to 10**15.

    Raises
    ------
    InputError
        A list of another length than T, a size out of bounds at some generation, "truth" without real data.

    Examples
    --------
    >>> resolve(Growth(start=100, factor=1.5), "workflow.n_samples", 4, None)
    array([100, 150, 225, 338])
    """
    import numpy as np  # start-up time of the command line

    times = multiple_of_truth(size)
    if times is not None:
        if truth_total is None:
            given = show(size.to_mapping() if isinstance(size, TimesTruth) else size)
            raise ValidationErrors(
                [(key, f"must be a number: this truth is a law, whose data has no size of its own, got {given}")]
            )
        if times == 1:
            return np.full(n_generations, truth_total, dtype=np.int64)
    if isinstance(size, tuple):
        if len(size) != n_generations:
            raise ValidationErrors(
                [(key, f"must list one size for each of the {n_generations} generations, got {len(size)}")]
            )
        return np.array(size, dtype=np.int64)
    if not isinstance(size, Growth | TimesTruth):
        return np.full(n_generations, size, dtype=np.int64)
    steps = np.arange(n_generations)
    if isinstance(size, TimesTruth):
        sizes = np.full(n_generations, np.rint(size.times_truth * (truth_total or 0)))
    elif size.factor is not None:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            factors = np.cumprod(np.where(steps > 0, size.factor, 1.0))
            # 0 * inf is NaN: a start of 0 stays 0
            sizes = np.rint(size.start * factors) if size.start else np.zeros(n_generations)
    elif size.power is not None:
        with np.errstate(over="ignore", under="ignore"):
            powers = (steps + 1.0) ** size.power
            sizes = np.rint(size.start * powers) if size.start else np.zeros(n_generations)
    else:
        sizes = size.start + float(size.step or 0) * steps  # at most 1e22; only the range of the floats matters
    bad = np.flatnonzero(~((sizes >= minimum) & (sizes <= MAX_COUNT)))
    if bad.size:
        raise ValidationErrors(
            [
                (
                    key,
                    f"must stay from {minimum} to {power_text(MAX_COUNT)} at every generation, "
                    f"got {sizes[bad[0]]:.16g} at generation {bad[0] + 1}",
                )
            ]
        )
    return sizes.astype(np.int64)
