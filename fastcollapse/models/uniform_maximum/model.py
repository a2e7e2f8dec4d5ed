"""The uniform_maximum family: U[0, theta], refitted by maximum likelihood to data that it generates.

The estimate is the largest of the n points, theta times the n-th root of a uniform variate.
"""

import dataclasses

from fastcollapse.config.fields import FloatField, parameter
from fastcollapse.config.sections import TruthSection
from fastcollapse.kernels.random.scalar_estimates import UNIFORM
from fastcollapse.models.scalar import ScalarModel
from fastcollapse.models.uniform_maximum.metrics import METRICS, ROLES
from fastcollapse.variables import Variable


@dataclasses.dataclass(frozen=True)
class UniformMaximumTruth(TruthSection):
    """The uniform law of generation 0."""

    theta: float = parameter(FloatField(0, 1e100, above=True), "largest value of the law", default=1.0)


class UniformMaximum(ScalarModel):
    """Recursive training of a uniform law.

    References
    ----------
    Derived: with a pool that keeps its data, theta stays that of the first fit.
    """

    TRUTH = UniformMaximumTruth
    METRICS = METRICS
    ROLES = ROLES
    LAW = UNIFORM
    STATE = ("log_ratio", Variable("log of theta over the true one"))


MODEL = UniformMaximum
