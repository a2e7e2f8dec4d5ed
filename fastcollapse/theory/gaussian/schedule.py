"""Expected variance and squared error of the mean of a refitted Gaussian under any schedule.

A recursion over second moments of one point and of the difference of two points gives both.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import flag, is_unbiased, reals, require
from fastcollapse.theory.schedule_recursion import Generation, PairRecursion, check_schedule


def expected_gaussian(
    n_synthetic: ArrayLike,
    n_real: ArrayLike = 0,
    keep: ArrayLike = 0,
    n_train: ArrayLike = 0,
    *,
    estimator: str,
    replacement: bool = False,
    real: str = "none",
    bias: ArrayLike = 1.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the expected variance and squared error of the mean of the states 0..T of any schedule.

    Generation t keeps or empties the pool and adds n_synthetic[t-1] points of N(mu, sigma^2) of state t-1 and
    fresh real points. The training data are the pool and the fixed real points. State t is fitted to the
    training data or to a subsample of them. Both results are exact and relative to sigma_0^2. In d dimensions
    the same factors multiply Sigma_0 and tr Sigma_0.

    Parameters
    ----------
    n_synthetic : [T], at least 0; points drawn from the previous state.
    n_real : [T] or scalar, at least 0; real points of a generation, constant if `real` is "fixed".
    keep : [T] or scalar, 0 or 1; whether the previous pool is kept; 0 if `real` is "fixed".
    n_train : [T] or scalar, at least 0; size of the subsample that is fitted, 0 for all training data.
    estimator : "unbiased" (divisor one less than the number of fitted points) or "mle" (divisor that number).
    replacement : whether the subsample is drawn with replacement.
    real : "none", "fresh" (drawn anew in each generation) or "fixed" (drawn once).
    bias : [T] or scalar, from 0 to 1e6; the points drawn from the previous state have this multiple of its deviation.
        Any other map that keeps its mean has the same expectations with the ratio of the deviations, as a filter has
        with the root of `truncated_variance_factor`.

    Returns
    -------
    variance, mean_error : float64 [T+1], which start at 1 and 0; the absolute rounding error is 1e-15 a
        generation. For "mle" they sum to 1, the conservation law, and `variance` is also the factor of the
        expected heterozygosity.

    Raises
    ------
    InputError
        if an argument is outside its range, or if a generation has too little training data.

    References
    ----------
    Derived; checked against the raw chain in tests/verification/test_gaussian.py and against the closed forms
    of workflows.py in tests/theory/gaussian/test_schedule.py.

    Examples
    --------
    >>> variance, mean_error = expected_gaussian([10, 10, 10], keep=1, estimator="mle")
    >>> variance.round(5), mean_error.round(5)
    (array([1.     , 0.9    , 0.8775 , 0.86775]), array([0.     , 0.1    , 0.1225 , 0.13225]))
    """
    schedule = check_schedule(n_synthetic, n_real, keep, n_train, real)
    with_replacement, unbiased = flag("replacement", replacement), is_unbiased(estimator)
    biases = reals("bias", bias, 0, 1e6)
    require(biases.shape in ((), (len(schedule),)), "bias", f"a number or {len(schedule)} numbers", bias)
    biases = np.broadcast_to(biases, (len(schedule),))
    require(real != "fixed" or not schedule.keep.any(), "keep", "0 if real is 'fixed'", keep)
    pairs = _PointPairs(0, schedule.n_fixed, *(1.0,) * 6)
    variance, mean_error = np.ones(len(schedule) + 1), np.zeros(len(schedule) + 1)
    min_points = 2 if unbiased else 1
    for generation in schedule:
        t, n_fit = generation.number, generation.n_train
        pairs.bias_draws(float(biases[t - 1]))
        pairs.add(generation)
        n_points = pairs.n_examples
        require(
            n_points >= min_points, f"the training data of generation {t}", f"at least {min_points} points", n_points
        )
        require(n_fit == 0 or n_fit >= min_points, "n_train", f"0 or at least {min_points}", n_fit)
        if n_fit and not with_replacement:
            limit = f"at most the {n_points} points of generation {t} (no replacement)"
            require(n_fit <= n_points, "n_train", limit, n_fit)
        variance[t], mean_error[t] = pairs.fit(n_fit, with_replacement, unbiased)
    return variance, mean_error


@dataclass
class _PointPairs(PairRecursion):
    """Half of E (x-y)^2 of two points; the truth has mean 0 and variance 1.

    Attributes
    ----------
    square, draw_square : E x^2 of a point of the pool and of a draw from the state.
    """

    square: float = 1.0
    draw_square: float = 1.0

    def bias_draws(self, bias: float) -> None:
        """Multiply the deviation of the draws from the state by `bias`."""
        removed = (1 - bias) * (1 + bias) * self.next
        self.next *= bias * bias
        self.draw_square -= removed
        self.pool_next -= removed / 2
        self.fixed_next -= removed / 2

    def add(self, generation: Generation) -> None:
        """Make the pool of a generation."""
        old, n_pairs = self.renew_pool(generation)
        new, fresh = generation.n_synthetic, generation.n_fresh
        self.within = (
            self.within
            + fresh * (fresh - 1) / n_pairs
            # A fresh point is independent of the others, so half of E (x-y)^2 is the mean of the squares.
            + fresh * old / n_pairs * (1 + self.square)
            + fresh * new / n_pairs * (1 + self.draw_square)
        )
        self.square = (old * self.square + new * self.draw_square + fresh) / max(self.n_pool, 1)
        self.across = self.fixed_next

    def fit(self, n_train: int, replacement: bool, unbiased: bool) -> tuple[float, float]:
        """Fit the state to the training data, or to `n_train` points of it; return its two expectations."""
        # N(mean, MLE variance) has the second moments of a uniform draw from the training data.
        inside = self.fit_pairs(n_train, replacement)
        square = (self.n_pool * self.square + self.n_fixed) / self.n_examples
        added = inside / ((n_train or self.n_examples) - 1) if unbiased else 0.0
        self.next = inside + added
        self.draw_square = square + added
        self.pool_next += added / 2
        self.fixed_next += added / 2
        return self.next, square - inside
