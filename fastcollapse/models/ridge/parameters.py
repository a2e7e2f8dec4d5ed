"""Parameters of the ridge family."""

import dataclasses
from typing import Any

import numpy as np

from fastcollapse.config.fields import (
    ChoiceField,
    FloatField,
    OneOrMoreField,
    parameter,
    show,
)
from fastcollapse.config.section_base import Section, TableField
from fastcollapse.config.sections import ModelSection
from fastcollapse.models.ridge.downstream_parameters import (
    LARGEST,
    LARGEST_RIDGE,
    MixedDownstreamParameters,
    RidgesField,
    ridge_values,
)
from fastcollapse.variables import Coordinate


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
    ridge: Any = parameter(RidgesField(), "ridge of the chains; 0 is least squares of minimum norm", default=0.0)

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
        return ridge_values(self.ridge)


@dataclasses.dataclass(frozen=True)
class RidgeParameters(ModelSection):
    """Sampling and fit of each generation, and the downstream predictor."""

    designs: str = parameter(
        ChoiceField(lambda: ("independent", "dependent")),
        "inputs of the generations: independent, or dependent (the same for all generations)",
    )
    sigma: float = parameter(
        FloatField(0, LARGEST), "standard deviation of the label noise of real data and of downstream samples"
    )
    sigma0: float | None = parameter(
        FloatField(0, LARGEST),
        "standard deviation of the label noise of synthetic data; sigma by default",
        default=None,
    )
    ridge: float = parameter(
        FloatField(0, LARGEST_RIDGE), "ridge of the generations; 0 is least squares of minimum norm", default=0.0
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
    downstream: MixedDownstreamParameters | None = parameter(
        TableField(MixedDownstreamParameters), "predictor trained on samples of a generation", default=None
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
