"""Closed forms of the expected variance of a refitted Gaussian, by workflow, and their limits.

A factor is E sigma_t^2/sigma_0^2, exact. In d dimensions E Sigma_t = factor x Sigma_0. For "mle" the factors
are those of the expected heterozygosity. `expected_gaussian` gives any schedule.

Notation
--------
n : samples per generation, at least 2; the first batch is real and stays in the pool.
t : number of fits, any shape, 0 to 10**7.
estimator : "unbiased" (divisor one less than the number of fitted points) or "mle" (divisor that number).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from fastcollapse.theory.arguments import (
    MAX_GENERATIONS,
    integer,
    integers,
    is_unbiased,
    over_fits,
    reals,
    sizes_and_fits,
)
from fastcollapse.theory.workflow_factors import (
    accumulate_factor,
    accumulate_limit,
    accumulate_subsample_factor,
)


def gaussian_replace_factor(n: ArrayLike, t: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the factor of the expected variance after t fits of `replace`.

    The factor is prod_{s<=t} (1-1/n_s) for "mle" and 1 for "unbiased".

    Parameters
    ----------
    n : samples per generation, at least 2: one number, or a vector with entry s-1 for fit s.
    t : number of fits, any shape, at least 0, and at most the length of the vector `n`.
    estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `t`. For "mle" the limit is positive if and only if sum 1/n_s is finite.

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> gaussian_replace_factor(10, [0, 1, 2], "mle").round(4)
    array([1.  , 0.9 , 0.81])
    """
    sizes, index = sizes_and_fits(n, t, 2, "t")
    if is_unbiased(estimator):
        return np.ones(index.shape)
    return np.exp(over_fits(np.log1p(-1 / sizes), index))


def gaussian_accumulate_factor(n: int, t: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the factor of the expected variance after t fits of `accumulate`.

    Fit s is to all n s points so far. The factor is prod_{s<=t} (1-1/(n s^2)) for "mle" and prod_{s=2}^t
    (1-1/(s(n s-1))) for "unbiased".

    Parameters
    ----------
    n, t, estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `t`. Cost O(max t).

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> gaussian_accumulate_factor(10, [1, 2], "mle")
    array([0.9   , 0.8775])
    >>> gaussian_accumulate_factor(10, [1, 2], "unbiased").round(5)
    array([1.     , 0.97368])
    """
    size, index = integer("n", n, 2), integers("t", t, 0, MAX_GENERATIONS)
    if not is_unbiased(estimator):
        return accumulate_factor(size, index)
    s = np.arange(2.0, max(2, index.max(initial=0) + 1))
    return np.concatenate([[1.0, 1.0], np.cumprod(1 - 1 / (s * (size * s - 1)))])[index]


def gaussian_accumulate_limit(n: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the limit of `gaussian_accumulate_factor` for many fits.

    The limit is sin(pi/sqrt n)/(pi/sqrt n) for "mle" and Gamma(2-1/n)/(Gamma(2-r) Gamma(2-1/n+r)) with
    r = (1+sqrt(1+4n))/(2n) for "unbiased".

    Parameters
    ----------
    n : samples per generation, any shape, at least 2.
    estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `n`.

    References
    ----------
    Derived (Euler's product); checked in tests/theory/gaussian/test_workflows.py.

    Examples
    --------
    >>> gaussian_accumulate_limit([10, 100], "mle").round(5)
    array([0.84344, 0.98363])
    >>> gaussian_accumulate_limit([10, 100], "unbiased").round(5)
    array([0.93514, 0.99355])
    """
    sizes = integers("n", n, 2).astype(np.float64)
    if not is_unbiased(estimator):
        return accumulate_limit(n)
    return np.exp(_log_product(sizes, (1 + np.sqrt(1 + 4 * sizes)) / (2 * sizes)))


def gaussian_subsample_factor(n: int, t: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the factor of the expected variance after t fits of `accumulate_subsample`.

    Fit s is to n of the n s points, drawn without replacement. The factor is (1-1/n) prod_{s=2}^t [1-(3n-1)/(n
    s(n s-1))] for "mle" and prod_{s=2}^t [1+(s-3)/(s(n s-1))] for "unbiased", which grows without bound like
    t^{1/n}.

    Parameters
    ----------
    n, t, estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `t`. Cost O(max t).

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> gaussian_subsample_factor(10, [1, 2, 10**6], "mle").round(5)
    array([0.9    , 0.83132, 0.73899])
    >>> gaussian_subsample_factor(10, [1, 2, 10**6], "unbiased").round(5)
    array([1.     , 0.97368, 3.14312])
    """
    size, index = integer("n", n, 2), integers("t", t, 0, MAX_GENERATIONS)
    if not is_unbiased(estimator):
        return accumulate_subsample_factor(size, index)
    s = np.arange(2.0, max(2, index.max(initial=0) + 1))
    return np.concatenate([[1.0, 1.0], np.cumprod(1 + (s - 3) / (s * (size * s - 1)))])[index]


def gaussian_subsample_limit(n: ArrayLike, estimator: str) -> NDArray[np.float64]:
    """Return the limit of `gaussian_subsample_factor`, for "unbiased" that of the factor divided by t^{1/n}.

    The limit is c Gamma(2-1/n)/(Gamma(2-r) Gamma(2-r')), with c = 1-1/n, r = (1+sqrt(12n-3))/(2n) and r' = 1/n
    - r for "mle", and with c = 1, r = sqrt(3/n) and r' = -r for "unbiased".

    Parameters
    ----------
    n : samples per generation and size of the subsample, any shape, at least 2.
    estimator : see `Notation` of the module.

    Returns
    -------
    float64, shape of `n`.

    References
    ----------
    Derived; checked in tests/theory/gaussian/test_workflows.py.

    Examples
    --------
    >>> gaussian_subsample_limit([10, 100], "mle").round(5)
    array([0.73899, 0.971  ])
    >>> gaussian_subsample_limit([10, 100], "unbiased").round(5)
    array([0.78952, 0.9767 ])
    """
    sizes = integers("n", n, 2).astype(np.float64)
    if is_unbiased(estimator):
        root = np.sqrt(3 / sizes)
        return np.exp(gammaln(2 - 1 / sizes) - gammaln(2 - root) - gammaln(2 + root))
    return (1 - 1 / sizes) * np.exp(_log_product(sizes, (1 + np.sqrt(12 * sizes - 3)) / (2 * sizes)))


def conserved_mean_error(factor: ArrayLike) -> NDArray[np.float64]:
    """Return the expected squared error of the mean that the conservation law of the MLE gives.

    E (mu_t - mu_0)^2/sigma_0^2 = 1 - E sigma_t^2/sigma_0^2 in every workflow. In d dimensions multiply it by tr
    Sigma_0.

    Parameters
    ----------
    factor : E sigma_t^2/sigma_0^2 for "mle", any shape, within [0, 1]; with a fixed real set the average over
        that set.

    Returns
    -------
    float64, shape of `factor`.

    References
    ----------
    Derived; checked in tests/verification/test_gaussian.py.

    Examples
    --------
    >>> conserved_mean_error(gaussian_replace_factor(10, [0, 1, 2], "mle")).round(4)
    array([0.  , 0.1 , 0.19])
    """
    return 1 - reals("factor", factor, 0, 1)


def _log_product(sizes: NDArray[np.float64], root: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log of prod_{s>=2} (s-root)(s-1/n+root)/(s(s-1/n))."""
    first = 1 / sizes
    return gammaln(2 - first) - gammaln(2 - root) - gammaln(2 - first + root)
