"""Exact errors of tokens and Gaussians under schedules with weights, shares, windows and discounts.

A recursion over the products of the errors of the pool, the real points and the last state. A pool with a window has
the products of all its batches.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import choice, flag, integer, integers, is_unbiased, per_generation, reals, require
from fastcollapse.theory.arguments import real as real_number


def expected_staged(
    n_synthetic: ArrayLike,
    n_real: ArrayLike = 0,
    keep: ArrayLike = 0,
    *,
    estimator: str,
    weight: ArrayLike | None = None,
    real_share: ArrayLike | None = None,
    window: int = 0,
    discount: float = 0.0,
    real: str = "fresh",
    real_is_truth: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the expected variance and squared error of the mean of the states 0..T with weighted batches.

    Generation t keeps or empties the pool and adds n_synthetic[t-1] points of state t-1. It is fitted to the pool and
    to the real points, which are beside it. Both results are relative to the truth: in d dimensions the factors of
    Sigma_0 and tr Sigma_0. For tokens, with "mle", they are E H/H_0 and E|p - p_0|^2/H_0, H the heterozygosity.

    Parameters
    ----------
    n_synthetic : [T], at least 0; points drawn from the previous state.
    n_real : [T] or scalar, at least 0; real points of a generation, constant if `real` is "fixed".
    keep : [T] or scalar, 0 or 1; whether the previous pool is kept.
    estimator : "mle", the moments of the weighted points; or "unbiased", weighted means of the means and of the
        unbiased covariances of the parts. A part is the real points, or the points of the pool, or with a discount
        each batch; without weight and discount the real points and the pool are one part.
    weight : [T] or scalar, 0 to 1, weight of the real points; by default their share of all (discounted) points. A fit
        without one of the parts has only the other.
    real_share : [T] or scalar, 0 to 1, probability that a point is real; then there is no pool and no other real point.
    window : number of last batches of the pool; 0 for all.
    discount : weight of a batch relative to the next younger one, at most 1; 0 for no discount.
    real : "fresh" (drawn anew in each generation) or "fixed" (drawn once).
    real_is_truth : whether the truth is the empirical distribution of the fixed points; with "mle".

    Returns
    -------
    variance, mean_error : float64 [T+1], exact, which start at 1 and 0. For "mle" they sum to 1.

    References
    ----------
    Derived; checked in tests/verification/test_mixing.py.

    Examples
    --------
    >>> variance, mean_error = expected_staged([15] * 12, 10, estimator="mle", weight=0.4)
    >>> mean_error[-1].round(12)
    np.float64(0.060240839128)
    >>> expected_staged([10] * 3, keep=1, window=2, estimator="unbiased")[1].round(4)
    array([0.    , 0.1   , 0.125 , 0.1806])
    """
    synthetic = integers("n_synthetic", n_synthetic, 0)
    require(synthetic.ndim == 1, "n_synthetic", "a vector, one entry for each generation", n_synthetic)
    fresh, keeps = (per_generation(key, v, synthetic.size) for key, v in (("n_real", n_real), ("keep", keep)))
    is_fixed = choice("real", real, ("fresh", "fixed")) == "fixed"
    require(not is_fixed or (fresh == fresh[:1]).all(), "n_real", "constant if real is 'fixed'", n_real)
    unbiased, is_truth = is_unbiased(estimator), flag("real_is_truth", real_is_truth)
    require(not is_truth or (is_fixed and not unbiased), "real_is_truth", "false unless 'fixed' and 'mle'", is_truth)
    weights = None if weight is None else _shares("weight", weight, synthetic.size)
    shares = None if real_share is None else _shares("real_share", real_share, synthetic.size)
    require(shares is None or not fresh.any(), "n_real", "0 with real_share", n_real)
    last, beta = integer("window", window, 0), real_number("discount", discount, 0, 1)
    require(not (last and beta), "discount", "0 with a window", discount)
    require((synthetic > 0) | (fresh > 0), "n_synthetic", "above 0 where n_real is 0", n_synthetic)

    pool = _Window(last) if last else _Pool(beta)
    variance, mean_error = np.ones(synthetic.size + 1), np.zeros(synthetic.size + 1)
    v, q, with_real = 1.0, 0.0, 0.0
    for t, (n, m, kept) in enumerate(zip(synthetic.tolist(), fresh.tolist(), keeps.tolist(), strict=True)):
        if shares is not None:
            v, q = _shared_fit(v, q, n, float(shares[t]), unbiased)
        else:
            pool.add(n, v, q, with_real, kept)
            size = pool.size
            share = m / (m + size) if weights is None or not m or not size else float(weights[t])
            own = 0.0 if is_truth or not m else 1.0 / m
            q = pool.fit(share, own, is_fixed)
            with_real = (1 - share) * pool.with_real + share * own if is_fixed else 0.0
            one_part = weights is None and not beta
            v = _spread(pool, share, m, q, one_part) if unbiased else 1.0 - q
        variance[t + 1], mean_error[t + 1] = v, q
    return variance, mean_error


@dataclass
class _Pool:
    """The mean of the points of a pool and their moments, in units of the variance of the truth.

    Attributes
    ----------
    discount : see `expected_staged`.
    size : number of points, discounted.
    error, with_real : expected square of the error of the mean, and product with the error of the fixed real points.
    square : expected square of a point, about the truth.
    variance : expected variance of the models of the points.
    carried : expected product of the errors of the mean and of the last state.
    """

    discount: float = 0.0
    size: float = 0.0
    error: float = 0.0
    with_real: float = 0.0
    square: float = 0.0
    variance: float = 0.0
    carried: float = 0.0

    def add(self, n: int, variance: float, error: float, with_real: float, kept: int) -> None:
        """Add n points of the last state, whose variance, squared error and product with the real points are given."""
        old = self.size * (self.discount or 1.0) if kept else 0.0
        self.size = old + n
        if not n:
            return
        a, b = old / self.size, n / self.size
        own = error + variance / n
        # Not a sum for an empty pool: the moments of a pool that is dropped may be infinite.
        self.error = a * a * self.error + 2 * a * b * self.carried + b * b * own if a else own
        self.with_real = a * self.with_real + b * with_real
        self.square = a * self.square + b * (error + variance)
        self.variance = a * self.variance + b * variance

    def fit(self, share: float, real_error: float, is_fixed: bool) -> float:
        """Return the squared error of the mean of a fit with weight `share` of the real points."""
        across = self.with_real if is_fixed else 0.0
        self.carried = (1 - share) * self.error + share * across
        return share**2 * real_error + (1 - share) ** 2 * self.error + 2 * share * (1 - share) * across


class _Window(_Pool):
    """A pool of the last batches, which has the products of the errors of all its batches."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self._window = window
        # A row for each batch: points, product with the real points, square and variance of a point.
        self._batches = np.zeros((0, 4))
        self._products = np.zeros((0, 0))
        self._carried = np.zeros(0)

    def add(self, n: int, variance: float, error: float, with_real: float, kept: int) -> None:
        """Add n points of the last state and drop the oldest batch."""
        first = len(self._batches) if not kept else int(len(self._batches) == self._window)
        self._batches, self._products = self._batches[first:], self._products[first:, first:]
        carried = self._carried[first:]
        if n:
            self._batches = np.vstack([self._batches, [n, with_real, error + variance, variance]])
            own = np.array([[error + variance / n]])
            self._products = np.block([[self._products, carried[:, None]], [carried[None], own]])
        self.size = float(self._batches[:, 0].sum())

    def fit(self, share: float, real_error: float, is_fixed: bool) -> float:
        """Return the squared error of the mean of a fit with weight `share` of the real points."""
        if self.size:
            b = self._batches[:, 0] / self.size
            carried = self._products @ b
            self.error = float(b @ carried)
            self.with_real, self.square, self.variance = (b @ self._batches[:, 1:]).tolist()
            self._carried = (1 - share) * carried + (share * self._batches[:, 1] if is_fixed else 0.0)
        return super().fit(share, real_error, is_fixed)


def _spread(pool: _Pool, share: float, n_real: int, error: float, one_part: bool) -> float:
    """Return the expected variance of a fit that is a weighted mean of the unbiased variances of its parts."""
    total, size = pool.size + n_real, pool.size
    if not size:
        return 1.0
    if one_part:
        require(total >= 2, "the points of a generation", "at least 2", total)
        # The mean over all points is the fit, whose squared error is known.
        return ((1 - share) * pool.square + share - error) * total / (total - 1)
    if pool.discount:
        return share + (1 - share) * pool.variance
    require(size >= 2, "the points of the pool", "at least 2", size)
    return share + (1 - share) * (pool.square - pool.error) * size / (size - 1)


def _shared_fit(v: float, q: float, n: int, share: float, unbiased: bool) -> tuple[float, float]:
    """Return variance and squared error of the mean of a fit to n points that are real with probability `share`."""
    require(not unbiased or n >= 2, "n_synthetic", "at least 2", n)
    inside = share + (1 - share) * v + share * (1 - share) * q
    error = (1 - share) ** 2 * q + inside / n
    return (inside if unbiased else 1.0 - error), error


def _shares(key: str, value: ArrayLike, n_generations: int) -> NDArray[np.float64]:
    shares = reals(key, value, 0, 1)
    require(shares.shape in ((), (n_generations,)), key, f"a number or {n_generations} numbers", value)
    return np.broadcast_to(shares, (n_generations,))
