"""Curation of a categorical distribution: one of K samples is kept, by its reward; the limit of many tokens.

A generation without noise is p' = f p_0 + (1-f) S(p). The map S of the soft rule keeps a sample of reward r with
probability e^r/(sum of e^r of the K samples), the choice of Bradley and Terry; that of the hard rule keeps the best of
the K samples, one of the best at random.

Notation
--------
p : [m], the probabilities, which sum to 1.
r : [m], the rewards, from -700 to 700.
K : number of samples of which one is kept, 1 to 10**6, or "infinite" for the limit p e^r/(E e^r), soft rule only.
f : share of real data, from 0 to 1.
rule : "soft" or "hard".
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcollapse.errors import InputError
from fastcollapse.theory.arguments import choice, integer, integers, probability_vector, real, reals, require

# Steps of the trapezoidal rule over the logarithm of the variable: its error is about exp(-pi^2/step).
_STEP = 0.2
# Relative size of what the rule cuts off at either end is e to minus this.
_CUT = 40.0
# Most cells of the array of nodes and rewards at a time.
_CELLS = 2**20


def curated_law(p: ArrayLike, r: ArrayLike, K: object, rule: str = "soft") -> NDArray[np.float64]:
    """Return the law of a sample that is kept, S(p).

    Parameters
    ----------
    p, r, K, rule : see `Notation` of the module.

    Returns
    -------
    float64 [m], exact. Cost O(m), times the number of nodes of a quadrature, a few hundred, for a soft rule.

    References
    ----------
    arXiv:2407.09499 for the soft rule; as one integral derived, from 1/x = int_0^inf e^(-sx) ds; the hard rule is
    derived. Checked against sums over the samples in tests/theory/discrete/test_curation.py, and by simulation in
    tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> p, r = [0.4, 0.3, 0.2, 0.1], [0, 0.5, 1, 1]
    >>> curated_law(p, r, 2).round(12)
    array([0.3151557 , 0.30734756, 0.25166449, 0.12583225])
    >>> curated_law(p, r, 3, "hard").round(3)
    array([0.064, 0.279, 0.438, 0.219])
    """
    law, rewards = _checked(p, r)
    copies, soft = _copies(K, rule)
    return _curated(law, rewards, copies, soft)


def curation_path(
    p: ArrayLike, r: ArrayLike, K: object, t: ArrayLike, f: float = 0.0, rule: str = "soft"
) -> NDArray[np.float64]:
    """Return the population path p_t of repeated curation, p_t = f p_0 + (1-f) S(p_(t-1)).

    The expected e^r never falls for f = 0; for K = "infinite" p_t is p_0 e^(tr)/Z.

    Parameters
    ----------
    p : p_0, [m], the probabilities of the truth, which sum to 1.
    t : number of fits, any shape, 0 to 10**5.
    r, K, f, rule : see `Notation` of the module.

    Returns
    -------
    float64, shape of `t` + [m], asymptotic in the number of tokens. Cost O(max t) evaluations of `curated_law`.

    References
    ----------
    arXiv:2407.09499; checked by simulation in tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> curation_path([0.4, 0.3, 0.2, 0.1], [0, 0.5, 1, 1], "infinite", [0, 1, 100]).round(4)
    array([[0.4   , 0.3   , 0.2   , 0.1   ],
           [0.2339, 0.2892, 0.3179, 0.159 ],
           [0.    , 0.    , 0.6667, 0.3333]])
    """
    start, rewards = _checked(p, r)
    copies, soft = _copies(K, rule)
    share, index = real("f", f, 0, 1), integers("t", t, 0, 10**5)
    laws = np.empty((int(index.max(initial=0)) + 1, start.size))
    laws[0] = start
    for step in range(1, len(laws)):
        laws[step] = share * start + (1 - share) * _curated(laws[step - 1], rewards, copies, soft)
        laws[step] /= laws[step].sum()
    return laws[index]


def curation_fixed_point(p: ArrayLike, r: ArrayLike, f: float) -> tuple[NDArray[np.float64], float]:
    """Return the law that curation of infinitely many samples with a share f of real data tends to.

    It is p* = f p_0/(1-(1-f) e^r/Z), where Z = E e^r under p* is the root above (1-f) max e^r of sum p* = 1.

    Parameters
    ----------
    p : p_0, [m], the probabilities of the truth, which sum to 1.
    f : share of real data, above 0, at most 1.
    r : see `Notation` of the module.

    Returns
    -------
    law, Z : float64 [m] and float.

    References
    ----------
    Derived; checked in tests/theory/discrete/test_curation.py and by simulation in
    tests/verification/test_discrete_maps.py.

    Examples
    --------
    >>> law, Z = curation_fixed_point([0.4, 0.3, 0.2, 0.1], [0, 0.5, 1, 1], 0.5)
    >>> law[3].round(12), round(Z, 12)
    (np.float64(0.158680760978), 1.984431398949)
    """
    start, rewards = _checked(p, r)
    share = real("f", f, 0, 1)
    require(share > 0, "f", "above 0", f)
    top = rewards[start > 0].max()
    weights = np.where(start > 0, np.exp(np.minimum(rewards - top, 0.0)), 0.0)
    # With the variable u = Z/((1-f) max e^r) - 1 > 0, p* = f p_0 (1+u)/(u + 1 - weight): the sum falls from infinity.
    gaps = np.where(start > 0, -np.expm1(np.minimum(rewards - top, 0.0)), 1.0)
    low, high = -745.0, 700.0  # ln u
    for _ in range(200):
        middle = (low + high) / 2
        u = np.exp(middle)
        over = share * float(start @ (1 + weights / (u + gaps))) > 1
        low, high = (middle, high) if over else (low, middle)
    u = np.exp((low + high) / 2)
    law = share * start * (1 + weights / (u + gaps))
    return law / law.sum(), float((1 - share) * (1 + u) * np.exp(top)) if share < 1 else float(start @ np.exp(rewards))


def _checked(p: ArrayLike, r: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probabilities and the rewards of the same symbols."""
    law, rewards = probability_vector("p", p), reals("r", r, -700, 700)
    require(rewards.shape == law.shape, "r", f"a vector of {law.size} rewards, one for each symbol", r)
    return law / law.sum(), rewards


def _copies(K: object, rule: str) -> tuple[int, bool]:
    """Return the number of samples, 0 for infinitely many, and whether the rule is soft."""
    soft = choice("rule", rule, ("soft", "hard")) == "soft"
    if isinstance(K, str):
        if K != "infinite":
            raise InputError(f"K must be a whole number or 'infinite', got {K!r}")
        require(soft, "K", "a whole number if rule is 'hard'", K)
        return 0, soft
    return integer("K", K, 1, 10**6), soft


def _curated(law: NDArray[np.float64], rewards: NDArray[np.float64], copies: int, soft: bool) -> NDArray[np.float64]:
    """Return S(law); `copies` 0 stands for infinitely many."""
    alive = np.flatnonzero(law > 0)
    kept = np.zeros_like(law)
    p, r = law[alive], rewards[alive]
    if copies == 0:
        tilted = p * np.exp(r - r.max())
        kept[alive] = tilted / tilted.sum()
        return kept
    levels, level = np.unique(r, return_inverse=True)
    masses = np.bincount(level, weights=p).astype(np.float64)
    if soft:
        factors = _soft_factors(masses, levels, copies)
    else:
        upper = np.minimum(np.cumsum(masses), 1.0)
        upper[-1] = 1.0
        factors = np.diff(upper**copies, prepend=0.0) / masses
    kept[alive] = p * factors[level]
    return kept


def _soft_factors(masses: NDArray[np.float64], levels: NDArray[np.float64], copies: int) -> NDArray[np.float64]:
    """Return E[K e^r/(e^r + sum of e^r of K-1 others)] for each level of reward.

    It is K e^r int_0^inf e^(-s e^r) M(s)^(K-1) ds with M(s) = E e^(-s e^r): the trapezoidal rule over ln s converges
    faster than any power, because the integrand is analytic and falls exponentially on both sides.
    """
    logs = levels - levels[-1]
    nodes = np.arange(-_CUT - np.log(copies), np.log(2 * _CUT) - logs[0], _STEP)
    factors = np.zeros_like(logs)
    size = max(1, _CELLS // len(logs))
    for first in range(0, len(nodes), size):
        exponents = np.add.outer(nodes[first : first + size], logs)
        with np.errstate(over="ignore"):
            rates = np.exp(exponents)  # s e^r
            decay = np.exp(-rates)
            moments = decay @ masses
            near_one = np.log1p(np.maximum(np.expm1(-rates) @ masses, -0.75))
            log_moments = np.where(moments > 0.5, near_one, np.log(np.maximum(moments, 1e-307)))
            factors += np.exp((copies - 1) * log_moments) @ np.exp(exponents - rates)
    return np.asarray(copies * factors * _STEP, dtype=np.float64)
