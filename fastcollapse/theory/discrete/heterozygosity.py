"""Expected heterozygosity of a refitted discrete distribution under any schedule.

The heterozygosity 1 - sum p_t^2 of state t is the probability that two tokens drawn from it differ. A recursion
over pairs of tokens gives its expectation. In every workflow E p_t = p_0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import flag, integer, require
from fastcollapse.theory.arguments import real as real_number
from fastcollapse.theory.schedule_recursion import Generation, PairRecursion, check_schedule


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

    Generation t keeps or empties the pool and adds n_synthetic[t-1] i.i.d. tokens of state t-1 and fresh real
    tokens. The training data are the pool and the fixed real tokens. State t is the empirical distribution of
    the training data or of a subsample of them.

    Parameters
    ----------
    h0 : heterozygosity of the truth, within [0, 1).
    n_synthetic : [T], at least 0; tokens drawn from the previous state.
    n_real : [T] or scalar, at least 0; real tokens of a generation, constant if `real` is "fixed".
    keep : [T] or scalar, 0 or 1; whether the previous pool is kept.
    n_train : [T] or scalar, at least 0; size of the subsample that is fitted, 0 for all training data.
    replacement : whether the subsample is drawn with replacement.
    real : "none"; "fresh" (new i.i.d. tokens of the truth in each generation, which enter the pool); "fixed"
        (one set of real tokens, which is part of the training data of every generation).
    start_total : at least 0; size of the initial pool, whose empirical distribution is the truth; 0 for an
        empty pool.
    real_is_truth : whether the truth is the empirical distribution of the fixed set. Otherwise the set is drawn
        once, i.i.d. from the truth.

    Returns
    -------
    float64 [T+1]; entry 0 is `h0`.

    Raises
    ------
    InputError
        if an argument is outside its range, or if a generation has no training data or fewer tokens than its
        subsample.

    References
    ----------
    Derived; checked by a token-by-token simulation and against the closed forms of
    heterozygosity_closed_forms.py in tests/theory/discrete/test_heterozygosity.py.

    Examples
    --------
    >>> expected_heterozygosity(0.75, [10, 10]).round(5)
    array([0.75  , 0.675 , 0.6075])
    >>> expected_heterozygosity(0.75, [10, 10], keep=1).round(5)
    array([0.75   , 0.675  , 0.65812])
    """
    truth = real_number("h0", h0, 0, 1)
    require(truth < 1, "h0", "below 1", h0)
    schedule = check_schedule(n_synthetic, n_real, keep, n_train, real)
    with_replacement, is_truth = flag("replacement", replacement), flag("real_is_truth", real_is_truth)
    start = integer("start_total", start_total, 0)
    require(start == 0 or truth <= 1 - 1 / start + 1e-9, "h0", f"at most 1-1/start_total for {start} tokens", h0)
    if schedule.n_fixed and is_truth:
        limit = f"at most 1-1/n_real for {schedule.n_fixed} tokens"
        require(truth <= 1 - 1 / schedule.n_fixed + 1e-9, "h0", limit, h0)
    pairs = _TokenPairs.of_truth(truth, start, schedule.n_fixed, is_truth)
    expected = np.empty(len(schedule) + 1)
    expected[0] = truth
    for generation in schedule:
        t, n_fit = generation.number, generation.n_train
        pairs.add(generation)
        n_tokens = pairs.n_examples
        require(n_tokens > 0, f"the training data of generation {t}", "at least one token", n_tokens)
        if n_fit and not with_replacement:
            limit = f"at most the {n_tokens} tokens of generation {t} (no replacement)"
            require(n_fit <= n_tokens, "n_train", limit, n_fit)
        expected[t] = pairs.next = pairs.fit_pairs(n_fit, with_replacement)
    return expected


@dataclass
class _TokenPairs(PairRecursion):
    """Probabilities that two tokens differ; the truth has the heterozygosity `h0`."""

    h0: float

    @classmethod
    def of_truth(cls, h0: float, n_pool: int, n_fixed: int, real_is_truth: bool) -> "_TokenPairs":
        """Return the initial state: the pool is empty or the truth, and the fixed data are the truth or a sample."""
        within = h0 * n_pool / (n_pool - 1) if n_pool > 1 else 0.0
        fixed = h0 * n_fixed / (n_fixed - 1) if real_is_truth and n_fixed > 1 else h0
        return cls(n_pool, n_fixed, within, h0, fixed, h0, h0, h0, h0)

    def add(self, generation: Generation) -> None:
        """Make the pool of a generation."""
        old, n_pairs = self.renew_pool(generation)
        new, fresh = generation.n_synthetic, generation.n_fresh
        self.within += fresh * (fresh - 1 + 2 * (old + new)) / n_pairs * self.h0
        across = old * self.across + new * self.fixed_next + fresh * self.h0
        self.across = across / max(self.n_pool, 1)
