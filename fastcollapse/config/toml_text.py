"""TOML text: values as text; decoding and parsing, with errors that show the line and the place in it."""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from fastcollapse.config.fields import show
from fastcollapse.config.file_formats import N_BYTES, format_of
from fastcollapse.config.nested_text import no_collection
from fastcollapse.errors import InputError

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PLACE = re.compile(r"(.*) \((?:at line (\d+), column (\d+)|at end of document)\)", re.DOTALL)
# Number of characters of a long line that are shown before the place of an error.
_BEFORE = 30


def toml_value(value: Any) -> str:
    """Return a value, or a section, as TOML, tables in one line.

    Examples
    --------
    >>> toml_value({"ridge": (0.0, 1e-05), "rule": "soft", "run.seed": 3, "shared": True})
    '{ridge = [0.0, 1e-05], rule = "soft", "run.seed" = 3, shared = true}'
    """
    if hasattr(value, "to_mapping"):
        value = value.to_mapping()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml_key(key)} = {toml_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    # TOML has no surrogate pairs, and refuses the letter 127 as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _toml_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else toml_value(key)


def parse_toml(raw: bytes) -> tuple[dict[str, Any], str]:
    """Return the content of TOML bytes as a mapping, and their text without a byte order mark.

    Raises
    ------
    InputError
        The bytes are not TOML in UTF-8; the message is a phrase for the name of the file.

    Examples
    --------
    >>> parse_toml(b"[run]\\nseed = one")
    Traceback (most recent call last):
    fastcollapse.errors.InputError: must be valid TOML: line 2, at 'one' in 'seed = one': text must be in quotes
    """
    other = format_of(raw[:N_BYTES])
    if other is not None:
        raise InputError(f"must be TOML text in UTF-8, got {other}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        first = raw.rfind(b"\n", 0, error.start) + 1
        # Latin-1 gives every byte a character, in most cases that of the author.
        where = position(raw.decode("latin-1"), raw.count(b"\n", 0, first) + 1, error.start - first + 1)
        raise InputError(f"must be UTF-8 text, got byte 0x{raw[error.start]:02x} in {where}") from None
    try:
        with no_collection():
            return tomllib.loads(text), text
    except RecursionError:
        raise InputError("must be valid TOML: nested too deeply") from None
    except ValueError as error:
        raise InputError(f"must be valid TOML: {_explained(str(error), text)}") from None


def position(text: str, line: int, column: int) -> str:
    """Return a place in a text as words, with the line around it; lines and columns count from 1.

    Examples
    --------
    >>> position("a = 1\\nb = = 2", 2, 5), position("a = 1", 1, 6)
    ("line 2, at '= 2' in 'b = = 2'", "line 1, at the end of 'a = 1'")
    """
    whole = text.split("\n")[line - 1].rstrip("\r")
    before, rest = whole[: column - 1], whole[column - 1 :].rstrip()
    shown = before.lstrip() + rest if len(before) <= _BEFORE else f"...{before[-_BEFORE:]}{rest}"
    return f"line {line}, " + (f"at {show(rest)} in {show(shown)}" if rest else f"at the end of {show(shown)}")


def _explained(message: str, text: str) -> str:
    """Return the message of a TOML error with the line, in the words of a user where its reason is known."""
    match = _PLACE.fullmatch(message)
    if match is None:
        return " ".join(message.split())
    lines = text.rstrip().split("\n")
    line, column = (int(match[2]), int(match[3])) if match[2] else (len(lines), len(lines[-1]) + 1)
    rest = text.split("\n")[line - 1][column - 1 :]
    return f"{position(text, line, column)}: {_reason(match[1], rest)}"


def _reason(problem: str, rest: str) -> str:
    """Return the reason of a TOML error, from its message and the line after its place."""
    if rest.startswith("\r") and rest != "\r":
        return "lines must end in a line feed, got carriage returns alone"
    if problem.startswith(("Cannot overwrite a value", "Cannot declare", "Cannot mutate")):
        return "a key or a table is given twice"
    if problem.startswith("Illegal character '\\n'"):
        return "a string must end in the line where it begins"
    if problem == "Invalid value" and re.match(r"(True|False)\b", rest):
        return "true and false must be in lower case"
    if problem == "Invalid value" and re.match(r"[A-Za-z_./~]", rest):
        return "text must be in quotes"
    return " ".join(problem.split())
