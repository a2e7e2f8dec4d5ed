"""Expected heterozygosity E[1 - sum p_t^2] of a discrete distribution under recursive training.

Everything follows from the probability that two tokens differ; in every workflow E p_t = p_0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import flag, integer, integers, per_generation, require
from fastcollapse.theory.arguments import real as real_number


def expected_heterozygosity(
    h0: float,
    n_synthetic: ArrayLike,
    n_real: ArrayLike = 0,
    keep: ArrayLike = 0,
    n_train: ArrayLike = 0,
    *,
    replacement: bool = False,
    real: str = "none",
    start_total: int = 0,
    real_is_truth: bool = False,
) -> NDArray[np.float64]:
    """Return the exact expected heterozygosity of the states 0..T of any schedule.

    Generation t makes the pool (kept or emptied) + n_synthetic[t-1] i.i.d. tokens of state t-1 (+ fresh real
    tokens), and state t is the empirical distribution of the training data: the pool and the fixed real
    tokens, or a subsample of them.

    Parameters
    ----------
    h0 : 1 - sum p_0^2 of the truth, within [0, 1).
    n_synthetic : [T], at least 0: tokens drawn from the previous state.
    n_real : [T] or scalar, at least 0: real tokens of a generation; the same for all if `real` is "fixed".
    keep : [T] or scalar, 0 or 1: is the previous pool kept.
    n_train : [T] or scalar: size of the subsample that is fitted, 0 for all the training data.
    replacement : is the subsample drawn with replacement.
    real : "none"; "fresh": new i.i.d. tokens of the truth each generation, which enter the pool; "fixed": one
        set of real tokens that is in every generation's training data once.
    start_total : size of the data the pool starts with, whose empirical distribution is the truth; 0: none.
    real_is_truth : is the fixed set the data whose empirical distribution is the truth; else it is drawn
        i.i.d. from the truth, once.

    Returns
    -------
    float64 [T+1], entry 0 is `h0`.

    Raises
    ------
    InputError
        if an argument is outside its range, or a generation has no training data or too little of it.

    References
    ----------
    Derived; checked by a plain simulation and against the closed forms of
    theory/heterozygosity_forms.py in tests/theory/test_heterozygosity.py.

    Examples
    --------
    >>> expected_heterozygosity(0.75, [10, 10]).round(5)
    array([0.75  , 0.675 , 0.6075])
    >>> expected_heterozygosity(0.75, [10, 10], keep=1).round(5)
    array([0.75   , 0.675  , 0.65812])
    """
    truth = real_number("h0", h0, 0, 1)
    require(truth < 1, "h0", "below 1", h0)
    synthetic = integers("n_synthetic", n_synthetic, 0)
    require(synthetic.ndim == 1, "n_synthetic", "a vector, one entry a generation", n_synthetic)
    real_sizes, kept, train = (
        per_generation(key, value, synthetic.size)
        for key, value in (("n_real", n_real), ("keep", keep), ("n_train", n_train))
    )
    require(kept <= 1, "keep", "0 or 1", keep)
    known = isinstance(real, str) and real in ("none", "fresh", "fixed")
    require(known, "real", "'none', 'fresh' or 'fixed'", real)
    require(real != "none" or not real_sizes.any(), "n_real", "0 if real is 'none'", n_real)
    with_replacement, is_truth = flag("replacement", replacement), flag("real_is_truth", real_is_truth)
    start = integer("start_total", start_total, 0)
    require(start == 0 or truth <= 1 - 1 / start + 1e-9, "h0", f"at most 1-1/start_total, {start} tokens", h0)
    n_fixed = 0
    if real == "fixed" and synthetic.size:
        require(real_sizes == real_sizes[0], "n_real", "constant if real is 'fixed'", n_real)
        n_fixed, real_sizes = int(real_sizes[0]), np.zeros_like(real_sizes)
    if n_fixed and is_truth:
        require(truth <= 1 - 1 / n_fixed + 1e-9, "h0", f"at most 1-1/n_real, {n_fixed} tokens", h0)
    pairs = _Pairs(truth, start, n_fixed, is_truth)
    expected = np.empty(synthetic.size + 1)
    expected[0] = truth
    for t in range(synthetic.size):
        pairs.add(int(synthetic[t]), int(real_sizes[t]), bool(kept[t]))
        n_tokens, n_fit = pairs.total, int(train[t])
        require(n_tokens > 0, f"the training data of generation {t + 1}", "at least one token", n_tokens)
        if n_fit and not with_replacement:
            need = f"at most the {n_tokens} tokens of generation {t + 1} (no replacement)"
            require(n_fit <= n_tokens, "n_train", need, n_fit)
        expected[t + 1] = pairs.fit(n_fit, with_replacement)
    return expected


@dataclass
class _Pairs:
    """Probabilities that two tokens differ, after each generation: the state of the recursion.

    `within` two distinct tokens of the pool, `across` one of the pool and one fixed real token, `fixed` two
    distinct fixed ones; `pool_next` and `fixed_next` one such token and one draw from the state; `next` two
    draws from the state.
    """

    truth: float
    n_pool: int
    n_fixed: int
    real_is_truth: bool

    def __post_init__(self) -> None:
        h0 = self.truth
        self.within = h0 * self.n_pool / (self.n_pool - 1) if self.n_pool > 1 else 0.0
        self.fixed = h0
        if self.real_is_truth and self.n_fixed > 1:
            self.fixed = h0 * self.n_fixed / (self.n_fixed - 1)
        self.across = self.pool_next = self.fixed_next = self.next = h0

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
            + n_fresh * (n_fresh - 1 + 2 * (old + n_new)) / weight * self.truth
        )
        across = old * self.across + n_new * self.fixed_next + n_fresh * self.truth
        self.across = across / max(size, 1)

    def fit(self, n_train: int, replacement: bool) -> float:
        """Fit the state to the training data, or to `n_train` tokens of it; return its heterozygosity."""
        pool, fixed, total = self.n_pool, self.n_fixed, self.total
        # A draw from the state is one token of the training data, uniformly, whatever the subsample.
        self.pool_next = (pool - 1) / total * self.within + fixed / total * self.across
        self.fixed_next = pool / total * self.across + (fixed - 1) / total * self.fixed
        whole = pool / total * self.pool_next + fixed / total * self.fixed_next
        if n_train == 0:
            self.next = whole
        elif replacement:
            self.next = (1 - 1 / n_train) * whole
        else:
            # Two distinct tokens of the subsample are two distinct tokens of the data.
            self.next = (1 - 1 / n_train) * (whole * total / (total - 1) if total > 1 else 0.0)
        return self.next
