"""Moments of the error of least squares, a sum q of scaled inverse chi-squares times a chi-square."""

import numpy as np


def inverse_cumulants(freedom: np.ndarray, scale: float) -> np.ndarray:
    """Return the first three cumulants of scale/chi2_freedom, float64 (3, ...), inf where they do not exist.

    Examples
    --------
    >>> inverse_cumulants(np.array([10.0, 6.0, 2.0]), 1.0).round(4)
    array([[0.125 , 0.25  ,    inf],
           [0.0052, 0.0625,    inf],
           [0.0013,    inf,    inf]])
    """
    freedom = np.asarray(freedom, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(freedom > 2, 1 / (freedom - 2), np.inf)
        second = np.where(freedom > 4, first / (freedom - 4), np.inf)
        third = np.where(freedom > 6, second / (freedom - 6), np.inf)
        cumulants = np.stack([first, second - first**2, third - 3 * first * second + 2 * first**3])
    cumulants[np.isnan(cumulants)] = np.inf
    powers = np.array([1, 2, 3]).reshape(3, *(1 for _ in freedom.shape))
    scaled = np.where(np.isinf(cumulants), 1.0, cumulants) * float(scale) ** powers
    return np.where(np.isinf(cumulants), np.inf, scaled) if scale > 0 else np.zeros(cumulants.shape)


def shape_of(rank: int, cumulants: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return spread and skewness of q chi2_rank.

    Parameters
    ----------
    cumulants : float64 (3, ...), the first three cumulants of q.

    Returns
    -------
    spread : float64 (...), second moment over the square of the first, 1 for q = 0; inf where it does not exist.
    skewness : float64 (...), 0 for q = 0; inf where it does not exist.

    Examples
    --------
    The error of one fit to 50 rows in 20 dimensions.

    >>> spread, skew = shape_of(20, inverse_cumulants(np.array([31.0]), 1.0))
    >>> spread.round(4), skew.round(4)
    (array([1.1815]), array([1.2958]))
    """
    first, second, third = cumulants
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        moments = np.stack([first, second + first**2, third + 3 * first * second + first**3])
        moments *= np.array([rank, rank * (rank + 2.0), rank * (rank + 2.0) * (rank + 4.0)]).reshape(
            -1, *([1] * first.ndim)
        )
        spread = moments[1] / moments[0] ** 2
        variance = moments[1] - moments[0] ** 2
        skew = (moments[2] - 3 * moments[0] * moments[1] + 2 * moments[0] ** 3) / variance**1.5
    is_zero = first == 0
    return (
        np.where(is_zero, 1.0, np.where(np.isfinite(second), spread, np.inf)),
        np.where(is_zero, 0.0, np.where(np.isfinite(third), skew, np.inf)),
    )
