"""True probability of the lost symbols when a discrete distribution is refitted to n of its own samples (replace).

It is the probability that the next real token is a symbol that the model cannot generate, the test error of
arXiv:2402.07043.

Notation
--------
p : [K], the true probabilities, which sum to 1. The cost is O(distinct p x B).
copies : [K], number of symbols of each probability, for a truth without an array over symbols; 1 by default.
n : samples per generation, at least 1.
k : [B] or scalar, number of refits, at least 0.
"""

import math

import numpy as np
import scipy  # scipy.special is loaded at its first use
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, integers, real, reals, require, symbol_classes
from fastcollapse.theory.discrete.survival import Pair, survival_bounds

# Number of values in a block of the (symbols x generations) table: 16 MB for each temporary array.
_BLOCK_CELLS = 2_000_000


def lost_mass_bounds(p: ArrayLike, n: int, k: ArrayLike, copies: ArrayLike | None = None) -> Pair:
    """Return bounds of the expected true probability of the lost symbols after k refits.

    It is sum_i p_i Pr(symbol i is lost). At k = 1 both bounds are the exact sum_i p_i (1 - p_i)^n.

    Parameters
    ----------
    p, n, k, copies : see `Notation` of the module.

    Returns
    -------
    lower, upper : float64, shape of `k`, from `survival_bounds` of each symbol.

    References
    ----------
    Derived; checked in tests/verification/test_discrete.py.

    Examples
    --------
    >>> lower, upper = lost_mass_bounds([0.01] * 100, 1000, [0, 10, 100])
    >>> lower.round(4), upper.round(4)
    (array([0.    , 0.1763, 0.8176]), array([0.    , 0.1783, 0.8225]))
    """
    (values, numbers), size, index = symbol_classes(p, copies), integer("n", n, 1), integers("k", k, 0)
    generations = index.ravel()
    lower, upper = np.zeros(generations.size), np.zeros(generations.size)
    rows = max(1, _BLOCK_CELLS // max(1, generations.size))
    for first in range(0, values.size, rows):
        block = slice(first, first + rows)
        alive_lower, alive_upper = survival_bounds(values[block, None], size, generations[None, :])
        mass = values[block] * numbers[block]
        lower += mass @ (1 - alive_upper)
        upper += mass @ (1 - alive_lower)
    return lower.reshape(index.shape), upper.reshape(index.shape)


def zipf_lost_mass(a: float, n: ArrayLike, b: float = 0.0) -> NDArray[np.float64]:
    """Return the expected lost mass of an unbounded Zipf-Mandelbrot law after one refit, for large n.

    The law is p_i = C (i + b)^-a, i = 1, 2, ..., with C = 1/zeta(a, 1 + b). The lost mass is about
    C^(1/a) Gamma(1 - 1/a)/a n^-(1 - 1/a), with a relative error of the order of 1/n.

    Parameters
    ----------
    a : exponent, above 1 and up to 1000.
    n : number of samples, at least 1, any shape.
    b : offset, above -1.

    Returns
    -------
    float64, shape of `n`, asymptotic in n. A law of K symbols has it too, for n^(1/a) far below K.

    References
    ----------
    The exponent: arXiv:2402.07043, section 2. The constant: derived, the integral of C x^-a exp(-n C x^-a) with
    u = n C x^-a; checked in tests/theory/discrete/test_lost_mass.py and tests/verification/test_discrete.py.

    Examples
    --------
    >>> zipf_lost_mass(2.0, [10**4, 10**6]).round(6)
    array([0.00691 , 0.000691])
    """
    exponent, offset = real("a", a, 1, 1000), real("b", b, -1, 1e15)
    require(exponent > 1, "a", "above 1", a)
    require(offset > -1, "b", "above -1", b)
    size = reals("n", n, 1, np.inf)
    constant = scipy.special.zeta(exponent, 1 + offset) ** (-1 / exponent) * math.gamma(1 - 1 / exponent) / exponent
    return np.asarray(constant * size ** (1 / exponent - 1))
