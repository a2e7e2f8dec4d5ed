"""Recursion over a schedule for the expected products of the characteristic functions of two points."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcollapse.theory.arguments import require
from fastcollapse.theory.density.frequency_table import FrequencyTable
from fastcollapse.theory.schedule_recursion import CheckedSchedule, Generation


class FitIntegrals(NamedTuple):
    """Integrals of the fits 1..T, float64 [T] each.

    Parameters
    ----------
    square : expected integral of the squared density.
    overlap : expected integral of the density times that of the truth, or of test points.
    """

    square: NDArray[np.float64]
    overlap: NDArray[np.float64]


@dataclass
class PairProducts:
    """Expected products of two distinct points at each frequency of a table, [M] each, and factors of means.

    Products, and not one minus them, are kept: they have no cancellation where they are small.

    Attributes
    ----------
    table : of the truth.
    n_pool, n_fixed : sizes of the pool and of the fixed real points.
    within, across : two points of the pool; one of the pool and one fixed point.
    pool_next, fixed_next : one such point and one draw from the fit.
    next : two draws from the fit; for the first generation two of its batch.
    pool_mean, fit_mean : factors [J, M] of the mean of the pool and of the fit.
    """

    table: FrequencyTable
    n_pool: int
    n_fixed: int
    within: NDArray[np.float64]
    across: NDArray[np.float64]
    pool_next: NDArray[np.float64]
    fixed_next: NDArray[np.float64]
    next: NDArray[np.float64]
    pool_mean: NDArray[np.float64]
    fit_mean: NDArray[np.float64]

    @classmethod
    def integrals(
        cls,
        table: FrequencyTable,
        schedule: CheckedSchedule,
        bandwidth: NDArray[np.float64],
        real_share: NDArray[np.float64],
        replacement: bool,
        target: NDArray[np.float64] | None = None,
    ) -> FitIntegrals:
        """Return the integrals of the fits 1..T of a schedule.

        Parameters
        ----------
        bandwidth : [T], of the fits.
        real_share : [T], probability that a point is real in place of synthetic; of i.i.d. real points.
        replacement : whether a subsample is drawn with replacement.
        target : [J, 1], factors of the law that the overlap is with; None for those of the truth.
        """
        law = table.target[:, None] if target is None else target
        square, overlap = np.empty(len(schedule)), np.empty(len(schedule))
        if len(schedule):
            state = cls._start(table, schedule)
            for generation, h, share in zip(schedule, bandwidth.tolist(), real_share.tolist(), strict=True):
                if share:
                    state._mix(share)
                state._add(generation)
                fit = state._fit(generation, np.exp(-((h * table.radius) ** 2) / 2), replacement)
                square[generation.number - 1] = table.integral(fit)
                overlap[generation.number - 1] = table.integral(table.product(law, state.fit_mean))
        return FitIntegrals(square, overlap)

    @classmethod
    def _start(cls, table: FrequencyTable, schedule: CheckedSchedule) -> "PairProducts":
        """Return generation 0: an empty pool, and the truth as the fit."""
        n = int(schedule.n_synthetic[0])
        mean = table.mean(n) if n else table.target[:, None]
        pairs = table.pairs(n) if n else 0 * table.radius
        fixed = table.product(mean, table.mean(schedule.n_fixed)) if schedule.n_fixed else 0 * table.radius
        zero = np.zeros_like(table.radius)
        return cls(table, 0, schedule.n_fixed, zero, zero, zero, fixed, pairs, 0 * mean, mean)

    def _mix(self, share: float) -> None:
        """Make each draw from the fit real with probability `share`."""
        truth = self.table.target[:, None]
        both = self.table.product(truth, self.fit_mean)
        real = self.table.product(truth, truth)
        self.next = (1 - share) ** 2 * self.next + 2 * share * (1 - share) * both + share**2 * real
        self.fit_mean = (1 - share) * self.fit_mean + share * truth

    def _add(self, generation: Generation) -> None:
        """Make the pool of a generation."""
        table, new, fresh = self.table, generation.n_synthetic, generation.n_fresh
        old = self.n_pool if generation.keep else 0
        self.n_pool = size = old + new + fresh
        n_pairs = float(max(size * (size - 1), 1))
        within = (
            old * (old - 1) / n_pairs * self.within
            + 2 * old * new / n_pairs * self.pool_next
            + new * (new - 1) / n_pairs * self.next
        )
        mean = old * self.pool_mean + new * self.fit_mean
        if fresh:
            real = table.mean(fresh)
            # A fresh point is independent of the others.
            within = within + fresh * (fresh - 1) / n_pairs * table.pairs(fresh)
            within = within + 2 * fresh / n_pairs * table.product(real, mean)
            mean = mean + fresh * real
        self.within, self.pool_mean = within, mean / max(size, 1)
        # With fixed points the pool is one batch.
        self.across = self.fixed_next

    def _fit(self, generation: Generation, kernel: NDArray[np.float64], replacement: bool) -> NDArray[np.float64]:
        """Fit the density to the pool and the fixed points, or to a subsample; return its expected square [M]."""
        table, pool, fixed, n_train = self.table, self.n_pool, self.n_fixed, generation.n_train
        total = pool + fixed
        at = f"generation {generation.number}"
        require(total >= 1, f"the training data of {at}", "at least 1 point", total)
        limit = f"at most the {total} points of {at} (no replacement)"
        require(replacement or n_train <= total, "n_train", limit, n_train)
        fixed_pairs = table.pairs(fixed) if fixed else 0.0
        mean = pool * self.pool_mean + (fixed * table.mean(fixed) if fixed else 0.0)
        self.fit_mean = kernel * (mean / total)
        of_pool = ((1 if pool else 0) + max(pool - 1, 0) * self.within + fixed * self.across) / total
        of_fixed = ((1 if fixed else 0) + pool * self.across + max(fixed - 1, 0) * fixed_pairs) / total
        average = pool / total * of_pool + fixed / total * of_fixed
        # A draw from the fit is one point, uniformly, also if the fit is to a subsample.
        self.pool_next, self.fixed_next = kernel * of_pool, kernel * of_fixed
        chosen = average
        if n_train:
            distinct = pool * (pool - 1) * self.within + 2 * pool * fixed * self.across
            distinct = (distinct + fixed * (fixed - 1) * fixed_pairs) / float(max(total * (total - 1), 1))
            chosen = 1 / n_train + (1 - 1 / n_train) * (average if replacement else distinct)
        self.next = kernel**2 * chosen
        return self.next
