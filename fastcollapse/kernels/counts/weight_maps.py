"""Maps of discrete states before they are sampled: the weights of the listed symbols."""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.counts.best_of import curate
from fastcollapse.kernels.counts.count_corrections import total_of
from fastcollapse.kernels.counts.largest_weights import keep_largest
from fastcollapse.kernels.counts.live_counts import expand_list
from fastcollapse.kernels.jit import kernel, parallel_kernel, prange

# Powers of whole counts below this are looked up.
_TABLED = 2048
# Logarithm up to which powers are computed without a scale.
_LOG_LARGE = 300.0


class Maps(NamedTuple):
    """Maps, in the order in which they apply; curation is in `Rewards`.

    Attributes
    ----------
    exponent : 1/T; 1.0 for no temperature.
    powers : float64 (2048), x^exponent for x = 0, 1, ..., or (0) where they overflow.
    n_largest : number of symbols that are kept; 0 for all.
    share : the least share of the probability that is kept, of the largest ones; 0.0 for all.
    spares_truth : whether tokens of the truth, those of generation 1, are drawn without a map.
    """

    exponent: float
    powers: np.ndarray
    n_largest: int
    share: float
    spares_truth: bool


def new_maps(temperature: float | None, n_largest: int | None, share: float | None, spares_truth: bool = False) -> Maps:
    """Return maps; None is the identity.

    Examples
    --------
    >>> new_maps(2.0, None, None).powers[:3]
    array([0.        , 1.        , 1.41421356])
    """
    exponent = 1.0 if temperature is None else 1.0 / temperature
    fits = exponent != 1.0 and exponent * math.log(_TABLED) < _LOG_LARGE
    powers = np.arange(_TABLED, dtype=np.float64) ** exponent if fits else np.zeros(0)
    return Maps(exponent, powers, n_largest or 0, share or 0.0, spares_truth)


@kernel
def _copy_state(replicate, live, of_truth, truth, out):
    """Write the counts of the lists, or the weights of the truth: ``->(K)``."""
    for block in range(live.lengths.shape[1]):
        start = live.starts[replicate, block]
        stop = start + live.lengths[replicate, block]
        if not of_truth:
            for i in range(start, stop):
                out[i] = live.counts[replicate, i]
        elif truth.law.shape[0] > 0:
            for i in range(start, stop):
                out[i] = truth.law[live.symbols[replicate, i]]
        else:
            for i in range(start, stop):
                out[i] = truth.counts[0, live.symbols[replicate, i]]


@kernel
def _temper(starts, lengths, exponent, weights):
    """Raise weights to the power 1/T, divided by the largest, so that nothing overflows: ``(N),(N),()->(K)``."""
    largest = 0.0
    for block in range(lengths.shape[0]):
        for i in range(starts[block], starts[block] + lengths[block]):
            largest = max(largest, weights[i])
    for block in range(lengths.shape[0]):
        for i in range(starts[block], starts[block] + lengths[block]):
            weights[i] = (weights[i] / largest) ** exponent


@kernel
def _temper_counts(starts, lengths, counts, maps, out):
    """Write whole counts to the power 1/T, and return their sum: ``(N),(N),(K)->(K),()``. Most are looked up."""
    powers, total = maps.powers, 0.0
    for block in range(lengths.shape[0]):
        start, stop = starts[block], starts[block] + lengths[block]
        n_large = np.int64(0)
        for i in range(start, stop):
            x = counts[i]
            out[i] = powers[np.uint32(np.int32(x if x < _TABLED else 0.0))]
            n_large += np.int64(x >= _TABLED)
        if n_large > 0:
            for i in range(start, stop):
                if counts[i] >= _TABLED:
                    out[i] = counts[i] ** maps.exponent
        total += total_of(out[start:stop])
    return total


@kernel
def _map_replicate(replicate, live, total, is_whole, truth, maps, rewards, mass, out):
    """Write the mapped weights of the lists of one replicate, and return their sum up to rounding.

    More than eight arguments, because the weights of the levels belong to the state and the rewards to the run.
    """
    starts, lengths = live.starts[replicate], live.lengths[replicate]
    tabled = is_whole and total > 0 and maps.powers.shape[0] > 0
    curates, selects = rewards.n_samples > 0.0, maps.n_largest > 0 or maps.share > 0.0
    if total == 0 and maps.spares_truth:
        _copy_state(replicate, live, True, truth, out)
        return truth.total
    if curates and total > 0 and maps.exponent == 1.0 and not selects:
        curate(starts, lengths, live.symbols[replicate], rewards, mass, live.counts[replicate], out)
        curates = False
    elif tabled and maps.exponent * math.log(np.float64(total)) < _LOG_LARGE:
        sum_of_weights = _temper_counts(starts, lengths, live.counts[replicate], maps, out)
        if not curates and not selects:
            return sum_of_weights
    else:
        _copy_state(replicate, live, total == 0, truth, out)
        if maps.exponent != 1.0:
            _temper(starts, lengths, maps.exponent, out)
    if maps.n_largest > 0:
        keep_largest(starts, lengths, maps.n_largest, 0.0, out)
    if maps.share > 0.0:
        keep_largest(starts, lengths, 0, maps.share, out)
    if curates:
        curate(starts, lengths, live.symbols[replicate], rewards, mass[:0], out, out)
    if 0.0 < rewards.n_samples < math.inf:
        return 1.0
    sum_of_weights = 0.0
    for block in range(lengths.shape[0]):
        sum_of_weights += total_of(out[starts[block] : starts[block] + lengths[block]])
    return sum_of_weights


@kernel
def _mix_in_truth(starts, lengths, symbols, probability, share, total, out):
    """Write (1 - share) weight / total + share probability for each symbol: ``(N),(N),(K),(K),(),()->(K)``, O(K)."""
    n_blocks, n_symbols = lengths.shape[0], probability.shape[0]
    for block in range(n_blocks):
        stop = starts[block + 1] if block + 1 < n_blocks else n_symbols
        expand_list(symbols, starts[block], lengths[block], stop, out)
    for symbol in range(n_symbols):
        out[symbol] = (1.0 - share) * (out[symbol] / total) + share * probability[symbol]


@parallel_kernel
def sampling_weights(live, total, is_whole, truth, maps, rewards, masses, share, weights):
    """Write the weights from which the next tokens are drawn: ``...->(R K + R)``, O(listed symbols) or O(K).

    More than eight arguments, because the weights of the levels belong to the state and the rewards to the run.

    Parameters
    ----------
    live : `LiveCounts`, the state.
    total : number of tokens of the state; 0 if it is the truth, so that the lists hold all symbols.
    is_whole : whether the counts are whole numbers.
    truth : `TruthTable`.
    maps, rewards : `Maps` and `Rewards`.
    masses : float64 (R, L or 0), the weights of the levels of the rewards, see `measure_rewards`.
    share : probability that a token is drawn from the truth, which is not mapped; below 0 without real tokens. With a
        share the weights are of all symbols, and the lists must begin at the starts of their blocks.
    weights : float64 (R K + R): the weights of each replicate, aligned with its lists, and then the sum of each.
    """
    n_replicates, n_symbols = live.counts.shape
    for replicate in prange(n_replicates):
        row = weights[replicate * n_symbols : (replicate + 1) * n_symbols]
        mass = _map_replicate(np.int64(replicate), live, total, is_whole, truth, maps, rewards, masses[replicate], row)
        if share >= 0.0:
            starts, lengths = live.starts[replicate], live.lengths[replicate]
            _mix_in_truth(starts, lengths, live.symbols[replicate], truth.probability, share, mass, row)
            mass = 1.0
        weights[n_replicates * n_symbols + replicate] = mass
