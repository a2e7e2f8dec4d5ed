"""Sections: dataclasses of parameters that are checked when the object is created."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from fastcollapse.config.fields import REQUIRED, ValidationErrors, join, refuse, show
from fastcollapse.errors import InputError, nearest


@dataclasses.dataclass(frozen=True)
class Section:
    """Base of every dataclass whose fields are parameters. Each value is checked when the object is created.

    Attributes
    ----------
    EXAMPLES : values of optional keys, for tests, `precompile` and templates of experiment files.
    """

    section: ClassVar[str] = ""
    EXAMPLES: ClassVar[tuple[Mapping[str, Any], ...]] = ()

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
        """Return the problems between parameters that are valid one by one, as pairs of a key and the problem."""
        return []

    def to_mapping(self) -> dict[str, Any]:
        """Return the parameters as JSON values, without those that are None."""
        return {
            f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self) if getattr(self, f.name) is not None
        }


def _plain(value: object) -> Any:
    if isinstance(value, Section):
        return value.to_mapping()
    return list(value) if isinstance(value, tuple) else value


S = TypeVar("S", bound=Section)


def check_fields(cls: type[Section]) -> None:
    """Refuse a section with a field that has no check.

    Raises
    ------
    InputError
        With the name of the field.
    """
    for field in dataclasses.fields(cls):
        if "check" not in field.metadata:
            made = "made by fastcollapse.config.fields.parameter"
            raise InputError(f"field {field.name} of {cls.__name__} must be {made}")


def build(cls: type[S], values: Mapping[str, Any], unknown: Callable[[str], str] | None = None) -> S:
    """Return a section from a mapping; one error names every refused, missing and unknown key.

    Parameters
    ----------
    values : names and values of parameters.
    unknown : returns the problem of a name that is no parameter; by default the parameters are listed.

    Raises
    ------
    ValidationErrors
        A key is refused, missing or unknown.
    """
    fields = {f.name: f for f in dataclasses.fields(cls)}
    items = []
    for name in values:
        if not isinstance(name, str) or name not in fields:
            key = name if isinstance(name, str) and name.isidentifier() else show(name)
            if unknown and isinstance(name, str):
                problem = unknown(name)
            else:
                problem = f"is not a known key, use {', '.join(fields)}{nearest(str(name), fields)}"
            items.append((join(cls.section, key), problem))
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
    """Accept a table of the parameters of the section `cls`, or an instance of it."""

    cls: type[Section]

    @property
    def text(self) -> str:
        """Return what the field accepts, in words."""
        return "table {" + ", ".join(f.name for f in dataclasses.fields(self.cls)) + "}"

    def __call__(self, value: object) -> Section:
        """Return the checked value."""
        if isinstance(value, self.cls):
            return value
        if not isinstance(value, Mapping):
            raise refuse(f"a {self.text}", value)
        return build(self.cls, value)
