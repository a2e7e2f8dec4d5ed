"""Noise of a loop of symbols at a temperature about its path without noise, for many tokens.

The deviation of n tokens from the path follows V' = J V J' + Q, with the derivative J of F (see external_share.py) and
the covariance Q of the tokens of one generation.

Notation
--------
p0 : [K], the external law, the truth; its probabilities sum to 1; at most 2,000 symbols unless they are equal.
lam : share of external data, from 0 to 1.
T : temperature, from 10**-3 to 10**3.
n : tokens per generation, at least 1.
mixing : "tokens" (each token is external with probability lam) or "sizes" (lam n of them are external).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.errors import InputError
from fastcollapse.theory.arguments import choice, integer, integers, probability_vector, real, require
from fastcollapse.theory.discrete.external_share import tempered_fixed_point
from fastcollapse.theory.discrete.temperature import tempered_law

_MOST_SYMBOLS = 2000
# The relative difference of equal probabilities.
_EQUAL = 1e-12


def tempered_covariance(
    p0: ArrayLike, lam: float, T: float, n: int, mixing: str = "tokens", start: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return the covariance of the probabilities after many generations, V = J V J' + Q at the fixed point.

    Parameters
    ----------
    lam : share of external data, above 0, at most 1.
    start : [K], the law from which the fixed point is approached; None for the truth.
    p0, T, n, mixing : see `Notation` of the module.

    Returns
    -------
    float64 [K, K], asymptotic in n, with a relative error of about 1/n that grows near a threshold.

    Raises
    ------
    InputError
        if the fixed point is not stable.

    References
    ----------
    Derived; checked by simulation in tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> V = tempered_covariance([0.4, 0.25, 0.15, 0.12, 0.08], 0.5, 1 / 1.4, 4000)
    >>> [f"{v:.7e}" for v in V.diagonal()[:2]]
    ['1.0918862e-04', '7.5562375e-05']
    """
    size = integer("n", n, 1)
    law = tempered_fixed_point(p0, lam, T, start)
    derivative, noise = _step(law, probability_vector("p0", p0), real("lam", lam, 0, 1), T, mixing)
    total, power = noise, derivative
    # The sum of J^k Q J'^k, whose number of terms doubles with each step.
    for _ in range(60):
        more = power @ total @ power.T
        total = total + more
        power = power @ power
        if np.abs(more).max() <= 1e-17 * np.abs(total).max():
            return np.asarray(total / size)
        if not np.isfinite(more).all() or np.abs(more).max() > 1e12:
            break
    raise InputError(f"lam must give a stable fixed point, got {lam}")


def tempered_noise_path(
    p0: ArrayLike, lam: ArrayLike, T: float, n: ArrayLike, k_max: int, mixing: str = "tokens"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the path of the probabilities without noise and their variances about it, after 0..k_max generations.

    About a uniform law all deviations have the multiplier rho = (1-lam)/T, so that their variance follows
    v' = rho^2 v + (1/K)(1-1/K)/n: O(k_max K) for any K, otherwise O(k_max K^3).

    Parameters
    ----------
    lam : share of external data, from 0 to 1, a number or [k_max].
    n : tokens per generation, at least 1, a number or [k_max].
    k_max : number of generations, 0 to 10**6.
    p0, T, mixing : see `Notation` of the module.

    Returns
    -------
    law, variance : float64 [k_max+1, K] each, asymptotic in n.

    References
    ----------
    Derived; checked by simulation in tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> law, variance = tempered_noise_path([0.7, 0.3], 0.5, 0.5, 100, 2)
    >>> law[:, 0].round(5), variance[:, 0].round(6)
    (array([0.7    , 0.77241, 0.81006]), array([0.      , 0.001758, 0.001846]))
    """
    truth, last = probability_vector("p0", p0), integer("k_max", k_max, 0, 10**6)
    is_uniform = np.ptp(truth) <= _EQUAL * truth[0]
    require(is_uniform or truth.size <= _MOST_SYMBOLS, "p0", f"at most {_MOST_SYMBOLS} different symbols", p0)
    shares, sizes = np.asarray(lam, dtype=float), integers("n", n, 1)
    require((shares >= 0) & (shares <= 1), "lam", "within [0, 1]", lam)
    for key, values in (("lam", shares), ("n", sizes)):
        require(values.shape in ((), (last,)), key, f"a number or {last} numbers", values)
    shares, sizes = np.broadcast_to(shares, last), np.broadcast_to(sizes, last)
    laws, variances = np.tile(truth / truth.sum(), (last + 1, 1)), np.zeros((last + 1, truth.size))
    if is_uniform:
        rho, spread = (1 - shares) / real("T", T, 1e-3, 1e3), (1 - 1 / truth.size) / truth.size
        choice("mixing", mixing, ("tokens", "sizes"))
        for step in range(last):
            variances[step + 1] = rho[step] ** 2 * variances[step] + spread / sizes[step]
        return laws, variances
    covariance = np.zeros((truth.size, truth.size))
    for step in range(last):
        derivative, noise = _step(laws[step], laws[0], float(shares[step]), T, mixing)
        covariance = derivative @ covariance @ derivative.T + noise / sizes[step]
        laws[step + 1] = (1 - shares[step]) * tempered_law(laws[step], T) + shares[step] * laws[0]
        variances[step + 1] = covariance.diagonal()
    return laws, variances


def tempered_uniform_noise(K: int, lam: float, T: float, n: int) -> tuple[float, float]:
    """Return the variance of a probability and the expected heterozygosity about a stable uniform law of K symbols.

    With rho = (1-lam)/T they are (1/K)(1-1/K)/(n(1-rho^2)) and (1-1/K)(1-1/(n(1-rho^2))). The variance grows without
    bound as lam falls to its threshold 1-T, an early warning.

    Parameters
    ----------
    K : number of symbols, 2 to 10**15.
    lam, T, n : see `Notation` of the module; rho must be below 1.

    Returns
    -------
    variance, heterozygosity : float, asymptotic in n, with a relative error of about 1/n.

    References
    ----------
    Derived; checked by simulation in tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> variance, heterozygosity = tempered_uniform_noise(10, 0.4, 0.8, 2000)
    >>> round(1 - heterozygosity / 0.9, 8)
    0.00114286
    """
    symbols, size = integer("K", K, 2, 10**15), integer("n", n, 1)
    rho = (1 - real("lam", lam, 0, 1)) / real("T", T, 1e-3, 1e3)
    require(rho < 1, "lam", f"above {max(0.0, 1 - T):g}, the threshold of temperature {T:g}", lam)
    excess = 1 / (size * (1 - rho * rho))
    return (1 - 1 / symbols) * excess / symbols, (1 - 1 / symbols) * (1 - excess)


def _step(
    law: NDArray[np.float64], truth: NDArray[np.float64], lam: float, T: float, mixing: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return J at a law, and n Q for the tokens that are drawn from it."""
    require(truth.size <= _MOST_SYMBOLS, "p0", f"at most {_MOST_SYMBOLS} symbols", truth)
    q = tempered_law(law, T)
    inverse = np.divide(1.0, law, out=np.zeros_like(law), where=law > 0)
    derivative = (1 - lam) / T * (np.diag(q) - np.outer(q, q)) * inverse
    mixed = (1 - lam) * q + lam * truth
    if choice("mixing", mixing, ("tokens", "sizes")) == "tokens":
        return derivative, np.diag(mixed) - np.outer(mixed, mixed)
    return derivative, np.diag(mixed) - (1 - lam) * np.outer(q, q) - lam * np.outer(truth, truth)
