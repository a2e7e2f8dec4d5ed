"""Inputs of regressions: rows of several laws, or, for normal inputs, the few rows with the same sums of squares.

X^T X of n normal rows is that of the triangular factor R of X = Q R: min(n, d) rows with a chi variate of n - i degrees
of freedom on the diagonal and standard normals beyond (Bartlett 1933). X^T e, e normal, is R^T e' with as many normals.
"""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.copies import copy_vector
from fastcollapse.kernels.linalg.lapack import gemv
from fastcollapse.kernels.random.streams import next_word, uniform, uniform_below
from fastcollapse.kernels.random.wishart import fill_normals
from fastcollapse.kernels.random.ziggurat import chi_square, ziggurat

# Laws of the inputs; REDUCED stands for normal inputs and gives the rows of R.
REDUCED, GAUSSIAN, RADEMACHER, UNIFORM, STUDENT, ROWS = range(6)
_SIGN = np.uint64(1)
_ROOT_3 = math.sqrt(3.0)


class Design(NamedTuple):
    """The law of the inputs.

    Attributes
    ----------
    law : int64, REDUCED, GAUSSIAN, RADEMACHER, UNIFORM, STUDENT or ROWS.
    degrees : degrees of freedom of the law STUDENT, above 2.
    roots : float64 (d), the roots of the spectrum, which scale the coordinates.
    rows : float64 (N, d), the table of the law ROWS.
    """

    law: np.int64
    degrees: np.float64
    roots: np.ndarray
    rows: np.ndarray


class Sampler(NamedTuple):
    """Work arrays of one thread to draw samples with; arrays that are not used may be empty.

    Attributes
    ----------
    words : uint64 (d).
    streams : uint64 (2, STREAM_WORDS).
    rows : float64 (m, d).
    labels, noise : float64 (m).
    """

    words: np.ndarray
    streams: np.ndarray
    rows: np.ndarray
    labels: np.ndarray
    noise: np.ndarray


@kernel
def _fill_row(design, normals, workspace, out):
    """Draw one row of inputs: ``->(d)``."""
    d, law = out.shape[0], design.law
    if law == ROWS:
        copy_vector(design.rows[uniform_below(design.rows.shape[0], workspace.streams[0])], out)
        return
    if law == GAUSSIAN:
        fill_normals(normals, workspace.words, workspace.streams, out)
    elif law == STUDENT:
        # Scaled to variance 1; that of Student's law is degrees / (degrees - 2).
        for i in range(d):
            square = chi_square(design.degrees, normals, workspace.streams[0])
            out[i] = ziggurat(normals, workspace.streams[0]) * math.sqrt((design.degrees - 2.0) / square)
    elif law == UNIFORM:
        for i in range(d):
            out[i] = _ROOT_3 * (2.0 * uniform(workspace.streams[0]) - 1.0)
    else:
        word = np.uint64(0)
        for i in range(d):
            word = next_word(workspace.streams[0]) if i % 64 == 0 else word >> _SIGN
            out[i] = 1.0 if word & _SIGN else -1.0
    for i in range(d):
        out[i] *= design.roots[i]


@kernel
def draw_rows(design, n, normals, workspace, out):
    """Draw inputs: ``->(m,d)``.

    All m rows of `out`; for `n` samples of the law REDUCED these are rows of R, m at most min(n, d).
    """
    m, d = out.shape
    for j in range(m):
        if design.law == REDUCED:
            out[j, :j] = 0.0
            out[j, j] = math.sqrt(chi_square(np.float64(n - j), normals, workspace.streams[0]))
            fill_normals(normals, workspace.words, workspace.streams, out[j, j + 1 :])
            for i in range(j, d):
                out[j, i] *= design.roots[i]
        else:
            _fill_row(design, normals, workspace, out[j])


@kernel
def draw_labels(rows, weights, sigma, normals, workspace, out):
    """Write the labels of `weights` with normal noise of deviation `sigma`: ``(m,d),(d),()->(m)``, O(m d)."""
    m = rows.shape[0]
    for i in range(m):
        out[i] = ziggurat(normals, workspace.streams[0])
    gemv(1.0, rows, False, weights, sigma, out)
