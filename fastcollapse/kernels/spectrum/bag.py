"""A bag of whole values with multiplicities, emptied in ascending order: the histogram of the counts of symbols.

Values of a window have a cell each. The others, few in a spectrum, are a list that is sorted when the bag is emptied.
"""

from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel

# Entries of `Bag.info`: first value of the window, range of the cells in use (empty if low > high), number of far
# values, whether a list was too short.
OFFSET, LOW, HIGH, N_FAR, TOO_SHORT = range(5)
N_INFO = 5
_DIGIT_BITS = 11
# Length of the buffer `Bag.digits`.
DIGITS = 1 << _DIGIT_BITS
_INSERTION_BELOW = 64


class Bag(NamedTuple):
    """Arrays of a bag.

    Attributes
    ----------
    cells : int64 (B), the multiplicity of each value of the window; 0 in an empty bag.
    far : int64 (F), values outside the window, as often as they occur.
    spare : int64 (F), buffer of the sort.
    digits : int64 (DIGITS), buffer of the sort.
    info : int64 (N_INFO), see the names above.
    """

    cells: np.ndarray
    far: np.ndarray
    spare: np.ndarray
    digits: np.ndarray
    info: np.ndarray


def new_bags(n_threads: int, n_cells: int, n_far: int) -> Bag:
    """Return the arrays of empty bags, one for each thread: the first axis."""
    far, spare = np.empty((n_threads, n_far), np.int64), np.empty((n_threads, n_far), np.int64)
    info = np.tile(np.array([0, n_cells, -1, 0, 0]), (n_threads, 1))
    return Bag(np.zeros((n_threads, n_cells), np.int64), far, spare, np.empty((n_threads, DIGITS), np.int64), info)


@kernel
def add(value, number, bag):
    """Add `number` >= 1 copies of `value` >= 0; the first value of an empty bag places the window."""
    info, n_cells = bag.info, bag.cells.shape[0]
    if info[HIGH] < 0 and info[N_FAR] == 0:
        info[OFFSET] = max(0, value - n_cells // 2)
    cell = value - info[OFFSET]
    if 0 <= cell < n_cells:
        bag.cells[cell] += number
        info[LOW] = min(info[LOW], cell)
        info[HIGH] = max(info[HIGH], cell)
    elif number > bag.far.shape[0] - info[N_FAR]:
        info[TOO_SHORT] = 1
    else:
        start = info[N_FAR]
        for i in range(start, start + number):
            bag.far[i] = value
        info[N_FAR] = start + number


@kernel
def sort(values, spare, digits, n):
    """Sort the first `n` values, at least 0: insertion for few, else digit by digit from the lowest."""
    if n < _INSERTION_BELOW:
        for i in range(1, n):
            value = values[i]
            j = i - 1
            while j >= 0 and values[j] > value:
                values[j + 1] = values[j]
                j -= 1
            values[j + 1] = value
        return
    largest = np.int64(0)
    for i in range(n):
        largest = max(largest, values[i])
    shift = 0
    while largest >> shift > 0:
        for digit in range(DIGITS):
            digits[digit] = 0
        for i in range(n):
            digits[(values[i] >> shift) & (DIGITS - 1)] += 1
        start = np.int64(0)
        for digit in range(DIGITS):
            start, digits[digit] = start + digits[digit], start
        for i in range(n):
            digit = (values[i] >> shift) & (DIGITS - 1)
            spare[digits[digit]] = values[i]
            digits[digit] += 1
        for i in range(n):
            values[i] = spare[i]
        shift += _DIGIT_BITS


@kernel
def empty(bag, position, values, numbers):
    """Move the content to ``values[position:]`` and ``numbers[position:]``, ascending, each value once.

    Returns
    -------
    The position after the last one. Where the arrays end too early, `info[TOO_SHORT]` is 1 and the rest is lost.
    """
    info, cells, far = bag.info, bag.cells, bag.far
    n_far, offset, high = info[N_FAR], info[OFFSET], info[HIGH]
    if n_far > 0:
        sort(far, bag.spare, bag.digits, n_far)
    i, cell, limit = np.int64(0), info[LOW], values.shape[0]
    while i < n_far or cell <= high:
        if i < n_far and (cell > high or far[i] < offset + cell):
            value, number = far[i], np.int64(0)
            while i < n_far and far[i] == value:
                number += 1
                i += 1
        else:
            value, number = offset + cell, cells[cell]
            cells[cell] = 0
            cell += 1
        if number > 0:
            if position < limit:
                values[position] = value
                numbers[position] = number
            position += 1
    info[LOW], info[HIGH], info[N_FAR] = cells.shape[0], -1, 0
    if position > limit:
        info[TOO_SHORT] = 1
        return limit
    return position
