"""Checks of arguments of public calls: paths, functions and mappings."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fastcollapse.config.fields import show
from fastcollapse.errors import InputError


def check_path(name: str, value: object) -> Path:
    """Return an argument that must be a path; `name` is its name, for errors.

    Raises
    ------
    InputError
        It is neither text nor a path.

    Examples
    --------
    >>> check_path("path", None)
    Traceback (most recent call last):
    fastcollapse.errors.InputError: path must be a path, got None
    """
    if not isinstance(value, str | os.PathLike):
        raise InputError(f"{name} must be a path, got {show(value)}")
    return Path(value)


def check_function(name: str, value: Any, allowed: str = "a function") -> "Callable[..., Any] | None":
    """Return an argument that must be a function, or None.

    Parameters
    ----------
    allowed : what it may be, in words, if a caller has read other values before.

    Raises
    ------
    InputError
        It cannot be called.
    """
    if value is not None and not callable(value):
        raise InputError(f"{name} must be {allowed}, got {show(value)}")
    return value


def check_mapping(name: str, value: Any) -> Mapping[str, Any]:
    """Return an argument that must be a mapping.

    Raises
    ------
    InputError
        It is none.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"{name} must be a mapping, got {show(value)}")
    return value


def paths_as_text(value: Any) -> Any:
    """Return a mapping, or its value, with paths as text, which the keys of an experiment take.

    Examples
    --------
    >>> paths_as_text({"truth": {"text": Path("a.txt")}, "run": {"seed": 1}})
    {'truth': {'text': 'a.txt'}, 'run': {'seed': 1}}
    """
    if isinstance(value, Mapping):
        return {key: paths_as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [paths_as_text(inner) for inner in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value
