"""Thresholds of the share of external data in a loop of K symbols at a temperature, and fixed points of the loop.

A generation without noise is F(p) = (1-lam) T_beta(p) + lam p_0 with T_beta(p) = p^beta/sum p^beta and beta = 1/T.

Notation
--------
p0 : [K], the external law, the truth; its probabilities sum to 1.
lam : share of external data, above 0, at most 1.
T : temperature, from 10**-3 to 10**3.
start : [K], the law from which the fixed point is approached; None for the truth.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.errors import InputError
from fastcollapse.theory.arguments import probability_vector, real, reals, require, together
from fastcollapse.theory.discrete.temperature import tempered_law

_MOST_STEPS = 50_000


def uniform_share_threshold(T: ArrayLike) -> NDArray[np.float64]:
    """Return the external share above which the uniform law is stable: 1-T for T < 1, otherwise 0.

    It is the same for workflows replace and accumulate, and for every number of symbols: (1-lam)/T, the multiplier at
    the uniform law, is below 1.

    Parameters
    ----------
    T : temperature, any shape, from 10**-3 to 10**3.

    Returns
    -------
    float64, shape of `T`, exact for a large number of tokens.

    References
    ----------
    Derived; the statement that any temperature other than 1 needs external data is in arXiv:2404.02325. Checked by
    simulation in tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> uniform_share_threshold([0.5, 0.8, 2])
    array([0.5, 0.2, 0. ])
    """
    return np.maximum(0.0, 1 - reals("T", T, 1e-3, 1e3))


def collapsed_share_threshold(K: ArrayLike, T: ArrayLike) -> NDArray[np.float64]:
    """Return lam_SN, the external share below which a law concentrated on one of K symbols is stable too.

    The external law is uniform. Between `uniform_share_threshold` and lam_SN both laws are stable, and the start
    decides; for two symbols the thresholds are equal. It is max_x (T(x)-x)/(T(x)-1/K) over 1/K < x < 1, with T(x) =
    x^beta/(x^beta + (K-1)^(1-beta) (1-x)^beta); for T = 1/2 it is K/(1+sqrt(K-1))^2.

    Parameters
    ----------
    K : number of symbols, any shape, 2 to 10**15.
    T : temperature, any shape, from 10**-3 to 10**3; from 1 on the threshold is 0.

    Returns
    -------
    float64, the shapes broadcast, exact for a large number of tokens.

    References
    ----------
    Derived; checked in tests/theory/discrete/test_external_share.py and by simulation in
    tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> collapsed_share_threshold([2, 10, 10_000], 0.5).round(9)
    array([0.5       , 0.625     , 0.98039312])
    """
    symbols, temperature = together(K=reals("K", K, 2, 1e15), T=reals("T", T, 1e-3, 1e3))
    values = [
        _saddle_node(k, 1 / u) for k, u in zip(symbols.ravel().tolist(), temperature.ravel().tolist(), strict=True)
    ]
    return np.array(values).reshape(symbols.shape)


def tempered_fixed_point(p0: ArrayLike, lam: float, T: float, start: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return the fixed point p* = F(p*) to which the iteration of F leads.

    Parameters
    ----------
    p0, lam, T, start : see `Notation` of the module.

    Returns
    -------
    float64 [K]. The iteration stops when no probability changes by more than 10**-15.

    Raises
    ------
    InputError
        if 50,000 steps do not reach it, because lam is at a threshold.

    References
    ----------
    Derived; checked by simulation in tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> tempered_fixed_point([0.4, 0.25, 0.15, 0.12, 0.08], 0.5, 1 / 1.4).round(6)
    array([0.525347, 0.223072, 0.112712, 0.085696, 0.053173])
    >>> concentrated = [0.91] + [0.01] * 9
    >>> tempered_fixed_point([0.1] * 10, 0.58, 0.5, concentrated)[0].round(9)
    np.float64(0.385575508)
    """
    truth, share = _loop(p0, lam)
    law = truth if start is None else probability_vector("start", start)
    require(law.shape == truth.shape, "start", f"a vector of {truth.size} probabilities", start)
    beta = 1 / real("T", T, 1e-3, 1e3)
    for _ in range(_MOST_STEPS):
        weights = (law / law.max()) ** beta
        moved = (1 - share) * weights / weights.sum() + share * truth
        if np.abs(moved - law).max() <= 1e-15:
            return np.asarray(moved)
        law = moved
    raise InputError(f"lam must be away from a threshold, where the iteration does not converge, got {lam}")


def tempered_multiplier(p0: ArrayLike, lam: float, T: float, start: ArrayLike | None = None) -> float:
    """Return the spectral radius of F at its fixed point: the rate at which it is approached, stable if below 1.

    The derivative is J = (1-lam) beta [diag(q) - q q'] diag(1/p*), q = T_beta(p*).

    Parameters
    ----------
    p0, lam, T, start : see `Notation` of the module.

    Returns
    -------
    float, exact for a large number of tokens.

    References
    ----------
    Derived; checked in tests/theory/discrete/test_external_share.py and by simulation in
    tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> round(tempered_multiplier([0.4, 0.25, 0.15, 0.12, 0.08], 0.5, 1 / 1.4), 12)
    0.682922139958
    """
    truth, share = _loop(p0, lam)
    law = tempered_fixed_point(truth, lam, T, start)
    # Similar to a symmetric matrix, so that the eigenvalues are real and accurate.
    alive = law > 0
    p, q = law[alive], tempered_law(law, T)[alive]
    symmetric = np.diag(q / p) - np.outer(q / np.sqrt(p), q / np.sqrt(p))
    return float((1 - share) / T * np.linalg.eigvalsh(symmetric).max())


def _loop(p0: ArrayLike, lam: float) -> tuple[NDArray[np.float64], float]:
    """Return the external law and its share."""
    truth, share = probability_vector("p0", p0), real("lam", lam, 0, 1)
    require(share > 0, "lam", "above 0", lam)
    return truth / truth.sum(), share


def _saddle_node(K: float, beta: float) -> float:
    """Return lam_SN; with y = ln x(K-1)/(1-x) the ratio is K (1-e^(-(beta-1)y))/((1-e^(-beta y))(e^y+K-1))."""
    if beta <= 1:
        return 0.0

    def ratio(y: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(K * np.expm1(-(beta - 1) * y) / (np.expm1(-beta * y) * (np.exp(y) + K - 1)))

    low, high = 1e-9, 60.0 + np.log(K)
    best = 1 - 1 / beta  # its limit at y = 0
    for _ in range(12):
        grid = np.linspace(low, high, 200)
        values = ratio(grid)
        at = int(values.argmax())
        best = max(best, float(values[at]))
        low, high = float(grid[max(at - 1, 0)]), float(grid[min(at + 1, 199)])
    return best
