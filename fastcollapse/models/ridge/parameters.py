"""Parameters of the ridge family and of its downstream predictor."""

import dataclasses
from typing import Any, ClassVar

import numpy as np

from fastcollapse.config.fields import (
    ChoiceField,
    FloatField,
    IntField,
    ListField,
    OneOrMoreField,
    parameter,
    refuse,
    show,
)
from fastcollapse.config.section_base import Section, TableField
from fastcollapse.config.sections import ModelSection
from fastcollapse.errors import InputError
from fastcollapse.variables import Coordinate

_LARGEST = 1e100


@dataclasses.dataclass(frozen=True)
class Geometric(Section):
    """Geometric sequence of `n` values from `start` to `stop`."""

    start: float = parameter(FloatField(0, _LARGEST, above=True), "first value")
    stop: float = parameter(FloatField(0, _LARGEST, above=True), "last value")
    n: int = parameter(IntField(2, 10**4), "number of values")

    def values(self) -> np.ndarray:
        """Return the values, float64 (n)."""
        return np.geomspace(self.start, self.stop, self.n)


@dataclasses.dataclass(frozen=True)
class _Ridges:
    """Check of a ridge, a list of ridges, or a geometric sequence."""

    text: ClassVar[str] = "number from 0, a list of them, or a table {start, stop, n}"
    list_depth: ClassVar[int] = 1

    def __call__(self, value: Any) -> Any:
        if isinstance(value, dict | Geometric):
            return TableField(Geometric)(value)
        return OneOrMoreField(FloatField(0, _LARGEST))(value)


def _ridge_values(given: Any) -> np.ndarray:
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
    ridge: Any = parameter(_Ridges(), "ridge in the estimator (X'X/T + ridge)^-1 X'y/T", default=None)
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
        return _ridge_values(self.ridge if self.exponent is None else self.exponent)

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
class MixedLabelsParameters(Section):
    """The grid of chains whose labels are weighted means of real and synthetic ones.

    Examples
    --------
    >>> MixedLabelsParameters(weight=[0.5, 1]).weights(), MixedLabelsParameters(weight=0.5).ridges()
    (array([0.5, 1. ]), array([0.]))
    """

    weight: float | tuple[float, ...] = parameter(
        OneOrMoreField(FloatField(0, 1)), "weight w of the real labels, beside 1 - w of the synthetic ones"
    )
    ridge: Any = parameter(_Ridges(), "ridge of the chains; 0 is least squares of minimum norm", default=0.0)

    def coordinates(self) -> dict[str, Coordinate]:
        """Return the two axes of the results."""
        return {
            "weight": Coordinate(self.weights(), "weight of the real labels"),
            "ridge": Coordinate(self.ridges(), "ridge"),
        }

    def weights(self) -> np.ndarray:
        """Return the weights, float64 (W)."""
        return np.atleast_1d(np.array(self.weight, dtype=np.float64))

    def ridges(self) -> np.ndarray:
        """Return the ridges, float64 (L)."""
        return _ridge_values(self.ridge)


@dataclasses.dataclass(frozen=True)
class RidgeParameters(ModelSection):
    """Sampling and fit of each generation, and the downstream predictor."""

    designs: str = parameter(
        ChoiceField(lambda: ("independent", "dependent")),
        "inputs of the generations: independent, or dependent (the same for all generations)",
    )
    sigma: float = parameter(
        FloatField(0, _LARGEST), "standard deviation of the label noise of real data and of downstream samples"
    )
    sigma0: float | None = parameter(
        FloatField(0, _LARGEST),
        "standard deviation of the label noise of synthetic data; sigma by default",
        default=None,
    )
    ridge: float = parameter(
        FloatField(0, _LARGEST), "ridge of the generations; 0 is least squares of minimum norm", default=0.0
    )
    sampler: str = parameter(
        ChoiceField(lambda: ("exact", "raw")),
        "exact samples the law of the fit (gaussian inputs only), raw draws every row",
        default="exact",
    )
    start: str | None = parameter(
        ChoiceField(lambda: ("zero", "previous")),
        "weights that the ridge of a generation is towards, and that a fit to few samples is nearest to: zero, or "
        "previous (those of the previous generation); zero by default",
        default=None,
    )
    follow: str = parameter(
        ChoiceField(lambda: ("weights", "overlaps")),
        "all weights, or only their norm and overlap with w0 (isotropic inputs, O(1) per generation)",
        default="weights",
    )
    downstream: DownstreamParameters | None = parameter(
        TableField(DownstreamParameters), "predictor trained on samples of a generation", default=None
    )
    mixed_labels: MixedLabelsParameters | None = parameter(
        TableField(MixedLabelsParameters),
        "grid of chains whose labels are weighted means of real and synthetic ones",
        default=None,
    )
    real_labels: str | None = parameter(
        ChoiceField(lambda: ("fresh", "fixed")),
        "real part of mixed labels: fresh noise in each generation, or fixed labels of dependent designs; "
        "fresh by default",
        default=None,
    )

    def relations(self) -> list[tuple[str, str]]:
        """Return the contradictions between parameters, as (key, message)."""
        problems = []
        if self.start == "previous" and self.follow != "weights":
            problems.append(("follow", f"must be 'weights' where model.start is 'previous', got {show(self.follow)}"))
        return problems + self._of_mixed_labels()

    def _of_mixed_labels(self) -> list[tuple[str, str]]:
        """Return the contradictions with mixed labels, as (key, message)."""
        if self.mixed_labels is None:
            if self.real_labels is None:
                return []
            return [("real_labels", f"must be absent without model.mixed_labels, got {show(self.real_labels)}")]
        problems = []
        if self.downstream is not None:
            given = show(self.downstream.to_mapping())
            problems.append(("downstream", f"must be absent with model.mixed_labels, got {given}"))
        if self.follow != "weights":
            problems.append(("follow", f"must be 'weights' with model.mixed_labels, got {show(self.follow)}"))
        if self.real_labels == "fixed" and self.designs != "dependent":
            problems.append(("real_labels", "must be 'fresh' unless model.designs is 'dependent', got 'fixed'"))
        return problems

    @property
    def from_previous(self) -> bool:
        """Whether each fit starts from the weights of the previous generation."""
        return self.start == "previous"

    @property
    def synthetic_noise(self) -> float:
        """Standard deviation of the label noise of synthetic data."""
        return self.sigma if self.sigma0 is None else self.sigma0
