"""The first sample of a Zipf-Mandelbrot law as a spectrum, without an array over symbols.

Tokens are divided over halves of ranges of symbols by binomials, down to ranges that are short or have few tokens: a
multinomial, exactly. Only ranges with tokens are visited, so the cost grows with the number of symbols in the sample.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel, parallel_kernel, prange
from fastcollapse.kernels.random.discrete_variates import binomial, poisson
from fastcollapse.kernels.random.streams import STREAM_WORDS, generation_stream, uniform, uniform_below
from fastcollapse.kernels.spectrum.bag import Bag, add, empty, sort
from fastcollapse.kernels.spectrum.even_range import (
    draw_even_range,
    new_even_bag,
    new_even_scratch,
    pays,
    relative_weight,
)
from fastcollapse.kernels.spectrum.rows import sum_rows
from fastcollapse.kernels.spectrum.split import EXCESS

# Ranges of up to _FEW symbols are drawn symbol by symbol, others once their weights differ by at most a factor of 2 and
# they have up to _SHORT symbols or _SPARSE tokens.
_FEW = 16
_SHORT = 4096
_SPARSE = 2048
_STACK = 512


class Law(NamedTuple):
    """Weights (i + b)^-a of the symbols i = 1..size."""

    a: float
    b: float
    size: int


@kernel
def range_sum(law, first, end):
    """Return the sum of the weights of the symbols first..end-1, relative to that of `first`.

    The first terms one by one, the others by the formula of Euler and Maclaurin with four terms, to about 1e-15.
    """
    a, b = law.a, law.b
    head = 0.0
    start = first
    while start < end and (start - first < _FEW or start + b < 6.0 * (a + 8.0)):
        term = relative_weight(law, first, start)
        head += term
        start += 1
        if term < 1e-40:
            return head
    if start == end:
        return head
    x, y = start + b, end + b
    f, g = relative_weight(law, first, start), relative_weight(law, first, end)
    log_ratio = math.log1p((end - start) / x)
    power = (1.0 - a) * log_ratio
    integral = x * log_ratio * (math.expm1(power) / power if power != 0.0 else 1.0) * f
    total = integral + 0.5 * (f - g)
    f *= a / x
    g *= a / y
    total += (f - g) / 12.0
    f *= (a + 1.0) * (a + 2.0) / (x * x)
    g *= (a + 1.0) * (a + 2.0) / (y * y)
    total -= (f - g) / 720.0
    f *= (a + 3.0) * (a + 4.0) / (x * x)
    g *= (a + 3.0) * (a + 4.0) / (y * y)
    total += (f - g) / 30240.0
    f *= (a + 5.0) * (a + 6.0) / (x * x)
    g *= (a + 5.0) * (a + 6.0) / (y * y)
    return head + total - (f - g) / 1209600.0


@kernel
def _draw_few(law, first, end, n_tokens, stream, counts):
    """Draw the counts of a few symbols by conditional binomials."""
    for i in range(first, end):
        if i == end - 1:
            x = n_tokens
        else:
            rest = 0.0
            for j in range(end - 1, i - 1, -1):
                rest += relative_weight(law, i, j)
            x = binomial(n_tokens, 1.0 / rest, stream)
        counts[i - first] = x
        n_tokens -= x


@kernel
def _draw_dense(law, first, end, n_tokens, stream, counts):
    """Draw the counts of a short range with many tokens: Poisson counts in excess, and the removal of some tokens."""
    m = end - first
    scale = (n_tokens + EXCESS * math.sqrt(n_tokens)) / range_sum(law, first, end)
    total, largest = np.int64(-1), np.int64(0)
    while total < n_tokens:
        total, largest = np.int64(0), np.int64(0)
        for i in range(m):
            counts[i] = poisson(scale * relative_weight(law, first, first + i), stream)
            total += counts[i]
            largest = max(largest, counts[i])
    while total > n_tokens:
        i = uniform_below(m, stream)
        if uniform_below(largest, stream) < counts[i]:
            counts[i] -= 1
            total -= 1


@kernel
def _pick(law, first, end, least, stream):
    """Return the number of a symbol of a range, from 0, drawn by weight; `least` is the smallest relative weight."""
    while True:
        i = uniform_below(end - first, stream)
        u = uniform(stream)
        if u < least or u < relative_weight(law, first, first + i):
            return i


@kernel
def _draw_range(law, first, end, n_tokens, with_lost, stream, counts, bag):
    """Add the counts of a range to the bag, and return the relative weight of its symbols without a count.

    Parameters
    ----------
    law, first, end, n_tokens : `Law`, symbols first..end-1, and their tokens, at least 1.
    with_lost : whether the weight is wanted; otherwise 0 is returned.
    stream : source of bits.
    counts : int64 (2, _SHORT), scratch.
    bag : `Bag`; its digits serve to sort.
    """
    m = end - first
    lost = 0.0
    if m > _FEW and n_tokens <= _SPARSE and 2 * n_tokens < m:
        least = relative_weight(law, first, end - 1)
        found = counts[0]
        for t in range(n_tokens):
            found[t] = _pick(law, first, end, least, stream)
        sort(found, counts[1], bag.digits, n_tokens)
        alive, t = 0.0, 0
        while t < n_tokens:
            start = t
            while t < n_tokens and found[t] == found[start]:
                t += 1
            add(t - start, 1, bag)
            if with_lost:
                alive += relative_weight(law, first, first + found[start])
        return max(0.0, range_sum(law, first, end) - alive) if with_lost else 0.0
    if m <= _FEW:
        _draw_few(law, first, end, n_tokens, stream, counts[0])
    elif n_tokens <= 2 * m:
        least = relative_weight(law, first, end - 1)
        for i in range(m):
            counts[0, i] = 0
        for _ in range(n_tokens):
            counts[0, _pick(law, first, end, least, stream)] += 1
    else:
        _draw_dense(law, first, end, n_tokens, stream, counts[0])
    for i in range(m):
        if counts[0, i] > 0:
            add(counts[0, i], 1, bag)
        elif with_lost:
            lost += relative_weight(law, first, first + i)
    return lost


@kernel
def _sample(law, n_tokens, with_lost, stream, bag):
    """Add the counts of a sample to an empty bag, the last symbols first, and return the lost mass."""
    stack, counts = np.empty((_STACK, 3), np.int64), np.empty((2, _SHORT), np.int64)
    stack[0, 0], stack[0, 1], stack[0, 2] = 1, law.size + 1, n_tokens
    depth, lost = 1, 0.0
    work, inner = new_even_scratch(), new_even_bag()
    while depth > 0:
        depth -= 1
        first, end, tokens = stack[depth, 0], stack[depth, 1], stack[depth, 2]
        m = end - first
        if tokens == 0:
            if with_lost:
                lost += relative_weight(law, 1, first) * range_sum(law, first, end)
            continue
        least = relative_weight(law, first, end - 1)
        is_even = least >= 0.5
        # The lost mass needs to know which symbols are lost. With 60 tokens a symbol none are.
        if is_even and pays(m, tokens, least) and (not with_lost or tokens > 60 * m):
            weight = range_sum(law, first, end)
            n_lost = draw_even_range(law, first, end, tokens, 1.0 - m * least / weight, stream, work, inner, bag)
            if with_lost:
                lost += relative_weight(law, 1, first) * (n_lost * weight / m)
            continue
        if m <= _FEW or (is_even and (m <= _SHORT or (tokens <= _SPARSE and 2 * tokens < m))):
            part = _draw_range(law, first, end, tokens, with_lost, stream, counts, bag)
            if with_lost:
                lost += relative_weight(law, 1, first) * part
            continue
        middle = first + m // 2
        if not is_even:
            start = first + law.b
            middle = min(middle, first + max(1, np.int64(start * (math.sqrt((end + law.b) / start) - 1.0))))
        lower = range_sum(law, first, middle)
        upper = range_sum(law, middle, end) * relative_weight(law, first, middle)
        below = binomial(tokens, lower / (lower + upper), stream)
        stack[depth, 0], stack[depth, 1], stack[depth, 2] = first, middle, below
        stack[depth + 1, 0], stack[depth + 1, 1], stack[depth + 1, 2] = middle, end, tokens - below
        depth += 2
    return lost / range_sum(law, 1, law.size + 1)


@kernel
def _sample_share(thread, law, step, key, with_lost, bags, rows, lengths, sums, lost):
    """Draw the samples of one thread: more than eight arguments, because a `prange` body takes no group of groups."""
    bag = Bag(bags.cells[thread], bags.far[thread], bags.spare[thread], bags.digits[thread], bags.info[thread])
    stream = np.empty(STREAM_WORDS, np.uint64)
    for replicate in range(thread, lengths.shape[0], step.n_threads):
        generation_stream(key, replicate, step.generation, step.purpose, stream)
        lost[replicate] = _sample(law, step.n_tokens, with_lost, stream, bag)
        lengths[replicate] = empty(bag, np.int64(0), rows.counts[replicate], rows.numbers[replicate])
        sum_rows(rows.counts[replicate], rows.numbers[replicate], lengths[replicate], sums[replicate])


@parallel_kernel
def sample_law(law, step, key, with_lost, bags, rows, lengths, out):
    """Draw a sample of a law for each replicate: ``->(R,M),(R)``, O(symbols in the sample).

    Parameters
    ----------
    law, step : `Law`, and the `Step` with the size of the sample, its generation and purpose.
    key : `StreamKey` of the run.
    with_lost : whether the lost mass is computed.
    bags : a `Bag` with the axis T; `TOO_SHORT` of a thread marks samples that are incomplete.
    rows : `Rows` (R, M), zeros, with a column for each count that a sample may have.
    lengths : int64 (R).
    out : sums float64 (R, N_SUMS), and the lost mass float64 (R).
    """
    sums, lost = out
    for thread in prange(step.n_threads):
        # A parallel loop counts in uint64, for which the function would be compiled again.
        _sample_share(np.int64(thread), law, step, key, with_lost, bags, rows, lengths, sums, lost)
