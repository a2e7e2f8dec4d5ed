"""Exact expected error of least squares refitted under any schedule of synthetic and fresh real rows.

In coordinates where Sigma = I, the error vector d of a state fitted to rows with the Gram matrix S has
E[dd'|S] = a I + b tr(S) S^{-1} + c S^{-1}. This form persists when rows are added and when the pool is emptied,
because the shares of S are matrix-variate beta, whose first moments and those of their inverse are known.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, real, require
from fastcollapse.theory.schedule_recursion import check_schedule

_MAX_DIMENSIONS = 10**9


def expected_regression(
    d: int,
    n_synthetic: ArrayLike,
    n_real: ArrayLike = 0,
    keep: ArrayLike = 0,
    *,
    sigma0: float,
    sigma: float,
) -> NDArray[np.float64]:
    """Return the expected error E|w_t - w_0|_Sigma^2 of the states 0..T of any schedule.

    Generation t keeps or empties the pool and adds n_synthetic[t-1] rows with labels of state t-1 and
    n_real[t-1] rows with labels of the truth w_0. State t is the least-squares fit to the pool. Rows are
    Gaussian, and new in each generation.

    Parameters
    ----------
    d : number of dimensions, 1 to 10**9.
    n_synthetic : [T], at least 0; rows with labels of the previous state.
    n_real : [T] or scalar, at least 0; new rows with labels of the truth.
    keep : [T] or scalar, 0 or 1; whether the previous pool is kept.
    sigma0, sigma : standard deviation of the noise on synthetic and on real labels, 0 to 1e30.

    Returns
    -------
    float64 [T+1], excess error, exact; entry 0 is 0. It is inf from the generation on that uses labels of a
        state with d or d+1 rows.

    Raises
    ------
    InputError
        if an argument is outside its range, or if a pool has fewer than d rows.

    References
    ----------
    Derived; checked in tests/verification/test_regression.py.

    Examples
    --------
    >>> expected_regression(20, [40, 40, 40], keep=1, sigma0=0.5, sigma=0.5).round(5)
    array([0.     , 0.26316, 0.30553, 0.32237])
    >>> expected_regression(20, [30, 30, 30], 10, sigma0=0.5, sigma=0.5).round(5)
    array([0.     , 0.26316, 0.46294, 0.6146 ])
    """
    dimensions = integer("d", d, 1, _MAX_DIMENSIONS)
    schedule = check_schedule(n_synthetic, n_real, keep)
    noise = real("sigma0", sigma0, 0, 1e30), real("sigma", sigma, 0, 1e30)
    error, state = np.zeros(len(schedule) + 1), _State(dimensions)
    for t, n_synthetic_rows, n_real_rows, keep_pool, _ in schedule:
        state.refit(float(n_synthetic_rows), float(n_real_rows), keep_pool, *noise)
        require(state.rows >= dimensions, f"the rows of generation {t}", f"at least d = {dimensions}", state.rows)
        error[t] = state.error
    return error


@dataclass
class _State:
    """Coefficients of E[dd'|S] = a I + b tr(S) S^{-1} + c S^{-1}, with the Gram matrix S of `rows` rows."""

    d: int
    rows: float = 0.0
    a: float = 0.0
    b: float = 0.0
    c: float = 0.0
    # Whether the pool has labels of a state without a finite error.
    infinite: bool = False

    @property
    def error(self) -> float:
        if self.infinite:
            return np.inf
        d, spare = self.d, self.rows - self.d - 1
        own = self.b * (self.rows * d - 2) + self.c
        if spare <= 0:
            return np.inf if own > 0 or self.a > 0 else 0.0
        return d * (self.a + own / spare)

    def refit(self, n_synthetic: float, n_real: float, keep: bool, sigma0: float, sigma: float) -> None:
        """Add rows to the pool, or to an empty one, and fit to it."""
        error, old = self.error, self.rows if keep else 0.0
        labelled = old + n_synthetic
        self.rows = labelled + n_real
        self.infinite = (keep and self.infinite) or (n_synthetic > 0 and error == np.inf)
        plain, weighted, scaled = 0.0, 0.0, 0.0
        if self.infinite:
            pass
        elif keep:
            # With the Gram matrix G of the old and the synthetic rows and the share U of the old rows in it,
            # E[U^{-1}] = inverse I and E[U^{-1} tr(GU)] = x tr(G) I + 2 (1-x)/(d+1) G.
            spare = old - self.d - 1
            inverse = (labelled - self.d - 1) / spare if n_synthetic > 0 and spare > 0 else 1.0
            weighted = self.b * inverse * old / max(labelled, 1.0)
            plain = self.a + 2 * (self.b - weighted) / (self.d + 1)
            scaled = self.c * inverse
        elif n_synthetic > 0:
            # The state is independent of the new rows, and its error is the same in all directions.
            plain = error / self.d
        self._share(labelled, plain, weighted, scaled)
        self.c += (sigma0**2 * n_synthetic + sigma**2 * n_real) / max(self.rows, 1.0)

    def _share(self, labelled: float, plain: float, weighted: float, scaled: float) -> None:
        """Set S^{-1} (plain G^2 + weighted tr(G) G + scaled G) S^{-1}, G the Gram matrix of `labelled` rows."""
        rows = max(self.rows, 2.0)
        # For the share V of those rows in S, E V_ij V_kl = alpha I_ij I_kl + beta (I_ik I_jl + I_il I_jk).
        beta = labelled / rows * (self.rows - labelled) / ((rows - 1) * (rows + 2))
        alpha = 1.0 if labelled == self.rows else labelled / rows * (labelled - 1) / (rows - 1) + beta
        self.a = (alpha + beta) * plain + 2 * beta * weighted
        self.b = beta * plain + alpha * weighted
        self.c = labelled / max(self.rows, 1.0) * scaled
