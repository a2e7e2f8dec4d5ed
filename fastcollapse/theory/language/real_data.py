"""Contexts that are refitted independently, with real data in every fit.

Each context is a discrete distribution of its own: N real tokens, and n new tokens of the last fit. The heterozygosity
of a distribution is H = 1 - sum p^2. Sums over contexts have the weights pi_c = N_c/sum N.

Notation
--------
h1 : [C], heterozygosity of the real tokens of each context, within [0, 1); or one number.
N : [C], real tokens of each context, at least 1; or one number.
n : [C], synthetic tokens of each context in each generation, at least 0; or one number.
m : [B] or scalar, number of refits after the fit to the real tokens alone, at least 0.
"""

from typing import Any

import numpy as np
import scipy  # scipy.stats is loaded at its first use, because it takes half a second
from numpy.typing import ArrayLike, NDArray

from fastcollapse.theory.arguments import integer, integers, real, reals, together

# Most tokens: squares of sums are exact enough in float64.
_MOST = 10**12


def contexts_squared_distance(h1: ArrayLike, N: ArrayLike, n: ArrayLike, m: ArrayLike) -> NDArray[np.float64]:
    """Return sum_c pi_c E|p - p_1|^2, where the real tokens of p_1 stay in every fit.

    v_m = (alpha^2/n) (1 - beta^m)/(1 - beta), with alpha = n/(N+n) and beta = alpha^2 (1 - 1/n), and the sum is over
    pi_c h1_c v_m. The expected heterozygosity is sum_c pi_c h1_c less this sum.

    Parameters
    ----------
    h1, N, n, m : see `Notation` of the module.

    Returns
    -------
    float64, shape of `m`, exact given the real tokens.

    References
    ----------
    Setting of arXiv:2404.05090; derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> contexts_squared_distance(0.695, 20, 40, [1, 3, 8]).round(10)
    array([0.00772222, 0.01251858, 0.01361051])
    """
    (h, real_tokens, synthetic), refits = _contexts(h1, N, integers("n", n, 0, _MOST)), integers("m", m, 0)
    start, decay = _first_and_decay(real_tokens, synthetic)
    return _weighted(real_tokens, h * start, decay, refits)


def contexts_squared_distance_limit(h1: ArrayLike, N: ArrayLike, n: ArrayLike) -> float:
    """Return the limit of `contexts_squared_distance` for many refits.

    The limit of v_m is n/(N^2 + 2 N n + n); with n = rho N it is rho/(N (1 + 2 rho) + rho).

    Parameters
    ----------
    h1, N : see `Notation` of the module.
    n : [C], synthetic tokens of each context, at least 0, or one number; the formula needs no whole numbers.

    Returns
    -------
    float, exact given the real tokens.

    References
    ----------
    Setting of arXiv:2404.05090; derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> round(contexts_squared_distance_limit(0.695, 20, 40), 10)
    0.013627451
    """
    h, real_tokens, synthetic = _contexts(h1, N, reals("n", n, 0, _MOST))
    factor = synthetic / (real_tokens**2 + 2 * real_tokens * synthetic + synthetic)
    return float((real_tokens / real_tokens.sum()) @ (h * factor))


def contexts_sampled_distance(h0: ArrayLike, N: ArrayLike, n: ArrayLike, m: ArrayLike) -> NDArray[np.float64]:
    """Return sum_c pi_c E|p - p_0|^2, where real tokens are drawn once from the truth and stay in every fit.

    It is the sum over pi_c h0_c (1/N + (1 - 1/N) v_m), with v_m of `contexts_squared_distance`.

    Parameters
    ----------
    h0 : [C], heterozygosity of the truth in each context, within [0, 1); or one number.
    N, n, m : see `Notation` of the module.

    Returns
    -------
    float64, shape of `m`, exact.

    References
    ----------
    Derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> contexts_sampled_distance(0.735, 20, 40, 8).round(8)
    np.float64(0.05042415)
    """
    h, real_tokens, synthetic = _contexts(h0, N, integers("n", n, 0, _MOST))
    once = float((real_tokens / real_tokens.sum()) @ (h / real_tokens))
    return once + contexts_squared_distance(h * (1 - 1 / real_tokens), real_tokens, synthetic, m)


def contexts_fresh_distance(h0: ArrayLike, N: ArrayLike, n: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """Return sum_c pi_c E|p - p_0|^2, where each generation has N new real tokens beside n synthetic ones.

    With M = N + n and e_0 = 0, e' = 1/M + n(n-1)/M^2 e and E|p - p_0|^2 = h0 e; the expected heterozygosity is
    h0 (1 - e).

    Parameters
    ----------
    h0 : [C], heterozygosity of the truth in each context, within [0, 1); or one number.
    k : [B] or scalar, number of refits, at least 0.
    N, n : see `Notation` of the module.

    Returns
    -------
    float64, shape of `k`, exact.

    References
    ----------
    Derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> (1 - contexts_fresh_distance(0.5, 20, 40, [1, 4, 15]) / 0.5).round(8)
    array([0.98333333, 0.97162531, 0.97058834])
    """
    (h, real_tokens, synthetic), refits = _contexts(h0, N, integers("n", n, 0, _MOST)), integers("k", k, 0)
    total = real_tokens + synthetic
    _, decay = _first_and_decay(real_tokens, synthetic)
    return _weighted(real_tokens, h / total, decay, refits)


def contexts_replace_distance(h0: ArrayLike, N: ArrayLike, n: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """Return sum_c pi_c E|p - p_0|^2, where each generation has n synthetic tokens and no real ones.

    The expected heterozygosity is sum_c pi_c h0_c (1 - 1/n_c)^k, and the squared distance is what it has lost.

    Parameters
    ----------
    h0 : [C], heterozygosity of the truth in each context, within [0, 1); or one number.
    N : [C], weights of the contexts, their real tokens, at least 1; or one number.
    n : [C], synthetic tokens of each context in each generation, at least 1; or one number.
    k : [B] or scalar, number of refits, at least 0.

    Returns
    -------
    float64, shape of `k`, exact.

    References
    ----------
    S_m of arXiv:2404.05090 for each context; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> contexts_replace_distance([0.5, 0.75], [2, 6], [10, 20], [1, 2]).round(6)
    array([0.040625, 0.078594])
    """
    (h, real_tokens, synthetic), refits = _contexts(h0, N, integers("n", n, 1, _MOST)), integers("k", k, 0)
    return _weighted(real_tokens, h / synthetic, 1 - 1 / synthetic, refits)


def contexts_random_distance(h1: float, N: int, n: int, pi: float, m: ArrayLike) -> NDArray[np.float64]:
    """Return E|p - p_1|^2 of one context whose n synthetic tokens fall into it with the probability pi each.

    The generator draws the contexts: the number of tokens is Bin(n, pi) in each generation, and the N real tokens stay.

    Parameters
    ----------
    h1 : heterozygosity of the real tokens of the context, within [0, 1].
    N : real tokens of the context, at least 1.
    n : synthetic tokens of all contexts, 1 to 10**6.
    pi : probability of the context, within [0, 1].
    m : see `Notation` of the module.

    Returns
    -------
    float64, shape of `m`, exact given the real tokens.

    References
    ----------
    Derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> contexts_random_distance(0.7, 20, 400, 0.08, 8).round(8)
    np.float64(0.01296802)
    """
    start, real_tokens = real("h1", h1, 0, 1), integer("N", N, 1, _MOST)
    size, share, refits = integer("n", n, 1, 10**6), real("pi", pi, 0, 1), integers("m", m, 0)
    tokens = np.arange(1, size + 1)
    weight = scipy.stats.binom.pmf(tokens, size, share)
    decay = float(weight @ (tokens * (tokens - 1) / (real_tokens + tokens) ** 2))
    gain = float(weight @ (tokens / (real_tokens + tokens) ** 2)) * start
    return np.asarray(gain * (1 - decay**refits) / (1 - decay))


def largest_synthetic(N: ArrayLike, tau: ArrayLike) -> NDArray[np.float64]:
    """Return the largest number of synthetic tokens beside N real ones whose noise stays within tau.

    The noise is that which many refits add, N v_inf, in units of the sampling noise of the real tokens. It is at most
    tau for n <= tau N^2/(N (1 - 2 tau) - tau), and for every n if tau >= N/(2N + 1).

    Parameters
    ----------
    N : real tokens, at least 1, any shape; broadcast against `tau`.
    tau : tolerance, at least 0, any shape.

    Returns
    -------
    float64, broadcast shape, exact; inf without a limit.

    References
    ----------
    Setting of arXiv:2404.05090; derived; checked in tests/verification/test_language.py.

    Examples
    --------
    >>> largest_synthetic(100, [0.1, 0.25, 0.5]).round(6)
    array([12.515645, 50.251256,       inf])
    """
    real_tokens, tolerance = together(N=integers("N", N, 1, _MOST).astype(np.float64), tau=reals("tau", tau, 0, np.inf))
    room = real_tokens * (1 - 2 * tolerance) - tolerance
    return np.where(room > 0, tolerance * real_tokens**2 / np.where(room > 0, room, 1.0), np.inf)


def _first_and_decay(
    real_tokens: NDArray[np.float64], synthetic: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return alpha^2/n, the noise of one refit, and beta."""
    square = (real_tokens + synthetic) ** 2
    return synthetic / square, synthetic * (synthetic - 1) / square


def _weighted(
    real_tokens: NDArray[np.float64], gain: NDArray[np.float64], decay: NDArray[np.float64], refits: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return sum_c pi_c gain_c (1 - decay_c^m)/(1 - decay_c), shape of `refits`."""
    weights = real_tokens / real_tokens.sum() * gain / (1 - decay)
    flat = [float(weights @ (1 - decay**index)) for index in refits.ravel().tolist()]
    return np.array(flat).reshape(refits.shape)


def _contexts(
    h: ArrayLike, N: ArrayLike, n: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the arguments as vectors of one length; `n` is checked already."""
    real_tokens, synthetic = integers("N", N, 1, _MOST).astype(np.float64), np.asarray(n, dtype=np.float64)
    values = together(h=reals("h", h, 0, 1), N=real_tokens, n=synthetic)
    a, b, c = (np.atleast_1d(value).ravel() for value in values)
    return a, b, c
