"""Where a simulated curve is least, and how well that is known."""

import numpy as np

_GROUPS = 20


def least(values: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the mean over replicates is least, and its standard error by leaving out groups of replicates.

    Parameters
    ----------
    values : float64 (R, n, L), a curve for each of n.
    at : float64 [L], above 0, at least 3 and ascending.

    Returns
    -------
    place, error : float64 [n]; the error is NaN for a single replicate.

    Examples
    --------
    >>> at = np.geomspace(0.1, 10, 9)
    >>> least(np.log(at / 2)[None, None] ** 2, at)[0].round(6)
    array([2.])
    """
    found = np.array([_minimum(curve, at) for curve in values.mean(axis=0)])
    n_groups = min(_GROUPS, values.shape[0])
    if n_groups < 2:
        return found, np.full(found.shape, np.nan)
    group = np.arange(values.shape[0]) % n_groups
    without = np.array([[_minimum(c, at) for c in values[group != g].mean(axis=0)] for g in range(n_groups)])
    return found, np.sqrt((n_groups - 1) * without.var(axis=0))


def _minimum(curve: np.ndarray, at: np.ndarray) -> float:
    """Return where a curve, float64 [L], is least: by the parabola in ln(at) through the lowest point and the next."""
    low = int(np.clip(np.argmin(curve), 1, len(at) - 2))
    x = np.log(at)
    a, b, _ = np.polyfit(x[low - 1 : low + 2], curve[low - 1 : low + 2], 2)
    lowest = at[np.argmin(curve)]
    return float(np.exp(np.clip(-b / (2 * a), x[low - 1], x[low + 1]))) if a > 0 else float(lowest)
