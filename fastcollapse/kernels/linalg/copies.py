"""Copies and sums of vectors and matrices by loops.

An assignment to a slice of an array compiles the text of its error message with it, which takes a second.
"""

from fastcollapse.kernels.jit import kernel


@kernel
def copy_vector(source, out):
    """Write `source` to `out`: ``(n)->(n)``."""
    for i in range(out.shape[0]):
        out[i] = source[i]


@kernel
def copy_matrix(source, out):
    """Write `source` to `out`: ``(n,m)->(n,m)``."""
    for i in range(out.shape[0]):
        copy_vector(source[i], out[i])


@kernel
def copy_transpose(source, out):
    """Write the transpose of `source` to `out`: ``(n,m)->(m,n)``."""
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            out[j, i] = source[i, j]


@kernel
def largest(x):
    """Return the largest entry, at least 0: ``(n)->()``."""
    most = 0.0
    for i in range(x.shape[0]):
        most = max(most, x[i])
    return most
