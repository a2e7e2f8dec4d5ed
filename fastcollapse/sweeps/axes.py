"""What varies in a sweep as dimensions with names, and the values along them as numbers or words."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.sweeps.points import Axis, Sweep

# Names that a file of a sweep has anyway.
RESERVED = ("replicate", "generation", "seed", "done", "path", "data_crc32", "zip")


@dataclass(frozen=True, eq=False)
class Parameter:
    """A swept key: its name in a file, and its values along its dimension, numbers if all of them are, else words."""

    key: str
    name: str
    values: np.ndarray

    @property
    def is_number(self) -> bool:
        """Are its values numbers?"""
        return self.values.dtype.kind in "iuf"

    @property
    def texts(self) -> list[str]:
        """Its values as people read them, numbers with four digits where that tells them apart."""
        values = self.values.tolist()
        if not self.is_number:
            return _differences(values)
        if self.values.dtype.kind != "f":
            return [f"{value:,}" for value in values]
        short = [f"{value:.4g}" for value in values]
        return short if len(set(short)) == len(set(values)) else [f"{value:,}" for value in values]


@dataclass(frozen=True, eq=False)
class Dimension:
    """An axis of a sweep: the name of its dimension and its keys."""

    dim: str
    parameters: tuple[Parameter, ...]
    length: int


def named_axes(sweep: Sweep, reserved: Iterable[str] = ()) -> list[Dimension]:
    """Return the dimensions of a sweep.

    A key is called by its last part, or by all of it where that is taken.

    Parameters
    ----------
    reserved : names that are something else.

    Examples
    --------
    >>> sweep = Sweep({"model": {"family": "poisson"}, "truth": {"rate": 1.0}, "workflow": {"name": "replace"},
    ...                "run": {"n_generations": 5, "n_replicates": 2, "seed": 1},
    ...                "sweep": {"grid": {"workflow.n_samples": [10, 100]}}})
    >>> [(one.dim, one.parameters[0].values) for one in named_axes(sweep)]
    [('n_samples', array([ 10, 100]))]
    """
    keys = [key for axis in sweep.axes for key in axis.keys]
    taken = {*RESERVED, *reserved}
    last = [key.rpartition(".")[2] for key in keys]
    names = {
        key: short if last.count(short) == 1 and short not in taken else key.replace(".", "_")
        for key, short in zip(keys, last, strict=True)
    }
    return [_dimension(axis, names) for axis in sweep.axes]


def _dimension(axis: Axis, names: dict[str, str]) -> Dimension:
    parameters = tuple(
        Parameter(key, names[key], _values(values)) for key, values in zip(axis.keys, axis.values, strict=True)
    )
    return Dimension(parameters[0].name if len(parameters) == 1 else "zip", parameters, len(axis))


def _values(values: Sequence[Any]) -> np.ndarray:
    """Return values as int64 or float64, or as words."""
    if all(isinstance(one, int) and not isinstance(one, bool) and abs(one) < 2**63 for one in values):
        return np.array(values, np.int64)
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
        return np.array(values, np.float64)
    return np.array(words(values))


def _differences(texts: Sequence[str]) -> list[str]:
    """Return words, of tables only what differs between them.

    Examples
    --------
    >>> _differences(['{"a":1,"b":2}', '{"a":1,"b":3,"c":"x"}', "replace"])
    ['b = 2', 'b = 3, c = x', 'replace']
    """
    tables = [json.loads(text) if text.startswith("{") else {} for text in texts]
    found = [table for table in tables if table]
    keys = dict.fromkeys(key for table in found for key in table)
    varied = [key for key in keys if len({json.dumps(table.get(key)) for table in found}) > 1]
    told = [
        ", ".join(f"{key} = {words([table[key]])[0]}" for key in varied if key in table) or text
        for table, text in zip(tables, texts, strict=True)
    ]
    return told if len(set(told)) == len(set(texts)) else list(texts)


def words(values: Sequence[Any]) -> list[str]:
    """Return values as words that tell them apart: a table by its name, if it has one and no other has that.

    Examples
    --------
    >>> words(["a", 3, {"name": "replace"}, [1, 2]])
    ['a', '3', 'replace', '[1,2]']
    """
    named = [one["name"] if isinstance(one, dict) and isinstance(one.get("name"), str) else None for one in values]
    made = []
    for one, name in zip(values, named, strict=True):
        if name is not None and named.count(name) == 1:
            made.append(name)
        else:
            made.append(one if isinstance(one, str) else json.dumps(one, separators=(",", ":")))
    return made
