"""What every model family offers, and the registry: one module of this folder is one family."""

import importlib
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fastcollapse.errors import InputError, nearest


class Model(Protocol):
    """A family of models that are refitted to data they generate."""

    def initial(self, n_replicates: int) -> Any:
        """Return the state of generation 0 for that many replicates."""

    def advance(self, state: Any, first: int, room: int, seed: int, first_replicate: int) -> Any:
        """Run the generations `first` and following, at most `room` of them, and return their block of results."""


def families() -> list[str]:
    """Return the names of the model families, in alphabetical order.

    Examples
    --------
    >>> "discrete" in families()
    True
    """
    return sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py") if path.stem != "base")


def family(name: str) -> Any:
    """Return the module of a model family.

    Raises
    ------
    InputError
        There is no such family.
    """
    if name not in families():
        raise InputError(f"model.family must be one of {', '.join(families())}, got {name!r}{nearest(name, families())}")
    return importlib.import_module(f"fastcollapse.models.{name}")


def as_uint64(value: int) -> np.uint64:
    """Return `value` modulo 2^64 for a stream key."""
    return np.uint64(value & 0xFFFFFFFFFFFFFFFF)
