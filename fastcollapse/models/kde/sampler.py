"""Draws of a generation: synthetic points from the last fit, real points from the truth, the pool and its subsample."""

import numpy as np

from fastcollapse.kernels.density.draws import Fit, choose_rows, count_real, draw_from_fit
from fastcollapse.kernels.density.genealogies import draw_descendants
from fastcollapse.kernels.random.streams import PURPOSE_REAL, PURPOSE_SYNTHETIC, Span
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.models.kde.kernels import Source
from fastcollapse.models.kde.plan import KdePlan
from fastcollapse.models.kde.real_points import RealPoints
from fastcollapse.models.kde.state import KdeState
from fastcollapse.models.kde.truth import KdeTruth

_REAL, _SYNTHETIC = np.uint64(PURPOSE_REAL), np.uint64(PURPOSE_SYNTHETIC)


class Sampler(RealPoints):
    """Draws the points of a run.

    Parameters
    ----------
    plan, truth : sizes and bandwidths, and the law of real points.
    """

    def __init__(self, plan: KdePlan, truth: KdeTruth) -> None:
        super().__init__(truth)
        self._plan = plan

    def draw(self, state: KdeState, source: Source, span: Span, t: int) -> None:
        """Draw the points of generation t, which is observed, update the pool and choose the subsample."""
        plan, schedule = self._plan, self._plan.schedule
        n, n_real = int(schedule.n_synthetic[t - 1]), int(schedule.n_real[t - 1])
        n_replicates = len(state.points.values)
        counts = np.full(n_replicates, n)
        if schedule.real_share is not None:
            real = np.zeros(n_replicates, np.int64)
            count_real(float(schedule.real_share[t - 1]), n, t, span, real)
            counts -= real
            self.draw_real(source, span, t, _REAL, real, state.batch, counts)
        if t == 1:
            self.draw_real(source, span, t, _SYNTHETIC, counts, state.batch)
        elif plan.observed[t - 2]:
            draw_from_fit(self._fit(state, t - 1), t, span, counts, normal_table(), state.batch)
        else:
            before = slice(plan.last_observed(t) - 1, t - 1)
            sizes, squares = schedule.n_synthetic[before], plan.bandwidths[before] ** 2
            draw_descendants(state.points.values, sizes, squares, n, t, span, normal_table(), state.batch)
        if n_real:
            drawn = state.beside.values if plan.is_beside else state.batch[:, n:]
            if plan.n_fixed:
                drawn[:, :n_real] = state.real
            else:
                self.draw_real(source, span, t, _REAL, np.full(n_replicates, n_real), drawn)
        state.beside.n = n_real if plan.is_beside else 0
        kept, added = int(plan.n_kept[t - 1]), int(plan.n_batch[t - 1])
        points = state.points.values
        if 0 < kept < state.points.n:  # a window drops its oldest batch
            points[:, :kept] = points[:, state.points.n - kept : state.points.n]
        points[:, kept : kept + added] = state.batch[:, :added]
        state.points.n = kept + added
        n_train = int(schedule.n_train[t - 1])
        if n_train:
            chosen = state.chosen.values[:, :n_train]
            choose_rows(points, state.points.n, bool(schedule.replacement), t, span, chosen)
            state.chosen.n = n_train

    def _fit(self, state: KdeState, t: int) -> Fit:
        """Return the density estimate of generation t for draws."""
        factors = state.factors if self._plan.is_scaled else self._plan.bandwidths[t - 1] * np.eye(self._d)[None]
        beside = state.beside.values[:, : state.beside.n]
        return Fit(state.fitted.values, beside, state.fitted.n, self._plan.drawing_weight(t), factors)
