"""A checked schedule of refitted kernel density estimates with its bandwidths."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import flag, reals, require
from fastcollapse.theory.density.frequency_table import FrequencyTable
from fastcollapse.theory.density.normal_mixture import NormalMixture
from fastcollapse.theory.density.pair_products import FitIntegrals, PairProducts
from fastcollapse.theory.density.shapes import Shape
from fastcollapse.theory.schedule_recursion import CheckedSchedule, check_schedule


@dataclass(frozen=True, eq=False)
class Chain:
    """Sizes and bandwidths of all generations.

    Parameters
    ----------
    schedule : sizes.
    bandwidth : [T].
    replacement : whether a subsample is drawn with replacement.
    real_share : [T], probability that a point is real in place of synthetic.
    """

    schedule: CheckedSchedule
    bandwidth: NDArray[np.float64]
    replacement: bool
    real_share: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        bandwidth: ArrayLike,
        n_synthetic: ArrayLike,
        n_real: ArrayLike,
        keep: ArrayLike,
        n_train: ArrayLike,
        replacement: object,
        real: str,
        real_share: ArrayLike = 0.0,
    ) -> "Chain":
        """Return the chain of arguments as `mise.py` explains them."""
        schedule = check_schedule(n_synthetic, n_real, keep, n_train, real)
        h = reals("bandwidth", bandwidth, 1e-6, 1e6)
        size = len(schedule)
        require(h.shape in ((), (size,)), "bandwidth", f"a number or {size} numbers", bandwidth)
        require(real != "fixed" or not schedule.keep.any(), "keep", "0 if real is 'fixed'", keep)
        share = reals("real_share", real_share, 0, 1)
        require(share.shape in ((), (size,)), "real_share", f"a number or {size} numbers", real_share)
        is_plain = not (schedule.keep[1:].any() or schedule.n_fresh.any() or schedule.n_fixed)
        require(is_plain or not share.any(), "real_share", "0 with a pool or with other real points", real_share)
        shares = np.broadcast_to(share, (size,))
        return cls(schedule, np.broadcast_to(h, (size,)), flag("replacement", replacement), shares)

    def integrals(self, table: FrequencyTable, target: NDArray[np.float64] | None = None) -> FitIntegrals:
        """Return the expected integrals of the fits; the overlap is with the law of factors `target`."""
        return PairProducts.integrals(table, self.schedule, self.bandwidth, self.real_share, self.replacement, target)

    def mixture_table(self, mixture: NormalMixture) -> FrequencyTable:
        """Return the frequencies for a normal mixture."""
        return mixture.table(*self._range())

    def real_sizes(self) -> set[int]:
        """Return the sizes of the batches of real points; generation 1 draws one from the truth."""
        schedule = self.schedule
        return {*schedule.n_synthetic[:1].tolist(), *schedule.n_fresh.tolist(), schedule.n_fixed} - {0}

    def shape_table(self, shape: Shape, *others: int) -> FrequencyTable:
        """Return the frequencies for a shape, with the sizes of all batches of real points and of others."""
        return shape.table(*self._range(), sorted(self.real_sizes() | set(others)))

    def _range(self) -> tuple[float, float, float]:
        """Return the least and the largest bandwidth, and a bound of the kernels that make a feature."""
        size = len(self.schedule)
        if not size:
            return 1.0, 1.0, 1.0
        total = self.schedule.n_synthetic.sum(dtype=float) + self.schedule.n_fresh.sum(dtype=float)
        return float(self.bandwidth.min()), float(self.bandwidth.max()), min(float(size), total) + 1
