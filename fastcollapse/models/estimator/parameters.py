"""The section `[model]` of estimators: the factory and its arguments."""

import copy
import dataclasses
import keyword
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from fastcollapse.config.fields import ValidationErrors, is_list, join, parameter, refuse, show
from fastcollapse.config.sections import ModelSection

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[\w.<>]+", re.ASCII)
_MOST_NESTED = 8
_LARGEST = 2**63 - 1


@dataclasses.dataclass(frozen=True)
class _Factory:
    """Accept the name of a callable."""

    text: ClassVar[str] = "string package.module:callable"

    def __call__(self, value: object) -> str:
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise refuse('a string as "package.module:callable"', value)
        return value


@dataclasses.dataclass(frozen=True)
class _Arguments:
    """Accept a table of arguments: names, and values of JSON and TOML."""

    text: ClassVar[str] = "table of names and values"

    def __call__(self, value: object) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise refuse(f"a {self.text}", value)
        for name in value:
            if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
                raise refuse("a table whose names are identifiers", name)
        return {name: _plain(name, one) for name, one in value.items()}


def _plain(key: str, value: Any, depth: int = 0) -> Any:
    """Return a value of JSON.

    Raises
    ------
    ValidationErrors
        With the key of the value that is none.
    """
    if depth < _MOST_NESTED:
        if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
            return {name: _plain(join(key, name), one, depth + 1) for name, one in value.items()}
        if is_list(value):
            entries = value.tolist() if callable(getattr(value, "tolist", None)) else value
            return [_plain(f"{key}[{i}]", one, depth + 1) for i, one in enumerate(entries)]
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int) and abs(value) <= _LARGEST:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value + 0.0
    raise ValidationErrors([(key, f"must be true, false, text, a finite number, a list or a table, got {show(value)}")])


@dataclasses.dataclass(frozen=True)
class EstimatorParameters(ModelSection):
    """What makes an estimator: `factory(**parameters)`, called for each fit.

    Attributes
    ----------
    code : the factory itself, in a run; no part of the experiment.
    """

    factory: str | None = parameter(
        _Factory(), "callable that returns a new estimator; in Python `simulate(..., model=...)`", default=None
    )
    parameters: dict[str, Any] | None = parameter(_Arguments(), "arguments of the factory", default=None)

    names_code: ClassVar[bool] = True
    code: ClassVar[Callable[..., Any] | None] = None

    def bound(self, code: Callable[..., Any]) -> "EstimatorParameters":
        """Return these parameters with the factory itself."""
        found = copy.copy(self)
        object.__setattr__(found, "code", code)
        return found
