"""Expected moments of the points that a kernel density estimate is fitted to, for every schedule.

The fit itself has the bandwidth squared more variance. All moments are averages over the coordinates.

Notation
--------
bandwidth : h of each fit, [T] or one number, 1e-6 to 1e6.
n_synthetic : [T], at least 0; points drawn from the previous fit, by generation 1 from the truth.
n_real : [T] or scalar, at least 0; real points of a generation, constant if `real` is "fixed".
keep : [T] or scalar, 0 or 1; whether the pool of the previous generation is kept; 0 if `real` is "fixed".
n_train : [T] or scalar, at least 0; size of the subsample that is fitted, 0 for all points.
real : "none", "fresh" (drawn anew in each generation) or "fixed" (drawn once).
real_share : [T] or scalar, 0 to 1; probability that a point is real in place of synthetic, without other real points
    and without a pool.
V : second moment of a real point about the mean of the truth, at least 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import MAX_GENERATIONS, integer, integers, require
from fastcollapse.theory.arguments import real as real_number
from fastcollapse.theory.density.chain import Chain
from fastcollapse.theory.schedule_recursion import Generation, PairRecursion

_LARGEST = 1e30


def kde_second_moment(
    bandwidth: ArrayLike,
    n_synthetic: ArrayLike,
    n_real: ArrayLike = 0,
    keep: ArrayLike = 0,
    *,
    V: float = 1.0,
    real: str = "none",
    real_share: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Return the second moment about the mean of the truth of the points of the fits 0..T of any schedule.

    Replace: V + (t-1) h^2. Accumulate, with or without subsamples: V + h^2 (H_t - 1). Mix with a share lam of real
    points: it tends to V + h^2 (1-lam)/lam. Subsamples do not change it.

    Parameters
    ----------
    bandwidth, n_synthetic, n_real, keep, V, real, real_share : see `Notation` of the module.

    Returns
    -------
    float64 [T+1], which starts at V; exact.

    References
    ----------
    Derived; checked in tests/verification/test_density.py.

    Examples
    --------
    >>> kde_second_moment(0.5, [10] * 3), kde_second_moment(0.5, [10] * 3, keep=1).round(4)
    (array([1.  , 1.  , 1.25, 1.5 ]), array([1.    , 1.    , 1.125 , 1.2083]))
    """
    return _moments(Chain.of(bandwidth, n_synthetic, n_real, keep, 0, False, real, real_share), V, V)[0]


def kde_within_variance(
    bandwidth: ArrayLike,
    n_synthetic: ArrayLike,
    n_real: ArrayLike = 0,
    keep: ArrayLike = 0,
    n_train: ArrayLike = 0,
    *,
    V: float = 1.0,
    V_pairs: float | None = None,
    replacement: bool = False,
    real: str = "none",
    real_share: ArrayLike = 0.0,
) -> NDArray[np.float64]:
    """Return the expected variance within the points of the fits 0..T of any schedule, with the divisor n.

    Replace: (n-1) h^2 + ((1-1/n) V - (n-1) h^2) (1-1/n)^(t-1): the points become a blob of width h sqrt(n-1). The
    squared distance of their centre from the mean of the truth is `kde_second_moment` minus this.

    Parameters
    ----------
    V_pairs : half the expected squared difference of two distinct points of a real batch; None for V, that of i.i.d.
        points.
    replacement : whether the subsample is drawn with replacement.
    bandwidth, n_synthetic, n_real, keep, n_train, V, real, real_share : see `Notation` of the module.

    Returns
    -------
    float64 [T+1], which starts at V; exact.

    References
    ----------
    Derived; checked in tests/verification/test_density.py.

    Examples
    --------
    >>> kde_within_variance(0.5, [10] * 3).round(4)
    array([1.    , 0.9   , 1.035 , 1.1565])
    """
    chain = Chain.of(bandwidth, n_synthetic, n_real, keep, n_train, replacement, real, real_share)
    return _moments(chain, V, V if V_pairs is None else V_pairs)[1]


def kde_scaled_within_variance(n: int, t: ArrayLike, c: float, V: float = 1.0) -> NDArray[np.float64]:
    """Return the expected variance within the points of fit t of `replace`, for a bandwidth scaled by the data.

    The kernel has c^2 times the sample covariance (divisor n-1) of the points. The variance with the divisor n is
    (1-1/n) V (1-1/n+c^2)^(t-1): with c = n^(-1/(d+4)), as SciPy has it, it grows exponentially.

    Parameters
    ----------
    n : points of a generation, 2 to 10**12.
    t : number of fits, any shape, 0 to 10**7.
    c : factor of the root of the covariance, 0 to 1000.
    V : see `Notation` of the module.

    Returns
    -------
    float64, shape of `t`, V at t = 0; exact.

    References
    ----------
    Derived; checked in tests/verification/test_density.py.

    Examples
    --------
    >>> kde_scaled_within_variance(30, [0, 1, 2], 30**-0.2).round(4)
    array([1.    , 0.9667, 1.1824])
    """
    size, index = integer("n", n, 2, 10**12), integers("t", t, 0, MAX_GENERATIONS)
    factor, v = real_number("c", c, 0, 1000), real_number("V", V, 0, _LARGEST)
    with np.errstate(over="ignore"):
        grown = (1 - 1 / size) * v * np.power(1 - 1 / size + factor**2, np.maximum(index - 1.0, 0))
    return np.where(index == 0, v, grown)


def _moments(chain: Chain, variance: float, pairs: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the second moments and the variances within the points of the fits 0..T."""
    v, apart = real_number("V", variance, 0, _LARGEST), real_number("V_pairs", pairs, 0, _LARGEST)
    points = _PointPairs(0, chain.schedule.n_fixed, v, v, apart, v, v, apart, v, v, v, apart)
    second, within = np.full(len(chain.schedule) + 1, v), np.full(len(chain.schedule) + 1, v)
    steps = zip(chain.schedule, chain.bandwidth.tolist(), chain.real_share.tolist(), strict=True)
    for generation, h, share in steps:
        points.mix(share)
        points.add(generation)
        at, size = f"generation {generation.number}", points.n_examples
        require(size >= 1, f"the training data of {at}", "at least 1 point", size)
        limit = f"at most the {size} points of {at} (no replacement)"
        require(chain.replacement or generation.n_train <= size, "n_train", limit, generation.n_train)
        second[generation.number], within[generation.number] = points.fit(generation.n_train, chain.replacement, h)
    return second, within


@dataclass
class _PointPairs(PairRecursion):
    """Half of E (x-y)^2 of two points.

    Attributes
    ----------
    square, draw_square : E x^2 of a point of the pool and of a draw from the fit.
    real_square, real_pairs : E x^2 of a real point, half of E (x-y)^2 of two of a batch.
    """

    square: float
    draw_square: float
    real_square: float
    real_pairs: float

    def mix(self, share: float) -> None:
        """Make each draw from the fit real with probability `share`."""
        across = share * (1 - share) * (self.real_square + self.draw_square)
        self.next = (1 - share) ** 2 * self.next + across + share**2 * self.real_pairs
        self.draw_square = (1 - share) * self.draw_square + share * self.real_square

    def add(self, generation: Generation) -> None:
        """Make the pool of a generation."""
        old, n_pairs = self.renew_pool(generation)
        new, fresh = generation.n_synthetic, generation.n_fresh
        self.within = (
            self.within
            + fresh * (fresh - 1) / n_pairs * self.real_pairs
            # A fresh point is independent of the others, so half of E (x-y)^2 is the mean of the squares.
            + fresh * old / n_pairs * (self.real_square + self.square)
            + fresh * new / n_pairs * (self.real_square + self.draw_square)
        )
        total = old * self.square + new * self.draw_square + fresh * self.real_square
        self.square = total / max(self.n_pool, 1)
        # With fixed points the pool is one batch.
        self.across = self.fixed_next

    def fit(self, n_train: int, replacement: bool, h: float) -> tuple[float, float]:
        """Fit to the points, or to `n_train` of them; return their second moment and variance."""
        inside = self.fit_pairs(n_train, replacement)
        square = (self.n_pool * self.square + self.n_fixed * self.real_square) / self.n_examples
        self.next, self.draw_square = inside + h * h, square + h * h
        self.pool_next += h * h / 2
        self.fixed_next += h * h / 2
        return square, inside
