"""Bandwidths of the generations of a run."""

from typing import Any

import numpy as np

from fastcollapse.config.schedule import Schedule
from fastcollapse.errors import InputError
from fastcollapse.models.kde.parameters import KdeParameters, PowerLaw

# Bandwidths between which no square overflows or underflows.
_LEAST, _MOST = 1e-100, 1e100


def bandwidths(parameters: KdeParameters, schedule: Schedule, dimension: int) -> np.ndarray:
    """Return the bandwidth of each fit; with rule "scaled", its factor of the root of the sample covariance.

    Parameters
    ----------
    parameters : section `[model]`.
    schedule : the workflow as arrays over generations.
    dimension : number of coordinates d.

    Returns
    -------
    float64 (T), index t - 1 is generation t. Rules "scott" and "scaled" are N^(-1/(d + 4)) and rule "silverman" is
    (N (d + 2)/4)^(-1/(d + 4)), with N the number of points of the fit.

    Raises
    ------
    InputError
        A list has another length than the run, or a power law leaves the range of bandwidths.

    Examples
    --------
    >>> from fastcollapse.config.workflows import Accumulate
    >>> bandwidths(KdeParameters("scott"), Accumulate(n_samples=32, keep_real=True).schedule(2, None), 1).round(6)
    array([0.5     , 0.435275])
    """
    given: Any = parameters.bandwidth
    n_generations = schedule.n_generations
    if isinstance(given, str):
        sizes = schedule.fitted_sizes().astype(np.float64)
        return (sizes * ((dimension + 2) / 4 if given == "silverman" else 1.0)) ** (-1.0 / (dimension + 4))
    if isinstance(given, PowerLaw):
        with np.errstate(over="ignore", under="ignore"):
            found = given.start * np.arange(1.0, n_generations + 1) ** given.power
        wrong = np.flatnonzero(~((found >= _LEAST) & (found <= _MOST)))
        if wrong.size:
            got = f"got {found[wrong[0]]:g} at generation {wrong[0] + 1}"
            raise InputError(f"model.bandwidth must stay from {_LEAST:g} to {_MOST:g} at every generation, {got}")
        return found
    if isinstance(given, tuple):
        if len(given) != n_generations:
            wanted = f"list one bandwidth for each of the {n_generations} generations"
            raise InputError(f"model.bandwidth must {wanted}, got {len(given)}")
        return np.array(given)
    return np.full(n_generations, float(given))
