"""Least squares on real and synthetic rows together: the part of wrong synthetic weights in its error.

Notation
--------
T, T2 : number of rows of the fit, at least 1, and how many of them are synthetic, 0 to T.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer
from fastcollapse.theory.mixed_row_counts import mixed_row_counts

MAX_DIMENSIONS = 10**9


def mixed_rows_factor(d: int, T: ArrayLike, T2: ArrayLike) -> NDArray[np.float64]:
    """Return zeta/|delta|_Sigma^2 of a least-squares fit, without a ridge, to real and synthetic rows.

    For T >= d+2 and any Sigma it is [T2 (T2+2)/(T (T+2)) - b] + b (T d - 2)/(T-d-1) with b = T1 T2/(T (T-1) (T+2)) and
    T1 = T - T2; for T <= d-2, minimum norm and Sigma = I it is (T2/d) (1 + T1/(d-T-1)). The cross term is 0.

    Parameters
    ----------
    d : number of dimensions, 1 to 10**9.
    T, T2 : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape of `T` and `T2`, exact; inf for d-1 to d+1 rows, unless all or none are synthetic.

    References
    ----------
    Derived: the projection of synthetic rows has a matrix-variate beta law that does not depend on S, and
    E tr S^{-1} tr S follows from the independence of tr S and S/tr S; checked in
    tests/verification/test_strong_collapse.py.

    Examples
    --------
    >>> mixed_rows_factor(10, [30, 30, 6, 10], [15, 30, 3, 5]).round(6)
    array([0.384301, 1.      , 0.6     ,      inf])
    """
    dimensions = integer("d", d, 1, MAX_DIMENSIONS)
    given, part, _ = mixed_row_counts(T, T2, 0.0)
    rows, synthetic = given.astype(np.float64), part.astype(np.float64)
    others = rows - synthetic
    spare = np.abs(rows - dimensions) - 1.0
    mixed = (synthetic > 0) & (others > 0)
    # Whether the numbers of a mix are finite, where 0/0 is avoided.
    known = mixed & (spare > 0)
    safe = np.where(known, spare, 1.0)
    spread = synthetic * others / np.where(known, rows * (rows - 1) * (rows + 2), 1.0)
    many = synthetic * (synthetic + 2) / (rows * (rows + 2)) + spread * ((rows * dimensions - 2) / safe - 1)
    few = synthetic / dimensions * (1 + others / safe)
    alone = np.where(synthetic > 0, np.minimum(1.0, rows / dimensions), 0.0)
    return np.where(known, np.where(rows >= dimensions, many, few), np.where(mixed, np.inf, alone))
