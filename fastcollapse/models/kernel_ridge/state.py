"""The state of a chain of kernel ridge regressions: functions of each replicate, and the samples of its pool."""

from dataclasses import dataclass, field

import numpy as np

from fastcollapse.models.base import State

# Number of a row that is none.
EMPTY = -1


@dataclass(eq=False)
class KernelState(State):
    """State of all replicates between two blocks.

    Parameters
    ----------
    rows : int64 (R, m), numbers of the rows z_i of a function, padded with -1; all -1 at generation 0.
    coefficients : float64 (R, C, m), coefficients a_i, padded with 0.
    real : rows (R, n) and labels (R, C, n) of fixed real samples; random streams can draw them again.
    pools : samples of the pools, `inputs` int64 (R, P) and `labels` float64 (R, P, C), used up to `n_kept`.
    n_kept : number of pool samples that the next generation keeps.
    changes : float64 (R, C, N), sums of the functions at the held-out rows if they are added to the given labels.
    expected : float64 (R), expected error given the rows of all generations, NaN where it is not known; or None.
    mixed : state of the chains on mixed labels, whose outputs are those of all chains, or None.
    """

    rows: np.ndarray
    coefficients: np.ndarray
    real: tuple[np.ndarray, np.ndarray]
    pools: dict[str, np.ndarray] = field(default_factory=dict)
    n_kept: int = 0
    changes: np.ndarray | None = None
    expected: np.ndarray | None = None
    mixed: "KernelState | None" = None

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a resume needs."""
        pools = {name: values[:, : self.n_kept] for name, values in self.pools.items()}
        changes = {} if self.changes is None else {"changes": self.changes}
        expected = {} if self.expected is None else {"expected": self.expected}
        mixed = {} if self.mixed is None else {f"mixed_{name}": one for name, one in self.mixed.arrays().items()}
        return {"rows": self.rows, "coefficients": self.coefficients, **pools, **changes, **expected, **mixed}

    def replace(self, place: slice, rows: np.ndarray, coefficients: np.ndarray) -> None:
        """Replace the functions of some replicates: rows (G, n) and coefficients (G, C, n)."""
        n = rows.shape[1]
        self.rows[place], self.coefficients[place] = EMPTY, 0.0
        self.rows[place, :n], self.coefficients[place, :, :n] = rows, coefficients

    def add(self, place: slice, rows: np.ndarray, coefficients: np.ndarray, changes: np.ndarray) -> None:
        """Add functions to those of some replicates, with their values at the held-out rows (G, C, N).

        The rows of a sum are those of both functions, in ascending order.
        """
        assert self.changes is not None
        self.changes[place] += changes
        for r, own, more in zip(range(place.start, place.stop), rows, coefficients, strict=True):
            old = self.rows[r][self.rows[r] != EMPTY]
            union = np.union1d(old, own)
            total = np.zeros((len(more), len(union)))
            total[:, np.searchsorted(union, old)] = self.coefficients[r, :, : len(old)]
            total[:, np.searchsorted(union, own)] += more
            self.replace(slice(r, r + 1), union[None], total[None])
