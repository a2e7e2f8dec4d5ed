"""The weights of the levels of rewards, and the expected rewards of states."""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange

# Nodes of an interpolating polynomial.
N_POINTS = 8
_INVERSE_FACTORS = np.array([(-1.0) ** (7 - k) / (math.factorial(k) * math.factorial(7 - k)) for k in range(N_POINTS)])
# Up to this number of levels the weights of a level are summed in lanes, and means are over levels.
_FEW_LEVELS = 1024
_LANES = 8


@kernel
def _node_weights(place, out):
    """Write the weights of the 8 nodes 0..7 of a polynomial at `place`: ``()->(8)``."""
    below = 1.0
    for k in range(N_POINTS):
        out[k] = below * _INVERSE_FACTORS[k]
        below *= place - k
    above = 1.0
    for reverse in range(N_POINTS):
        k = N_POINTS - 1 - reverse
        out[k] *= above
        above *= place - k


@kernel
def _spread_mass(symbols, weights, rewards, mass):
    """Add weights to the nodes of their rewards: ``(m),(m)->(L)``."""
    of_nodes = np.empty(N_POINTS)
    for i in range(symbols.shape[0]):
        if weights[i] > 0.0:
            symbol = np.uint32(symbols[i])
            _node_weights(rewards.place[symbol], of_nodes)
            for k in range(N_POINTS):
                mass[rewards.level[symbol] + k] += weights[i] * of_nodes[k]


@kernel
def apply_spread(symbols, weights, rewards, factors, out):
    """Write weights times the factors of their rewards, interpolated between nodes: ``(m),(m),(L)->(m)``."""
    of_nodes = np.empty(N_POINTS)
    for i in range(symbols.shape[0]):
        factor = 0.0
        if weights[i] > 0.0:
            symbol = np.uint32(symbols[i])
            _node_weights(rewards.place[symbol], of_nodes)
            for k in range(N_POINTS):
                factor += of_nodes[k] * factors[rewards.level[symbol] + k]
        out[i] = weights[i] * factor


@kernel
def level_masses(starts, lengths, symbols, rewards, weights, mass):
    """Write the weights of each level or node: ``(N),(N),(K),...,(K)->(L)``, O(m) and O(L).

    A sum of a level waits for the one before, which many symbols of one level would do: each of eight lanes has sums.
    """
    n_levels = mass.shape[0]
    mass[:] = 0.0
    few = rewards.place.shape[0] == 0 and n_levels <= _FEW_LEVELS
    lanes = np.zeros(_LANES * n_levels if few else 0)
    for block in range(lengths.shape[0]):
        start, stop = starts[block], starts[block] + lengths[block]
        if few:
            whole = stop - (stop - start) % _LANES
            for i in range(start, whole, _LANES):
                for lane in range(_LANES):
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
    rewards : `Rewards`, see `reward_table`.
    mass : float64 (R, L) of `n_shared_levels`, or (R, 0).
    out : float64 (R, 2).
    """
    for r in prange(out.shape[0]):
        replicate = np.int64(r)
        starts, lengths = live.starts[replicate], live.lengths[replicate]
        symbols, counts = live.symbols[replicate], live.counts[replicate]
        if mass.shape[1] > 0:
            level_masses(starts, lengths, symbols, rewards, counts, mass[replicate])
        _reward_means(starts, lengths, symbols, counts, np.float64(total), rewards, mass[replicate], out[replicate])
