"""Parameters of the predictor downstream: its grid of sample sizes and ridges, its start, and its synthetic rows."""

import dataclasses
from typing import Any, ClassVar

import numpy as np

from fastcollapse.config.fields import (
    FloatField,
    IntField,
    ListField,
    OneOrMoreField,
    is_list,
    parameter,
    refuse,
    show,
)
from fastcollapse.config.section_base import Section, TableField
from fastcollapse.errors import InputError
from fastcollapse.variables import Coordinate

LARGEST = 1e30
LARGEST_RIDGE = 1e40


@dataclasses.dataclass(frozen=True)
class Geometric(Section):
    """Geometric sequence of `n` values from `start` to `stop`."""

    start: float = parameter(FloatField(0, LARGEST_RIDGE, above=True), "first value")
    stop: float = parameter(FloatField(0, LARGEST_RIDGE, above=True), "last value")
    n: int = parameter(IntField(2, 10**4), "number of values")

    def values(self) -> np.ndarray:
        """Return the values, float64 (n)."""
        return np.geomspace(self.start, self.stop, self.n)


@dataclasses.dataclass(frozen=True)
class RidgesField:
    """Check of a ridge, a list of ridges, or a geometric sequence."""

    text: ClassVar[str] = "number from 0, a list of them, or a table {start, stop, n}"
    list_depth: ClassVar[int] = 1

    def __call__(self, value: Any) -> Any:
        """Return the checked value."""
        if isinstance(value, dict | Geometric):
            return TableField(Geometric)(value)
        return OneOrMoreField(FloatField(0, LARGEST_RIDGE))(value)


def ridge_values(given: Any) -> np.ndarray:
    """Return the values of a number, a list or a geometric sequence, float64 (n)."""
    return given.values() if isinstance(given, Geometric) else np.atleast_1d(np.array(given, dtype=np.float64))


@dataclasses.dataclass(frozen=True)
class _Generations:
    """Check of a list of generations, or "all"."""

    text: ClassVar[str] = "'all' or a list of whole numbers from 0"
    list_depth: ClassVar[int] = 1

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            if value != "all":
                raise refuse(self.text, value)
            return "all"
        return ListField(IntField(0, 10**7))(value)


@dataclasses.dataclass(frozen=True)
class _Start:
    """Check of the start of a predictor: "zero", "generation", or the number of a generation."""

    text: ClassVar[str] = "'zero', 'generation' or a whole number from 0"

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            if value not in ("zero", "generation"):
                raise refuse(self.text, value)
            return value
        return IntField(0, 10**7)(value)


@dataclasses.dataclass(frozen=True)
class DownstreamParameters(Section):
    """The predictor trained on samples of a generation, with one ridge or a grid of ridges.

    Examples
    --------
    >>> DownstreamParameters(n_samples=100, exponent=0.5).ridges()
    array([[0.1]])
    """

    n_samples: int | tuple[int, ...] = parameter(
        OneOrMoreField(IntField(1, 10**9)), "number of samples T to train the predictor on", unit="samples"
    )
    ridge: Any = parameter(RidgesField(), "ridge in the estimator (X'X/T + ridge)^-1 X'y/T", default=None)
    exponent: float | tuple[float, ...] | None = parameter(
        OneOrMoreField(FloatField(0, 100)), "exponent: the ridge is T^-exponent", default=None
    )
    generations: Any = parameter(_Generations(), "generations to train a predictor on", default="all")
    start: Any = parameter(
        _Start(),
        "zero: a ridge towards 0 on labels of a generation; generation: a ridge towards its model on labels of the "
        "truth (fine-tuning); a number: the same from this generation alone; zero by default",
        default=None,
    )

    def relations(self) -> list[tuple[str, str]]:
        """Return the contradictions between parameters, as (key, message)."""
        problems = []
        if (self.ridge is None) == (self.exponent is None):
            given = "neither" if self.ridge is None else "both"
            problems.append(("", f"must have either ridge or exponent, got {given}"))
        if isinstance(self.start, int) and self.generations != "all":
            given = show(list(self.generations))
            problems.append(("generations", f"must be absent where start is a number, got {given}"))
        return problems

    @property
    def is_tuned(self) -> bool:
        """Whether the predictor is a generation that is fine-tuned on labels of the truth."""
        return self.start not in (None, "zero")

    @property
    def axis(self) -> str:
        """Name of the second axis of the results: "ridge" or "exponent"."""
        return "ridge" if self.exponent is None else "exponent"

    def coordinates(self) -> dict[str, Coordinate]:
        """Return the two axes of the results."""
        name = "ridge" if self.axis == "ridge" else "exponent: the ridge is the number of samples to minus this power"
        return {
            "downstream_samples": Coordinate(self.sizes(), "samples downstream", "samples"),
            self.axis: Coordinate(self.grid(), name),
        }

    def sizes(self) -> np.ndarray:
        """Return the sample sizes T, int64 (M)."""
        return np.atleast_1d(np.array(self.n_samples, dtype=np.int64))

    def grid(self) -> np.ndarray:
        """Return the ridges or the exponents, float64 (L)."""
        return ridge_values(self.ridge if self.exponent is None else self.exponent)

    def ridges(self) -> np.ndarray:
        """Return the ridges for each sample size, float64 (M, L)."""
        sizes, grid = self.sizes(), self.grid()
        if self.exponent is None:
            return np.tile(grid, (len(sizes), 1))
        return sizes[:, None].astype(np.float64) ** -grid

    def trained_generations(self, n_generations: int) -> np.ndarray:
        """Return whether each generation gets a predictor, bool (T + 1).

        Raises
        ------
        InputError
            A generation is beyond the end of the run.
        """
        key, chosen = ("start", (self.start,)) if isinstance(self.start, int) else ("generations", self.generations)
        if chosen == "all":
            return np.ones(n_generations + 1, dtype=bool)
        last = max(chosen)
        if last > n_generations:
            limit = f"at most run.n_generations = {n_generations}"
            raise InputError(f"model.downstream.{key} must be {limit}, got {last}")
        return np.isin(np.arange(n_generations + 1), chosen)


@dataclasses.dataclass(frozen=True)
class _Delta:
    """Check of an error of labels: "generator", a variance, or the vector itself."""

    text: ClassVar[str] = "'generator', a variance from 0, or a list of numbers"
    list_depth: ClassVar[int] = 1

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            if value != "generator":
                raise refuse(self.text, value)
            return value
        return ListField(FloatField(-LARGEST, LARGEST))(value) if is_list(value) else FloatField(0, LARGEST**2)(value)


@dataclasses.dataclass(frozen=True)
class MixedDownstreamParameters(DownstreamParameters):
    """A predictor whose samples may be real and synthetic ones together.

    Examples
    --------
    >>> MixedDownstreamParameters(n_samples=[75, 200], ridge=0.1, synthetic_share=[0.0, 0.5]).synthetic_sizes()
    array([[  0,  38],
           [  0, 100]])
    """

    synthetic_share: float | tuple[float, ...] | None = parameter(
        OneOrMoreField(FloatField(0, 1)),
        "share of the samples with synthetic labels, the others have labels of the truth; by default all labels are "
        "those of a generation",
        default=None,
    )
    delta: Any = parameter(
        _Delta(),
        "weights of the synthetic labels less the true ones: those of the generation, a list, or normal ones of this "
        "variance; generator by default",
        default=None,
    )

    def relations(self) -> list[tuple[str, str]]:
        """Return the contradictions between parameters, as (key, message)."""
        problems = super().relations()
        if self.synthetic_share is None and self.delta is not None:
            given = show(list(self.delta) if isinstance(self.delta, tuple) else self.delta)
            problems.append(("delta", f"must be absent without synthetic_share, got {given}"))
        if self._is_the_same_for_all and self.generations != "all":
            given = show(list(self.generations))
            problems.append(("generations", f"must be absent where delta is not 'generator', got {given}"))
        return problems

    @property
    def is_mixed(self) -> bool:
        """Whether the samples are real and synthetic ones together."""
        return self.synthetic_share is not None

    @property
    def of_generator(self) -> bool:
        """Whether a generation labels the synthetic samples."""
        return self.delta in (None, "generator")

    @property
    def _is_the_same_for_all(self) -> bool:
        """Whether the law of the predictor does not depend on the generation."""
        return not (self.of_generator or self.is_tuned)

    def coordinates(self) -> dict[str, Coordinate]:
        """Return the axes of the results."""
        samples, ridge = super().coordinates().items()
        share = {"synthetic_share": Coordinate(self.shares(), "share of synthetic samples")} if self.is_mixed else {}
        return dict([samples, *share.items(), ridge])

    def shares(self) -> np.ndarray:
        """Return the shares of synthetic samples, float64 (P); without the key all samples are synthetic."""
        return np.atleast_1d(np.array(1.0 if self.synthetic_share is None else self.synthetic_share, dtype=np.float64))

    def synthetic_sizes(self) -> np.ndarray:
        """Return the numbers of synthetic samples, int64 (M, P): nearest to the share, the even one of two."""
        return np.rint(np.multiply.outer(self.sizes(), self.shares())).astype(np.int64)

    def trained_generations(self, n_generations: int) -> np.ndarray:
        """Return whether each generation gets a predictor, bool (T + 1); generation 0 alone where all are the same."""
        trained = super().trained_generations(n_generations)
        return np.arange(n_generations + 1) == 0 if self._is_the_same_for_all else trained
