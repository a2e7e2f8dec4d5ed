"""The points of R replicates between two blocks, and the sums over them that the next block continues."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fastcollapse.models.base import State
from fastcollapse.models.saved_arrays import restore_arrays


@dataclass(eq=False)
class Rows:
    """Points of R replicates in an array with room for more.

    Parameters
    ----------
    values : float64 (R, N, d).
    n : number of points in use.
    """

    values: np.ndarray
    n: int = 0


@dataclass(eq=False)
class KdeState(State):
    """Points of a fit and sums over them.

    Parameters
    ----------
    points : the pool.
    chosen : the subsample that the fit has; without subsamples it has no room.
    beside : the real data beside the pool.
    batch : float64 (R, n, d), work space for new points.
    real : float64 (R, n, d), the fixed real data; n = 0 without it.
    tests : float64 (R, M, d), the held-out points, or (1, M, d) if all replicates have the same.
    centres : float64 (R, K, d), means of the components of the truth in each replicate, or (1, K, d).
    factors : float64 (R, d, d), lower factors of the covariance of the kernel, of a scaled bandwidth; else (0, d, d).
    fixed_sums : sums over the fixed real data at the held-out points, see `Likelihood.fixed_sums`, which are computed
        again after a resume; None where they are not used.
    running : sums over the pool by name, float64 (R, ...), which later generations continue.
    is_beside_saved : whether `beside` is saved: a fixed set is drawn again.
    """

    points: Rows
    chosen: Rows
    beside: Rows
    batch: np.ndarray
    real: np.ndarray
    tests: np.ndarray
    centres: np.ndarray
    factors: np.ndarray
    fixed_sums: tuple[np.ndarray, np.ndarray] | None
    running: dict[str, np.ndarray]
    is_beside_saved: bool

    def _rows(self) -> dict[str, Rows]:
        rows = {"points": self.points, "chosen": self.chosen, "beside": self.beside}
        return {name: one for name, one in rows.items() if name != "beside" or self.is_beside_saved}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs."""
        rows = {name: one.values[:, : one.n] for name, one in self._rows().items()}
        return {**rows, "factors": self.factors, **self.running}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Copy saved arrays into a new state.

        Raises
        ------
        ValueError
            An array is missing or has the shape of another run.
        """
        for name, rows in self._rows().items():
            if name in arrays and arrays[name].ndim == 3:
                rows.n = arrays[name].shape[1]
        restore_arrays(arrays, self)

    @property
    def fitted(self) -> Rows:
        """The points of the fit, without the real data beside them."""
        return self.chosen if self.chosen.values.shape[1] else self.points
