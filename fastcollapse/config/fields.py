"""Fields of parameters: check, bounds, default and help, in the metadata of a dataclass field.

This module and the modules that declare parameters do not import NumPy: `fastcollapse --help` imports them.
"""

import dataclasses
import math
import numbers
import re
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from fastcollapse.config.nested_text import no_collection
from fastcollapse.errors import InputError, nearest

MAX_COUNT = 10**15
# What may be given in place of a list of numbers, see `list_depth`.
NUMBER_FILES = "a .npy, .npz or .csv file of numbers"
REQUIRED = dataclasses.MISSING


class ValidationErrors(InputError):
    """All refused values of an input, as pairs of a key and the problem."""

    def __init__(self, items: Iterable[tuple[str, str]]) -> None:
        self.items = tuple(items)
        super().__init__(self.items)

    def __str__(self) -> str:
        return "; ".join(f"{key} {problem}".strip() for key, problem in self.items)

    def under(self, key: str) -> list[tuple[str, str]]:
        """Return the pairs with the prefix `key` before each key."""
        return [(join(key, below), problem) for below, problem in self.items]


def join(key: str, below: str) -> str:
    """Return the dotted key of `below` inside `key`. Either may be empty; `below` may be an index such as "[3]".

    Examples
    --------
    >>> join("run", "seed"), join("truth.probabilities", "[3]"), join("run", "")
    ('run.seed', 'truth.probabilities[3]', 'run')
    """
    return f"{key}{below}" if not key or not below or below.startswith("[") else f"{key}.{below}"


def show(value: object) -> str:
    """Return a value as text for an error message: one line of at most 60 characters.

    Examples
    --------
    >>> show("a" * 100)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."
    """
    try:
        with no_collection():
            text = " ".join(repr(value).split())
    except (ValueError, RecursionError):  # an integer of more than 4300 digits, or very deep nesting
        return f"a {type(value).__name__} too large to show"
    return text if len(text) <= 60 else f"{text[:56]}..."


def refuse(allowed: str, value: object) -> ValidationErrors:
    """Return the error "must be `allowed`, got `value`"; the caller adds the key."""
    return ValidationErrors([("", f"must be {allowed}, got {show(value)}")])


def check_index(name: str, value: object, last: int) -> int:
    """Return an argument that must be a whole number from 0 to `last`; `name` is its name, for errors.

    Raises
    ------
    InputError
        It is not.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not 0 <= int(value) <= last:
        raise InputError(f"{name} must be an integer from 0 to {last}, got {value!r}")
    return int(value)


def is_list(value: object) -> bool:
    """Return whether a value is a list, a tuple or a NumPy array of one dimension or more.

    NumPy is not imported for the check.

    Examples
    --------
    >>> is_list((1, 2)), is_list(1)
    (True, False)
    """
    return isinstance(value, list | tuple) or bool(getattr(value, "ndim", False))


def list_depth(check: object) -> int:
    """Return how many lists of numbers a check accepts in each other at most: 0 for a number, -1 for something else.

    Where it is at least 1, a file of numbers may be given in place of the list.

    Examples
    --------
    >>> list_depth(ListField(FloatField(0, 1))), list_depth(IntField(0, 1)), list_depth(ListField(StringField()))
    (1, 0, -1)
    """
    return getattr(check, "list_depth", -1)


def _depth_around(entry: object) -> int:
    return list_depth(entry) + 1 if list_depth(entry) >= 0 else -1


@dataclasses.dataclass(frozen=True)
class IntField:
    """Accept a whole number from `minimum` to `maximum`. True and 3.0 are refused."""

    list_depth: ClassVar[int] = 0

    minimum: int
    maximum: int

    @property
    def text(self) -> str:
        """Return what the field accepts, in words."""
        return f"whole number from {power_text(self.minimum)} to {power_text(self.maximum)}"

    def __call__(self, value: object) -> int:
        """Return the checked value."""
        if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
            raise refuse("a whole number, written without a decimal point", value)
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise refuse("a whole number", value)
        if int(value) < self.minimum:
            raise refuse(f"at least {power_text(self.minimum)}", value)
        if int(value) > self.maximum:
            raise refuse(f"at most {power_text(self.maximum)}", value)
        return int(value)


@dataclasses.dataclass(frozen=True)
class FloatField:
    """Accept a finite number from `minimum` to `maximum`; with `above`, `minimum` itself is refused."""

    list_depth: ClassVar[int] = 0

    minimum: float
    maximum: float
    above: bool = False

    @property
    def text(self) -> str:
        """Return what the field accepts, in words."""
        return f"number {'above' if self.above else 'from'} {self.minimum:g}, at most {self.maximum:g}"

    def __call__(self, value: object) -> float:
        """Return the checked value."""
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise refuse("a number", value)
        try:
            number = float(value) + 0.0  # + 0.0 turns -0.0 into 0.0: equal experiments have equal digests
        except OverflowError:
            raise refuse(f"at most {self.maximum:g}", value) from None
        if not math.isfinite(number):
            raise refuse("a finite number", value)
        if number < self.minimum or (self.above and number == self.minimum):
            raise refuse(f"{'above' if self.above else 'at least'} {self.minimum:g}", value)
        if number > self.maximum:
            raise refuse(f"at most {self.maximum:g}", value)
        return number


@dataclasses.dataclass(frozen=True)
class BoolField:
    """Accept true or false."""

    text: ClassVar[str] = "true or false"

    def __call__(self, value: object) -> bool:
        """Return the checked value."""
        if not isinstance(value, bool):
            raise refuse(self.text, value)
        return value


@dataclasses.dataclass(frozen=True)
class StringField:
    """Accept a non-empty string."""

    text: ClassVar[str] = "string"

    def __call__(self, value: object) -> str:
        """Return the checked value."""
        if not isinstance(value, str) or not value.strip():
            raise refuse("a string that is not empty", value)
        return str(value)


@dataclasses.dataclass(frozen=True)
class ChoiceField:
    """Accept one of the names that `names()` returns at the time of the check."""

    names: Callable[[], Iterable[str]]

    @property
    def text(self) -> str:
        """Return what the field accepts, in words."""
        return " | ".join(self.names())

    def __call__(self, value: object) -> str:
        """Return the checked value."""
        names = list(self.names())
        if not isinstance(value, str) or value not in names:
            hint = nearest(value, names) if isinstance(value, str) else ""
            raise ValidationErrors([("", f"must be one of {', '.join(names)}, got {show(value)}{hint}")])
        return str(value)


@dataclasses.dataclass(frozen=True)
class ListField:
    """Accept a list of at least `shortest` entries, each accepted by `entry`; the error names the first bad entry."""

    entry: Callable[[Any], Any]
    shortest: int = 1

    @property
    def text(self) -> str:
        """Return what the field accepts, in words."""
        one = getattr(self.entry, "text", "value")
        several = re.sub(r"^(whole number|number|string|list|value)", r"\1s", one)
        return f"list of {several}"

    @property
    def list_depth(self) -> int:
        """Return the depth of lists of numbers, see `list_depth`."""
        return _depth_around(self.entry)

    def __call__(self, value: Any) -> tuple[Any, ...]:
        """Return the checked value."""
        if isinstance(value, str) and self.list_depth > 0:
            raise refuse(f"a list, or {NUMBER_FILES}", value)
        if not isinstance(value, (list, tuple)) and callable(getattr(value, "tolist", None)):
            value = value.tolist()  # a NumPy array; importing NumPy would cost start-up time
        if not isinstance(value, (list, tuple)):
            raise refuse("a list", value)
        if len(value) < self.shortest:
            raise refuse(f"a list of at least {self.shortest}", value)
        accepted = []
        for i, entry in enumerate(value):
            try:
                accepted.append(self.entry(entry))
            except ValidationErrors as error:
                raise ValidationErrors(error.under(f"[{i}]")) from None
        return tuple(accepted)


@dataclasses.dataclass(frozen=True)
class OneOrMoreField:
    """Accept one value or a list of values, each accepted by `entry`."""

    entry: Any

    @property
    def text(self) -> str:
        """Return what the field accepts, in words."""
        return f"{self.entry.text}, or a list of them"

    @property
    def list_depth(self) -> int:
        """Return the depth of lists of numbers, see `list_depth`."""
        return _depth_around(self.entry)

    def __call__(self, value: Any) -> Any:
        """Return the checked value."""
        return ListField(self.entry)(value) if is_list(value) else self.entry(value)


@dataclasses.dataclass(frozen=True)
class NameOrNumbersField:
    """Accept one of some names, or a list of numbers, which `numbers` checks.

    Examples
    --------
    >>> check = NameOrNumbersField(("constant", "random"), ListField(FloatField(0, 1)))
    >>> check("random"), check([0.5, 1])
    ('random', (0.5, 1.0))
    """

    names: tuple[str, ...]
    numbers: ListField

    @property
    def text(self) -> str:
        """Return what the field accepts, in words."""
        return " | ".join((*self.names, "list of numbers"))

    @property
    def list_depth(self) -> int:
        """Return the depth of lists of numbers, see `list_depth`."""
        return self.numbers.list_depth

    def __call__(self, value: Any) -> Any:
        """Return the checked value."""
        if isinstance(value, str):
            return ChoiceField(lambda: self.names)(value)
        if not is_list(value):
            raise refuse(f"one of {', '.join(self.names)}, or a list of numbers", value)
        return self.numbers(value)


def power_text(n: int) -> str:
    """Return an integer as text, with large powers as 10**15.

    Examples
    --------
    >>> power_text(10**15), power_text(2**64 - 1), power_text(12)
    ('10**15', '2**64 - 1', '12')
    """
    if n == 2**64 - 1:
        return "2**64 - 1"
    zeros = len(str(n)) - 1
    return f"10**{zeros}" if n == 10**zeros and zeros > 3 else str(n)


def parameter(check: Callable[[Any], Any], help: str, *, default: Any = REQUIRED, unit: str = "") -> Any:
    """Return the dataclass field of one parameter.

    Parameters
    ----------
    check : function from the given value to the stored value that raises `ValidationErrors`; its `text` describes the
        accepted values.
    help : phrase for help texts and documentation.
    default : value where the key is absent; with None, the check is not called for None.
    unit : unit of the value, empty for a pure number.
    """
    return dataclasses.field(default=default, metadata={"check": check, "help": help, "unit": unit})
