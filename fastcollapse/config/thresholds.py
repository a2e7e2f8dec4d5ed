"""Thresholds of the definitions of model collapse; none is of a publication."""

import dataclasses

from fastcollapse.config.fields import FloatField, IntField, StringField, parameter
from fastcollapse.config.section_base import Section


@dataclasses.dataclass(frozen=True)
class Thresholds(Section):
    """The keys of a profile. All defaults are choices of this project.

    Examples
    --------
    >>> Thresholds(catastrophic=5).catastrophic
    5.0
    """

    risk: str | None = parameter(
        StringField(), "recorded metric that is the risk; by default one that the family names", default=None
    )
    baseline: int = parameter(
        IntField(0, 10**7), "generation whose risk is the start; 1 is the first fit, 0 the truth", default=1
    )
    z: float = parameter(
        FloatField(0, 99, above=True),
        "standard errors, as a normal score, that a claim about a mean needs",
        default=4.0,
    )
    catastrophic: float = parameter(
        FloatField(1, 1e300, above=True), "factor of the risk that is catastrophic", default=10.0
    )
    variance: float = parameter(
        FloatField(0, 1, above=True), "share of the first variance that counts as zero", default=0.01
    )
    scaling: float = parameter(
        FloatField(0, 100, above=True), "least change of the exponent of a scaling law", default=0.1
    )
    tails: float = parameter(FloatField(0, 1, above=True), "lost share at which the tails are lost", default=0.05)
    modes: float = parameter(
        FloatField(0, 1, above=True), "a symbol at least this share as probable as the first is a mode", default=0.5
    )
    invented: float = parameter(
        FloatField(0, 1, above=True), "mass where the truth has none that counts as invented data", default=0.01
    )
