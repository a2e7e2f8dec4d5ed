"""Base class of the univariate and the multivariate Gaussian model."""

from collections.abc import Iterable, Mapping

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.config.sections import TruthSection
from fastcollapse.models.base import ArrayModel, ModelBlock
from fastcollapse.models.gaussian.metrics import METRICS, metrics_of
from fastcollapse.models.gaussian.parameters import GaussianParameters, GaussianTruth
from fastcollapse.variables import DerivedArray


class GaussianModel(ArrayModel):
    """Base class of models that train a Gaussian law recursively."""

    PARAMETERS = GaussianParameters
    TRUTH = GaussianTruth
    METRICS = METRICS
    CAPABILITIES = frozenset(
        {
            *("pool", "subsample", "fresh_real", "fixed_real", "weights", "real_share", "window", "discount"),
            *("bias", "tilt", "verifier", "truncate"),
        }
    )

    @classmethod
    def fit_errors(
        cls, truth: TruthSection, parameters: GaussianParameters, schedule: Schedule
    ) -> tuple[np.ndarray, ...]:
        """Return a, b and c of the error of the mean, and for `mle` of what the covariance loses."""
        real, synthetic, carried = super().fit_errors(truth, parameters, schedule)
        return real, synthetic, 1.0 - synthetic if parameters.estimator == "mle" else carried

    def measure(
        self, block: ModelBlock, truth: GaussianTruth, names: Iterable[str]
    ) -> Mapping[str, np.ndarray | DerivedArray]:
        """Return metrics of a block."""
        return metrics_of(block, truth, names)
