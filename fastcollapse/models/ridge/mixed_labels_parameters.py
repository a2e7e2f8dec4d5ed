"""Parameters of chains on mixed labels: their grid of weights and ridges, and what does not go with them."""

import dataclasses
from typing import Any

import numpy as np

from fastcollapse.config.fields import FloatField, OneOrMoreField, parameter, show
from fastcollapse.config.section_base import Section
from fastcollapse.models.ridge.downstream_parameters import RidgesField, ridge_values
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


def mixed_label_relations(model: Any) -> list[tuple[str, str]]:
    """Return the contradictions of a section `[model]` with mixed labels, as (key, message).

    Parameters
    ----------
    model : has the keys `mixed_labels`, `real_labels`, `designs` and `downstream`.
    """
    if model.mixed_labels is None:
        if model.real_labels is None:
            return []
        return [("real_labels", f"must be absent without model.mixed_labels, got {show(model.real_labels)}")]
    problems = []
    if model.downstream is not None:
        given = show(model.downstream.to_mapping())
        problems.append(("downstream", f"must be absent with model.mixed_labels, got {given}"))
    if model.real_labels == "fixed" and model.designs != "dependent":
        problems.append(("real_labels", "must be 'fresh' unless model.designs is 'dependent', got 'fixed'"))
    return problems
