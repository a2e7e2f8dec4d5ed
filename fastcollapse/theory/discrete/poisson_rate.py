"""Law of the refitted Poisson rate Lambda_k, the mean of n counts drawn with the rate Lambda_{k-1}.

n Lambda_k is a Galton-Watson process whose number of children is Poisson(1). The probability that it is not
extinct is `poisson_survival`.

Notation
--------
lam0 : true rate, at least 0; broadcast against `k`.
n : counts per generation, at least 1.
k : number of fits, at least 0.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import MAX_GENERATIONS, choice, integer, integers, reals, require
from fastcollapse.theory.discrete.collapse_constants import g_at
from fastcollapse.theory.workflow_factors import risk_factor

# Maximum number of points of the Fourier transform (16 MB), and of points times fits (a few seconds).
MAX_POINTS = 2**20
MAX_CELLS = 10**8


def poisson_rate_variance(lam0: ArrayLike, n: int, k: ArrayLike, workflow: str = "replace") -> NDArray[np.float64]:
    """Return the expected squared error E (Lambda_k - lam0)^2 of the fitted rate.

    It is (lam0/n) k for "replace", and (lam0/n) sum_{s<=k} 1/s^2 for "accumulate", which tends to 1.645 lam0/n.
    The fitted rate is unbiased: E Lambda_k = lam0.

    Parameters
    ----------
    k : number of fits, 0 to 10**7.
    workflow : "replace" or "accumulate" (each fit is to all counts so far).
    lam0, n : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape, exact.

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> poisson_rate_variance(1, 10, [1, 2, 100])
    array([ 0.1,  0.2, 10. ])
    >>> poisson_rate_variance(1, 10, [1, 2, 100], "accumulate").round(4)
    array([0.1   , 0.125 , 0.1635])
    """
    rate, size = reals("lam0", lam0, 0, np.inf), integer("n", n, 1)
    require(np.isfinite(rate), "lam0", "finite", lam0)
    index = integers("k", k, 0, MAX_GENERATIONS)
    factor = risk_factor(choice("workflow", workflow, ("replace", "accumulate")), index)
    with np.errstate(over="ignore"):
        return rate / size * factor


def poisson_mean_if_alive(lam0: ArrayLike, n: int, k: ArrayLike) -> NDArray[np.float64]:
    """Return the expected rate after k fits, given that it is not 0.

    E[Lambda_k | Lambda_k != 0] = lam0/(1-e^{-n lam0 g_k}), which is about k/(2 n) for k much larger than n
    lam0.

    Parameters
    ----------
    lam0 : true rate, positive; broadcast against `k`.
    n, k : see `Notation` of the module.

    Returns
    -------
    float64, broadcast shape, exact; `lam0` at k = 0.

    References
    ----------
    Derived from Theorem 2 of arXiv:2412.17646; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> poisson_mean_if_alive(1, 10, [0, 10, 1000]).round(3)
    array([ 1.   ,  1.217, 50.657])
    """
    rate, size, index = reals("lam0", lam0, 0, 1e300, closed=False), integer("n", n, 1), integers("k", k, 0)
    level = np.where(index == 0, 1.0, g_at(np.maximum(index, 1)))
    # A subnormal rate would give 0/0; the limit is 1/(n g_k).
    expected = np.maximum(size * rate, 1e-300) * level
    return np.where(index == 0, rate, np.maximum(rate, 1e-300 / size) / -np.expm1(-expected))


def poisson_count_law(lam0: float, n: int, k: int, s_max: int) -> NDArray[np.float64]:
    """Return the probabilities Pr(n Lambda_k = s) of the sum of the counts, for s = 0..s_max.

    Parameters
    ----------
    lam0 : true rate, at least 0; n lam0 is at most about 10**6.
    k : number of fits, from 1 to about 1,500 for small n lam0.
    s_max : largest sum in the result, at least 0. It sets only the length of the result.
    n : see `Notation` of the module.

    Returns
    -------
    float64 [s_max+1]; the absolute error is about 1e-14, the relative error of the sum 1e-16 n lam0. Cost O(k
        (n lam0 + k)), at most a few seconds.

    References
    ----------
    Derived: the generating function exp(n lam0 (f_{k-1}(z) - 1)) with f_0 = z, f_{j+1} = exp(f_j - 1), on the
    unit circle; checked in tests/theory/discrete/test_poisson_rate.py.

    Examples
    --------
    >>> poisson_count_law(1, 2, 1, 2).round(4), poisson_count_law(1, 2, 5, 2).round(4)
    (array([0.1353, 0.2707, 0.2707]), array([0.5357, 0.0902, 0.0836]))
    """
    size, fits = integer("n", n, 1), integer("k", k, 1, 10**4)
    rate = reals("lam0", lam0, 0, np.inf)
    require(rate.ndim == 0, "lam0", "a single number", lam0)
    last = integer("s_max", s_max, 0, MAX_POINTS - 1)
    total = float(rate * size) if rate < 1e300 else np.inf
    require(total <= 10**6, "lam0", "at most 10^6/n", lam0)
    # Probabilities beyond the last point are aliased. They decay at least like e^{-2 s/k} in the tail.
    end = total + 9 * np.sqrt(total * fits) + 20 * fits + 40
    points = int(2 ** np.ceil(np.log2(max(end, 2))))
    max_fits = MAX_CELLS // points
    require(points <= MAX_POINTS, "n", f"small enough for sums below {MAX_POINTS}", n)
    require(fits <= max_fits, "k", f"at most {max_fits} for n lam0 = {total:g}", k)
    value = np.exp(-2j * np.pi * np.arange(points // 2 + 1) / points)
    for _ in range(fits - 1):
        value = np.exp(value - 1)
    law = np.fft.irfft(np.exp(total * (value - 1)), points)
    probabilities = np.zeros(last + 1)
    probabilities[: min(points, last + 1)] = np.maximum(law[: last + 1], 0)
    return probabilities
