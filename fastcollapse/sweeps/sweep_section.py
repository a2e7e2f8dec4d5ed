"""The [sweep] section of an experiment file: the keys that vary and their values.

NumPy is not imported.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from fastcollapse.config.dotted_keys import flat, overlap
from fastcollapse.config.fields import BoolField, IntField, ValidationErrors, parameter, show
from fastcollapse.config.section_base import Section
from fastcollapse.simulation.key_hints import key_hint


@dataclasses.dataclass(frozen=True)
class Varied:
    """Field for a table that gives each varied key, or each varied section, its list of values."""

    text: ClassVar[str] = "table of dotted keys and lists of values"

    def __call__(self, value: object) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        """Return the checked value."""
        if not isinstance(value, Mapping):
            raise ValidationErrors([("", f"must be a {self.text}, got {show(value)}")])
        found = [(key, _as_list(values)) for key, values in flat(value).items()]  # TOML reads `a.b = [1]` as a table
        items = [(f'"{key}"', problem) for key, values in found if (problem := _error_of(key, values))]
        if items:
            raise ValidationErrors(items)
        return tuple((key, tuple(values)) for key, values in found)


def varied_keys(key: str, values: Iterable[Any]) -> list[str]:
    """Return the dotted keys that a key of a sweep varies: the key itself, or the keys in the tables of a section."""
    if "." in key:
        return [key]
    return list(dict.fromkeys(f"{key}.{inner}" for table in values for inner in table))


def _error_of(key: str, values: Any) -> str:
    """Return the error message for the values of a key, or ""."""
    if not isinstance(values, (list, tuple)) or not values:
        return f"must be a list of values, got {show(values)}"
    section, _, rest = key.partition(".")
    if section == "sweep":
        return "must be a key of the experiment, got one of the sweep itself"
    if section == "recipe":
        return "cannot be varied: no number depends on it"
    seen = set()
    for entry in values:
        if not rest and not isinstance(entry, Mapping):
            hint = key_hint(key, None, None)
            return (
                f"must be a section and a key such as workflow.n_samples, or a list of tables, got {show(entry)}{hint}"
            )
        try:
            text = canonical_json(entry)
        except (TypeError, ValueError):
            return f"must hold finite numbers, strings, lists and tables, got {show(entry)}"
        if text in seen:
            return f"must have each value once, got {show(entry)} twice"
        seen.add(text)
    return ""


def canonical_json(value: Any) -> str:
    """Return JSON text that is the same for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_as_list)


def _as_list(value: Any) -> Any:
    """Return a NumPy array or scalar as a list or number, other values unchanged."""
    return value.tolist() if hasattr(value, "tolist") else value


@dataclasses.dataclass(frozen=True)
class SweepSection(Section):
    """The section `[sweep]`: the keys that vary between the points, and the seeds of the points."""

    section: ClassVar[str] = "sweep"

    grid: tuple[Any, ...] | None = parameter(
        Varied(), "keys and lists of values; every combination is a point", default=None
    )
    zip: tuple[Any, ...] | None = parameter(
        Varied(), "keys and lists of values that vary together, first with first", default=None
    )
    seed: int | None = parameter(
        IntField(0, 2**64 - 1), "seed from which the seeds of the points are derived; run.seed by default", default=None
    )
    paired: bool = parameter(
        BoolField(),
        "whether all points have the same seed, which reduces the noise of their differences",
        default=False,
    )

    def relations(self) -> list[tuple[str, str]]:
        """Return what is wrong with the keys together: (key, problem) pairs."""
        varied = (*(self.grid or ()), *(self.zip or ()))
        keys = [key for key, _ in varied]
        if not keys:
            return [("", 'must have [sweep.grid] or [sweep.zip] with a key such as "workflow.n_samples" = [10, 100]')]
        expanded = [(key, varied_key) for key, values in varied for varied_key in varied_keys(key, values)]
        for i, (key, varied_key) in enumerate(expanded):
            for other, before in expanded[:i]:
                if overlap(varied_key, before):
                    return [("", f"must vary {varied_key} in one place, got {other} and {key}")]
        lengths = {key: len(values) for key, values in self.zip or ()}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{n} of {key}" for key, n in lengths.items())
            return [("zip", f"must have lists of one length, got {shown}")]
        if self.paired and any(varied_key == "run.seed" for _, varied_key in expanded):
            return [("paired", "must be left out where run.seed is varied")]
        return []
