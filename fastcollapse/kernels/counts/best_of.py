"""Curation: the law of the sample that is kept of K i.i.d. samples, by its reward.

A symbol of reward r is kept with its probability times a factor of r. By the rule "hard" the best sample is kept, ties
at random: the factor of reward level l is (F_l^K - F_(l-1)^K)/(F_l - F_(l-1)) with the law F of the reward. By the rule
"soft" a sample is kept with probability e^r / (sum of e^r), and the factor is

    E[K e^r/(e^r + e^R_1 + ... + e^R_(K-1))] = K e^r int_0^inf e^(-u e^r) M(u)^(K-1) du,   M(u) = E e^(-u e^R),

because 1/s is the integral of e^(-u s). The integral over t = ln u is a sum over equidistant t, which converges
geometrically in the number of terms. For K = infinity the factor is e^r/E e^r.

References
----------
Ferbach et al., arXiv:2407.09499, define the soft rule. The factors are derived, and checked by enumeration.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.counts.count_corrections import total_of
from fastcollapse.kernels.counts.reward_levels import N_POINTS, apply_spread, level_masses
from fastcollapse.kernels.jit import kernel

# Distance of the terms of the integral: the integrand is analytic for |Im t| < pi/2, the error is of e^(-pi^2/step).
_STEP = 0.25
# An argument x of e^(-x) is taken as 0 below e^_LOG_LEAST/K, and e^(-x) as 0 above e^_LOG_MOST.
_LOG_LEAST, _LOG_MOST = -39.5, 3.75
# More rewards than nodes at this distance are interpolated by polynomials through N_POINTS nodes.
_NODE_STEP = 1.0 / 64.0
# Up to this K, the factors of the rule "hard" are a polynomial of positive terms.
_FEW_SAMPLES = 16
_LANES = 64
# The largest range of rewards of the rule "soft": e^(-range) must be a normal float64.
MAX_RANGE = 700.0


class Rewards(NamedTuple):
    """Rewards of K symbols with L levels, and the rule; all arrays are empty without curation.

    Attributes
    ----------
    reward : float64 (K).
    gain : float64 (K), e^(reward - largest reward).
    largest : the largest reward.
    n_samples : K of the rule as float64, infinity for the limit; 0.0 without curation.
    soft : whether the rule is "soft".
    level : int32 (K), the level of a symbol, or the first of its nodes where `place` is not empty.
    place : float64 (K), the place of a symbol between its nodes, or (0) where every reward is a level.
    at : float64 (L), the levels or nodes in ascending order, minus the largest reward.
    absent : float64 (L, B), 1 - e^(-x) for the terms of the integral from `first` on; x = e^(t + at).
    first : int64 (L).
    terms : float64 (J), the factor of each term of the integral, e^t times the distance of the terms.
    """

    reward: np.ndarray
    gain: np.ndarray
    largest: float
    n_samples: float
    soft: bool
    level: np.ndarray
    place: np.ndarray
    at: np.ndarray
    absent: np.ndarray
    first: np.ndarray
    terms: np.ndarray


def reward_table(reward: np.ndarray, n_samples: float, soft: bool) -> Rewards:
    """Return the tables of a rule: ``(K)->``, O(K log K).

    Parameters
    ----------
    reward : float64 (K); without curation (0).
    n_samples : number of samples of which one is kept, infinity for the limit.
    soft : whether the rule is "soft"; the range of the rewards is then at most MAX_RANGE.
    """
    largest = float(reward.max()) if reward.size else 0.0
    levels, level = np.unique(reward, return_inverse=True)
    at, place = levels - largest, np.zeros(0)
    is_integral = soft and math.isfinite(n_samples) and reward.size > 0
    if is_integral:
        n_nodes = int(-at[0] / _NODE_STEP) + N_POINTS + 1
        if len(levels) > n_nodes:
            lowest = at[0] - (N_POINTS // 2 - 1) * _NODE_STEP
            position = (reward - largest - lowest) / _NODE_STEP
            level = np.clip(position.astype(np.int64) - (N_POINTS // 2 - 1), 0, n_nodes - N_POINTS)
            at, place = lowest + _NODE_STEP * np.arange(n_nodes), position - level
    absent, first, terms = np.zeros((0, 0)), np.zeros(0, np.int64), np.zeros(0)
    if is_integral:
        low = _LOG_LEAST - math.log(n_samples)
        start = low - at[-1]
        t = start + _STEP * np.arange(math.ceil((_LOG_MOST - at[0] - start) / _STEP) + 1)
        width = math.ceil((_LOG_MOST - low) / _STEP) + 1
        first = np.minimum(np.floor((low - at - start) / _STEP).astype(np.int64).clip(0), len(t) - width)
        x = np.exp(t[first[:, None] + np.arange(width)] + at[:, None])
        absent, terms = -np.expm1(-x), _STEP * np.exp(t)
    return Rewards(
        np.ascontiguousarray(reward, np.float64),
        np.exp(reward - largest),
        largest,
        float(n_samples) if reward.size else 0.0,
        soft,
        level.astype(np.int32),
        place,
        at,
        absent,
        first,
        terms,
    )


NO_REWARDS = reward_table(np.zeros(0), 0.0, False)


@kernel
def _soft_factors(mass, rewards, out):
    """Write the factor of each level of the rule "soft" with a finite K: ``(L)->(L)``, O(L B)."""
    n_terms, width = rewards.terms.shape[0], rewards.absent.shape[1]
    missing, full = np.zeros(n_terms), np.zeros(n_terms + 1)
    for g in range(mass.shape[0]):
        first, mine = rewards.first[g], rewards.absent[g]
        for j in range(width):
            missing[first + j] += mass[g] * mine[j]
        full[first + width] += mass[g]
    # `missing` becomes the terms of the integral, and `full` their sums from the left.
    beyond, total = 0.0, 0.0
    for j in range(n_terms):
        beyond += full[j]
        all_others = math.exp((rewards.n_samples - 1.0) * math.log1p(-min(1.0, missing[j] + beyond)))
        full[j] = total
        missing[j] = rewards.terms[j] * (all_others if rewards.n_samples > 1.0 else 1.0)
        total += missing[j]
    for g in range(mass.shape[0]):
        first, mine = rewards.first[g], rewards.absent[g]
        factor = full[first]
        for j in range(width):
            factor += missing[first + j] * (1.0 - mine[j])
        out[g] = math.exp(rewards.at[g]) * factor * rewards.n_samples


@kernel
def _hard_factors(mass, total, n_samples, out):
    """Write the factor of each level of the rule "hard", over `total`: ``(L),(),()->(L)``, O(L min(K, 16)).

    No difference of powers is computed. For few samples the factor is the sum of F^j G^(K-1-j), with F and G the
    probabilities of at most this level and of less. For more samples it is F^K (1 - (G/F)^K)/(F - G), by logarithms.
    `mass` are the weights of the levels, with the sum `total`.
    """
    n_levels, scale = mass.shape[0], 1.0 / total
    below = 0.0
    if n_samples <= _FEW_SAMPLES:
        lower, upper, power = np.empty(_LANES), np.empty(_LANES), np.empty(_LANES)
        for start in range(0, n_levels, _LANES):
            n = min(_LANES, n_levels - start)
            factor, mine = out[start : start + n], mass[start : start + n]
            for j in range(n):
                lower[j] = below
                below += mine[j]
                upper[j] = below
            for j in range(n):
                lower[j] *= scale
                upper[j] *= scale
                power[j] = lower[j]
                factor[j] = scale
            for _ in range(np.int64(n_samples) - 1):
                for j in range(n):
                    factor[j] = factor[j] * upper[j] + scale * power[j]
                    power[j] *= lower[j]
        return
    above = 0.0
    for reverse in range(n_levels):  # first the probability of better levels, so that F near 1 keeps its digits
        g = n_levels - 1 - reverse
        out[g] = above * scale
        above += mass[g]
    for g in range(n_levels):
        at_most = below + mass[g]
        if mass[g] > 0.0:
            log_upper = math.log1p(-out[g]) if out[g] < 0.5 else math.log(at_most * scale)
            log_ratio = math.log1p(-mass[g] / at_most) if below > 0.0 else -math.inf
            out[g] = -math.exp(n_samples * log_upper) * math.expm1(n_samples * log_ratio) / mass[g]
        else:
            out[g] = 0.0
        below = at_most


@kernel
def curate(starts, lengths, symbols, rewards, mass, weights, out):
    """Multiply weights by the factors of their rewards: ``(N),(N),(K),...,(K)->(K)``, O(m) and O(L), or O(L B) if soft.

    Parameters
    ----------
    starts, lengths : int64 (N), the first column of each list and its number of symbols.
    symbols : int32 (K), the listed symbols.
    rewards : `Rewards`.
    mass : float64 (L), the weights of each level, see `level_masses`; (0) where they are not known.
    weights : float64 (K), at least 0 and not all 0.
    out : float64 (K), may be `weights`. For a finite number of samples the products sum to 1.
    """
    n_blocks, n_levels = lengths.shape[0], rewards.at.shape[0]
    if math.isinf(rewards.n_samples):
        for block in range(n_blocks):
            for i in range(starts[block], starts[block] + lengths[block]):
                out[i] = weights[i] * rewards.gain[np.uint32(symbols[i])]
        return
    if mass.shape[0] == 0:
        mass = np.empty(n_levels)
        level_masses(starts, lengths, symbols, rewards, weights, mass)
    total, factors = total_of(mass), np.empty(n_levels)
    if rewards.soft:
        _soft_factors(mass / total, rewards, factors)
        for g in range(n_levels):
            factors[g] /= total
    else:
        _hard_factors(mass, total, rewards.n_samples, factors)
    is_level = rewards.place.shape[0] == 0
    for block in range(n_blocks):
        start, stop = starts[block], starts[block] + lengths[block]
        if is_level:
            for i in range(start, stop):
                out[i] = weights[i] * factors[np.uint32(rewards.level[np.uint32(symbols[i])])]
        else:
            apply_spread(symbols[start:stop], weights[start:stop], rewards, factors, out[start:stop])
