"""Sizes and weights of the fits of a run, from its schedule."""

import numpy as np

from fastcollapse.config.schedule import Schedule


class EstimatorPlan:
    """The schedule of a run of estimators; index t - 1 of an array is generation t.

    Parameters
    ----------
    schedule : the workflow as arrays over generations.

    Attributes
    ----------
    is_beside : whether the real data is beside the pool, and not a part of its batches.
    has_weights : whether the points of a fit have unequal weights.
    oldest : int64 (T), first generation whose batch is in the pool.
    n_batch : int64 (T), size of the batch that is added to the pool.
    n_fixed : number of real points that are drawn once.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.is_beside = schedule.is_real_beside
        self.has_weights = schedule.weight is not None or schedule.discount > 0
        self.n_fixed = int(schedule.n_real.max()) if schedule.real == "fixed" else 0
        self.n_batch = schedule.n_synthetic + (0 if self.is_beside else schedule.n_real)
        self.oldest = np.arange(1, schedule.n_generations + 1)
        for i in range(1, schedule.n_generations):
            if schedule.keep[i]:
                self.oldest[i] = self.oldest[i - 1]
        if schedule.window:
            t = np.arange(1, schedule.n_generations + 1)
            self.oldest = np.maximum(self.oldest, t - schedule.window + 1)

    def n_kept(self, t: int) -> int:
        """Return how many of the last points of the pool generation t keeps."""
        return int(self.n_batch[self.oldest[t - 1] - 1 : t - 1].sum())

    @property
    def largest(self) -> int:
        """Number of points that a replicate has at most in its pool and its fit."""
        return 2 * self._largest_pool + int(self.schedule.n_train.max()) + int(self.schedule.n_real.max())

    @property
    def largest_fit(self) -> int:
        """Number of points of the largest fit, or more."""
        if self.schedule.n_train.all():
            return int(self.schedule.n_train.max())
        return self._largest_pool + (int(self.schedule.n_real.max()) if self.is_beside else 0)

    @property
    def _largest_pool(self) -> int:
        return max(self.n_kept(t) + int(self.n_batch[t - 1]) for t in range(1, self.schedule.n_generations + 1))

    def weights(self, t: int, n_pool: int) -> np.ndarray | None:
        """Return the weights of the points of a fit, of mean 1: the n_pool last points of the pool, then the real data.

        None if all are equal.
        """
        if not self.has_weights:
            return None
        schedule, batches = self.schedule, np.arange(self.oldest[t - 1], t + 1)
        own = (schedule.discount or 1.0) ** (t - batches).astype(np.float64)
        synthetic = np.repeat(own, self.n_batch[batches - 1])
        synthetic = synthetic[len(synthetic) - n_pool :]
        real = np.ones(int(schedule.n_real[t - 1]))
        if schedule.weight is not None and len(real) and len(synthetic):
            share = float(schedule.weight[t - 1])
            synthetic *= (1 - share) / synthetic.sum()
            real *= share / len(real)
        found = np.concatenate([synthetic, real])
        return found * (len(found) / found.sum())
