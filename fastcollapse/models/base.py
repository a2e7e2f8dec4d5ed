"""Base classes of model families: `Model`, its `State` and its `ModelBlock`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from fastcollapse.config.sampling import Sampling
from fastcollapse.config.schedule import Schedule
from fastcollapse.config.sections import ModelSection, TruthSection
from fastcollapse.errors import InputError
from fastcollapse.kernels.random.streams import PURPOSE_SYNTHETIC, StreamKey
from fastcollapse.models.roles import Role
from fastcollapse.models.saved_arrays import restore_arrays
from fastcollapse.models.text_sampler import TextSampler
from fastcollapse.variables import Coordinate, CountRows, DerivedArray, Metric, SampleRows, Variable


@dataclass(frozen=True, eq=False)
class ModelBlock:
    """The result of a block of B generations of R replicates.

    Parameters
    ----------
    states : name -> float64 (R, B, ...), the entries of `Model.state_variables` that are fixed arrays.
    samples : name -> rows of unequal length, the entries of `Model.state_variables` that are ragged.
    counts : sparse counts, if the states of the family are counts and the run records them.
    metrics : name -> float64 (R, B, ...), metrics that the model has already computed.
    quantities : input of the functions in METRICS; by default the states.
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
    """State of all replicates between two blocks."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that `Model.restore` needs, name -> array.

        The arrays are views: the next block changes them. Arrays that a random stream can draw again, such as a fixed
        real batch, are not included.
        """

    def forgotten(self) -> np.ndarray | None:
        """Return the generation of first absence of each symbol, int32 (R, K).

        -1 where the symbol is never absent; None for a family without symbols.
        """
        return None


class Model(ABC):
    """Abstract base class of a model family: models that are refitted to data they generate.

    `models/<family>/model.py` exports the class of the family as `MODEL`. Optional hooks have a default here.

    Attributes
    ----------
    PARAMETERS, TRUTH : classes of the sections `[model]` and `[truth]` of an experiment.
    METRICS : metrics by name.
    ROLES : what plays each role in the definitions of collapse, see `fastcollapse.models.roles`.
    is_weighted : whether the sparse counts of the states are weights that sum to 1, float64.
    ENGINE : name of the engine, for a family with several; results files record it.
    EXAMPLES : small experiments that together use all kernels of the family, for `precompile`: sections `truth` and
        `model`, and values of `workflow` and `run`. Each runs under every workflow, or under the one that it names. A
        family needs them if its kernels depend on more than the choices of its keys; without them the experiments are
        derived from the checks of the parameters.
    CAPABILITIES : features that the family supports beyond workflow replace, see `fastcollapse.config.CAPABILITIES`.
    """

    PARAMETERS: ClassVar[type[ModelSection]] = ModelSection
    TRUTH: ClassVar[type[TruthSection]]
    METRICS: ClassVar[Mapping[str, Metric]]
    ROLES: ClassVar[Mapping[str, Role]] = {}
    CAPABILITIES: ClassVar[frozenset[str]] = frozenset()
    ENGINE: ClassVar[str] = ""
    is_weighted: bool = False
    EXAMPLES: ClassVar[Sequence[Mapping[str, Any]]] = ()

    @abstractmethod
    def __init__(self, truth: Any, parameters: Any, schedule: Schedule, record: tuple[str, ...] = ()) -> None:
        """Create the model of a run.

        Parameters
        ----------
        truth : the loaded truth, see `TruthSection.load`.
        parameters : the section `[model]` of the family.
        schedule : the workflow as arrays over generations.
        record : value of `run.record`.

        Raises
        ------
        InputError
            The family does not support this combination of values.
        """

    @classmethod
    def create(cls, truth: Any, parameters: Any, schedule: Schedule, record: tuple[str, ...] = ()) -> "Model":
        """Return the model of a run; a family with several classes selects one here."""
        return cls(truth, parameters, schedule, record)

    @classmethod
    def with_code(
        cls, parameters: Any, code: Callable[..., Any] | str | None, may_import: bool, folder: Path | None
    ) -> Any:
        """Return the parameters of a run with the code of the user that its models are made by.

        Parameters
        ----------
        parameters : the section `[model]` of the family.
        code : what the user has given as `model`, or its name; None for code that `parameters` name, and for a family
            without.
        may_import : whether the user has named the code in this session; a results file has not.
        folder : folder of the experiment file, where modules are searched too; None for none.

        Raises
        ------
        InputError
            The family takes no code, or the code cannot be imported.
        """
        if code is not None:
            raise InputError("model must be absent: only the estimator family takes the code of the user")
        return parameters

    @classmethod
    def available_metrics(cls, parameters: Any, sampling: Sampling | None = None) -> dict[str, Metric]:
        """Return the metrics of a run with these parameters and maps; by default all metrics."""
        return dict(cls.METRICS)

    @classmethod
    def truth_total(cls, truth: Any, parameters: Any) -> int | None:
        """Return the size of the real data in the unit of the sizes of a workflow; None for a law.

        Parameters
        ----------
        truth : the loaded truth.
        parameters : the section `[model]` of the family.
        """
        total: int | None = truth.total
        return total

    @classmethod
    def text_sampler(cls, truth: Any, parameters: Any, sampling: Sampling | None = None) -> TextSampler | None:
        """Return the sampler of text from the counts of a generation; None for a family without text.

        Parameters
        ----------
        truth, parameters : see `truth_total`.
        sampling : the maps of the run, which the text has too.
        """
        return None

    @classmethod
    def fit_errors(cls, truth: TruthSection, parameters: Any, schedule: Schedule) -> tuple[np.ndarray, ...]:
        """Return what the error of a weighted fit follows from, for the best weights: a, b and c, float64 (T) each.

        The error is w^2 a + (1 - w)^2 (b + c times the error before), see
        `fastcollapse.theory.mixing.weighted_fit`. The default is exact for means, and holds for large samples
        otherwise.

        Parameters
        ----------
        truth, parameters : sections of the experiment.
        schedule : a mix of synthetic and fresh real data.
        """
        with np.errstate(divide="ignore"):
            real, synthetic = 1.0 / schedule.n_real, 1.0 / schedule.n_synthetic
        return real, synthetic, np.ones_like(real)

    @property
    def n_columns(self) -> int | None:
        """Number of columns of the sparse counts; None if the states are not counts."""
        return None

    def state_variables(self) -> dict[str, Variable]:
        """Return the variables of the states and samples of a block; empty if the states are sparse counts."""
        return {}

    def truth_states(self) -> dict[str, np.ndarray]:
        """Return the truth as a state, name -> float64 (...), for states that are fixed arrays."""
        return {}

    def coordinates(self) -> dict[str, Coordinate]:
        """Return the coordinates of additional dimensions, name -> coordinate."""
        return {}

    def warnings(self) -> list[Warning]:
        """Return warnings to show to the user before the run."""
        return []

    def length_settings(self, n_generations: int) -> tuple[Any, ...]:
        """Return what the first generations get from the length of the run, beside their schedule.

        A finished run is continued only by a longer run with equal settings; otherwise the longer run is computed from
        its start, because bits of its first generations differ.

        Parameters
        ----------
        n_generations : number of generations to compare, at most T.
        """
        return ()

    def work_bytes(self) -> int:
        """Return the minimum working memory of the model in bytes, without its state."""
        return 0

    def sample_bytes(self) -> int:
        """Return the most bytes of the recorded ragged rows of one replicate at one generation; 0 without such rows."""
        return 0

    def use_processes(self, n: int) -> None:
        """Let the model run code of the user in n processes; without such code nothing changes."""
        return

    def limit_work(self, n_bytes: int | None) -> None:
        """Limit the working memory of the model to `n_bytes`; None sets no limit."""
        return

    def generation_0(self, n_replicates: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Return the block of generation 0, which is the truth in every replicate."""
        states = {
            name: np.repeat(np.asarray(value)[None, None], n_replicates, axis=0)
            for name, value in self.truth_states().items()
        }
        return ModelBlock(states)

    def measure(self, block: ModelBlock, truth: Any, names: Iterable[str]) -> Mapping[str, np.ndarray | DerivedArray]:
        """Return metrics of a block, name -> float64 (R, B, ...).

        A metric may be a `DerivedArray` of states that are new arrays in every block. It takes no time unless it is
        read, and memory only for its states.
        """
        return compute_metrics(self.METRICS, block, truth, names)

    def surely_legal(self, states: Mapping[str, np.ndarray]) -> bool:
        """Return whether the states of a block and all metrics that are derived from them are surely legal values.

        It should take less time than the metrics, which are computed and checked where it is false, the default.
        """
        return False

    @abstractmethod
    def initial(self, n_replicates: int, seed: int, first_replicate: int = 0) -> Any:
        """Return the `State` of generation 0."""

    @abstractmethod
    def restore(self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0) -> Any:
        """Return the `State` saved as `arrays`; `advance` then computes the bits of an uninterrupted run.

        The arrays may be read-only memory maps, because they are copied.

        Raises
        ------
        ValueError
            An array is missing or has the shape of another run.
        """

    @abstractmethod
    def block_length(self, state: Any, max_generations: int) -> int:
        """Return the length of the next block, 1..max_generations generations."""

    @abstractmethod
    def advance(self, state: Any, first: int, n_generations: int, seed: int, first_replicate: int = 0) -> ModelBlock:
        """Run generations `first` to `first + n_generations - 1`, update `state` and return the block.

        Raises
        ------
        UserCodeError
            Code of the user failed; `PARAMETERS.names_code` of the family is true.
        """


class ArrayModel(Model):
    """Base class of families whose states are fixed arrays: `restore` and `block_length` are implemented here.

    Attributes
    ----------
    POOL : name of the saved array whose second axis is the number of points in the pool; "" without a pool.
    BLOCK_BYTES : target size of the states of one block, in bytes.
    """

    POOL: ClassVar[str] = "pool"
    BLOCK_BYTES: ClassVar[int] = 32_000_000

    @abstractmethod
    def generation_bytes(self, state: Any) -> int:
        """Return the size of the states of one generation, in bytes, for all replicates."""

    def restore(self, arrays: Mapping[str, np.ndarray], n_replicates: int, seed: int, first_replicate: int = 0) -> Any:
        """Return the state saved as `arrays`."""
        state = self.initial(n_replicates, seed, first_replicate)
        restore_arrays(arrays, state, self.POOL)
        return state

    def block_length(self, state: Any, max_generations: int) -> int:
        """Return the length of the next block, 1..max_generations generations."""
        return max(1, min(max_generations, self.BLOCK_BYTES // self.generation_bytes(state)))


def compute_metrics(
    metrics: Mapping[str, Metric], block: ModelBlock, truth: Any, names: Iterable[str]
) -> dict[str, np.ndarray]:
    """Return metrics of a block; call the functions of the metrics that the model has not computed."""
    values = {}
    for name in names:
        function = metrics[name].function
        if name in block.metrics:
            values[name] = block.metrics[name]
        elif function is None:
            raise InputError(f"metric {name} has no function, so a block of its model must have it in `metrics`")
        else:
            values[name] = np.ascontiguousarray(function(block.quantities, truth))
    return values


def run_key(seed: int, first_replicate: int) -> StreamKey:
    """Return the stream key of a run; kernels set its generation and purpose."""
    return StreamKey(as_uint64(seed), as_uint64(first_replicate), np.uint64(0), np.uint64(PURPOSE_SYNTHETIC))


def as_uint64(value: int) -> np.uint64:
    """Return `value` modulo 2^64 for a stream key."""
    return np.uint64(value & 0xFFFFFFFFFFFFFFFF)
