"""Inverses and updates of triangular factors, and symmetric matrices in other coordinates."""

import math

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.triangular import add_scaled


@kernel
def invert_lower(lower, out):
    """Write the inverse of a lower-triangular matrix: ``(d,d)->(d,d)``, d^3 / 6 products; zeros above the diagonal."""
    d = lower.shape[0]
    for i in range(d):
        target = out[i]
        for k in range(d):
            target[k] = 0.0
        scale = 1.0 / lower[i, i]
        for j in range(i):
            add_scaled(-scale * lower[i, j], out[j], j + 1, target)
        target[i] = scale


@kernel
def multiply_rows(left, right, out):
    """Write the product of two lower-triangular matrices, row by row: ``(d,d),(d,d)->(d,d)``, d^3 / 6 products."""
    for i in range(left.shape[0]):
        target, own = out[i], left[i]
        for k in range(i + 1):
            target[k] = 0.0
        for j in range(i + 1):
            add_scaled(own[j], right[j], j + 1, target)


@kernel
def update_upper(upper, x):
    """Replace an upper-triangular R by that of R^T R + x x^T, with rotations: ``(d,d),(d)``, O(d^2); overwrites x.

    Nothing is subtracted from a square, so that the factor keeps its digits however long x is.
    """
    d = x.shape[0]
    for j in range(d):
        row = upper[j]
        length = math.hypot(row[j], x[j])
        if length == 0.0:
            continue
        cosine, sine = row[j] / length, x[j] / length
        row[j] = length
        for k in range(j + 1, d):
            old = row[k]
            row[k] = cosine * old + sine * x[k]
            x[k] = cosine * x[k] - sine * old


@kernel
def change_coordinates(lower, matrix, work):
    """Replace a symmetric S by C S C^T, C lower-triangular: ``(d,d),(d,d)->(d,d)``, O(d^3).

    The upper triangle of `matrix` holds S and the result; its lower triangle and `work`, (d, d), are work space.
    """
    d = lower.shape[0]
    for j in range(d):
        for k in range(j):
            matrix[j, k] = matrix[k, j]
    for i in range(d):
        target = work[i]
        for k in range(d):
            target[k] = 0.0
        for j in range(i + 1):
            add_scaled(lower[i, j], matrix[j], d, target)
    for i in range(d):
        own = work[i]
        for k in range(i, d):
            total = 0.0
            for j in range(k + 1):
                total += own[j] * lower[k, j]
            matrix[i, k] = total
