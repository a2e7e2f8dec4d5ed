"""The swept parameters that a figure is over, and those with a fixed value."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fastcollapse.analysis.words import axis_label, parameter_values
from fastcollapse.errors import InputError, nearest
from fastcollapse.sweeps.axes import Dimension, SweptParameter, value_labels

# The ratio of the largest to the smallest value from which on an axis is logarithmic.
WIDE = 10.0


@dataclass(frozen=True)
class Side:
    """A dimension that a figure is over.

    Parameters
    ----------
    dimension : the dimension.
    axis : its number among the dimensions of the sweep.
    """

    dimension: Dimension
    axis: int

    @property
    def parameters(self) -> Sequence[SweptParameter]:
        """Parameters shown in the label; `run.*` keys only if nothing else varies."""
        shown = [parameter for parameter in self.dimension.parameters if not parameter.key.startswith("run.")]
        return shown or self.dimension.parameters

    @property
    def label(self) -> str:
        """The words of its parameters."""
        return ", ".join(axis_label(parameter.key) for parameter in self.parameters)

    @property
    def is_number(self) -> bool:
        """Whether it is one parameter of numbers without duplicates."""
        first = self.parameters[0]
        return len(self.parameters) == 1 and first.is_number and len(set(first.values.tolist())) == len(first.values)

    @property
    def at(self) -> np.ndarray:
        """The numbers, or 0, 1, 2, ... for other values."""
        values = self.parameters[0].values
        return values.astype(float) if self.is_number else np.arange(self.dimension.length, dtype=float)

    @property
    def names(self) -> list[str]:
        """The names of its values in words."""
        several = len(self.parameters) > 1
        columns = [parameter_values(parameter, with_key=several) for parameter in self.parameters]
        return [", ".join(row) for row in zip(*columns, strict=True)]

    @property
    def groups(self) -> list[str]:
        """The names of curves, one for each value."""
        columns = [parameter_values(parameter, with_key=True) for parameter in self.parameters]
        return [", ".join(row) for row in zip(*columns, strict=True)]

    @property
    def log(self) -> bool:
        """Whether its axis is logarithmic."""
        at = self.at
        return bool(self.is_number and at.min() > 0 and at.max() / at.min() >= WIDE)


def choose_sides(axes: Sequence[Dimension], over: Sequence[str], fixed: Iterable[str]) -> list[Side]:
    """Return the one or two dimensions that a figure is over.

    By default they are the longest dimensions that are not fixed, those of numbers first.

    Parameters
    ----------
    over : names or keys of one or two parameters, or none.
    fixed : names or keys of parameters with a fixed value.

    Raises
    ------
    InputError
        A name is unknown, or the parameters do not vary independently.
    """
    if len(over) > 2:
        raise InputError(f"a figure must be over one or two parameters, got {', '.join(over)}")
    if over:
        chosen = [Side(axes[k], k) for k in (_axis_of(axes, name) for name in over)]
        if len({side.axis for side in chosen}) < len(chosen):
            raise InputError(f"a figure must be over parameters that vary apart, got {', '.join(over)}")
        return chosen
    fixed_axes = {_axis_of(axes, name) for name in fixed}
    sides = [Side(axis, k) for k, axis in enumerate(axes) if k not in fixed_axes] or [Side(axes[0], 0)]
    first = max(sides, key=lambda side: (side.dimension.length > 1, side.is_number, side.dimension.length))
    others = [side for side in sides if side.axis != first.axis and side.dimension.length > 1]
    return [first, *sorted(others, key=lambda side: -side.dimension.length)[:1]]


def _axis_of(axes: Sequence[Dimension], name: str) -> int:
    """Return the number of the dimension along which a parameter varies, given by name or key."""
    numbers = {text: k for k, axis in enumerate(axes) for p in axis.parameters for text in (p.name, p.key)}
    if name not in numbers:
        names = [parameter.name for axis in axes for parameter in axis.parameters]
        raise InputError(f"parameter must be one of {', '.join(names)}, got {name!r}{nearest(name, names)}")
    return numbers[name]


def fixed_entries(axes: Sequence[Dimension], fixed: Mapping[str, str], drawn: set[int]) -> list[int]:
    """Return the number of the fixed entry of each dimension, 0 for dimensions without one.

    Parameters
    ----------
    fixed : name or key of a parameter -> its value as text.
    drawn : the dimensions that the figure is over.

    Raises
    ------
    InputError
        A name or value is unknown, or the figure is over its dimension.
    """
    entries = [0] * len(axes)
    for name, value in fixed.items():
        k = _axis_of(axes, name)
        if k in drawn:
            raise InputError(f"{name} must not be fixed: the figure is over it")
        parameter = next(p for p in axes[k].parameters if name in (p.name, p.key))
        names = value_labels(parameter.values.tolist())
        texts = (
            [*names, *parameter.texts, *(f"{value:g}" for value in parameter.values)] if parameter.is_number else names
        )
        if value not in texts:
            raise InputError(f"{name} must be one of {', '.join(names)}, got {value!r}")
        entries[k] = texts.index(value) % len(names)
    return entries
