"""The Gaussian family: laws in one or d dimensions, refitted to points that they generate."""

import math
from typing import Any

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.models.base import Model
from fastcollapse.models.gaussian.family import GaussianModel
from fastcollapse.models.gaussian.maps import check_map
from fastcollapse.models.gaussian.multivariate import MultivariateGaussian
from fastcollapse.models.gaussian.multivariate_staged import StagedMultivariateGaussian
from fastcollapse.models.gaussian.univariate import UnivariateGaussian
from fastcollapse.models.gaussian.univariate_staged import StagedUnivariateGaussian
from fastcollapse.models.gaussian.weighted_parts import check_parts


class Gaussian(GaussianModel):
    """Recursive training of a Gaussian law; `create` returns the univariate or the multivariate model.

    References
    ----------
    One dimension: Suresh et al., arXiv:2412.17646, section 4. Samplers: derived, see the docstring of each kernel.
    """

    EXAMPLES = tuple({"model": {"estimator": "mle"}, "truth": {"dimension": dimension}} for dimension in (1, 2, 30))

    @classmethod
    def create(cls, truth: Any, parameters: Any, schedule: Schedule, record: tuple[str, ...] = ()) -> Model:
        """Return the model of a run.

        Raises
        ------
        InputError
            A generation has too few points: the fit is undefined or its law is unknown.
        """
        bias = 1 if parameters.estimator == "unbiased" else 0
        check_map(schedule.sampling, truth.dimension)
        check_parts(schedule, bias)
        # Subsampled points are fitted alike, whatever map they are drawn with.
        staged = not schedule.is_plain and not schedule.n_train.any()
        if truth.dimension == 1:
            sigma = float(truth.factor()[0, 0])
            univariate = StagedUnivariateGaussian if staged else UnivariateGaussian
            return univariate(np.array([truth.means()[0], sigma, math.log(sigma)]), bias, schedule)
        multivariate = StagedMultivariateGaussian if staged else MultivariateGaussian
        return multivariate(truth.means(), truth.factor(), truth.is_isotropic(), bias, schedule)


MODEL = Gaussian
