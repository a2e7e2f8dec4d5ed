"""Draws of real points from a truth."""

import numpy as np

from fastcollapse.kernels.random.streams import Span
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.models.kde.kernels import Source, draw_centres, draw_real
from fastcollapse.models.kde.truth import MIXTURE, KdeTruth


class RealPoints:
    """Draws real points of a run.

    Parameters
    ----------
    truth : the law of real points.
    """

    def __init__(self, truth: KdeTruth) -> None:
        self._truth, self._d = truth, truth.dimension

    def centres(self, span: Span, n_replicates: int) -> np.ndarray:
        """Return the means of the components of the truth, float64 (R, K, d), or (1, K, d) if all have the same."""
        truth = self._truth
        if not truth.random_centres:
            return truth.means[None] if truth.kind == MIXTURE else np.zeros((1, 0, self._d))
        centres = np.empty((n_replicates, *truth.means.shape))
        draw_centres(span, centres)
        return centres

    def source(self, centres: np.ndarray) -> Source:
        """Return the truth for kernels."""
        truth, d = self._truth, self._d
        is_mixture = truth.kind == MIXTURE
        factors = np.linalg.cholesky(truth.covariances) if is_mixture else np.zeros((0, d, d))
        cumulative = np.cumsum(truth.weights) if is_mixture else np.zeros(0)
        rows = truth.rows if truth.rows.size else np.zeros((0, d))
        return Source(truth.kind, truth.even, truth.noise, cumulative, centres, factors, rows)

    def draw_real(
        self,
        source: Source,
        span: Span,
        t: int,
        purpose: np.uint64,
        counts: np.ndarray,
        out: np.ndarray,
        first: np.ndarray | None = None,
    ) -> None:
        """Draw counts[r] real points of each replicate to out[r, first[r]:], by default to its start."""
        place = np.stack([np.zeros_like(counts) if first is None else first, counts], axis=1).astype(np.int64)
        draw_real(source, t, purpose, span, place, normal_table(), out)
