"""The exponential_mean family: an exponential law, refitted as the mean of data that it generates.

The mean of n points is a gamma variate. If y has this law, x = exp(-y) has the density theta x^(theta - 1) on [0, 1]
with theta = 1/mean, and the same maximum likelihood.
"""

import dataclasses

from fastcollapse.config.fields import FloatField, parameter
from fastcollapse.config.sections import TruthSection
from fastcollapse.kernels.random.scalar_estimates import EXPONENTIAL
from fastcollapse.models.exponential_mean.metrics import METRICS, ROLES
from fastcollapse.models.scalar import ScalarModel
from fastcollapse.variables import Variable


@dataclasses.dataclass(frozen=True)
class ExponentialMeanTruth(TruthSection):
    """The exponential law of generation 0."""

    mean: float = parameter(FloatField(0, 1e100, above=True), "mean of the law, 1/theta_0", default=1.0)


class ExponentialMean(ScalarModel):
    """Recursive training of an exponential law.

    References
    ----------
    Derived: the mean over the true mean is a product of independent factors whose law does not depend on the truth.
    """

    TRUTH = ExponentialMeanTruth
    METRICS = METRICS
    ROLES = ROLES
    LAW = EXPONENTIAL
    STATE = ("log_ratio", Variable("log of the mean over the true one"))


MODEL = ExponentialMean
