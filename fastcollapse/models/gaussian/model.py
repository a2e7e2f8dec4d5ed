"""Gaussian laws refitted to points that they generate, in one dimension or in d."""

import math
from typing import Any

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.models.base import Model, check_fitted
from fastcollapse.models.gaussian.family import GaussianModel
from fastcollapse.models.gaussian.multivariate import MultivariateGaussian
from fastcollapse.models.gaussian.univariate import UnivariateGaussian


class Gaussian(GaussianModel):
    """Recursive training of a Gaussian law: `create` returns the model of one dimension or of many.

    References
    ----------
    One dimension: Suresh et al., arXiv:2412.17646, section 4. The samplers: derived, see the docstring of each kernel.
    """

    @classmethod
    def create(cls, truth: Any, parameters: Any, schedule: Schedule, record: tuple[str, ...] = ()) -> Model:
        """Return the model of a run.

        Raises
        ------
        InputError
            The fit to so few points is not defined, or its law is not known.
        """
        bias = 1 if parameters.estimator == "unbiased" else 0
        check_fitted(schedule, schedule.fitted_sizes())
        if truth.dimension == 1:
            sigma = float(truth.factor()[0, 0])
            return UnivariateGaussian(np.array([truth.means()[0], sigma, math.log(sigma)]), bias, schedule)
        return MultivariateGaussian(truth.means(), truth.factor(), truth.is_isotropic(), bias, schedule)


MODEL = Gaussian
