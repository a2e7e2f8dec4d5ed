"""Text of tables: columns, and numbers with their noun."""

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with right-aligned columns, two spaces apart.

    Examples
    --------
    >>> print(table(["k", "value"], [["1", "0.5"], ["10", "0.25"]]))
       k  value
       1    0.5
      10   0.25
    """
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "  " + "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    )


def counted(n: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "replicate"), counted(2000, "replicate")
    ('1 replicate', '2,000 replicates')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def short(value: object) -> str:
    """Return a value as JSON of at most 40 letters; a longer list has its repeated entries together.

    Examples
    --------
    >>> short([0.5, 0.5]), short(True), short([0.0] * 20 + [0.5] * 30)
    ('[0.5, 0.5]', 'true', '[20 x 0.0, 30 x 0.5]')
    """
    text = json.dumps(value)
    if len(text) > 40 and isinstance(value, list | tuple):
        runs = [(json.dumps(entry), len(list(same))) for entry, same in itertools.groupby(value)]
        text = f"[{', '.join(f'{n} x {entry}' if n > 1 else entry for entry, n in runs)}]"
    return text if len(text) <= 40 else text[:37] + "..."


def settings_text(settings: Mapping[str, Any]) -> str:
    """Return values by dotted key in words: the last part of each key, and tables as their keys and values.

    Examples
    --------
    >>> settings_text({"truth.zipf_mandelbrot": {"a": 1.0, "size": 1000}, "workflow.name": "replace"})
    'zipf_mandelbrot a = 1, size = 1000, replace'
    """
    return ", ".join(_setting_text(key, value) for key, value in settings.items())


def _setting_text(key: str, value: Any) -> str:
    """Return one value with its key in words; a name stands alone."""
    name = key.rpartition(".")[2]
    if isinstance(value, Mapping):
        return f"{name} {settings_text(value)}"
    if name == "name":
        return str(value)
    shown = f"{value:g}" if isinstance(value, float) else value if isinstance(value, str) else short(value)
    return f"{name} = {shown}"
