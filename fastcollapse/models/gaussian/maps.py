"""Maps of a Gaussian law before it is sampled, in units of its truth."""

import math
from typing import Any

import numpy as np

from fastcollapse.config.fields import show
from fastcollapse.config.sampling import Sampling
from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError
from fastcollapse.kernels.gaussian.multivariate_map import MultivariateSource
from fastcollapse.kernels.gaussian.univariate_map import UnivariateSource


def check_map(sampling: Sampling | None, dimension: int) -> None:
    """Refuse a map that does not fit the dimension of the truth.

    Raises
    ------
    InputError
        A list of another length than the dimension, or truncation in more than one dimension.
    """
    if sampling is None:
        return
    if sampling.truncate is not None and dimension > 1:
        raise InputError(
            f"sampling.truncate must be absent for truth.dimension above 1, which is {dimension}, "
            f"got {show(sampling.truncate)}"
        )
    lists = {"tilt": sampling.tilt, "verifier.centre": sampling.verifier and sampling.verifier.centre}
    for name, value in lists.items():
        if isinstance(value, tuple) and len(value) != dimension:
            problem = f"must be a number or a list of truth.dimension = {dimension} numbers, got {len(value)}"
            raise InputError(f"sampling.{name} {problem}")


def point(value: Any, dimension: int) -> np.ndarray:
    """Return a number for all coordinates, or a list of numbers, as float64 (d)."""
    return np.broadcast_to(np.asarray(value, dtype=np.float64), (dimension,)).copy()


def univariate_source(mean: float, sigma: float, schedule: Schedule) -> UnivariateSource:
    """Return the truth of one dimension and the map of a run."""
    source = UnivariateSource(mean, sigma, math.log(sigma), first=2 if schedule.first_is_real else 1)
    sampling = schedule.sampling
    if sampling is None:
        return source
    if sampling.bias is not None:
        source = source._replace(log_scale=math.log(sampling.bias))
    if sampling.tilt is not None:
        source = source._replace(tilt=float(point(sampling.tilt, 1)[0]) * sigma)
    if sampling.verifier is not None:
        centre = (float(point(sampling.verifier.centre, 1)[0]) - mean) / sigma
        source = source._replace(centre=centre, log_width=math.log(sampling.verifier.tau) - source.log_sigma)
    return source if sampling.truncate is None else source._replace(cut=float(sampling.truncate))


def multivariate_source(mean: np.ndarray, factor: np.ndarray, schedule: Schedule) -> MultivariateSource:
    """Return the truth of d dimensions and the map of a run."""
    none = np.zeros(0)
    source = MultivariateSource(mean, factor, 0.0, none, none, 1.0, 2 if schedule.first_is_real else 1)
    sampling = schedule.sampling
    if sampling is None:
        return source
    if sampling.bias is not None:
        source = source._replace(log_scale=math.log(sampling.bias))
    if sampling.tilt is not None:
        source = source._replace(tilt=point(sampling.tilt, len(mean)))
    if sampling.verifier is None:
        return source
    centre = point(sampling.verifier.centre, len(mean)) - mean
    return source._replace(centre=centre, width=float(sampling.verifier.tau))
