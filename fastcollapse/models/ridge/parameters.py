"""The parameters of a linear regression that is fitted again and again, and of the predictor trained downstream."""

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
)
from fastcollapse.config.section_base import Section, TableField
from fastcollapse.config.sections import ModelSection
from fastcollapse.errors import InputError

_LARGEST = 1e100


@dataclasses.dataclass(frozen=True)
class Geometric(Section):
    """`n` values from `start` to `stop`, each the same multiple of the one before."""

    start: float = parameter(FloatField(0, _LARGEST, above=True), "first value")
    stop: float = parameter(FloatField(0, _LARGEST, above=True), "last value")
    n: int = parameter(IntField(2, 10**4), "number of values")

    def values(self) -> np.ndarray:
        """Return the values as float64 (n)."""
        return np.geomspace(self.start, self.stop, self.n)


@dataclasses.dataclass(frozen=True)
class _Ridges:
    """Accept a ridge, a list of them, or a geometric series."""

    text: ClassVar[str] = "number from 0, a list of them, or a table {start, stop, n}"

    def __call__(self, value: Any) -> Any:
        if isinstance(value, dict | Geometric):
            return TableField(Geometric)(value)
        return OneOrMoreField(FloatField(0, _LARGEST))(value)


@dataclasses.dataclass(frozen=True)
class _Generations:
    """Accept a list of generations, or "all"."""

    text: ClassVar[str] = "'all' or a list of whole numbers from 0"

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            if value != "all":
                raise refuse(self.text, value)
            return "all"
        return ListField(IntField(0, 10**7))(value)


@dataclasses.dataclass(frozen=True)
class DownstreamParameters(Section):
    """The predictor that is trained on samples of a generation, with a ridge or a grid of them.

    Examples
    --------
    >>> DownstreamParameters(n_samples=100, exponent=0.5).ridges()
    array([[0.1]])
    """

    n_samples: int | tuple[int, ...] = parameter(
        OneOrMoreField(IntField(1, 10**9)), "samples T that the predictor is trained on", unit="samples"
    )
    ridge: Any = parameter(_Ridges(), "ridge; it multiplies T, as in (X'X/T + ridge)^-1 X'y/T", default=None)  # noqa: RUF009
    exponent: float | tuple[float, ...] | None = parameter(
        OneOrMoreField(FloatField(0, 100)), "the ridge is T^-exponent", default=None
    )
    generations: Any = parameter(_Generations(), "generations that a predictor is trained on", default="all")  # noqa: RUF009

    def relations(self) -> list[tuple[str, str]]:
        if (self.ridge is None) == (self.exponent is None):
            given = "neither" if self.ridge is None else "both"
            return [("", f"must have either ridge or exponent, got {given}")]
        return []

    @property
    def axis(self) -> str:
        """What the second axis of the results is: "ridge" or "exponent"."""
        return "ridge" if self.exponent is None else "exponent"

    def sizes(self) -> np.ndarray:
        """Return T as int64 (M)."""
        return np.atleast_1d(np.array(self.n_samples, dtype=np.int64))

    def grid(self) -> np.ndarray:
        """Return the ridges, or the exponents, as float64 (L)."""
        if isinstance(self.ridge, Geometric):
            return self.ridge.values()
        return np.atleast_1d(np.array(self.ridge if self.exponent is None else self.exponent, dtype=np.float64))

    def ridges(self) -> np.ndarray:
        """Return the ridge for every T as float64 (M, L)."""
        sizes, grid = self.sizes(), self.grid()
        if self.exponent is None:
            return np.tile(grid, (len(sizes), 1))
        return sizes[:, None].astype(np.float64) ** -grid

    def at(self, n_generations: int) -> np.ndarray:
        """Return which generations are evaluated as bool (T + 1).

        Raises
        ------
        InputError
            A generation beyond the run.
        """
        if self.generations == "all":
            return np.ones(n_generations + 1, dtype=bool)
        last = max(self.generations)
        if last > n_generations:
            wanted = f"at most run.n_generations = {n_generations}"
            raise InputError(f"model.downstream.generations must be {wanted}, got {last}")
        return np.isin(np.arange(n_generations + 1), self.generations)


@dataclasses.dataclass(frozen=True)
class RidgeParameters(ModelSection):
    """How each generation labels its samples and is fitted to them, and what is trained downstream."""

    designs: str = parameter(
        ChoiceField(lambda: ("independent", "dependent")),
        "whether each generation has inputs of its own, or all the same",
    )
    sigma: float = parameter(FloatField(0, _LARGEST), "noise of the labels of real data and of the downstream samples")
    sigma0: float | None = parameter(
        FloatField(0, _LARGEST), "noise of the labels that a generation writes; sigma by default", default=None
    )
    ridge: float = parameter(
        FloatField(0, _LARGEST), "ridge of the generations; 0 is least squares, of minimum norm", default=0.0
    )
    sampler: str = parameter(
        ChoiceField(lambda: ("exact", "raw")),
        "the law of the fit alone (gaussian inputs), or row by row",
        default="exact",
    )
    follow: str = parameter(
        ChoiceField(lambda: ("weights", "overlaps")),
        "all weights, or their norm and overlap with w0 alone (isotropic, O(1) a generation)",
        default="weights",
    )
    downstream: DownstreamParameters | None = parameter(  # noqa: RUF009
        TableField(DownstreamParameters), "predictor trained on samples of a generation", default=None
    )

    @property
    def synthetic_noise(self) -> float:
        """Noise of the labels that a generation writes."""
        return self.sigma if self.sigma0 is None else self.sigma0
