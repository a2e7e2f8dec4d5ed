"""Accumulation of tokens that are drawn from a map of the pool: variance of a probability about a fixed point.

Notation
--------
N : tokens of the pool at the start, drawn from the fixed point, at least 1.
m : tokens that each generation adds, at least 1.
rho : derivative of the map at the fixed point, (1-lam)/T at a uniform law, from -1 to 10**3.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import MAX_GENERATIONS, integer, integers, real


def tempered_accumulate_variance(N: int, m: int, rho: float, p: float, t: ArrayLike) -> NDArray[np.float64]:
    """Return the variance of a probability of the pool after t generations of accumulation.

    A generation has Var' = ((N+m rho)/(N+m))^2 Var + m (p(1-p) - rho^2 Var)/(N+m)^2, and then N+m for N. For rho < 1/2
    Var is about p(1-p)/(N(1-2 rho)); for 1/2 < rho < 1 it falls as N^(-2(1-rho)), and the first tokens decide; for rho
    > 1 it grows as a power of N, until the law is no longer near the fixed point.

    Parameters
    ----------
    p : probability at the fixed point, from 0 to 1.
    t : number of generations, any shape, 0 to 10**7.
    N, m, rho : see `Notation` of the module.

    Returns
    -------
    float64, shape of `t`: exact for a linear map (T = 1), otherwise asymptotic in N. Cost O(max t).

    References
    ----------
    Derived; checked against the exact law of an urn in tests/theory/discrete/test_tempered_accumulation.py, and by
    simulation in tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> tempered_accumulate_variance(100, 100, 0.5, 0.5, [0, 1, 10]).round(7)
    array([0.0025   , 0.0020297, 0.000763 ])
    """
    start, added = integer("N", N, 1), integer("m", m, 1)
    slope, probability = real("rho", rho, -1, 1e3), real("p", p, 0, 1)
    index = integers("t", t, 0, MAX_GENERATIONS)
    spread = probability * (1 - probability)
    variances = np.empty(int(index.max(initial=0)) + 1)
    variances[0] = variance = spread / start
    total = float(start)
    for step in range(1, len(variances)):
        whole = total + added
        new = added * (spread - slope * slope * variance) / whole**2
        variance = ((total + added * slope) / whole) ** 2 * variance + new
        variances[step] = variance
        total = whole
    return variances[index]
