"""Section: a dataclass whose fields are parameters, checked when the object is made."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from fastcollapse.config.fields import REQUIRED, ValidationErrors, join, refuse, show
from fastcollapse.errors import nearest


@dataclasses.dataclass(frozen=True)
class Section:
    """Base of every dataclass whose fields are parameters: each value is checked when the object is made."""

    section: ClassVar[str] = ""

    def __post_init__(self) -> None:
        items: list[tuple[str, str]] = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is REQUIRED:
                items.append((field.name, f"is required: {field.metadata['check'].text}"))
            elif value is not None or field.default is not None:
                try:
                    object.__setattr__(self, field.name, field.metadata["check"](value))
                except ValidationErrors as error:
                    items += error.under(field.name)
        items = items or self.relations()
        if items:
            raise ValidationErrors(ValidationErrors(items).under(self.section))

    def relations(self) -> list[tuple[str, str]]:
        """Return what is wrong between parameters that are right one by one."""
        return []

    def to_mapping(self) -> dict[str, Any]:
        """Return the parameters as JSON can hold them, those that are None left out."""
        return {
            f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self) if getattr(self, f.name) is not None
        }


def _plain(value: object) -> Any:
    if isinstance(value, Section):
        return value.to_mapping()
    return list(value) if isinstance(value, tuple) else value


S = TypeVar("S", bound=Section)


def build(cls: type[S], values: Mapping, elsewhere: Callable[[str], str] | None = None) -> S:
    """Make a section from a mapping, with every refused, missing and unknown key in one error.

    Parameters
    ----------
    values
        Names and values of parameters.
    elsewhere
        Explains a name that is not a parameter of `cls` but is known somewhere else; "" if it is not.

    Raises
    ------
    ValidationErrors
        With the keys as the user wrote them.
    """
    fields = {f.name: f for f in dataclasses.fields(cls)}
    items = []
    for name in values:
        if not isinstance(name, str) or name not in fields:
            key = name if isinstance(name, str) and name.isidentifier() else show(name)
            reason = elsewhere(name) if elsewhere and isinstance(name, str) else ""
            hint = nearest(name, fields) if isinstance(name, str) else ""
            items.append((join(cls.section, key), reason or f"is not a known key, use {', '.join(fields)}{hint}"))
    given = {name: values[name] if name in values else field.default for name, field in fields.items()}
    try:
        section = cls(**given)
    except ValidationErrors as error:
        raise ValidationErrors([*items, *error.items]) from None
    if items:
        raise ValidationErrors(items)
    return section


@dataclasses.dataclass(frozen=True)
class TableField:
    """Accept a table of the parameters of the dataclass `cls`, or an instance of it."""

    cls: type[Section]

    @property
    def text(self) -> str:
        return "table {" + ", ".join(f.name for f in dataclasses.fields(self.cls)) + "}"

    def __call__(self, value: object) -> Section:
        if isinstance(value, self.cls):
            return value
        if not isinstance(value, Mapping):
            raise refuse(f"a {self.text}", value)
        return build(self.cls, value)
