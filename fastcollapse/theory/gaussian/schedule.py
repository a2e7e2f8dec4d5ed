"""Expected variance of a refitted Gaussian and squared error of its mean under any schedule of data.

Everything follows from second moments: of one point, and of the difference of two.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import choice, flag, integers, is_unbiased, per_generation, require


def expected_gaussian(
    n_synthetic: ArrayLike,
    n_real: ArrayLike = 0,
    keep: ArrayLike = 0,
    n_train: ArrayLike = 0,
    *,
    estimator: str,
    replacement: bool = False,
    real: str = "none",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return E sigma_t^2 and E (mu_t - mu_0)^2 over sigma_0^2, exact for the states 0..T of any schedule.

    Generation t makes the pool (kept or emptied) + n_synthetic[t-1] points of N(mu, sigma^2) of state t-1 (+
    real points), and state t is fitted to the pool or to a subsample of it. In d dimensions the same factors
    multiply Sigma_0 and tr Sigma_0.

    Parameters
    ----------
    n_synthetic : [T], at least 0: points drawn from the previous state.
    n_real : [T] or scalar, at least 0: real points of a generation; the same for all if `real` is "fixed".
    keep : [T] or scalar, 0 or 1: is the previous pool kept; 0 if `real` is "fixed".
    n_train : [T] or scalar: size of the subsample that is fitted to, 0 for all the training data.
    estimator : "unbiased" (divisor one less than the points that are fitted to) or "mle".
    replacement : is the subsample drawn with replacement.
    real : "none"; "fresh": drawn anew each generation; "fixed": drawn once.

    Returns
    -------
    variance, mean_error : float64 [T+1], from 1 and 0 on; absolute rounding error 1e-15 a generation. For
        "mle" they sum to 1, the conservation law, and `variance` is the factor of the heterozygosity too.

    Raises
    ------
    InputError
        if an argument is outside its range, or a generation has too little training data.

    References
    ----------
    Derived; checked against the raw chain in tests/test_verification_gaussian.py and against the closed forms
    of theory/gaussian_workflows.py in tests/theory/test_gaussian_schedule.py.

    Examples
    --------
    >>> variance, mean_error = expected_gaussian([10, 10, 10], keep=1, estimator="mle")
    >>> variance.round(5), mean_error.round(5)
    (array([1.     , 0.9    , 0.8775 , 0.86775]), array([0.     , 0.1    , 0.1225 , 0.13225]))
    """
    synthetic = integers("n_synthetic", n_synthetic, 0)
    require(synthetic.ndim == 1, "n_synthetic", "a vector, one entry a generation", n_synthetic)
    real_sizes, kept, train = (
        per_generation(key, value, synthetic.size)
        for key, value in (("n_real", n_real), ("keep", keep), ("n_train", n_train))
    )
    require(kept <= 1, "keep", "0 or 1", keep)
    kind, with_replacement = (
        choice("real", real, ("none", "fresh", "fixed")),
        flag("replacement", replacement),
    )
    unbiased = is_unbiased(estimator)
    require(kind != "none" or not real_sizes.any(), "n_real", "0 if real is 'none'", n_real)
    n_fixed = 0
    if kind == "fixed" and synthetic.size:
        require(real_sizes == real_sizes[0], "n_real", "constant if real is 'fixed'", n_real)
        require(not kept.any(), "keep", "0 if real is 'fixed'", keep)
        n_fixed, real_sizes = int(real_sizes[0]), np.zeros_like(real_sizes)
    moments = _Moments(n_fixed)
    variance, mean_error = np.ones(synthetic.size + 1), np.zeros(synthetic.size + 1)
    for t in range(synthetic.size):
        moments.add(int(synthetic[t]), int(real_sizes[t]), bool(kept[t]))
        n_points, n_fit = moments.total, int(train[t])
        least = 2 if unbiased else 1
        require(
            n_points >= least,
            f"the training data of generation {t + 1}",
            f"at least {least} points",
            n_points,
        )
        require(n_fit == 0 or n_fit >= least, "n_train", f"0 or at least {least}", n_fit)
        if n_fit and not with_replacement:
            need = f"at most the {n_points} points of generation {t + 1} (no replacement)"
            require(n_fit <= n_points, "n_train", need, n_fit)
        variance[t + 1], mean_error[t + 1] = moments.fit(n_fit, with_replacement, unbiased)
    return variance, mean_error


@dataclass
class _Moments:
    """Second moments after each generation, centred at mu_0: the state of the recursion.

    `square` is E x^2 of a point of the pool, `draw_square` of a draw from the state. The others are half of
    E (x-y)^2: `within` two distinct points of the pool, `across` one of the pool and one fixed real point;
    `pool_next` and `fixed_next` one such point and one draw from the state; `next` two draws from the state.
    """

    n_fixed: int

    def __post_init__(self) -> None:
        self.n_pool = 0
        self.within = self.square = self.across = self.pool_next = 1.0
        self.next = self.fixed_next = self.draw_square = 1.0

    @property
    def total(self) -> int:
        return self.n_pool + self.n_fixed

    def add(self, n_new: int, n_fresh: int, keep: bool) -> None:
        """Make the pool of the next generation from draws of the state and fresh draws of the truth."""
        old = self.n_pool if keep else 0
        self.n_pool = size = old + n_new + n_fresh
        # Sizes are Python integers: products of sizes up to 1e15 do not overflow.
        weight = max(size * (size - 1), 1)
        self.within = (
            old * (old - 1) / weight * self.within
            + 2 * old * n_new / weight * self.pool_next
            + n_new * (n_new - 1) / weight * self.next
            + n_fresh * (n_fresh - 1) / weight
            # A fresh point is independent of the others, so half of E (x-y)^2 is the mean of the squares.
            + n_fresh * old / weight * (1 + self.square)
            + n_fresh * n_new / weight * (1 + self.draw_square)
        )
        self.square = (old * self.square + n_new * self.draw_square + n_fresh) / max(size, 1)
        self.across = self.fixed_next

    def fit(self, n_train: int, replacement: bool, unbiased: bool) -> tuple[float, float]:
        """Fit the state to the training data, or to `n_train` points of it; return its two expectations."""
        pool, fixed, total = self.n_pool, self.n_fixed, self.total
        # N(mean, MLE variance) has the second moments of a uniform draw from the training data.
        self.pool_next = (pool - 1) / total * self.within + fixed / total * self.across
        self.fixed_next = pool / total * self.across + (fixed - 1) / total
        whole = pool / total * self.pool_next + fixed / total * self.fixed_next
        size, inside = total, whole
        if n_train:
            size = n_train
            # Two distinct points of a subsample without replacement are two distinct points of the data.
            apart = whole if replacement else whole * total / max(total - 1, 1)
            inside = (1 - 1 / size) * apart
        square = (pool * self.square + fixed) / total
        added = inside / (size - 1) if unbiased else 0.0
        self.next = inside + added
        self.draw_square = square + added
        self.pool_next += added / 2
        self.fixed_next += added / 2
        return self.next, square - inside
