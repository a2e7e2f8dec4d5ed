"""The contract of a model family: one abstract base class with a default for each optional hook."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.config.sections import ModelSection, TruthSection
from fastcollapse.errors import InputError
from fastcollapse.kernels.random.streams import PURPOSE_SYNTHETIC, StreamKey
from fastcollapse.variables import Coordinate, CountRows, Metric, SampleRows, Variable, metric_table

# Limit of the values that the pools of all replicates of a run may hold: 32 GB.
_MAX_KEPT_VALUES = 4 * 10**9


@dataclass(frozen=True, eq=False)
class ModelBlock:
    """The result of a block of B generations of R replicates.

    Parameters
    ----------
    states : name -> float64 (R, B, ...), those of `Model.state_variables` that are fixed arrays.
    samples : name -> rows of unequal length, those of `Model.state_variables` that are ragged.
    counts : sparse counts, where the states of the family are counts and the run records them.
    metrics : name -> float64 (R, B, ...), metrics that the model has computed itself.
    quantities : what the functions of METRICS read; by default the states.
    """

    states: Mapping[str, np.ndarray] = field(default_factory=dict)
    samples: Mapping[str, SampleRows] = field(default_factory=dict)
    counts: CountRows | None = None
    metrics: Mapping[str, np.ndarray] = field(default_factory=dict)
    quantities: Any = None

    def __post_init__(self) -> None:
        if self.quantities is None:
            object.__setattr__(self, "quantities", self.states)


class State(ABC):
    """The replicates between two blocks."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Return what `Model.restore` needs, name -> array.

        They are views that the next block changes. What a stream gives again, such as a fixed real batch, is not among
        them.
        """

    def forgotten(self) -> np.ndarray | None:
        """Return int32 (R, K), the first generation at which a symbol was absent, or -1; None for other states."""
        return None


class Model(ABC):
    """A family of models that are refitted to data they generate; `MODEL` of `models/<family>/model.py` is its class.

    Attributes
    ----------
    PARAMETERS, TRUTH : the sections `[model]` and `[truth]` of an experiment.
    METRICS : the metrics by name.
    CAPABILITIES : what the family serves beyond workflow replace, see `fastcollapse.config.CAPABILITIES`.
    """

    PARAMETERS: ClassVar[type[ModelSection]] = ModelSection
    TRUTH: ClassVar[type[TruthSection]]
    METRICS: ClassVar[Mapping[str, Metric]]
    CAPABILITIES: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def __init__(self, truth: Any, parameters: Any, schedule: Schedule, record: tuple[str, ...] = ()) -> None:
        """Make the model of a run.

        Parameters
        ----------
        truth : the loaded truth, see `TruthSection.load`.
        parameters : the family's own section.
        schedule : the workflow as arrays over generations.
        record : `run.record`.

        Raises
        ------
        InputError
            The family does not serve these values together.
        """

    @classmethod
    def create(cls, truth: Any, parameters: Any, schedule: Schedule, record: tuple[str, ...] = ()) -> "Model":
        """Return the model of a run; a family with several classes chooses one here."""
        return cls(truth, parameters, schedule, record)

    @classmethod
    def available_metrics(cls, parameters: Any) -> dict[str, Metric]:
        """Return the metrics that a run with these parameters has, by default all."""
        return dict(cls.METRICS)

    @property
    def n_columns(self) -> int | None:
        """Number of columns of the sparse counts; None where the states are no counts."""
        return None

    def state_variables(self) -> dict[str, Variable]:
        """Return what the states of a `ModelBlock` are: none where the states are sparse counts."""
        return {}

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state, name -> float64 (...), for the states that are fixed arrays."""
        return {}

    def coordinates(self) -> dict[str, Coordinate]:
        """Return the coordinate of each further dimension that has one."""
        return {}

    def warnings(self) -> list[str]:
        """Return lines that a user should see before the run."""
        return []

    def work_bytes(self) -> int:
        """Return the least memory that the model works in beside its state."""
        return 0

    def limit_work(self, n_bytes: int | None) -> None:
        """Hold the memory that the model works in to a limit, None for no limit."""
        return

    def generation_0(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Return the block of generation 0: the truth itself, for every replicate."""
        states = {
            name: np.repeat(np.asarray(value)[None, None], n_replicates, axis=0)
            for name, value in self.truth_states().items()
        }
        return ModelBlock(states)

    def measure(self, block: ModelBlock, truth: Any, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Return metrics of a block: name -> float64 (R, B, ...)."""
        return measured(self.METRICS, block, truth, names)

    @abstractmethod
    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> Any:
        """Return the `State` of generation 0."""

    @abstractmethod
    def restore(self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0) -> Any:
        """Return the `State` whose `arrays()` these are; `advance` then gives the bits of an uninterrupted run.

        The arrays are copied: read-only memory maps will do.

        Raises
        ------
        ValueError
            An array is missing, or its shape is that of another run.
        """

    @abstractmethod
    def block_length(self, state: Any, max_generations: int) -> int:
        """Return how many generations, 1..max_generations, the next block may have."""

    @abstractmethod
    def advance(self, state: Any, first: int, n_generations: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Run generations `first` to `first + n_generations - 1` and return their block; `state` is changed."""


class ArrayModel(Model):
    """A family whose states are fixed arrays: `restore` and `block_length` follow from its `State`.

    Attributes
    ----------
    POOL : the array of the state that says how many points the pool keeps; "" where no pool is kept.
    BLOCK_BYTES : size of the states of one block.
    """

    POOL: ClassVar[str] = "pool"
    BLOCK_BYTES: ClassVar[int] = 32_000_000

    @abstractmethod
    def generation_bytes(self, state: Any) -> int:
        """Return the bytes of the states of one generation, of all replicates."""

    def restore(self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0) -> Any:
        """Return the state whose `arrays()` these are."""
        state = self.initial(n_replicates, seed, first_replicate)
        restore_arrays(arrays, state, self.POOL)
        return state

    def block_length(self, state: Any, max_generations: int) -> int:
        """Return how many generations, 1..max_generations, the next block may have."""
        return max(1, min(max_generations, self.BLOCK_BYTES // self.generation_bytes(state)))


@dataclass(eq=False)
class PooledState(State):
    """Moments of R replicates, a fixed real batch and the points of a pool.

    Parameters
    ----------
    moments : float64 (k, R), one row for each of `MOMENTS`.
    real : float64, the fixed real batch, or empty.
    pool : float64 (R, K), the points, or (R, 0).
    n_kept : the points of the pool that the next generation keeps.

    Attributes
    ----------
    MOMENTS : names of the rows of `moments`.
    """

    MOMENTS: ClassVar[tuple[str, ...]]

    moments: np.ndarray
    real: np.ndarray
    pool: np.ndarray
    n_kept: int = 0

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what a resume needs."""
        return {**dict(zip(self.MOMENTS, self.moments, strict=True)), "pool": self.pool[:, : self.n_kept]}


def measured(
    metrics: Mapping[str, Metric], block: ModelBlock, truth: Any, names: Iterable[str]
) -> dict[str, np.ndarray]:
    """Return metrics of a block: those that the model has computed, and the others by their functions."""
    found = {}
    for name in names:
        function = metrics[name].function
        if name in block.metrics or function is None:
            found[name] = block.metrics[name]
        else:
            found[name] = np.ascontiguousarray(function(block.quantities, truth))
    return found


def with_downstream(own: Iterable[Metric], downstream: Iterable[Metric], predictor: Any) -> dict[str, Metric]:
    """Return the metrics of a regression by name: its own, and those of a predictor downstream where there is one.

    Parameters
    ----------
    predictor : the section `[model.downstream]` with `axis`, the dimension of its ridges, or None.
    """
    found = metric_table(*own)
    if predictor is not None:
        dims = ("downstream_samples", predictor.axis)
        found |= {m.name: replace(m, variable=replace(m.variable, dims=dims)) for m in downstream}
    return found


def check_fitted(schedule: Schedule, sizes: np.ndarray) -> None:
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


def check_kept(n_values: int) -> None:
    """Refuse a run whose pools do not fit into memory.

    Raises
    ------
    InputError
        More than 4e9 values.
    """
    if n_values > _MAX_KEPT_VALUES:
        raise InputError(
            f"workflow.n_samples must keep the points of all replicates at most {_MAX_KEPT_VALUES} numbers, "
            f"got {n_values}"
        )


def restore_arrays(arrays: Mapping[str, np.ndarray], state: Any, pool: str = "") -> None:
    """Copy saved arrays into a state; those of a pool, one of which is named, give its `n_kept` first.

    Raises
    ------
    ValueError
        An array is missing, or its shape is another one.
    """
    if pool in arrays:
        state.n_kept = arrays[pool].shape[1]
    for name, target in state.arrays().items():
        restore_array(arrays, name, target)


def restore_array(arrays: Mapping[str, np.ndarray], name: str, target: np.ndarray) -> None:
    """Copy one saved array into a state.

    Raises
    ------
    ValueError
        It is missing, or its shape is another one.
    """
    got = arrays[name].shape if name in arrays else "none"
    if got != target.shape:
        raise ValueError(f"{name} of a state must have shape {target.shape}, got {got}")
    target[...] = arrays[name]


def n_kept_after(n_kept: np.ndarray, generation: int) -> int:
    """Return how many points of the pool are needed after a generation; `n_kept` is that of a `KernelSchedule`."""
    return int(n_kept[generation]) if generation < len(n_kept) else 0


def run_key(seed: int, first_replicate: int) -> StreamKey:
    """Return the key of a run's streams; a kernel sets generation and purpose."""
    return StreamKey(as_uint64(seed), as_uint64(first_replicate), np.uint64(0), np.uint64(PURPOSE_SYNTHETIC))


def as_uint64(value: int) -> np.uint64:
    """Return `value` modulo 2^64 for a stream key."""
    return np.uint64(value & 0xFFFFFFFFFFFFFFFF)
