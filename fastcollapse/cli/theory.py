"""The functions of `fastcollapse.theory` for the command line: list, documentation and evaluation."""

import inspect
import json
import math
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcollapse.analysis.panels.text import table
from fastcollapse.config.nested_text import no_collection
from fastcollapse.errors import InputError, nearest
from fastcollapse.theory import counterexamples, density, discrete, gaussian, language, mixing, regression

_TOPICS = (density, discrete, gaussian, language, mixing, regression, counterexamples)
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)$")
_RETURNED_NAMES = re.compile(r"Returns\n-+\n([\w, ]+?) : ")
_NOTATION = re.compile(r"^Notation\n-+\n.*?(?=\n\n\w+\n-+\n|\Z)", re.MULTILINE | re.DOTALL)
_MAX_ROWS = 100_000


def theory_functions() -> dict[str, Callable[..., Any]]:
    """Return the public functions of all topics by name, sorted by module.

    Examples
    --------
    >>> "survival_bounds" in theory_functions()
    True
    """
    functions = [getattr(topic, name) for topic in _TOPICS for name in topic.__all__]
    return {f.__name__: f for f in sorted(functions, key=lambda f: (f.__module__, f.__name__))}


def list_functions() -> str:
    """Return the functions by module, each with its arguments and the first line of its docstring."""
    lines: list[str] = []
    module = ""
    for name, function in theory_functions().items():
        if function.__module__ != module:
            module = function.__module__
            lines += ["", module.removeprefix("fastcollapse.theory.")]
        lines.append(f"  {name}({', '.join(inspect.signature(function).parameters)})")
        # Python strips docstrings with -OO.
        lines += [f"      {line}" for line in _documentation(function).splitlines()[:1]]
    return "\n".join(lines[1:])


def explain(name: str) -> str:
    """Return the signature and the documentation of a function, with the notation of its module.

    Raises
    ------
    InputError
        if there is no such function.
    """
    function = _function(name)
    parameters = ", ".join(
        p.name if p.default is p.empty else f"{p.name}={p.default!r}"
        for p in inspect.signature(function).parameters.values()
    )
    notation = _NOTATION.search(inspect.cleandoc(sys.modules[function.__module__].__doc__ or ""))
    parts = [f"{name}({parameters})", _documentation(function), notation[0] if notation else ""]
    return "\n\n".join(part for part in parts if part)


def evaluate(name: str, settings: Sequence[str]) -> str:
    """Return the values of a function as a table.

    Parameters
    ----------
    settings : "argument=value" each; a value is a number, a list (1,2,3 or [1, 2, 3]), a range of whole
        numbers (1..10), true, false or a word.

    Raises
    ------
    InputError
        if there is no such function or argument, if an argument is missing or if a value is outside its range.

    Examples
    --------
    >>> print(evaluate("g_at", ["k=1..3"]))
      k      g_at
      1         1
      2  0.632121
      3  0.468536
    """
    columns, shape = _evaluated(name, settings)
    rows = [[_format(column[at]) for column in columns.values()] for at in np.ndindex(*shape)]
    return table(list(columns), rows)


def evaluation_record(name: str, settings: Sequence[str]) -> dict[str, Any]:
    """Return the values of a function as `evaluate` does, for JSON: its name, and a table of columns for each row.

    Examples
    --------
    >>> [row["k"].item() for row in evaluation_record("g_at", ["k=1..3"])["rows"]]
    [1, 2, 3]
    """
    columns, shape = _evaluated(name, settings)
    rows = [{key: column[at] for key, column in columns.items()} for at in np.ndindex(*shape)]
    return {"function": name, "columns": list(columns), "rows": rows}


def function_record(name: str) -> dict[str, Any]:
    """Return a function with its module, arguments, defaults and documentation, for JSON."""
    function = _function(name)
    return {
        "name": name,
        "module": function.__module__,
        "arguments": [
            {"name": p.name, "required": p.default is p.empty, "default": None if p.default is p.empty else p.default}
            for p in inspect.signature(function).parameters.values()
        ],
        "documentation": _documentation(function),
    }


def _evaluated(name: str, settings: Sequence[str]) -> tuple[dict[str, np.ndarray], tuple[int, ...]]:
    """Return the columns of the table of a function, and their shape."""
    function = _function(name)
    arguments = _parse_arguments(function, settings)
    try:
        result = function(**arguments)
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name} cannot be evaluated there: {' '.join(str(error).split())}") from error
    return _columns(function, arguments, result if isinstance(result, tuple) else (result,))


def _documentation(function: Callable[..., Any]) -> str:
    return inspect.getdoc(function) or ""


def _function(name: str) -> Callable[..., Any]:
    functions = theory_functions()
    if name not in functions:
        hint = nearest(name, functions)
        raise InputError(f"theory must be a name that `fastcollapse theory` lists, got {name!r}{hint}")
    return functions[name]


def _parse_arguments(function: Callable[..., Any], settings: Sequence[str]) -> dict[str, Any]:
    """Return the arguments of a function from "argument=value" texts."""
    name, parameters = function.__name__, inspect.signature(function).parameters
    arguments: dict[str, Any] = {}
    for setting in settings:
        key, _, text = setting.partition("=")
        if not key or not text:
            raise InputError(f"{name} must have arguments such as {next(iter(parameters))}=1, got {setting!r}")
        if key not in parameters:
            hint = nearest(key, parameters)
            raise InputError(f"{key!r} is not an argument of {name}, use {', '.join(parameters)}{hint}")
        if key in arguments:
            raise InputError(f"{key} must be given once, got it again in {setting!r}")
        arguments[key] = _parse_value(key, text)
    missing = [p.name for p in parameters.values() if p.default is p.empty and p.name not in arguments]
    if missing:
        verb = "argument {} is missing" if len(missing) == 1 else "arguments {} are missing"
        raise InputError(f"{name}: {verb.format(' and '.join(missing))}")
    return arguments


def _parse_value(key: str, text: str) -> Any:
    """Return the number, array, bool or word that a text stands for."""
    if match := _RANGE.match(text):
        first, last = int(match[1]), int(match[2])
        if not 0 <= last - first < _MAX_ROWS:
            raise InputError(f"{key} must be a range of 1 to {_MAX_ROWS} numbers, got {text}")
        return np.arange(first, last + 1)
    for candidate in (text, f"[{text}]"):
        try:
            with no_collection():
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


def _columns(
    function: Callable[..., Any], arguments: dict[str, Any], results: tuple[Any, ...]
) -> tuple[dict[str, np.ndarray], tuple[int, ...]]:
    """Return columns with an entry for each value, and their shape: the arguments that vary, then the results."""
    arrays = [np.asarray(result) for result in results]
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    n_rows = math.prod(shape)
    if n_rows > _MAX_ROWS:
        raise InputError(f"the table of {function.__name__} must have at most {_MAX_ROWS} rows, got {n_rows}")
    columns = _argument_columns(arguments, shape)
    for name, array in zip(_result_names(function, len(arrays)), arrays, strict=True):
        columns[name] = np.broadcast_to(array, shape)
    return columns, shape


def _result_names(function: Callable[..., Any], n_results: int) -> list[str]:
    """Return the names of the results in the docstring, or the name of the function, or numbers."""
    match = _RETURNED_NAMES.search(_documentation(function))
    names = match[1].split(", ") if match else []
    if len(names) == n_results and not names[0].startswith(("float", "int")):
        return names
    return [function.__name__] if n_results == 1 else [f"value {i + 1}" for i in range(n_results)]


def _argument_columns(arguments: dict[str, Any], shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return the vector arguments along the axes of the results, and an index for each other axis."""

    def along(axis: int, values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values.reshape([-1 if i == axis else 1 for i in range(len(shape))]), shape)

    columns: dict[str, np.ndarray] = {}
    covered: set[int] = set()
    for key, value in arguments.items():
        vector = np.asarray(value)
        axis = next((i for i, size in enumerate(shape) if vector.ndim == 1 and vector.size == size), None)
        if axis is not None:
            # The sizes of a schedule are never taken for an axis: its results have one entry more.
            columns[key] = along(axis, vector)
            covered.add(axis)
    for axis, size in enumerate(shape):
        if axis not in covered and size > 1:
            # Results up to generation `k_max` are indexed from 0.
            name = "k" if "k_max" in arguments else "index"
            columns = {name: along(axis, np.arange(size)), **columns}
    return columns


def _format(value: Any) -> str:
    return str(int(value)) if isinstance(value, np.integer) else f"{value:.6g}"
