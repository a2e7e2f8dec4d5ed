"""Naive twin of count spectra: the counts of every symbol, sorted, without their labels."""

import itertools
import math

import numpy as np

from tests.naive import discrete


def simulate(probabilities, corpus, schedule, rng):
    """Return the positive counts of generations 1..T in ascending order, a tuple each, for one replicate."""
    states = discrete.simulate(probabilities, corpus, schedule, rng)
    return [tuple(sorted(int(count) for count in state if count > 0)) for state in states]


def partition_law(counts, n_tokens):
    """Return the probability of each sorted tuple of positive counts after one refit of `counts`, by enumeration."""
    total = sum(counts)
    law = {}
    for drawn in itertools.product(range(n_tokens + 1), repeat=len(counts)):
        if sum(drawn) != n_tokens:
            continue
        probability = math.factorial(n_tokens)
        for count, x in zip(counts, drawn, strict=True):
            probability *= (count / total) ** x / math.factorial(x)
        partition = tuple(sorted(x for x in drawn if x > 0))
        law[partition] = law.get(partition, 0.0) + probability
    return law


def spectrum(counts):
    """Return the distinct positive counts and their numbers of symbols, float64 (n, 2)."""
    values, numbers = np.unique([count for count in counts if count > 0], return_counts=True)
    return np.column_stack([values, numbers]).astype(float)
