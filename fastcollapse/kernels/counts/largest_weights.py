"""The largest weights of a list: a given number of them, or the fewest with a given sum."""

import numpy as np

from fastcollapse.kernels.float_bits import bits_of, float_of
from fastcollapse.kernels.jit import kernel

_DIGIT_BITS = 11
_DIGITS = 1 << _DIGIT_BITS
# Positions of the digits of a positive float64 below its sign; the last one has the 8 lowest bits.
_SHIFTS = np.array([52, 41, 30, 19, 8, 0])
_LAST_MASK = 255
# A sum reaches a share of the total if it is this close to it, so that rounding adds no symbol.
_TOLERANCE = 1e-12


@kernel
def _threshold(candidates, n_left, sum_left):
    """Return the bits of the least weight that is kept, and the number of weights of these bits that are kept.

    The weights are sorted into classes by one digit after the other, from the highest bits on, and only the class of
    the threshold is sorted further: O(m).

    Parameters
    ----------
    candidates : int64 (m), the bits of positive weights; changed.
    n_left : the number of weights to keep, at most m; 0 for a sum.
    sum_left : their sum, where `n_left` is 0.
    """
    by_number = n_left > 0
    numbers, sums = np.empty(_DIGITS, np.int64), np.empty(_DIGITS)
    n = candidates.shape[0]
    for place in range(_SHIFTS.shape[0]):
        shift = np.int64(_SHIFTS[place])
        mask = np.int64(_DIGITS - 1) if shift > 0 else np.int64(_LAST_MASK)
        for digit in range(_DIGITS):
            numbers[digit] = 0
            sums[digit] = 0.0
        for i in range(n):
            digit = (candidates[i] >> shift) & mask
            numbers[digit] += 1
            sums[digit] += float_of(candidates[i])
        chosen, lowest = -1, 0
        for reverse in range(_DIGITS):
            digit = _DIGITS - 1 - reverse
            if numbers[digit] == 0 or chosen >= 0:
                continue
            lowest = digit
            if (by_number and n_left <= numbers[digit]) or (not by_number and sum_left <= sums[digit]):
                chosen = digit
            else:
                n_left -= numbers[digit]
                sum_left -= sums[digit]
        if chosen < 0:  # rounding has left a rest of the sum
            chosen, sum_left = lowest, sums[lowest]
        kept = np.int64(0)
        for i in range(n):
            bits = candidates[i]
            candidates[kept] = bits
            kept += np.int64(((bits >> shift) & mask) == chosen)
        n = kept
    if not by_number:
        n_left = min(n, max(np.int64(1), np.int64(np.ceil(sum_left / float_of(candidates[0])))))
    return candidates[0], n_left


@kernel
def keep_largest(starts, lengths, n_largest, share, weights):
    """Set all but the largest weights to zero; of equal ones the first are kept: ``(N),(N),(),()->(K)``, O(m).

    Parameters
    ----------
    starts, lengths : int64 (N), the first column of each list and its number of weights.
    n_largest : the number of weights to keep, at least 1; 0 keeps the fewest with a sum.
    share : the least share of the total that this sum has, above 0, at most 1 within 1e-12.
    weights : float64 (K), at least 0; updated.
    """
    n_listed = np.int64(0)
    for block in range(lengths.shape[0]):
        n_listed += lengths[block]
    candidates = np.empty(n_listed, np.int64)
    n, total = np.int64(0), 0.0
    for block in range(lengths.shape[0]):
        for i in range(starts[block], starts[block] + lengths[block]):
            candidates[n] = bits_of(weights[i])
            n += np.int64(weights[i] > 0.0)
            total += weights[i]
    if n_largest >= n:
        return
    least, n_equal = _threshold(candidates[:n], np.int64(n_largest), share * total * (1.0 - _TOLERANCE))
    for block in range(lengths.shape[0]):
        for i in range(starts[block], starts[block] + lengths[block]):
            bits = bits_of(weights[i])
            if bits == least and n_equal > 0:
                n_equal -= 1
            elif bits <= least:
                weights[i] = 0.0
