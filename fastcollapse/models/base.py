"""What every model family offers, and the registry: one module of this folder is one family."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from fastcollapse.config.fields import Section
from fastcollapse.config.sections import families
from fastcollapse.errors import InputError, nearest
from fastcollapse.kernels.random.streams import PURPOSE_SYNTHETIC, StreamKey
from fastcollapse.variables import Variable

# Numbers that the points of all replicates of a run may hold: 32 GB of them.
_MOST_NUMBERS = 4 * 10**9


class Model(Protocol):
    """A family of models that are refitted to data they generate; each module offers its class as `MODEL`.

    It is made from (truth, parameters, schedule, record): the law of generation 0 (its section, or what is loaded from
    it), the family's own parameters, the workflow as arrays over generations, and what is wanted of `run.record`.

    PARAMETERS and TRUTH are the sections `[model]` and `[truth]`; WORKFLOWS says of each workflow "" if the family
    serves it, else why not.

    A model may have more: `coordinates()`, the `Coordinate` of each further dimension of its metrics; `generation_0(
    n_replicates, seed, first_replicate)`, its block where more than the truth is simulated; `warnings()`, lines that a
    user should see; `work_bytes()` and `limit_work(n_bytes)`, the least memory it works in and what it may use.
    """

    PARAMETERS: ClassVar[type[Section]]
    TRUTH: ClassVar[type[Section]]
    WORKFLOWS: ClassVar[Mapping[str, str]]

    def state_variables(self) -> Mapping[str, Variable]:
        """Return what the arrays of a `StateBlock` are: none where states are sparse rows."""

    def truth_states(self) -> Mapping[str, np.ndarray]:
        """Return the truth itself as a state, name -> float64 (...); none where states are sparse rows."""

    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> Any:
        """Return the state of generation 0, which has `arrays()`, and `forgotten()` where symbols can be forgotten.

        `arrays()` is what `restore` needs, name -> array: views that the next block changes, and nothing that a stream
        gives again, such as a fixed real batch.
        """

    def restore(self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0) -> Any:
        """Return the state whose `arrays()` these are: `advance` goes on bit for bit as if nothing had happened.

        They are copied, so read-only memory maps will do.

        Raises
        ------
        ValueError
            An array is missing, or its shape is that of another run.
        """

    def block_length(self, state: Any, room: int) -> int:
        """Return how many generations, 1..room, the next block may have."""

    def advance(self, state: Any, first: int, n_generations: int, seed: int, first_replicate: int = 0) -> Any:
        """Run generations `first` and following and return their block; `state` moves on with them."""


@dataclass(frozen=True, eq=False)
class StateBlock:
    """What a block of B generations gives: `states`, name -> float64 (R, B, ...)."""

    states: dict[str, np.ndarray]


def family(name: str) -> Any:
    """Return the module of a model family.

    Raises
    ------
    InputError
        There is no such family.
    """
    if name not in families():
        raise InputError(
            f"model.family must be one of {', '.join(families())}, got {name!r}{nearest(name, families())}"
        )
    return importlib.import_module(f"fastcollapse.models.{name}.model")


def check_fitted(schedule: Any, sizes: np.ndarray) -> None:
    """Refuse a schedule that fits a deviation to fewer than two points; `sizes` int64 (T) are those fitted to.

    Raises
    ------
    InputError
        With the key of the size and the first generation that has too few.
    """
    few = np.flatnonzero(sizes < 2)
    if few.size:
        key = "workflow.n_train" if schedule.n_train[few[0]] > 0 else "workflow.n_samples"
        where = f"got {sizes[few[0]]} at generation {few[0] + 1}"
        raise InputError(f"{key} must give at least 2 points to fit a deviation to, {where}")


def check_kept(n_numbers: int) -> None:
    """Refuse a run whose points do not fit into memory.

    Raises
    ------
    InputError
        More than 4e9 numbers.
    """
    if n_numbers > _MOST_NUMBERS:
        raise InputError(
            f"workflow.n_samples must keep the points of all replicates at most {_MOST_NUMBERS} numbers, "
            f"got {n_numbers}"
        )


def put_back(arrays: Mapping[str, np.ndarray], state: Any, pool: str = "") -> None:
    """Copy the arrays of a state to where they were; those of a pool, one of which is named, say its `n_kept` first.

    Raises
    ------
    ValueError
        An array is missing, or its shape is another one.
    """
    if pool in arrays:
        state.n_kept = arrays[pool].shape[1]
    for name, to in state.arrays().items():
        put_array_back(arrays, name, to)


def put_array_back(arrays: Mapping[str, np.ndarray], name: str, to: np.ndarray) -> None:
    """Copy one array of a state to where it was.

    Raises
    ------
    ValueError
        It is missing, or its shape is another one.
    """
    got = arrays[name].shape if name in arrays else "none"
    if got != to.shape:
        raise ValueError(f"{name} of a state must have shape {to.shape}, got {got}")
    to[...] = arrays[name]


def n_kept_after(kept: np.ndarray, generation: int) -> int:
    """Return how many points of the pool are needed after a generation; `kept` int64 (T) is that of a `KernelSchedule`."""
    return int(kept[generation]) if generation < len(kept) else 0


def run_key(seed: int, first_replicate: int) -> StreamKey:
    """Return the key of a run's streams; a kernel sets generation and purpose."""
    return StreamKey(as_uint64(seed), as_uint64(first_replicate), np.uint64(0), np.uint64(PURPOSE_SYNTHETIC))


def as_uint64(value: int) -> np.uint64:
    """Return `value` modulo 2^64 for a stream key."""
    return np.uint64(value & 0xFFFFFFFFFFFFFFFF)
