"""Dotted keys of nested tables, such as `run.seed`."""

from collections.abc import Mapping
from typing import Any


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of nested tables by dotted key.

    Examples
    --------
    >>> flat({"run": {"seed": 1}, "truth": {"zipf_mandelbrot": {"a": 1.0}}})
    {'run.seed': 1, 'truth.zipf_mandelbrot.a': 1.0}
    """
    found: dict[str, Any] = {}
    for key, value in table.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def overlap(key: str, other: str) -> bool:
    """Whether two dotted keys are equal or one is a section of the other.

    Examples
    --------
    >>> overlap("truth", "truth.rate"), overlap("run.seed", "run.seeds")
    (True, False)
    """
    return f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}.")
