"""The time until all of many independent contexts have collapsed to one symbol each, without real data.

Notation
--------
n : draws of each context in each generation.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit

from fastcollapse.theory.absorbing_chain import binomial_rows
from fastcollapse.theory.arguments import integer, integers, real, reals, require

# Draws of the exact chain: 22,000 products with a matrix of 2 MB.
_MOST_DRAWS = 500


def contexts_collapse_time(n: int, C: ArrayLike, p0: float = 0.5) -> NDArray[np.float64]:
    """Return the mean number of refits until all of C contexts of two symbols have collapsed.

    E T = sum_k (1 - F(k)^C), where F(k) is the probability that one context has collapsed after k refits.

    Parameters
    ----------
    n : see `Notation` of the module; 1 to 500.
    C : contexts, any shape, 1 to 10**12.
    p0 : probability of one of the symbols of each context, strictly between 0 and 1.

    Returns
    -------
    float64, shape of `C`, exact.

    References
    ----------
    Derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> contexts_collapse_time(20, [1, 100]).round(4)
    array([ 26.2295, 108.203 ])
    """
    size, share = integer("n", n, 1, _MOST_DRAWS), real("p0", p0, 0, 1)
    contexts = integers("C", C, 1, 10**12)
    require(0 < share < 1, "p0", "strictly between 0 and 1", p0)
    inner = np.arange(1, size)
    rows = binomial_rows(size, logit(inner / size))[:, 1:-1]
    law = binomial_rows(size, logit(np.array([share])))[0, 1:-1]
    total = np.ones(contexts.shape)  # k = 0: no context has collapsed
    while True:
        open_ = min(float(law.sum()), 1.0)
        added = np.ones(contexts.shape) if open_ == 1 else -np.expm1(contexts * math.log1p(-open_))
        total += added
        # Late terms fall by 1 - 1/n each.
        if (added * size < 1e-14 * total).all():
            return total
        law = law @ rows


def contexts_collapse_time_gumbel(h0: ArrayLike, n: int) -> float:
    """Return the mean number of refits until all contexts have collapsed, for many contexts.

    It is (ln(3 sum_c h0_c) + gamma)/(-ln(1 - 1/n)) + 1/2: logarithmic in the number of contexts.

    Parameters
    ----------
    h0 : [C], heterozygosity of each context, within [0, 1); its sum is at least 1.
    n : see `Notation` of the module; at least 2.

    Returns
    -------
    float, asymptotic for many contexts and draws: within 1 % for 100 contexts of 20 draws.

    References
    ----------
    Derived: Pr(T_c > k) is about 3 h0_c (1 - 1/n)^k late, and the largest of many times has a Gumbel law; checked in
    tests/verification/test_language.py.

    Examples
    --------
    >>> round(contexts_collapse_time_gumbel([0.5] * 100, 50), 2)
    277.09
    """
    spread, size = reals("h0", h0, 0, 1), integer("n", n, 2)
    total = float(spread.sum())
    require(total >= 1, "h0", "of many contexts, with a sum of at least 1", h0)
    return (math.log(3 * total) + np.euler_gamma) / -math.log1p(-1 / size) + 0.5
