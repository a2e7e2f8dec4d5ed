"""Factors by which workflows change a variance, a heterozygosity or a risk, the same for several models."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import MAX_GENERATIONS, choice, integer, integers


def accumulate_factor(n: int, t: ArrayLike) -> NDArray[np.float64]:
    """Return prod_{s<=t} (1-1/(n s^2)), the factor of H_0 after t generations of `accumulate`.

    Parameters
    ----------
    n : samples per generation, at least 1; the first batch is kept.
    t : any shape, 0 to 10**7.

    Returns
    -------
    float64, shape of `t`; cost O(max t).

    Raises
    ------
    InputError
        if an argument is outside its range.

    References
    ----------
    Derived; checked in tests/theory/test_heterozygosity.py.

    Examples
    --------
    >>> accumulate_factor(10, [0, 1, 2]).round(5)
    array([1.    , 0.9   , 0.8775])
    """
    size, index = integer("n", n, 1), integers("t", t, 0, MAX_GENERATIONS)
    s = np.arange(1.0, index.max(initial=0) + 1)
    return np.append(1.0, np.cumprod(1 - 1 / (size * s * s)))[index]


def accumulate_limit(n: ArrayLike) -> NDArray[np.float64]:
    """Return S(n) = sin(pi/sqrt n)/(pi/sqrt n), the limit of `accumulate_factor`.

    Parameters
    ----------
    n : samples per generation, any shape, at least 1.

    Returns
    -------
    float64, shape of `n`.

    Raises
    ------
    InputError
        if an entry is not a whole number of at least 1.

    References
    ----------
    Derived (Euler's product); checked in tests/theory/test_heterozygosity.py.

    Examples
    --------
    >>> accumulate_limit([10, 100]).round(5)
    array([0.84344, 0.98363])
    """
    sizes = integers("n", n, 1)
    return np.where(sizes == 1, 0.0, np.sinc(1 / np.sqrt(sizes)))


def accumulate_subsample_factor(n: int, t: ArrayLike) -> NDArray[np.float64]:
    """Return the factor of H_0 when n of the n t accumulated tokens are fitted, without replacement.

    Parameters
    ----------
    n : samples per generation and size of the subsample, at least 1; the first batch is kept.
    t : any shape, 0 to 10**7.

    Returns
    -------
    float64, shape of `t`: (1-1/n) prod_{s=2}^t [1-(3n-1)/(n s (n s-1))]; cost O(max t).

    Raises
    ------
    InputError
        if an argument is outside its range.

    References
    ----------
    Derived; checked in tests/theory/test_heterozygosity.py.

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
    """Return the excess risk of fit t over that of fit 1 for large n, the same for all regular models.

    Parameters
    ----------
    workflow : "replace" (t), "accumulate" (sum_{s<=t} 1/s^2, towards pi^2/6 = 1.645) or
        "accumulate_subsample" (1 + 3 sum_{s=2}^t 1/s^2, towards pi^2/2 - 2 = 2.935).
    t : any shape, 0 to 10**7.

    Returns
    -------
    float64, shape of `t`; 0 at t = 0.

    Raises
    ------
    InputError
        if an argument is outside its range.

    References
    ----------
    arXiv:2404.01413 and arXiv:2410.22812 for "accumulate"; derived for the others; checked in
    tests/test_verification_gaussian.py.

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
