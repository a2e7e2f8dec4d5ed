"""The minimum of a simulated curve, and its standard error."""

import numpy as np

_GROUPS = 20


def locate_minimum(values: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of the minimum of the mean over replicates, and its standard error.

    The error is that of the jackknife over groups of replicates.

    Parameters
    ----------
    values : float64 (R, n, L), n curves.
    at : float64 [L], the points of the curves, above 0, at least 3 and ascending.

    Returns
    -------
    place, error : float64 [n]; the error is NaN for a single replicate.

    Examples
    --------
    >>> at = np.geomspace(0.1, 10, 9)
    >>> locate_minimum(np.log(at / 2)[None, None] ** 2, at)[0].round(6)
    array([2.])
    """
    place = np.array([_minimum(curve, at) for curve in values.mean(axis=0)])
    n_groups = min(_GROUPS, values.shape[0])
    if n_groups < 2:
        return place, np.full(place.shape, np.nan)
    group = np.arange(values.shape[0]) % n_groups
    without = np.array([[_minimum(c, at) for c in values[group != g].mean(axis=0)] for g in range(n_groups)])
    return place, np.sqrt((n_groups - 1) * without.var(axis=0))


def _minimum(curve: np.ndarray, at: np.ndarray) -> float:
    """Return the place of the minimum of a curve, float64 [L].

    It is that of a parabola in ln(at) through the lowest point and its neighbours.
    """
    low = int(np.clip(np.argmin(curve), 1, len(at) - 2))
    x = np.log(at)
    a, b, _ = np.polyfit(x[low - 1 : low + 2], curve[low - 1 : low + 2], 2)
    lowest = at[np.argmin(curve)]
    return float(np.exp(np.clip(-b / (2 * a), x[low - 1], x[low + 1]))) if a > 0 else float(lowest)
