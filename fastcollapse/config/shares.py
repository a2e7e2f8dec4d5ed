"""Shares: weights and probabilities from 0 to 1 that may change over generations."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from fastcollapse.config.fields import FloatField, ListField, ValidationErrors, is_list, parameter, refuse
from fastcollapse.config.section_base import Section, TableField

if TYPE_CHECKING:
    import numpy as np


@dataclasses.dataclass(frozen=True)
class Power(Section):
    """A share at generation t: `start * t**power`."""

    start: float = parameter(FloatField(0, 1), "share at generation 1")
    power: float = parameter(FloatField(-100, 100), "exponent of the generation")


Share = float | str | tuple[float, ...] | Power


@dataclasses.dataclass(frozen=True)
class ShareField:
    """Accept a share: a number from 0 to 1, a name, a list with an entry for each generation, or a table of `Power`."""

    list_depth: ClassVar[int] = 1

    names: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return what the field accepts, in words."""
        names = "".join(f"'{name}', " for name in self.names)
        return f"number from 0 to 1, {names}a list of them or a table {{start, power}}"

    def __call__(self, value: object) -> Share:
        """Return the checked value."""
        if isinstance(value, str):
            if value not in self.names:
                raise refuse(f"a {self.text}", value)
            return str(value)
        if isinstance(value, Mapping | Power):
            power = TableField(Power)(value)
            assert isinstance(power, Power)
            return power
        if is_list(value):
            return ListField(FloatField(0, 1))(value)
        return FloatField(0, 1)(value)


def resolve_share(share: Share, key: str, n_generations: int) -> np.ndarray:
    """Return a share at every generation: float64, shape (T,), from 0 to 1.

    Parameters
    ----------
    share : a value that `ShareField` accepts, no name.
    key : key of the share, for errors.
    n_generations : T, at least 1.

    Raises
    ------
    InputError
        A list of another length than T, or a share above 1 at some generation.

    Examples
    --------
    >>> resolve_share(Power(start=1.0, power=-0.5), "workflow.real_share", 4)
    array([1.        , 0.70710678, 0.57735027, 0.5       ])
    """
    import numpy as np  # start-up time of the command line

    if isinstance(share, tuple):
        if len(share) != n_generations:
            problem = f"must list one share for each of the {n_generations} generations, got {len(share)}"
            raise ValidationErrors([(key, problem)])
        return np.array(share, dtype=np.float64)
    if not isinstance(share, Power):
        return np.full(n_generations, share, dtype=np.float64)
    with np.errstate(over="ignore", under="ignore"):
        shares = (
            share.start * np.arange(1.0, n_generations + 1) ** share.power if share.start else np.zeros(n_generations)
        )
    over = np.flatnonzero(~(shares <= 1))
    if over.size:
        got = f"got {shares[over[0]]:.16g} at generation {over[0] + 1}"
        raise ValidationErrors([(key, f"must stay from 0 to 1 at every generation, {got}")])
    return shares
