"""Named dimensions of a sweep, and the values of its swept parameters as numbers or text."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcollapse.sweeps.panel_scores import NAMES
from fastcollapse.sweeps.points import Axis, Sweep

# Names of other variables of a collected sweep.
RESERVED = ("replicate", "generation", "seed", "done", "path", "engine_in_use", "data_crc32", "zip", *NAMES)


@dataclass(frozen=True, eq=False)
class SweptParameter:
    """A swept key: its name in a collected sweep, and its values, which are text unless all of them are numbers."""

    key: str
    name: str
    values: np.ndarray

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.values.dtype.kind in "iuf"

    @property
    def texts(self) -> list[str]:
        """Its values as text for people; numbers have four digits if that distinguishes them."""
        values = self.values.tolist()
        if not self.is_number:
            return _differences(values)
        if self.values.dtype.kind != "f":
            return [f"{value:,}" for value in values]
        short = [f"{value:.4g}" for value in values]
        return short if len(set(short)) == len(set(values)) else [f"{value:,}" for value in values]


@dataclass(frozen=True, eq=False)
class Dimension:
    """Axis of a sweep: the name of its dimension, its parameters and its length."""

    dim: str
    parameters: tuple[SweptParameter, ...]
    length: int


def named_axes(sweep: Sweep, reserved: Iterable[str] = ()) -> list[Dimension]:
    """Return the dimensions of a sweep.

    The name of a parameter is the last part of its key, or the whole key if another variable has that name.

    Parameters
    ----------
    reserved : names of other variables.

    Examples
    --------
    >>> sweep = Sweep({"model": {"family": "poisson"}, "truth": {"rate": 1.0}, "workflow": {"name": "replace"},
    ...                "run": {"n_generations": 5, "n_replicates": 2, "seed": 1},
    ...                "sweep": {"grid": {"workflow.n_samples": [10, 100]}}})
    >>> [(axis.dim, axis.parameters[0].values) for axis in named_axes(sweep)]
    [('n_samples', array([ 10, 100]))]
    """
    keys = [key for axis in sweep.axes for key in axis.keys]
    used = {*RESERVED, *reserved}
    last = [key.rpartition(".")[2] for key in keys]
    names = {
        key: short if last.count(short) == 1 and short not in used else key.replace(".", "_")
        for key, short in zip(keys, last, strict=True)
    }
    return [_dimension(axis, names) for axis in sweep.axes]


def _dimension(axis: Axis, names: dict[str, str]) -> Dimension:
    parameters = tuple(
        SweptParameter(key, names[key], _values(values)) for key, values in zip(axis.keys, axis.values, strict=True)
    )
    return Dimension(parameters[0].name if len(parameters) == 1 else "zip", parameters, len(axis))


def _values(values: Sequence[Any]) -> np.ndarray:
    """Return values as int64, float64 or text, which are objects: a fixed width would be that of the longest."""
    if all(isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 for value in values):
        return np.array(values, np.int64)
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return np.array(values, np.float64)
    return np.array(value_labels(values), object)


def _differences(texts: Sequence[str]) -> list[str]:
    """Return texts in which tables are reduced to the keys whose values differ.

    Examples
    --------
    >>> _differences(['{"a":1,"b":2}', '{"a":1,"b":3,"c":"x"}', "replace"])
    ['b = 2', 'b = 3, c = x', 'replace']
    """
    tables = [json.loads(text) if text.startswith("{") else {} for text in texts]
    filled = [table for table in tables if table]
    keys = dict.fromkeys(key for table in filled for key in table)
    varied = [key for key in keys if len({json.dumps(table.get(key)) for table in filled}) > 1] or list(keys)
    short = [
        ", ".join(f"{key} = {value_labels([table[key]])[0]}" for key in varied if key in table) or text
        for table, text in zip(tables, texts, strict=True)
    ]
    return short if len(set(short)) == len(set(texts)) else list(texts)


def value_labels(values: Sequence[Any]) -> list[str]:
    """Return a distinct text for each value; the text of a table is its name if no other table has it.

    Examples
    --------
    >>> value_labels(["a", 3, {"name": "replace"}, [1, 2]])
    ['a', '3', 'replace', '[1,2]']
    """
    names = [
        value["name"] if isinstance(value, dict) and isinstance(value.get("name"), str) else None for value in values
    ]
    labels = []
    for value, name in zip(values, names, strict=True):
        if name is not None and names.count(name) == 1:
            labels.append(name)
        else:
            labels.append(value if isinstance(value, str) else json.dumps(value, separators=(",", ":")))
    return labels
