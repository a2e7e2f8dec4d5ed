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
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange

# Distance of the terms of the integral: the integrand is analytic for |Im t| < pi/2, the error is of e^(-pi^2/step).
_STEP = 0.25
# An argument x of e^(-x) is taken as 0 below e^_LOG_LEAST/K, and e^(-x) as 0 above e^_LOG_MOST.
_LOG_LEAST, _LOG_MOST = -39.5, 3.75
# More rewards than nodes at this distance are interpolated by polynomials through _POINTS nodes.
_NODE_STEP = 1.0 / 64.0
_POINTS = 8
_INVERSE_FACTORS = np.array([(-1.0) ** (7 - k) / (math.factorial(k) * math.factorial(7 - k)) for k in range(_POINTS)])
# Up to this K, the factors of the rule "hard" are a polynomial of positive terms.
_FEW_SAMPLES = 16
_LANES = 64
# Up to this number of levels, means are over levels: one look-up a symbol.
_FEW_LEVELS = 1024
_N_LANES = 8
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
        n_nodes = int(-at[0] / _NODE_STEP) + _POINTS + 1
        if len(levels) > n_nodes:
            lowest = at[0] - (_POINTS // 2 - 1) * _NODE_STEP
            position = (reward - largest - lowest) / _NODE_STEP
            level = np.clip(position.astype(np.int64) - (_POINTS // 2 - 1), 0, n_nodes - _POINTS)
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
def _node_weights(place, out):
    """Write the weights of the 8 nodes 0..7 of a polynomial at `place`: ``()->(8)``."""
    below = 1.0
    for k in range(_POINTS):
        out[k] = below * _INVERSE_FACTORS[k]
        below *= place - k
    above = 1.0
    for reverse in range(_POINTS):
        k = _POINTS - 1 - reverse
        out[k] *= above
        above *= place - k


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
def _hard_factors(mass, n_samples, out):
    """Write the factor of each level of the rule "hard": ``(L),()->(L)``, O(L min(K, 16)).

    No difference of powers is computed. For few samples the factor is the sum of F^j G^(K-1-j), with F and G the
    probabilities of at most this level and of less. For more samples it is F^K (1 - (G/F)^K)/(F - G), by logarithms.
    """
    n_levels = mass.shape[0]
    below = 0.0
    if n_samples <= _FEW_SAMPLES:
        lower, upper, power = np.empty(_LANES), np.empty(_LANES), np.empty(_LANES)
        for start in range(0, n_levels, _LANES):
            n = min(_LANES, n_levels - start)
            for j in range(_LANES):
                lower[j] = below
                below += mass[start + j] if j < n else 0.0
                upper[j] = below
                power[j] = lower[j]
            factor = out[start : start + n]
            for j in range(n):
                factor[j] = 1.0
            for _ in range(np.int64(n_samples) - 1):
                for j in range(n):
                    factor[j] = factor[j] * upper[j] + power[j]
                    power[j] *= lower[j]
        return
    above = 0.0
    for reverse in range(n_levels):  # first the probability of better levels, so that F near 1 keeps its digits
        g = n_levels - 1 - reverse
        out[g] = above
        above += mass[g]
    for g in range(n_levels):
        at_most = below + mass[g]
        if mass[g] > 0.0:
            log_upper = math.log1p(-out[g]) if out[g] < 0.5 else math.log(at_most)
            log_ratio = math.log1p(-mass[g] / at_most) if below > 0.0 else -math.inf
            out[g] = -math.exp(n_samples * log_upper) * math.expm1(n_samples * log_ratio) / mass[g]
        else:
            out[g] = 0.0
        below = at_most


@kernel
def _spread_mass(symbols, weights, rewards, mass):
    """Add weights to the nodes of their rewards: ``(m),(m)->(L)``."""
    of_nodes = np.empty(_POINTS)
    for i in range(symbols.shape[0]):
        if weights[i] > 0.0:
            symbol = np.uint32(symbols[i])
            _node_weights(rewards.place[symbol], of_nodes)
            for k in range(_POINTS):
                mass[rewards.level[symbol] + k] += weights[i] * of_nodes[k]


@kernel
def _apply_spread(symbols, weights, rewards, factors, out):
    """Write weights times the factors of their rewards, interpolated between nodes: ``(m),(m),(L)->(m)``."""
    of_nodes = np.empty(_POINTS)
    for i in range(symbols.shape[0]):
        factor = 0.0
        if weights[i] > 0.0:
            symbol = np.uint32(symbols[i])
            _node_weights(rewards.place[symbol], of_nodes)
            for k in range(_POINTS):
                factor += of_nodes[k] * factors[rewards.level[symbol] + k]
        out[i] = weights[i] * factor


@kernel
def _level_masses(starts, lengths, symbols, rewards, weights, mass):
    """Write the weights of each level or node: ``(N),(N),(K),...,(K)->(L)``, O(m) and O(L).

    A sum of a level waits for the one before, which many symbols of one level would do: each of eight lanes has sums.
    """
    n_levels = mass.shape[0]
    mass[:] = 0.0
    few = rewards.place.shape[0] == 0 and n_levels <= _FEW_LEVELS
    lanes = np.zeros(_N_LANES * n_levels if few else 0)
    for block in range(lengths.shape[0]):
        start, stop = starts[block], starts[block] + lengths[block]
        if few:
            whole = stop - (stop - start) % _N_LANES
            for i in range(start, whole, _N_LANES):
                for lane in range(_N_LANES):
                    level = np.uint32(rewards.level[np.uint32(symbols[i + lane])])
                    lanes[np.uint32(lane * n_levels) + level] += weights[i + lane]
            for i in range(whole, stop):
                lanes[np.uint32(rewards.level[np.uint32(symbols[i])])] += weights[i]
        elif rewards.place.shape[0] == 0:
            for i in range(start, stop):
                mass[np.uint32(rewards.level[np.uint32(symbols[i])])] += weights[i]
        else:
            _spread_mass(symbols[start:stop], weights[start:stop], rewards, mass)
    for i in range(lanes.shape[0]):
        mass[i % n_levels] += lanes[i]


@kernel
def curate(starts, lengths, symbols, rewards, mass, weights, out):
    """Multiply weights by the factors of their rewards: ``(N),(N),(K),...,(K)->(K)``, O(m) and O(L), or O(L B) if soft.

    Parameters
    ----------
    starts, lengths : int64 (N), the first column of each list and its number of symbols.
    symbols : int32 (K), the listed symbols.
    rewards : `Rewards`.
    mass : float64 (L), the weights of each level, see `measure_rewards`; (0) where they are not known.
    weights : float64 (K), at least 0 and not all 0.
    out : float64 (K), may be `weights`. For a finite number of samples the products sum to 1.
    """
    n_blocks, n_levels = lengths.shape[0], rewards.at.shape[0]
    if math.isinf(rewards.n_samples):
        for block in range(n_blocks):
            for i in range(starts[block], starts[block] + lengths[block]):
                out[i] = weights[i] * rewards.gain[np.uint32(symbols[i])]
        return
    shares, factors = np.empty(n_levels), np.empty(n_levels)
    if mass.shape[0] == 0:
        _level_masses(starts, lengths, symbols, rewards, weights, shares)
    else:
        shares[:] = mass
    total = total_of(shares)
    for g in range(n_levels):
        shares[g] /= total
    if rewards.soft:
        _soft_factors(shares, rewards, factors)
    else:
        _hard_factors(shares, rewards.n_samples, factors)
    for g in range(n_levels):
        factors[g] /= total
    is_level = rewards.place.shape[0] == 0
    for block in range(n_blocks):
        start, stop = starts[block], starts[block] + lengths[block]
        if is_level:
            for i in range(start, stop):
                out[i] = weights[i] * factors[np.uint32(rewards.level[np.uint32(symbols[i])])]
        else:
            _apply_spread(symbols[start:stop], weights[start:stop], rewards, factors, out[start:stop])


@kernel
def n_shared_levels(rewards):
    """Return the number of levels whose weights are kept between a state and the next draw; 0 where there are many."""
    few = rewards.place.shape[0] == 0 and rewards.at.shape[0] <= _FEW_LEVELS
    return rewards.at.shape[0] if few else 0


@kernel
def _reward_means(starts, lengths, symbols, counts, total, rewards, mass, out):
    """Write E r and E e^r of one state of `total` tokens: ``(N),(N),(K),(K),(),...,(L or 0)->(2)``, O(m)."""
    reward, gain = 0.0, 0.0
    for g in range(mass.shape[0]):
        reward += mass[g] * rewards.at[g]
        gain += mass[g] * math.exp(rewards.at[g])
    if mass.shape[0] == 0:
        for block in range(lengths.shape[0]):
            for i in range(starts[block], starts[block] + lengths[block]):
                symbol = np.uint32(symbols[i])
                reward += counts[i] * (rewards.reward[symbol] - rewards.largest)
                gain += counts[i] * rewards.gain[symbol]
    out[0] = rewards.largest + reward / total
    out[1] = math.exp(rewards.largest) * (gain / total)


@parallel_kernel
def measure_rewards(live, total, rewards, mass, out):
    """Write E r and E e^r of the states, and the weights of their levels: ``...->(R,L),(R,2)``, O(listed symbols).

    Parameters
    ----------
    live : `LiveCounts`, the states.
    total : number of tokens of a state.
    rewards : `Rewards`.
    mass : float64 (R, L) of `n_shared_levels`, or (R, 0).
    out : float64 (R, 2).
    """
    for r in prange(out.shape[0]):
        replicate = np.int64(r)
        starts, lengths = live.starts[replicate], live.lengths[replicate]
        symbols, counts = live.symbols[replicate], live.counts[replicate]
        if mass.shape[1] > 0:
            _level_masses(starts, lengths, symbols, rewards, counts, mass[replicate])
        _reward_means(starts, lengths, symbols, counts, np.float64(total), rewards, mass[replicate], out[replicate])
