"""The options of a figure of a sweep, as they are given or as its recipe has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastcollapse.errors import InputError


@dataclass(frozen=True)
class Choice:
    """The options of a figure of a sweep.

    Parameters
    ----------
    over : names or keys of one or two swept parameters, the first along the axis; by default those with most values.
    fixed : name or key of another parameter -> its value as text; by default its first value.
    generation : None for the last.
    heat_map : whether it is a heat map instead of curves; None to decide by the number of values.
    """

    over: Sequence[str] = ()
    fixed: Mapping[str, str] | None = None
    generation: int | None = None
    heat_map: bool | None = None

    @property
    def selection(self) -> tuple[list[str], dict[str, str]]:
        """What decides which points are drawn."""
        return list(self.over), dict(self.fixed or {})


def chosen(source: Any, choice: Choice) -> tuple[Choice, bool]:
    """Return the options of a figure, and whether it has the points of the figure of the recipe of the sweep.

    Without parameters and kind they are those of the recipe.
    """
    points = source.done()
    recipe = source.results(min(points)).recipe if points else None
    if recipe is None:
        return choice, False
    own = Choice(recipe.over or (), fixed_values(recipe.fixed or ()), choice.generation, recipe.heat_map)
    if choice.over or choice.fixed or choice.heat_map is not None:
        return choice, choice.selection == own.selection
    return own, True


def fixed_values(texts: Sequence[str]) -> dict[str, str]:
    """Return the values of fixed parameters, each given as "PARAMETER=VALUE".

    Examples
    --------
    >>> fixed_values(["workflow=replace", "sigma=1"])
    {'workflow': 'replace', 'sigma': '1'}
    """
    fixed = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not (name and value):
            raise InputError(f"a fixed value must be PARAMETER=VALUE, got {text!r}")
        fixed[name] = value
    return fixed
