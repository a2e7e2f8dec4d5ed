"""Counts of many symbols with nearly equal weights, as a spectrum: most tokens do not tell the symbols apart.

Each weight is the smallest one plus an excess. Tokens of the first part are uniform over the symbols, so that their
counts are split as those of one class. The few tokens of the excess are drawn one by one; the counts of the symbols
that they fall on are a uniform choice from the spectrum of the first part.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.discrete_variates import binomial
from fastcollapse.kernels.random.streams import uniform, uniform_below
from fastcollapse.kernels.spectrum.bag import DIGITS, HIGH, LOW, N_INFO, OFFSET, Bag, add, empty, sort
from fastcollapse.kernels.spectrum.removal import DEPTHS, add_after_removal, remove_from_classes
from fastcollapse.kernels.spectrum.split import EXCESS, N_PROBABILITIES, split_class

# Counts of a range lie within 13 deviations of a mean of up to _LARGEST_MEAN, so that they fit into the cells.
_CELLS = 8192
_LARGEST_MEAN = 1e5
# The largest mean number of tokens of the excess, half of what fits.
_LARGEST_EXCESS = _CELLS / 2


class EvenScratch(NamedTuple):
    """Work arrays: see `Scratch` of `refit`; `classes` is int64 (5, 2 _CELLS) and `found` int64 (2, _CELLS)."""

    probabilities: np.ndarray
    guide: np.ndarray
    classes: np.ndarray
    class_guide: np.ndarray
    depths: np.ndarray
    found: np.ndarray


@kernel
def relative_weight(law, first, i):
    """Return the weight of symbol i relative to that of symbol `first`."""
    return math.exp(-law.a * math.log1p((i - first) / (first + law.b)))


@kernel
def new_even_scratch():
    """Return work arrays."""
    return EvenScratch(
        np.empty((2, N_PROBABILITIES)),
        np.empty(N_PROBABILITIES, np.int32),
        np.empty((5, 2 * _CELLS), np.int64),
        np.empty(2 * _CELLS, np.int32),
        np.zeros(DEPTHS, np.int64),
        np.empty((2, _CELLS), np.int64),
    )


@kernel
def new_even_bag():
    """Return an empty bag for the first part."""
    info = np.zeros(N_INFO, np.int64)
    info[OFFSET], info[LOW], info[HIGH] = 0, _CELLS, -1
    far = np.empty((2, _CELLS), np.int64)
    return Bag(np.zeros(_CELLS, np.int64), far[0], far[1], np.empty(DIGITS, np.int64), info)


@kernel
def pays(m, n_tokens, least):
    """Whether m symbols with weights between `least` and 1 should be drawn as an even range, by estimated times.

    Not where the tokens of the excess take longest: then halves of the range are cheaper.
    """
    mean = n_tokens / m
    excess = 0.5 * (1.0 - least) * n_tokens
    others = 60.0 * math.sqrt(n_tokens) + 1000.0 * (1.0 + math.sqrt(mean))
    fits = mean < _LARGEST_MEAN and excess < _LARGEST_EXCESS
    return fits and 80.0 * excess < others and 80.0 * excess + others < 0.7 * min(77.0 * m, 15.0 * n_tokens)


@kernel
def draw_even_range(law, first, end, n_tokens, share, stream, work, inner, bag):
    """Add the counts of the symbols first..end-1 to `bag` and return the number of symbols without one.

    More than eight arguments, because the work arrays are of two kinds.

    Parameters
    ----------
    law, first, end, n_tokens : a law, a range for which `pays` holds, and its tokens.
    share : share of the excess in the weight of the range.
    stream : source of bits.
    work, inner, bag : `EvenScratch`, an empty bag of `new_even_bag`, and the bag that receives the counts.
    """
    m = end - first
    n_excess = min(binomial(n_tokens, share, stream), _CELLS)  # the mean is at most half of it
    n_even = n_tokens - n_excess
    values, numbers, removed, ends = work.classes[0], work.classes[1], work.classes[2], work.classes[3]
    mean = (n_even + EXCESS * math.sqrt(n_even)) / m
    total, n_classes = np.int64(-1), np.int64(0)
    while total < n_even:
        split_class(m, mean, stream, work.probabilities[0], work.probabilities[1], work.guide, inner)
        n_classes = empty(inner, np.int64(0), values, numbers)
        total = np.int64(0)
        for i in range(n_classes):
            total += values[i] * numbers[i]
    remove_from_classes(total - n_even, values, numbers, n_classes, stream, ends, work.class_guide, removed)
    zero = np.int64(0)
    for i in range(n_classes):
        add_after_removal(values[i], numbers[i], removed[i], zero, zero, stream, work.depths, inner)
    n_classes = empty(inner, zero, values, numbers)
    if n_excess > 0:
        _place_excess(law, first, end, n_excess, n_classes, stream, work, bag)
    n_extinct = np.int64(0)
    for i in range(n_classes):
        if values[i] == 0:
            n_extinct = numbers[i]
        elif numbers[i] > 0:
            add(values[i], numbers[i], bag)
    return n_extinct


@kernel
def _place_excess(law, first, end, n_excess, n_classes, stream, work, bag):
    """Draw the tokens of the excess, and move the symbols that they fall on from the classes to the bag."""
    values, numbers, removed, ends, ones = (
        work.classes[0],
        work.classes[1],
        work.classes[2],
        work.classes[3],
        work.classes[4],
    )
    found = work.found[0]
    least = relative_weight(law, first, end - 1)
    for t in range(n_excess):
        while True:
            i = uniform_below(end - first, stream)
            if uniform(stream) * (1.0 - least) < relative_weight(law, first, first + i) - least:
                break
        found[t] = i
    sort(found, work.found[1], bag.digits, n_excess)
    # How many symbols have 1, 2, 3, ... of the tokens.
    repeats = work.found[1]
    most, t = 0, 0
    for i in range(n_excess):
        repeats[i] = 0
    while t < n_excess:
        start = t
        while t < n_excess and found[t] == found[start]:
            t += 1
        repeats[t - start - 1] += 1
        most = max(most, t - start)
    for i in range(n_classes):
        ones[i] = 1
    for extra in range(1, most + 1):
        if repeats[extra - 1] > 0:
            remove_from_classes(repeats[extra - 1], ones, numbers, n_classes, stream, ends, work.class_guide, removed)
            for i in range(n_classes):
                if removed[i] > 0:
                    numbers[i] -= removed[i]
                    add(values[i] + extra, removed[i], bag)
