"""The functions of `fastcollapse.theory` by name, for the command line: listed, explained, evaluated."""

import importlib
import inspect
import json
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.text import table
from fastcollapse.errors import InputError, nearest

_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)$")
_MOST_ROWS = 100_000


def formulas() -> dict[str, Callable]:
    """Return the public functions of the theory modules by name.

    Examples
    --------
    >>> "survival_bounds" in formulas()
    True
    """
    found: dict[str, Callable] = {}
    for path in sorted((Path(__file__).parents[1] / "theory").glob("*/*.py")):
        module = importlib.import_module(f"fastcollapse.theory.{path.parent.name}.{path.stem}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                found[name] = function
    return found


def catalogue() -> str:
    """Return the list of functions, a line each, by module."""
    lines: list[str] = []
    module = ""
    for name, function in formulas().items():
        if function.__module__ != module:
            module = function.__module__
            lines += ["", module.removeprefix("fastcollapse.theory.")]
        first = (inspect.getdoc(function) or "").splitlines()[0]
        lines.append(f"  {name}({', '.join(inspect.signature(function).parameters)})\n      {first}")
    return "\n".join(lines[1:])


def explain(name: str) -> str:
    """Return signature and documentation of a function.

    Raises
    ------
    InputError
        No such function.
    """
    function = _find(name)
    parameters = ", ".join(
        p.name if p.default is p.empty else f"{p.name}={p.default!r}"
        for p in inspect.signature(function).parameters.values()
    )
    return f"{name}({parameters})\n\n{inspect.getdoc(function)}"


def evaluate(name: str, settings: Sequence[str]) -> str:
    """Return the values of a function as a table.

    Parameters
    ----------
    settings : "argument=value" each; a value is a number, a list (1,2,3 or [1, 2, 3]), a range of whole
        numbers (1..10), true, false or a word.

    Raises
    ------
    InputError
        No such function or argument, an argument missing, or a value that is refused.

    Examples
    --------
    >>> print(evaluate("g_at", ["k=1..3"]))
      k      g_at
      1         1
      2  0.632121
      3  0.468536
    """
    function = _find(name)
    known = inspect.signature(function).parameters
    values: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key or not text:
            raise InputError(f"{name} must have arguments such as {next(iter(known))}=1, got {setting!r}")
        if key not in known:
            raise InputError(f"{key!r} is not an argument of {name}, use {', '.join(known)}{nearest(key, known)}")
        if key in values:
            raise InputError(f"{key} must be given once, got it again in {setting!r}")
        values[key] = _value(key, text)
    missing = [p.name for p in known.values() if p.default is p.empty and p.name not in values]
    if missing:
        raise InputError(f"{name} must have the argument {' and '.join(missing)}, got none")
    try:
        result = function(**values)
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name} cannot be evaluated there: {' '.join(str(error).split())}") from error
    return _tabulate(function, values, result if isinstance(result, tuple) else (result,))


def _find(name: str) -> Callable:
    known = formulas()
    if name not in known:
        raise InputError(f"theory must be a name that `fastcollapse theory` lists, got {name!r}{nearest(name, known)}")
    return known[name]


def _value(key: str, text: str) -> Any:
    if match := _RANGE.match(text):
        first, last = int(match[1]), int(match[2])
        if not 0 <= last - first < _MOST_ROWS:
            raise InputError(f"{key} must be a range of 1 to {_MOST_ROWS} numbers, got {text}")
        return np.arange(first, last + 1)
    for candidate in (text, f"[{text}]"):
        try:
            value = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, list):
            try:
                return np.array(value, dtype=np.int64 if all(type(v) is int for v in value) else np.float64)
            except (ValueError, TypeError, OverflowError):
                raise InputError(f"{key} must be a number or a list of numbers, got {text}") from None
        if isinstance(value, dict) or value is None:
            break
        return value
    return text


def _tabulate(function: Callable, values: dict[str, Any], results: tuple) -> str:
    arrays = [np.asarray(result) for result in results]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    n_rows = math.prod(shape)
    if n_rows > _MOST_ROWS:
        name = function.__name__
        raise InputError(f"the table of {name} must have at most {_MOST_ROWS} rows, got {n_rows}")
    returns = re.search(r"Returns\n-+\n([\w, ]+?) : ", inspect.getdoc(function) or "")
    names = returns[1].split(", ") if returns else []
    if len(names) != len(arrays) or names[0].startswith(("float", "int")):
        names = [function.__name__] if len(arrays) == 1 else [f"value {i + 1}" for i in range(len(arrays))]
    columns: dict[str, np.ndarray] = {}
    covered: set[int] = set()
    for key, value in values.items():
        given = np.asarray(value)
        axis = next((i for i, size in enumerate(shape) if given.ndim == 1 and given.size == size), None)
        if axis is not None:
            placed = given.reshape([-1 if i == axis else 1 for i in range(len(shape))])
            columns[key] = np.broadcast_to(placed, shape)
            # A schedule has one entry a generation, a result of it one more: never the same length.
            covered.add(axis)
    for axis, size in enumerate(shape):
        if axis not in covered and size > 1:
            # Results over all generations up to a last one are indexed from 0.
            name = "k" if {"k_max"} & set(values) else "index"
            place = np.arange(size).reshape([-1 if i == axis else 1 for i in range(len(shape))])
            columns = {name: np.broadcast_to(place, shape), **columns}
    for name, array in zip(names, arrays, strict=True):
        columns[name] = np.broadcast_to(array, shape)
    header = list(columns)
    rows = [[_number(columns[name][at]) for name in header] for at in np.ndindex(*shape)]
    return table(header, rows)


def _number(value: Any) -> str:
    return str(int(value)) if isinstance(value, np.integer) else f"{value:.6g}"
