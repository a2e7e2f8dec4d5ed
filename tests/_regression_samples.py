"""Samples of the regression streams and their fit by NumPy, for tests of chains that solve normal equations."""

import numpy as np

from fastcollapse.kernels.random.streams import StreamKey, generation_stream_pair
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.designs import REDUCED, Design, draw_labels, draw_rows
from fastcollapse.kernels.regression.generator_pooled import Batches, draw_batches, new_sampler

N_GENERATIONS = 5
DIMENSION = 4
SPECTRUM = np.array([2.0, 1.0, 0.5, 0.1])
TRUTH = np.array([1.0, -2.0, 0.5, 3.0])
ROW_TABLE = np.array([[1.0, 0.5, 0.0, 2.0], [0.0, 1.0, 1.0, -1.0], [2.0, 0.0, 1.0, 0.3], [-1.0, 1.0, 0.5, 0.1]])


def key(n=21):
    return StreamKey(np.uint64(n), np.uint64(3), np.uint64(0), np.uint64(1))


def design_of(law, d=DIMENSION):
    return Design(np.int64(law), 5.0, np.sqrt(SPECTRUM[:d]), ROW_TABLE)


def batches_of(design, n, purpose, weights, sigma, n_replicates, d=DIMENSION):
    """Return samples that stay fixed during the run; none if n is 0."""
    m = min(n, d) if design.law == REDUCED else n
    n_replicates = n_replicates if n else 0
    batches = Batches(np.empty((n_replicates, m, d)), np.zeros((n_replicates, m)))
    draw_batches(design, n, normal_table(), key(), np.uint64(purpose), weights, sigma, batches)
    return batches


class Streams:
    """Samples of one replicate, drawn in the order of the kernels."""

    def __init__(self, design, replicate, d=DIMENSION):
        self.design, self.replicate, self.sampler, self.d = design, replicate, new_sampler(0, 0, d), d

    def open(self, generation, purpose):
        generation_stream_pair(key(), self.replicate, generation, np.uint64(purpose), self.sampler.streams)

    def rows(self, n):
        m = min(n, self.d) if self.design.law == REDUCED else n
        rows = np.empty((m, self.d))
        draw_rows(self.design, n, normal_table(), self.sampler, rows)
        return rows

    def sample(self, n, weights, sigma, at_a_time):
        """Return fresh samples in groups of `at_a_time`: labels of a group are drawn before the rows of the next."""
        if self.design.law == REDUCED:
            return self.labelled(self.rows(n), weights, sigma)
        sizes = [min(at_a_time, n - first) for first in range(0, n, at_a_time)]
        parts = [self.labelled(self.rows(size), weights, sigma) for size in sizes]
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))

    def labelled(self, rows, weights, sigma):
        labels = np.empty(len(rows))
        draw_labels(rows, weights, sigma, normal_table(), self.sampler, labels)
        return rows, labels


def fit(batches, ridge, n_samples):
    """Return the NumPy fit to batches of (rows, labels)."""
    x = np.concatenate([rows for rows, _ in batches])
    y = np.concatenate([labels for _, labels in batches])
    if ridge:
        return np.linalg.solve(x.T @ x + ridge * n_samples * np.eye(x.shape[1]), x.T @ y)
    return np.linalg.pinv(x, rcond=1e-12) @ y
