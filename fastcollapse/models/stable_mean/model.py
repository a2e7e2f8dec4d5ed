"""The stable_mean family: the location of a symmetric alpha-stable law, refitted as the mean of data it generates.

The mean of n points has the law of one point with the scale n^(1/alpha - 1).
"""

import dataclasses
import math
from typing import Any

from fastcollapse.config.fields import FloatField, parameter
from fastcollapse.config.schedule import Schedule
from fastcollapse.config.sections import TruthSection
from fastcollapse.errors import InputError
from fastcollapse.kernels.random.scalar_estimates import STABLE
from fastcollapse.models.scalar import ScalarModel
from fastcollapse.models.stable_mean.metrics import METRICS, ROLES
from fastcollapse.variables import Variable

# Digits of the largest variate of a run of one point a generation, raised to alpha, and of the largest float.
_DIGITS_OF_A_POINT, _DIGITS = 20, 300


@dataclasses.dataclass(frozen=True)
class StableMeanTruth(TruthSection):
    """The stable law of generation 0, with the characteristic function exp(i k location - |scale k|^alpha)."""

    alpha: float = parameter(
        FloatField(0, 2, above=True), "stability: 2 is a Gaussian of variance 2 scale^2, 1 is a Cauchy law"
    )
    scale: float = parameter(FloatField(0, 1e100, above=True), "scale of the law", default=1.0)


class StableMean(ScalarModel):
    """Recursive training of the location of a stable law.

    Raises
    ------
    InputError
        Errors may exceed the range of a float64.

    References
    ----------
    Derived: the error of generation t is a weighted sum of independent stable variates.
    """

    TRUTH = StableMeanTruth
    METRICS = METRICS
    ROLES = ROLES
    LAW = STABLE
    STATE = ("error", Variable("estimated location minus the true one"))

    def __init__(
        self, truth: StableMeanTruth, parameters: Any, schedule: Schedule, record: tuple[Any, ...] = ()
    ) -> None:
        super().__init__(truth, parameters, schedule, record)
        self.alpha, self.unit = truth.alpha, truth.scale
        n_points = float((schedule.n_synthetic + schedule.n_real).sum(dtype=float))
        digits = _DIGITS - max(0.0, math.log10(truth.scale))
        least = (_DIGITS_OF_A_POINT + math.log10(n_points)) / digits
        if truth.alpha < least:
            raise InputError(
                f"truth.alpha must be at least {least:.3g} for {n_points:.3g} points, so that errors are finite "
                f"numbers, got {truth.alpha:g}"
            )


MODEL = StableMean
