"""Poisson counts of many symbols with equal means: the number of symbols of each count."""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.discrete_variates import binomial, poisson
from fastcollapse.kernels.random.streams import uniform
from fastcollapse.kernels.spectrum.bag import add

# Tokens that a sample of n draws in excess before their removal, in units of sqrt(n): 1 throws 16 % of the samples
# away, 2 throws 2.3 %, 3 throws 0.1 %.
EXCESS = 2.0
# Probabilities of a class are computed for counts within at most 14 deviations of the mean: this many fit.
N_PROBABILITIES = 1 << 16
_CENTRE = N_PROBABILITIES // 2
_MEAN_LIMIT = (N_PROBABILITIES / 32.0) ** 2
# With d = sqrt(mean) + 1, a chain of binomials is used for more than d _CHAIN_FROM symbols, else look-ups in a table
# for more than d _TABLE_FROM. A binomial takes 80 ns, a look-up 8, a Poisson variate 25, an entry of the table 7.
_CHAIN_FROM = 60.0
_TABLE_FROM = 5.0
# The probability, for all symbols of a class together, beyond which counts are left out.
_NEGLIGIBLE = 1e-14


@kernel
def _relative_probabilities(mean, n_symbols, out):
    """Write Poisson probabilities relative to the mode, whose place is _CENTRE: ``(),()->(m)``.

    Returns
    -------
    The places in `out` of the first count and of the end. The counts left out have a probability below
    1e-14 / n_symbols together.
    """
    mode = np.int64(mean)
    least = _NEGLIGIBLE / n_symbols
    out[_CENTRE] = 1.0
    begin, weight, count = _CENTRE, 1.0, np.float64(mode)
    while count > 0.0 and weight > least:
        weight *= count / mean
        count -= 1.0
        begin -= 1
        out[begin] = weight
    end, weight, count = _CENTRE + 1, 1.0, mode + 1.0
    while weight > least:
        weight *= mean / count
        count += 1.0
        out[end] = weight
        end += 1
    return begin, end


@kernel
def _chain(n_symbols, mode, begin, end, weights, tails, stream, bag):
    """Split symbols over counts by conditional binomials, from the mode to both sides until none is left.

    Parameters
    ----------
    n_symbols, mode : number of symbols, and the count of the place _CENTRE.
    begin, end, weights : see `_relative_probabilities`.
    tails : float64, scratch as long as `weights`.
    stream, bag : source of bits, and receiver of the counts.
    """
    # Sums from the outside in have small relative errors, which differences of sums have not.
    lower = 0.0
    for i in range(begin, _CENTRE):
        lower += weights[i]
        tails[i] = lower
    upper = 0.0
    for i in range(end - 1, _CENTRE - 1, -1):
        upper += weights[i]
        tails[i] = upper
    left = binomial(n_symbols, lower / (lower + upper), stream)
    right = n_symbols - left
    i, step, last = _CENTRE, 1, end - 1
    for _ in range(2):
        while right > 0:
            number = right if i == last else binomial(right, weights[i] / tails[i], stream)
            if number > 0:
                add(mode + (i - _CENTRE), number, bag)
            right -= number
            i += step
        right, i, step, last = left, _CENTRE - 1, -1, begin
        left = np.int64(0)


@kernel
def _look_up(n_symbols, mode, begin, end, weights, guide, stream, bag):
    """Draw one count for each symbol by inversion in a table with a guide; arguments as those of `_chain`.

    `weights` become running sums. `guide` is int32, as long as `weights`.
    """
    total = 0.0
    for i in range(begin, end):
        total += weights[i]
        weights[i] = total
    size = end - begin
    step = total / size
    cell = begin
    for part in range(size):
        while weights[cell] <= part * step and cell < end - 1:
            cell += 1
        guide[part] = cell
    for _ in range(n_symbols):
        u = uniform(stream)
        place = u * total
        cell = int(guide[min(np.int64(u * size), size - 1)])
        while cell > begin and weights[cell - 1] > place:
            cell -= 1
        while weights[cell] <= place and cell < end - 1:
            cell += 1
        add(mode + (cell - _CENTRE), 1, bag)


@kernel
def split_class(n_symbols, mean, stream, weights, tails, guide, bag):
    """Add independent Poisson counts of `n_symbols` symbols of one mean to a bag; exact in law.

    The cheapest of three ways: a variate for each symbol, a look-up for each symbol, or a binomial for each count.

    Parameters
    ----------
    n_symbols : at least 1.
    mean : above 0, at most 1e15.
    stream : source of bits.
    weights, tails, guide : float64 and int32 (N_PROBABILITIES), scratch.
    bag : receives the counts.
    """
    width = math.sqrt(mean) + 1.0
    if n_symbols < _TABLE_FROM * width or mean > _MEAN_LIMIT:
        for _ in range(n_symbols):
            add(poisson(mean, stream), 1, bag)
        return
    mode = np.int64(mean)
    begin, end = _relative_probabilities(mean, n_symbols, weights)
    if n_symbols < _CHAIN_FROM * width:
        _look_up(n_symbols, mode, begin, end, weights, guide, stream, bag)
    else:
        _chain(n_symbols, mode, begin, end, weights, tails, stream, bag)
