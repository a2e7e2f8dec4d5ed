"""The error of any workflow as linear algebra: generations that are weighted means of batches of earlier models.

Generation t fits batches s with weights a_(t,s), which sum to 1. In units in which the error of one fit to one unit of
data is 1, the error D_t of a regular model is, for large samples,

    D_t = sum_s a_(t,s) (D_(s-1) + Z_s),  D_0 = 0,

where the Z_s are independent and of variance 1 over the size of batch s. The factor of a workflow is E D_t^2.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integers, reals, require

# The work is cubic in the number of generations: this many take seconds.
_MOST_BATCHES = 4000


def pathway_factors(
    weights: ArrayLike, noise: ArrayLike = 1.0, source: ArrayLike | None = None, estimator: str = "large"
) -> NDArray[np.float64]:
    """Return the factors E D_t^2 of generations 1..T that are weighted means of batches of earlier generations.

    Parameters
    ----------
    weights : a, [T, S], at least 0; each row sums to 1. Row t-1 is zero for batches that are drawn from generation t or
        a later one.
    noise : variance of the error of a fit to each batch alone, [S] or scalar; 1/n for batches of n points.
    source : generation that each batch is drawn from, [S], 0 to T-1; 0 is the truth. By default batch s is drawn from
        generation s-1, which needs S = T.
    estimator : "large" for large samples of any regular model, and for least squares; "mle" for tokens and Gaussians of
        maximum likelihood, where the noise of a batch is smaller by the variance that its model has lost, 1 - E D^2.

    Returns
    -------
    float64 [T]. For "mle" they are exact for finite samples: E|p_t - p_0|^2 over the heterozygosity of p_0, or the
    squared error of the mean over the variance.

    References
    ----------
    Gaussian process of large samples: Dey, Donoho, arXiv:2410.22812. Weights and finite samples: derived; checked in
    tests/verification/test_mixing.py.

    Examples
    --------
    Replace, and accumulate, whose factor tends to pi^2/6:

    >>> pathway_factors(np.eye(4))
    array([1., 2., 3., 4.])
    >>> accumulate = np.tril(np.ones((4, 4)))
    >>> pathway_factors(accumulate / accumulate.sum(axis=1, keepdims=True)).round(4)
    array([1.    , 1.25  , 1.3611, 1.4236])
    """
    a = reals("weights", weights, 0, 1)
    require(
        a.ndim == 2 and a.shape[1] <= _MOST_BATCHES, "weights", f"a matrix of at most {_MOST_BATCHES} columns", a.shape
    )
    n_generations, n_batches = a.shape
    require(np.abs(a.sum(axis=1) - 1) <= 1e-9, "weights", "rows that sum to 1", a.sum(axis=1))
    each = np.broadcast_to(reals("noise", noise, 0, 1e300), n_batches)
    drawn = integers("source", np.arange(n_batches) if source is None else source, 0)
    require(drawn.shape == (n_batches,), "source", f"a vector of {n_batches} generations", drawn)
    early = (a == 0) | (drawn < np.arange(1, n_generations + 1)[:, None])
    require(early, "weights", "0 for batches of later generations", a)
    require(estimator in ("large", "mle"), "estimator", "'large' or 'mle'", estimator)
    # Row t: the multiple of each Z_s in D_t.
    multiples, factors = np.zeros((n_generations + 1, n_batches)), np.zeros(n_generations + 1)
    for t in range(1, n_generations + 1):
        of_generation = np.bincount(drawn, weights=a[t - 1], minlength=t)[:t]
        multiples[t] = a[t - 1] + of_generation @ multiples[:t]
        left = 1 - factors[np.minimum(drawn, t - 1)] if estimator == "mle" else 1.0
        factors[t] = multiples[t] ** 2 @ (each * left)
    return factors[1:]


def window_slope(W: ArrayLike) -> NDArray[np.float64]:
    """Return the growth of the factor in a generation that is fitted to the last W batches, 4/(W+1)^2.

    Parameters
    ----------
    W : number of batches, any shape, at least 1.

    Returns
    -------
    float64, shape of `W`, in the limit of many generations.

    References
    ----------
    Derived; checked in tests/verification/test_mixing.py.

    Examples
    --------
    >>> window_slope([1, 3])
    array([1.  , 0.25])
    """
    return np.asarray(4.0 / (integers("W", W, 1) + 1.0) ** 2, np.float64)


def discount_slope(beta: ArrayLike) -> NDArray[np.float64]:
    """Return the growth of the factor in a generation where a batch has the weight beta^age, (1-beta)^2.

    Parameters
    ----------
    beta : weight of a batch relative to the next younger one, any shape, 0 to 1.

    Returns
    -------
    float64, shape of `beta`, in the limit of many generations.

    References
    ----------
    Derived; checked in tests/verification/test_mixing.py.

    Examples
    --------
    >>> discount_slope([0.5, 0.9]).round(4)
    array([0.25, 0.01])
    """
    return (1 - reals("beta", beta, 0, 1)) ** 2


def fixed_real_factor(a: ArrayLike) -> NDArray[np.float64]:
    """Return the limit of the factor where the same real batch has weight a and the last batch the rest.

    The factor tends to 1 + (1-a)^2/(a(2-a)). If the rest is the weight of all synthetic batches, it tends to 1 for
    every a above 0.

    Parameters
    ----------
    a : weight of the real batch, any shape, above 0, at most 1.

    Returns
    -------
    float64, shape of `a`, in the limit of many generations.

    References
    ----------
    Derived; checked in tests/verification/test_mixing.py.

    Examples
    --------
    >>> fixed_real_factor([0.1, 0.5]).round(6)
    array([5.263158, 1.333333])
    """
    share = reals("a", a, 0, 1)
    require(share > 0, "a", "above 0", a)
    return 1 + (1 - share) ** 2 / (share * (2 - share))
