"""Schedules: the stages of each generation as arrays over generations.

Every generation runs the same pipeline, and each stage is an array in `Schedule`:

    state -- map --> draw n_synthetic --+
    truth ---------> draw n_real -------+ pool (keep) -- subsample n_train -- fit (weights) --> next state

The map is a section `[sampling]`; without one it is the identity. Weights are `weight`, the weight of the real part of
the fit, and `discount`, the weight of a batch relative to the next younger one; without them all points of a fit have
the same weight.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fastcollapse.config.capabilities import STAGES
from fastcollapse.config.sampling import Sampling
from fastcollapse.errors import InputError

if TYPE_CHECKING:
    import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Schedule:
    """A workflow as arrays over generations: index t - 1 is generation t.

    Parameters
    ----------
    n_synthetic : number of draws from the model of generation t - 1, int64, shape (T,), at least 1.
    n_real : number of draws of real data, int64, shape (T,), at least 0.
    keep : 1 where generation t keeps the pool of generation t - 1, otherwise 0, int64, shape (T,).
    n_train : size of the subsample, without replacement at most the pool, int64, shape (T,); 0 fits to the whole pool.
    replacement : whether the subsample is drawn with replacement.
    real : "none", "fresh" (drawn anew in each generation) or "fixed" (drawn once per replicate; if `n_real` is the
        total of the real data, it is that data itself; a later generation has all of it or none).
    start_with_data : whether the pool of generation 0 holds the counts of the truth; otherwise it is empty.
    weight : weight of the real part of the fit, from 0 to 1, float64, shape (T,); the rest is the weight of the
        synthetic part. A fit without one of the parts has only the other. None: all points have the same weight.
    optimal : whether `weight` is still to be computed by the family, see `Model.fit_errors`.
    real_share : probability that a token is real, float64, shape (T,); each of the `n_synthetic` tokens is then real or
        synthetic at random. None: no token is.
    window : number of the last synthetic batches that the pool keeps; 0 keeps all.
    discount : weight of a synthetic batch relative to the next younger one, above 0, at most 1; 0: no discount.
    sampling : maps of the model before it is sampled, or None. Rewards of a file are loaded: an array (K).
    first_is_real : whether the batch of generation 1 is the real data of a law, which no map changes.
    inputs : SHA-256 of the data files of the maps by path, in hexadecimal.
    times_truth, real_times_truth : `n_synthetic` and `n_real` as multiples of the real data, where the keys of the
        workflow give them so; otherwise None.

    With a weight, a window or a discount, the pool holds only synthetic batches. The real data, fresh or fixed, is
    beside it. `n_synthetic` may then be 0 where `n_real` is above 0.
    """

    n_synthetic: np.ndarray
    n_real: np.ndarray
    keep: np.ndarray
    n_train: np.ndarray
    replacement: bool = False
    real: str = "none"
    start_with_data: bool = False
    weight: np.ndarray | None = None
    optimal: bool = False
    real_share: np.ndarray | None = None
    window: int = 0
    discount: float = 0.0
    sampling: Sampling | None = None
    first_is_real: bool = False
    inputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    times_truth: float | None = None
    real_times_truth: float | None = None

    @property
    def n_generations(self) -> int:
        """Number of generations T."""
        return len(self.n_synthetic)

    @property
    def needs(self) -> frozenset[str]:
        """Capabilities that a family must have to run the schedule, see `CAPABILITIES`."""
        real, subsample = bool(self.n_real.any()), bool(self.n_train.any())
        needed = {
            "pool": self.start_with_data or bool(self.keep[1:].any()),
            "subsample": subsample,
            "fresh_real": real and self.real == "fresh",
            "fixed_real": real and self.real == "fixed",
            "subsample_with_real": real and subsample,
            "weights": self.weight is not None or self.optimal,
            "real_share": self.real_share is not None,
            "window": self.window > 0,
            "discount": self.discount > 0,
        }
        maps = self.sampling.maps if self.sampling else ()
        return frozenset(name for name, is_needed in needed.items() if is_needed) | frozenset(maps)

    @property
    def is_plain(self) -> bool:
        """Whether the schedule has no weight, share, window, discount or map, see `STAGES`."""
        return not self.needs & STAGES

    @property
    def is_real_beside(self) -> bool:
        """Whether the real data is beside the pool, which then holds only synthetic batches."""
        return self.weight is not None or self.window > 0 or self.discount > 0

    @property
    def is_replace_only(self) -> bool:
        """Whether each generation is fitted only to all synthetic data of the previous generation."""
        return not self.needs

    def check(self, workflow: str, n_generations: int, truth_total: int | None = None) -> None:
        """Refuse a schedule that kernels must not read: they trust shapes, types and ranges.

        Parameters
        ----------
        workflow
            Name of the workflow, for errors.
        n_generations
            T.
        truth_total
            Size of the real data; None when the truth has no counts.

        Raises
        ------
        InputError
            With the array that is wrong, and the first generation where it is.
        """
        import numpy as np  # start-up time of the command line

        def refuse(problem: str) -> InputError:
            return InputError(f"the schedule of workflow {workflow!r} must have {problem}")

        for name in ("n_synthetic", "n_real", "keep", "n_train"):
            values = getattr(self, name)
            if not isinstance(values, np.ndarray) or values.dtype != np.int64 or values.shape != (n_generations,):
                got = f"{values.dtype} {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
                raise refuse(f"{name} as int64 array of shape ({n_generations},), got {got}")
        if self.real not in ("none", "fresh", "fixed") or (self.real == "none" and self.n_real.any()):
            raise refuse(f"real = 'fresh' or 'fixed' where n_real is above 0, got {self.real!r}")
        # One set of fixed real data is drawn, of the size of generation 1.
        is_other_set = (self.n_real > 0) & (self.n_real != self.n_real[:1]) & (self.real == "fixed")
        ranges = {
            "n_synthetic of at least 1": self.n_synthetic < np.where(self.is_real_beside & (self.n_real > 0), 0, 1),
            "n_real of at least 0": self.n_real < 0,
            "n_real of 0 or that of generation 1 where real is 'fixed'": is_other_set,
            "keep of 0 or 1": (self.keep < 0) | (self.keep > 1),
            "n_train of at least 0": self.n_train < 0,
        }
        for problem, wrong in ranges.items():
            if wrong.any():
                raise refuse(f"{problem}, got another value at generation {int(wrong.argmax()) + 1}")
        for name in ("weight", "real_share"):
            values = getattr(self, name)
            if values is not None and (values.shape != (n_generations,) or not ((values >= 0) & (values <= 1)).all()):
                raise refuse(f"{name} as array of shape ({n_generations},) with values from 0 to 1")
        if not 0 <= self.window <= n_generations or not 0 <= self.discount <= 1:
            raise refuse("a window of at most the run and a discount of at most 1")
        if self.is_real_beside and (self.start_with_data or self.n_train.any()):
            raise refuse("no data at the start of the pool and no subsample, with a weight, a window or a discount")
        over = self.n_train > self.pool_totals(truth_total)
        if over.any() and not self.replacement:
            raise refuse(f"n_train of at most the pool, got more at generation {int(over.argmax()) + 1}")

    def pool_totals(self, truth_total: int | None = None) -> np.ndarray:
        """Return the size of the pool of each generation, before the subsample.

        Parameters
        ----------
        truth_total : size of the real data, at least 1; needed when the pool starts with it.

        Returns
        -------
        ndarray
            int64, shape (T,).

        Examples
        --------
        >>> from fastcollapse.config.workflows import Accumulate
        >>> Accumulate(n_samples=10, keep_real=True).schedule(3, truth_total=100).pool_totals(100)
        array([110, 120, 130])
        """
        import numpy as np  # start-up time of the command line

        if self.window or self.discount:
            return np.rint(self.synthetic_sizes()).astype(np.int64) + self.n_real
        if self.weight is not None:  # the real part is beside the pool
            return dataclasses.replace(self, n_real=0 * self.n_real, weight=None).pool_totals() + self.n_real
        # an overflow of the sums cancels in the difference, as long as the pool itself fits
        added = np.cumsum(self.n_synthetic + self.n_real)
        last_drop = np.maximum.accumulate(np.where(self.keep == 0, np.arange(len(added)), -1))
        before = np.concatenate(([0], added))[np.maximum(last_drop, 0)]
        start = truth_total if self.start_with_data and truth_total is not None else 0
        return added - before + np.where(last_drop < 0, start, 0)

    def synthetic_sizes(self) -> np.ndarray:
        """Return the size of the synthetic part of each fit, of which discounted points are a fraction: float64 (T,).

        Examples
        --------
        >>> from fastcollapse.config.workflows import Accumulate
        >>> Accumulate(n_samples=10, keep_real=False, window=2).schedule(4, truth_total=20).synthetic_sizes()
        array([10., 20., 20., 20.])
        """
        import numpy as np  # start-up time of the command line

        if self.window:
            sums = np.cumsum(self.n_synthetic)
            sums[self.window :] -= sums[: -self.window].copy()
            return sums.astype(np.float64)
        if not self.discount:
            return (self.pool_totals() - self.n_real).astype(np.float64)
        sizes = self.n_synthetic.astype(np.float64)
        for t in range(1, len(sizes)):
            sizes[t] += self.keep[t] * self.discount * sizes[t - 1]
        return sizes

    def distinct_rows(self, same: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return bounds of the number of distinct rows that each generation is fitted to.

        A subsample that is drawn with replacement, or from copies of the same rows, may hold a row more than once. Then
        the bounds are five standard deviations from the mean number, both in the limit of a large number of rows.

        Parameters
        ----------
        same : whether all generations have the same synthetic rows.

        Returns
        -------
        tuple of ndarray
            Lower and upper bound, int64, shape (T,) each.

        Examples
        --------
        >>> from fastcollapse.config.workflows import AccumulateSubsample
        >>> workflow = AccumulateSubsample(n_samples=40, keep_real=True, replacement=True)
        >>> [bound.tolist() for bound in workflow.schedule(2, None).distinct_rows(same=False)]
        [[15, 21], [36, 40]]
        """
        import numpy as np  # start-up time of the command line

        pool = self.pool_totals()
        rows = self.n_synthetic + self.n_real if same else pool
        drawn = np.where(self.n_train > 0, self.n_train, pool)
        if not self.n_train.any() or not (self.replacement or same):
            return np.minimum(drawn, rows), np.minimum(drawn, rows)
        # Rows are drawn independently apart from their fixed total; the last term removes the variance of the total.
        if self.replacement:
            left_out, odds = (1 - 1 / rows) ** drawn, drawn / rows
        else:
            copies, share = pool / rows, drawn / pool
            left_out, odds = (1 - share) ** copies, copies * share / np.maximum(1 - share, 1 / pool)
        mean = rows * (1 - left_out)
        deviation = np.sqrt(rows * np.maximum(left_out * (1 - left_out) - odds * left_out**2, 0))
        least, most = np.floor(mean - 5 * deviation), np.ceil(mean + 5 * deviation)
        return np.maximum(least, 1).astype(np.int64), np.minimum(most, np.minimum(drawn, rows)).astype(np.int64)

    def size_key(self, index: int) -> str:
        """Return the key of the number of points of the fit at an index; n_train is by default n_samples."""
        return "workflow.n_samples" if self.n_train[index] in (0, self.n_synthetic[index]) else "workflow.n_train"

    def fitted_sizes(self, truth_total: int | None = None) -> np.ndarray:
        """Return the number of points that each generation is fitted to: int64, shape (T,)."""
        import numpy as np  # start-up time of the command line

        return np.where(self.n_train > 0, self.n_train, self.pool_totals(truth_total))
