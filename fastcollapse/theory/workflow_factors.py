"""Factors by which a workflow changes a variance, a heterozygosity or a risk; several models share them.

Notation
--------
n : samples per generation, at least 1; a single number, where not stated otherwise.
t : number of fits, any shape, 0 to 10**7.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import MAX_GENERATIONS, choice, integer, integers


def accumulate_factor(n: int, t: ArrayLike) -> NDArray[np.float64]:
    """Return the factor of the expected heterozygosity after t generations of `accumulate`.

    The factor is prod_{s<=t} (1-1/(n s^2)). The first batch stays in the pool.

    Parameters
    ----------
    n, t : see `Notation` of the module.

    Returns
    -------
    float64, shape of `t`, exact. Cost O(max t).

    References
    ----------
    Derived; checked in tests/theory/discrete/test_heterozygosity.py.

    Examples
    --------
    >>> accumulate_factor(10, [0, 1, 2]).round(5)
    array([1.    , 0.9   , 0.8775])
    """
    size, index = integer("n", n, 1), integers("t", t, 0, MAX_GENERATIONS)
    s = np.arange(1.0, index.max(initial=0) + 1)
    return np.append(1.0, np.cumprod(1 - 1 / (size * s * s)))[index]


def accumulate_limit(n: ArrayLike) -> NDArray[np.float64]:
    """Return the limit of `accumulate_factor` for many generations.

    The limit is S(n) = sin(pi/sqrt n)/(pi/sqrt n).

    Parameters
    ----------
    n : samples per generation, any shape, at least 1.

    Returns
    -------
    float64, shape of `n`, exact.

    References
    ----------
    Derived (Euler's product for the sine); checked in tests/theory/discrete/test_heterozygosity.py.

    Examples
    --------
    >>> accumulate_limit([10, 100]).round(5)
    array([0.84344, 0.98363])
    """
    sizes = integers("n", n, 1)
    return np.where(sizes == 1, 0.0, np.sinc(1 / np.sqrt(sizes)))


def accumulate_subsample_factor(n: int, t: ArrayLike) -> NDArray[np.float64]:
    """Return the factor of the expected heterozygosity after t generations of `accumulate_subsample`.

    Each fit is to n of the n t accumulated tokens, drawn without replacement. The first batch stays in the
    pool. The factor is (1-1/n) prod_{s=2}^t [1-(3n-1)/(n s (n s-1))], and 1 for t = 0.

    Parameters
    ----------
    n, t : see `Notation` of the module.

    Returns
    -------
    float64, shape of `t`, exact. Cost O(max t).

    References
    ----------
    Derived; checked in tests/theory/discrete/test_heterozygosity.py.

    Examples
    --------
    >>> accumulate_subsample_factor(10, [1, 2, 10**6]).round(5)
    array([0.9    , 0.83132, 0.73899])
    """
    size, index = integer("n", n, 1), integers("t", t, 0, MAX_GENERATIONS)
    total = size * np.arange(2.0, max(2, index.max(initial=0) + 1))
    later = np.cumprod(1 - (3 * size - 1) / (total * (total - 1)))
    return np.concatenate([[1.0, 1.0 - 1 / size], (1 - 1 / size) * later])[index]


def risk_factor(workflow: str, t: ArrayLike) -> NDArray[np.float64]:
    """Return the excess risk of fit t divided by that of fit 1, for large n.

    The factor is the same for all regular models.

    Parameters
    ----------
    workflow : "replace" (factor t), "accumulate" (factor sum_{s<=t} 1/s^2, which tends to pi^2/6 = 1.645) or
        "accumulate_subsample" (factor 1 + 3 sum_{s=2}^t 1/s^2, which tends to pi^2/2 - 2 = 2.935).
    t : see `Notation` of the module.

    Returns
    -------
    float64, shape of `t`, asymptotic in n; 0 at t = 0.

    References
    ----------
    arXiv:2404.01413 and arXiv:2410.22812 for "accumulate"; derived for the other workflows; checked in
    tests/verification/test_gaussian.py.

    Examples
    --------
    >>> risk_factor("accumulate", [1, 2, 10**6]).round(4)
    array([1.    , 1.25  , 1.6449])
    >>> risk_factor("accumulate_subsample", [1, 2, 10**6]).round(4)
    array([1.    , 1.75  , 2.9348])
    """
    name = choice("workflow", workflow, ("replace", "accumulate", "accumulate_subsample"))
    index = integers("t", t, 0, MAX_GENERATIONS)
    if name == "replace":
        return index.astype(np.float64)
    s = np.arange(1.0, index.max(initial=0) + 1)
    total = np.append(0.0, np.cumsum(1 / s**2))[index]
    return total if name == "accumulate" else np.where(index == 0, 0.0, 3 * total - 2)
