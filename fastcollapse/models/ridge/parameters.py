"""Parameters of the ridge family."""

import dataclasses

from fastcollapse.config.fields import ChoiceField, FloatField, parameter, show
from fastcollapse.config.section_base import TableField
from fastcollapse.config.sections import ModelSection
from fastcollapse.models.ridge.downstream_parameters import LARGEST, LARGEST_RIDGE, MixedDownstreamParameters
from fastcollapse.models.ridge.mixed_labels_parameters import MixedLabelsParameters, mixed_label_relations


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
        if self.mixed_labels is not None and self.follow != "weights":
            problems.append(("follow", f"must be 'weights' with model.mixed_labels, got {show(self.follow)}"))
        return problems + mixed_label_relations(self)

    @property
    def from_previous(self) -> bool:
        """Whether each fit starts from the weights of the previous generation."""
        return self.start == "previous"

    @property
    def synthetic_noise(self) -> float:
        """Standard deviation of the label noise of synthetic data."""
        return self.sigma if self.sigma0 is None else self.sigma0
