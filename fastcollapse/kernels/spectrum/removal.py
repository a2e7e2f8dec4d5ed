"""Removal of tokens, uniformly without replacement, from symbols in classes of equal counts."""

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.discrete_variates import hypergeometric
from fastcollapse.kernels.random.streams import uniform_below
from fastcollapse.kernels.spectrum.bag import add

# With more tokens to remove than this many a class, a chain of hypergeometric variates replaces single picks.
_CHAIN_FROM = 32
# More tokens than DEPTHS - 1 are not taken from one of many symbols.
DEPTHS = 64


@kernel
def remove_from_classes(n_tokens, values, numbers, n_classes, stream, ends, guide, removed):
    """Draw the number of removed tokens of each class: ``(),(m),(m),()->(m)``.

    Parameters
    ----------
    n_tokens : number of tokens to remove, at most their number.
    values, numbers : int64 (m), tokens of each symbol of a class, and symbols.
    n_classes : number of classes in use.
    stream : source of bits.
    ends, guide : int64 and int32 (m), scratch.
    removed : int64 (m).
    """
    total = np.int64(0)
    for i in range(n_classes):
        total += values[i] * numbers[i]
        ends[i] = total
        removed[i] = 0
    if n_tokens > _CHAIN_FROM * n_classes:
        for i in range(n_classes):
            good = values[i] * numbers[i]
            removed[i] = hypergeometric(good, total - good, n_tokens, stream)
            n_tokens -= removed[i]
            total -= good
        return
    if n_tokens == 0:
        return
    step = total / n_classes
    i = 0
    for part in range(n_classes):
        while ends[i] <= part * step and i < n_classes - 1:
            i += 1
        guide[part] = i
    left = n_tokens
    while left > 0:
        # The removed tokens of a class count as its last ones. A pick that falls on them is drawn again.
        place = uniform_below(total, stream)
        i = guide[min(np.int64(place / step), n_classes - 1)]
        while i > 0 and ends[i - 1] > place:
            i -= 1
        while ends[i] <= place:
            i += 1
        if ends[i] - place > removed[i]:
            removed[i] += 1
            left -= 1


@kernel
def add_after_removal(value, number, n_removed, base, least, stream, depths, bag):
    """Add the counts of a class to a bag after the removal of some of its tokens.

    Parameters
    ----------
    value, number : tokens of each symbol, and symbols of the class.
    n_removed : tokens to remove, a uniform subset of those of the class.
    base : added to every count.
    least : 1 leaves symbols without a count out of the bag, 0 does not.
    stream : source of bits.
    depths : int64 (DEPTHS), scratch; zero before and after.
    bag : receives base + value - removed.

    Returns
    -------
    Number of symbols whose count is 0 before `base` is added.
    """
    if n_removed == 0:
        if base + value >= least:
            add(base + value, number, bag)
        return number if value == 0 else np.int64(0)
    gone = np.int64(0)
    if n_removed >= number:
        rest = value * number
        for _ in range(number):
            rest -= value
            taken = hypergeometric(value, rest, n_removed, stream)
            n_removed -= taken
            gone += taken == value
            if base + value - taken >= least:
                add(base + value - taken, 1, bag)
        return gone
    # Number of symbols that have lost 0, 1, 2, ... tokens, token by token.
    depths[0] = number
    deepest = 0
    for t in range(n_removed):
        if deepest == DEPTHS - 1:  # a probability below 1e-80
            break
        place = uniform_below(value * number - t, stream)
        lost = 0
        while place >= (value - lost) * depths[lost]:
            place -= (value - lost) * depths[lost]
            lost += 1
        depths[lost] -= 1
        depths[lost + 1] += 1
        deepest = max(deepest, lost + 1)
    for lost in range(deepest + 1):
        if lost == value:
            gone += depths[lost]
        if depths[lost] > 0 and base + value - lost >= least:
            add(base + value - lost, depths[lost], bag)
        depths[lost] = 0
    return gone
