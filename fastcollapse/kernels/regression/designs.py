"""Inputs of regressions: rows of many laws, or, of normal inputs, the few rows that have the same sums of squares.

X^T X of n normal rows is that of the triangular factor R of X = Q R, min(n, d) rows with a chi of n - i degrees on the
diagonal and standard normals beyond (Bartlett 1933), and X^T e, e normal, is R^T e' with as many normals."""

import math
from typing import NamedTuple

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.linalg.lapack import gemv
from fastcollapse.kernels.random.streams import next_word, uniform, uniform_below
from fastcollapse.kernels.random.wishart import fill_normals
from fastcollapse.kernels.random.ziggurat import chi_square, ziggurat

# Laws of the inputs; REDUCED gives the rows of R in place of normal ones.
REDUCED, GAUSSIAN, RADEMACHER, UNIFORM, STUDENT, ROWS = range(6)
_SIGN = np.uint64(1)
_ROOT_3 = math.sqrt(3.0)


class Design(NamedTuple):
    """A law of inputs: int64 `law`, `degrees` of Student's, `roots` (d) of the spectrum, `rows` (N, d) of ROWS."""

    law: np.int64
    degrees: np.float64
    roots: np.ndarray
    rows: np.ndarray


class Sampler(NamedTuple):
    """Room for one thread: `words` (d) and `streams` (2, STREAM_WORDS) uint64, `rows` (m, d), `labels` and `noise`
    (m); what is not used may be empty.
    """

    words: np.ndarray
    streams: np.ndarray
    rows: np.ndarray
    labels: np.ndarray
    noise: np.ndarray


@kernel
def _fill_row(design, normals, workspace, out):
    """Draw one row of inputs."""
    d, law = out.shape[0], design.law
    if law == ROWS:
        out[:] = design.rows[uniform_below(design.rows.shape[0], workspace.streams[0])]
        return
    if law == GAUSSIAN:
        fill_normals(normals, workspace.words, workspace.streams, out)
    elif law == STUDENT:
        # A variance of 1: Student's has degrees / (degrees - 2).
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
    """Draw inputs: all of `out`, or, of n samples of the law REDUCED, the min(n, d) rows of R that it has room for."""
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
    """Write the labels of `weights` with normal noise: ``(m,d),(d),()->(m)``."""
    m = rows.shape[0]
    for i in range(m):
        out[i] = ziggurat(normals, workspace.streams[0])
    gemv(1.0, rows, False, weights, sigma, out)
