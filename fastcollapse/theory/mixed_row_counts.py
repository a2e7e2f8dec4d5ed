"""Numbers of real and synthetic rows that are fitted together, as arguments of theory."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integers, reals, require, together


def mixed_row_counts(
    T: ArrayLike, T2: ArrayLike, ridge: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return rows, synthetic rows and ridges of one shape.

    Parameters
    ----------
    T : number of rows, at least 1.
    T2 : number of them that are synthetic, 0 to T.
    ridge : 0 to 1e40.

    Raises
    ------
    InputError
        A value is out of its range.
    """
    rows, synthetic, penalty = together(
        T=integers("T", T, 1), T2=integers("T2", T2, 0), ridge=reals("ridge", ridge, 0, 1e40)
    )
    require(bool((synthetic <= rows).all()), "T2", "at most T", T2)
    return rows, synthetic, penalty
