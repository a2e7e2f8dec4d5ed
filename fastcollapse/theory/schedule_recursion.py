"""Recursion over a schedule for the expected difference of two training examples, for tokens and points."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import choice, integers, per_generation, require


class Generation(NamedTuple):
    """Sizes of one generation; `n_train` is the size of the fitted subsample, 0 for all examples."""

    number: int
    n_synthetic: int
    n_fresh: int
    keep: bool
    n_train: int


@dataclass(frozen=True)
class CheckedSchedule:
    """Sizes of all generations, [T] each, and the number of fixed real examples."""

    n_synthetic: NDArray[np.int64]
    n_fresh: NDArray[np.int64]
    keep: NDArray[np.int64]
    n_train: NDArray[np.int64]
    n_fixed: int

    def __len__(self) -> int:
        return self.n_synthetic.size

    def __iter__(self) -> Iterator[Generation]:
        for t in range(len(self)):
            # Python integers: products of sizes up to 1e15 do not overflow.
            sizes = int(self.n_synthetic[t]), int(self.n_fresh[t]), bool(self.keep[t]), int(self.n_train[t])
            yield Generation(t + 1, *sizes)


def check_schedule(
    n_synthetic: ArrayLike, n_real: ArrayLike, keep: ArrayLike, n_train: ArrayLike = 0, real: str = "fresh"
) -> CheckedSchedule:
    """Return the sizes of a schedule; inconsistent sizes raise InputError.

    Parameters
    ----------
    n_synthetic : [T], at least 0.
    n_real, n_train : [T] or scalar, at least 0.
    keep : [T] or scalar, 0 or 1.
    real : "none", "fresh" or "fixed".

    Examples
    --------
    >>> [generation.n_synthetic for generation in check_schedule([10, 20], 0, 1)]
    [10, 20]
    """
    synthetic = integers("n_synthetic", n_synthetic, 0)
    require(synthetic.ndim == 1, "n_synthetic", "a vector, one entry for each generation", n_synthetic)
    fresh, keeps, train = (
        per_generation(key, value, synthetic.size)
        for key, value in (("n_real", n_real), ("keep", keep), ("n_train", n_train))
    )
    require(keeps <= 1, "keep", "0 or 1", keep)
    kind = choice("real", real, ("none", "fresh", "fixed"))
    require(kind != "none" or not fresh.any(), "n_real", "0 if real is 'none'", n_real)
    n_fixed = 0
    if kind == "fixed" and synthetic.size:
        require(fresh == fresh[0], "n_real", "constant if real is 'fixed'", n_real)
        n_fixed, fresh = int(fresh[0]), np.zeros_like(fresh)
    return CheckedSchedule(synthetic, fresh, keeps, train, n_fixed)


@dataclass
class PairRecursion:
    """Expected difference of two examples after each generation, in the units of the model.

    Attributes
    ----------
    n_pool, n_fixed : sizes of the pool and of the fixed real data; together they are the training data.
    within : two distinct examples of the pool.
    across : one of the pool and one fixed example.
    fixed : two distinct fixed examples.
    pool_next, fixed_next : one such example and one draw from the state.
    next : two draws from the state.
    """

    n_pool: int
    n_fixed: int
    within: float
    across: float
    fixed: float
    pool_next: float
    fixed_next: float
    next: float

    @property
    def n_examples(self) -> int:
        """Number of examples that a generation is fitted to: those of the pool and the fixed real ones."""
        return self.n_pool + self.n_fixed

    def renew_pool(self, generation: Generation) -> tuple[int, int]:
        """Renew the pool with draws from the state; return the size of its old part and the number of pairs.

        The size of the pool includes fresh real examples. The subclass adds their contribution to `within`.
        """
        old, new = self.n_pool if generation.keep else 0, generation.n_synthetic
        self.n_pool = size = old + new + generation.n_fresh
        n_pairs = max(size * (size - 1), 1)
        self.within = (
            old * (old - 1) / n_pairs * self.within
            + 2 * old * new / n_pairs * self.pool_next
            + new * (new - 1) / n_pairs * self.next
        )
        return old, n_pairs

    def fit_pairs(self, n_train: int, replacement: bool) -> float:
        """Update `pool_next` and `fixed_next`; return the expected difference of two draws from the fitted data.

        The fit is to all examples (`n_train` 0) or to a subsample of `n_train` of them. The subclass sets `next`.
        """
        pool, fixed, total = self.n_pool, self.n_fixed, self.n_examples
        # A draw from the state is one example, uniformly, also if the fit is to a subsample.
        self.pool_next = (pool - 1) / total * self.within + fixed / total * self.across
        self.fixed_next = pool / total * self.across + (fixed - 1) / total * self.fixed
        draws = pool / total * self.pool_next + fixed / total * self.fixed_next
        if n_train == 0:
            return draws
        # Two distinct examples of a subsample without replacement are two distinct examples of the data.
        distinct = draws if replacement else draws * total / max(total - 1, 1)
        return (1 - 1 / n_train) * distinct
