"""Categorical distributions that are sampled at a temperature T: symbols are drawn with weight p^(1/T)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integers, probability_vector, real


def tempered_law(p: ArrayLike, T: float, t: ArrayLike = 1) -> NDArray[np.float64]:
    """Return the law after t samplings at a temperature of very many tokens, p^(beta^t)/sum p^(beta^t), beta = 1/T.

    Below T = 1 the law leaves the most probable symbols alone, above it becomes uniform on its support.

    Parameters
    ----------
    p : [K], the probabilities, which sum to 1.
    T : temperature, from 10**-3 to 10**3.
    t : number of samplings, any shape, at least 0.

    Returns
    -------
    float64, shape of `t` + [K], exact for a large number of tokens.

    References
    ----------
    Derived; checked by simulation in tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> tempered_law([0.5, 0.3, 0.2, 0.0], 0.5, [1, 2]).round(4)
    array([[0.6579, 0.2368, 0.1053, 0.    ],
           [0.8657, 0.1122, 0.0222, 0.    ]])
    """
    law, temperature, index = probability_vector("p", p), real("T", T, 1e-3, 1e3), integers("t", t, 0)
    power = np.exp(np.clip(-np.log(temperature) * index, -700, 700))[..., None]
    with np.errstate(divide="ignore"):
        logs = np.log(law / law.max())
    weights = np.where(law > 0, np.exp(power * np.where(law > 0, logs, 0.0)), 0.0)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True), dtype=np.float64)
