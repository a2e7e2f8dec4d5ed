"""JSON on standard output: the option `--json`, and values that JSON has no number for."""

import json
import math
import os
from collections.abc import Mapping
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for other programs, and nothing else.")


def echo_json(value: Any) -> None:
    """Print a value as JSON in ASCII, with its keys in their order."""
    click.echo(json.dumps(plain(value), indent=2, allow_nan=False))


def plain(value: Any) -> Any:
    """Return a value as what JSON has: NaN is null, infinities are text, arrays are lists, tables have text as keys.

    Examples
    --------
    >>> plain({"z": (float("nan"), float("-inf"), 1.5), 3: None})
    {'z': [None, '-inf', 1.5], '3': None}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if callable(getattr(value, "tolist", None)):  # NumPy, whose import takes time
        return plain(value.tolist())
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value
