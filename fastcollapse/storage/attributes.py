"""Attributes of a file: type and bounds of each, in one table (FORMAT.md). Keys that are not listed are ignored."""

import re
import reprlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastcollapse.storage.json_text import parse_json

# A check returns the value, decoded, or raises ValueError with the allowed values.
Check = Callable[[Any], Any]


def text(value: Any) -> str:
    """Check a text."""
    if not isinstance(value, str):
        raise ValueError("text")
    return value


def line(value: Any) -> str:
    """Check a text that can be printed in one line, such as a name or a unit."""
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("one line of printable text")
    return value


def sha256(value: Any) -> str:
    """Check a SHA-256 in hexadecimal."""
    if not isinstance(value, str) or not re.fullmatch("[0-9a-f]{64}", value):
        raise ValueError("a SHA-256 in hexadecimal")
    return value


def whole(low: int, end: int = 2**63) -> Check:
    """Return the check of a whole number of at least `low` and below `end`."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value < end:
            raise ValueError(f"a whole number of at least {low}")
        return int(value)

    return check


def number(low: float, high: float) -> Check:
    """Return the check of a number above `low` and up to `high`."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, float | np.floating) or not low < value <= high:
            raise ValueError(f"a number above {low:g} and up to {high:g}")
        return float(value)

    return check


def one_of(*values: str) -> Check:
    """Return the check of a text that is one of these."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in values:
            raise ValueError(f"one of {', '.join(values)}")
        return value

    return check


def optional(check: Check) -> Check:
    """Return the check of a value that may be None."""
    return lambda value: None if value is None else check(value)


def sizes(value: Any) -> tuple[int, ...]:
    """Check the two sizes of a matrix."""
    found = np.asarray(value)
    if found.shape != (2,) or found.dtype.kind not in "iu" or found.min() < 0:
        raise ValueError("two whole numbers")
    return tuple(found.tolist())


def listed(check: Check) -> Check:
    """Return the check of a list."""

    def check_all(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValueError("a list")
        return [check(one) for one in value]

    return check_all


def table(check: Check) -> Check:
    """Return the check of a table whose values pass `check`."""

    def check_all(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError("a table")
        return {key: check(one) for key, one in value.items()}

    return check_all


def fields(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    """Return the check of a table with these keys; further keys are returned as they are."""

    def check_all(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError("a table")
        return {**value, **check_attributes(value, required, optional)}

    return check_all


def from_json(check: Check) -> Check:
    """Return the check of a JSON text whose value passes `check`."""

    def check_value(value: Any) -> Any:
        return check(parse_json(text(value)))

    return check_value


def anything(value: Any) -> Any:
    """Accept every value."""
    return value


_MACHINE: dict[str, Check] = {
    "packages": table(line),
    "streams": whole(1),
    "python": line,
    "machine": line,
    "processor": line,
    "n_cores": optional(whole(1)),
    "created": line,
}
_RESUMED: dict[str, Check] = {"resumed": listed(fields({"after": whole(-1), "created": line}, _MACHINE))}
_ADDED: dict[str, Check] = {"added": listed(fields({"first_replicate": whole(0)}, {**_MACHINE, **_RESUMED}))}
PROVENANCE = fields({}, {**_MACHINE, **_RESUMED, **_ADDED})
# Attributes of every file.
FILE: dict[str, Check] = {"format": line, "format_version": whole(1)}
# Attributes of the root of a run, required and optional.
RUN: dict[str, Check] = {
    "digest": sha256,
    "experiment": text,
    "experiment_text": text,
    "provenance": from_json(PROVENANCE),
    "n_generations": whole(1),
}
RUN_OPTIONAL: dict[str, Check] = {
    "first_replicate": whole(0),
    "inputs": from_json(table(sha256)),
    "engine": one_of("symbols", "spectrum"),
}
# Attributes of the root of a part after the first.
PART: dict[str, Check] = {"digest": sha256}
PART_OPTIONAL: dict[str, Check] = {"provenance": from_json(PROVENANCE)}
# Attributes of groups and data sets.
TRUTH: dict[str, Check] = {"source": text}
# Of the sentences of a text, see `Sentences`.
TRUTH_TEXT: dict[str, Check] = {"unit": one_of("word", "character")}
# Of a law without an array over its symbols, see `ZipfMandelbrotLaw`.
TRUTH_LAW: dict[str, Check] = {"a": number(0, 1000), "b": number(-1, 1e15), "size": whole(2, 10**12 + 1)}
TRAJECTORY: dict[str, Check] = {"shape": sizes}
VARIABLE: dict[str, Check] = {"long_name": line, "units": line}
VARIABLE_OPTIONAL: dict[str, Check] = {
    "dims": line,
    "state": line,
    "also": line,
    "ragged": line,
    "origin": one_of("user"),
}
# Attributes of a collected sweep, which `simulation` and `sweeps` interpret, and of its data sets.
COLLECTED_ROOT: dict[str, Check] = {"sweep": from_json(table(anything))}
OF_POINT: dict[str, Check] = {"of_point": line, "kind": line}


def check_attributes(
    given: Mapping[str, Any], required: Mapping[str, Check], optional: Mapping[str, Check] | None = None
) -> dict[str, Any]:
    """Return the known attributes, decoded.

    Raises
    ------
    KeyError
        A required attribute is missing.
    ValueError
        An attribute has another type or is out of bounds; the message names it.

    Examples
    --------
    >>> check_attributes({"long_name": "entropy", "units": "nats", "other": 3}, VARIABLE)
    {'long_name': 'entropy', 'units': 'nats'}
    >>> check_attributes({"long_name": "entropy", "units": 3}, VARIABLE)
    Traceback (most recent call last):
    ...
    ValueError: is damaged: units must be one line of printable text, got 3
    """
    if not isinstance(given, Mapping):
        raise ValueError(f"is damaged: attributes must be a table, got {reprlib.repr(given)}")
    found = {}
    for key, check in {**required, **(optional or {})}.items():
        if key not in given:
            if key in required:
                raise KeyError(key)
            continue
        try:
            found[key] = check(given[key])
        except KeyError as error:
            raise ValueError(f"is damaged: {key} must have the key {error.args[0]}") from None
        except ValueError as error:
            reason = str(error)
            if reason.startswith("is damaged"):  # of an inner key
                raise ValueError(f"is damaged: {key}: {reason.removeprefix('is damaged: ')}") from None
            if reason.startswith("is "):
                raise ValueError(f"is damaged: {key} {reason}") from None
            raise ValueError(f"is damaged: {key} must be {reason}, got {reprlib.repr(given[key])}") from None
    return found
