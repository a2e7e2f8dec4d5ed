"""Products and factors of triangular matrices, row by row, so that the inner loops vectorise over contiguous numbers.

Sums have a fixed order: no bit depends on the width of the vectors.
"""

import math

from fastcollapse.kernels.jit import kernel

_ROWS = 4
# A length below this multiple of its estimated error may be an error alone.
DETERMINED = 32.0


@kernel
def add_scaled(scale, x, n, out):
    """Add `scale` times the first n entries of `x` to those of `out`."""
    for k in range(n):
        out[k] += scale * x[k]


@kernel
def multiply_unit(left, right, row_of, out):
    """Write the product of two unit lower-triangular matrices to `out`: ``(d,d),(d,d)->(d,d)``, d^3 / 6 products.

    Only entries below the diagonals are read and written. `out` may be `left`. `row_of` float64 (d) is work space.
    """
    d = left.shape[0]
    for i in range(1, d):
        target = out[i]
        for k in range(i):
            row_of[k] = left[i, k]
        for k in range(i):
            target[k] = row_of[k] + right[i, k]
        # Row j of the right factor ends before j: four rows are added together over their common part, then the rest.
        start = 1
        while start + _ROWS <= i:
            a, b, c, e = row_of[start], row_of[start + 1], row_of[start + 2], row_of[start + 3]
            one, two, three, four = right[start], right[start + 1], right[start + 2], right[start + 3]
            for k in range(start):
                target[k] += (a * one[k] + b * two[k]) + (c * three[k] + e * four[k])
            for k in range(start, start + _ROWS - 1):
                if k < start + 1:
                    target[k] += b * two[k]
                if k < start + 2:
                    target[k] += c * three[k]
                target[k] += e * four[k]
            start += _ROWS
        for j in range(start, i):
            add_scaled(row_of[j], right[j], j, target)


@kernel
def multiply_lower(left, right, out):
    """Write the transposed product of two lower-triangular matrices to the upper triangle: ``(d,d),(d,d)->(d,d)``."""
    d = left.shape[0]
    for i in range(d):
        for k in range(i + 1):
            total = 0.0
            for j in range(k, i + 1):
                total += left[i, j] * right[j, k]
            out[k, i] = total


@kernel
def transpose(matrix, out):
    """Write the upper triangle of the transpose of a lower-triangular matrix: ``(d,d)->(d,d)``."""
    for i in range(matrix.shape[0]):
        for k in range(i + 1):
            out[k, i] = matrix[i, k]


@kernel
def clear_upper(diagonal, out):
    """Set the upper triangle of `out` to that of `diagonal` times the identity."""
    for i in range(out.shape[0]):
        out[i, i:] = 0.0
        out[i, i] = diagonal


@kernel
def _add_rows(sign, rows, n_rows, column, out):
    """Add `sign` rows[j, column] rows[j, column:] of the first n rows to out[column:].

    Four rows at a time, so that `out` is read less often.
    """
    # Slices, so that every index starts at 0: the compiler would have to allow for negative indices otherwise.
    target = out[column:]
    n = target.shape[0]
    j = 0
    while j + _ROWS <= n_rows:
        a, b, c, e = rows[j, column], rows[j + 1, column], rows[j + 2, column], rows[j + 3, column]
        one, two, three, four = rows[j, column:], rows[j + 1, column:], rows[j + 2, column:], rows[j + 3, column:]
        a, b, c, e = sign * a, sign * b, sign * c, sign * e
        for k in range(n):
            target[k] += (a * one[k] + b * two[k]) + (c * three[k] + e * four[k])
        j += _ROWS
    for i in range(j, n_rows):
        row = rows[i, column:]
        weight = sign * rows[i, column]
        for k in range(n):
            target[k] += weight * row[k]


@kernel
def add_gram(rows, out):
    """Add R^T R, R upper-triangular, to the upper triangle of `out`: ``(d,d)->(d,d)``, d^3 / 6 products."""
    for i in range(rows.shape[0]):
        _add_rows(1.0, rows, i + 1, i, out[i])


@kernel
def add_square(scale, x, out):
    """Add `scale` x x^T to the upper triangle of `out`: ``(),(d)->(d,d)``."""
    d = x.shape[0]
    for i in range(d):
        weight = scale * x[i]
        target = out[i]
        for k in range(i, d):
            target[k] += weight * x[k]


@kernel
def add_squares(rows, n_rows, out):
    """Add R^T R, R the first n rows, to the upper triangle of `out`: ``(m,d)->(d,d)``, O(n d^2)."""
    for i in range(rows.shape[1]):
        _add_rows(1.0, rows, n_rows, i, out[i])


@kernel
def multiply_columns(unit, columns, out):
    """Add U X, U unit lower-triangular, to `out`: ``(d,d),(d,m)->(d,m)``, O(d^2 m)."""
    d, m = columns.shape
    for i in range(d):
        target, own = out[i], columns[i]
        for k in range(m):
            target[k] += own[k]
        j = 0
        while j + _ROWS <= i:
            a, b, c, e = unit[i, j], unit[i, j + 1], unit[i, j + 2], unit[i, j + 3]
            one, two, three, four = columns[j], columns[j + 1], columns[j + 2], columns[j + 3]
            for k in range(m):
                target[k] += (a * one[k] + b * two[k]) + (c * three[k] + e * four[k])
            j += _ROWS
        for rest in range(j, i):
            add_scaled(unit[i, rest], columns[rest], m, target)


@kernel
def factor_columns(columns, errors, short, out):
    """Write the upper-triangular R of R^T R = X X^T, X the `columns`: ``(d,n),(d)->(d,d)``, O(n d^2); overwrites X.

    Modified Gram-Schmidt, which determines lengths down to 1e-16 of the longest; Cholesky's factor of X X^T determines
    their squares to that.

    Parameters
    ----------
    columns : float64 (d, n).
    errors : float64 (d), length of the rounding errors of each column, or 0 where they do not matter; overwritten by
        those of what is left of the column after the ones before it.
    short : the diagonal where a length is not determined: it is below 1e-13 of its column, or not well above its error.
        The rest of the row is then 0.
    out : float64 (d, d), the upper triangle is written.
    """
    d, n = columns.shape
    for j in range(d):
        own = columns[j]
        length = 0.0
        for k in range(j):
            length += out[k, j] * out[k, j]
            if out[k, k] > 0.0:
                errors[j] += errors[k] * abs(out[k, j]) / out[k, k]
        square = 0.0
        for i in range(n):
            square += own[i] * own[i]
        root = math.sqrt(square)
        if not root > max(1e-13 * math.sqrt(length + square), DETERMINED * errors[j]):
            out[j, j] = short
            out[j, j + 1 :] = 0.0
            continue
        out[j, j] = root
        for i in range(n):
            own[i] /= root
        for k in range(j + 1, d):
            other = columns[k]
            total = 0.0
            for i in range(n):
                total += own[i] * other[i]
            out[j, k] = total
            for i in range(n):
                other[i] -= total * own[i]


@kernel
def factor_upper(matrix):
    """Replace the upper triangle of a positive definite matrix by R, R^T R = matrix: ``(d,d)``, d^3 / 6 products."""
    d = matrix.shape[0]
    for j in range(d):
        row = matrix[j]
        _add_rows(-1.0, matrix, j, j, row)
        root = math.sqrt(row[j])
        row[j] = root
        scale = 1.0 / root
        for k in range(j + 1, d):
            row[k] *= scale
