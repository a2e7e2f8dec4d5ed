"""The points of R replicates between two generations."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fastcollapse.models.base import State
from fastcollapse.models.saved_arrays import require, restore_array


@dataclass
class EstimatorState(State):
    """The points of R replicates; the estimators themselves are fitted again after a resume.

    Parameters
    ----------
    pool : float64 (R, N, d), the batches that the next generation may keep, the oldest first.
    points : float64 (R, M, d), the points of the last fit; none at generation 0.
    fixed : float64 (R, F, d), the real points that are drawn once.
    tests : float64 (R, n_test, d), or (1, n_test, d) if all replicates have the same.
    centres : means of the components of the truth, see `KdeTruth.components`.
    room : float64 (R, N, d), the largest size of the points, of which the budget of memory takes the bytes.
    samples : what the estimators have drawn for the next generation; None after a resume, and at generation 0.
    """

    pool: np.ndarray
    points: np.ndarray
    fixed: np.ndarray
    tests: np.ndarray
    centres: np.ndarray
    room: np.ndarray
    samples: np.ndarray | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs."""
        sizes = np.array([self.pool.shape[1], self.points.shape[1]])
        return {"pool": self.pool, "points": self.points, "sizes": sizes}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Copy saved arrays into a new state.

        Raises
        ------
        ValueError
            An array is missing or has the shape of another run.
        """
        for name in ("pool", "points"):
            own = getattr(self, name)
            given = arrays[name].shape if name in arrays else ()
            n = given[1] if len(given) == 3 else 0
            target = np.zeros((own.shape[0], n, own.shape[2]))
            restore_array(arrays, name, target)
            setattr(self, name, target)
        sizes = np.zeros(2, np.int64)
        restore_array(arrays, "sizes", sizes)
        require("sizes", np.array_equal(sizes, self.arrays()["sizes"]), "those of the pool and the points")
