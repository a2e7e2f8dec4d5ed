"""Samples of the rows of a table, and noise for their labels."""

import numpy as np

from fastcollapse.kernels.jit import parallel_kernel, prange
from fastcollapse.kernels.random.streams import STREAM_WORDS, SUB_BULK, SUB_SPARE, SUB_SPLIT, open_draw
from fastcollapse.kernels.random.subsample import copy_chosen
from fastcollapse.kernels.random.wishart import fill_normals


@parallel_kernel
def draw_rows(n_rows, replacement, key, block, out):
    """Draw row numbers 0..n_rows-1 for R replicates, with or without replacement: ``->(R,n)``, O(n_rows) each.

    `key` is a `StreamKey`. Its generation and purpose, and `block`, name the draw.
    """
    for replicate in prange(out.shape[0]):
        stream, pool = np.empty(STREAM_WORDS, np.uint64), np.empty(n_rows, np.int64)
        for i in range(n_rows):
            pool[i] = i
        open_draw(key, np.int64(replicate), block, SUB_SPLIT, stream)
        copy_chosen(pool, n_rows, replacement, stream, out[replicate])


@parallel_kernel
def draw_noise(normals, key, block, out):
    """Draw standard normal variates for R replicates: ``->(R,n)``; `key` and `block` as in `draw_rows`."""
    for replicate in prange(out.shape[0]):
        streams, words = np.empty((2, STREAM_WORDS), np.uint64), np.empty(out.shape[1], np.uint64)
        open_draw(key, np.int64(replicate), block, SUB_BULK, streams[0])
        open_draw(key, np.int64(replicate), block, SUB_SPARE, streams[1])
        fill_normals(normals, words, streams, out[replicate])
