"""Parameters of the glm family."""

import dataclasses
from typing import ClassVar

from fastcollapse.config.fields import ChoiceField, parameter
from fastcollapse.config.sections import ModelSection


@dataclasses.dataclass(frozen=True)
class GlmParameters(ModelSection):
    """Law of the labels, and how a generation is fitted to them."""

    RESPONSES: ClassVar[tuple[str, ...]] = ("logistic", "poisson", "gaussian")

    response: str = parameter(
        ChoiceField(lambda: GlmParameters.RESPONSES),
        "law of a label with predictor x: logistic (1 with probability 1/(1+e^-x)), poisson (a count of mean e^x), "
        "gaussian (mean x, variance 1)",
    )
    sampler: str = parameter(
        ChoiceField(lambda: ("exact", "limit")),
        "exact fits labels of every row, limit draws the Gaussian law of fits to large samples",
        default="exact",
    )
    estimator: str = parameter(
        ChoiceField(lambda: ("mle", "median")),
        "mle: maximum likelihood; median (gaussian, limit): least absolute deviations from labels of the mle model",
        default="mle",
    )

    def relations(self) -> list[tuple[str, str]]:
        """Return the contradictions between parameters, as (key, message)."""
        if self.estimator == "median" and (self.response, self.sampler) != ("gaussian", "limit"):
            needed = "must be 'mle' unless model.response is 'gaussian' and model.sampler is 'limit'"
            return [("estimator", f"{needed}, got 'median'")]
        return []
