"""Shared helpers for families whose states are arrays: workflows, runs in blocks, and a check of reproducible bits."""

import numpy as np

from fastcollapse.config.workflows import Accumulate, AccumulateSubsample, Mix, Replace
from fastcollapse.kernels.jit import current_threads, set_threads

WORKFLOWS = [
    Replace(n_samples=8),
    Replace(n_samples={"start": 6, "step": 3}),
    Accumulate(n_samples=8, keep_real=True),
    Accumulate(n_samples=8, keep_real=False),
    AccumulateSubsample(n_samples=8, keep_real=True, replacement=False),
    AccumulateSubsample(n_samples=12, keep_real=True, replacement=True),
    Mix(n_samples=6, n_real=3, real="fresh"),
    Mix(n_samples=6, n_real=3, real="fixed"),
]
IDS = ["replace", "growing", "accumulate", "dropped", "subsample", "bootstrap", "fresh", "fixed"]


def run(model, n_replicates, n_generations, seed=1, blocks=(), first_replicate=0):
    """Return states, quantities and metrics of a run in blocks of given lengths, name -> float64 (R, T, ...)."""
    state = model.initial(n_replicates, seed, first_replicate)
    parts, first = [], 1
    for length in blocks or (n_generations,):
        block = model.advance(state, first, length, seed, first_replicate)
        parts.append({**block.states, **block.quantities, **block.metrics})
        first += length
    assert first == n_generations + 1
    assert all(values.shape[0] == n_replicates for values in state.arrays().values() if values.ndim and values.size)
    return {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}


def assert_same(got, expected):
    assert got.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(got[name], values)


def assert_bits_are_reproducible(make):
    """Check that no bit depends on blocks, threads or other replicates; `make()` returns a new model."""
    n_replicates, n_generations = 5, 9
    expected = run(make(), n_replicates, n_generations)
    threads = current_threads()
    try:
        set_threads(1)
        assert_same(run(make(), n_replicates, n_generations, blocks=(1, 5, 3)), expected)
    finally:
        set_threads(threads)
    parts = [run(make(), size, n_generations, first_replicate=first) for first, size in ((0, 2), (2, 3))]
    assert_same({name: np.concatenate([part[name] for part in parts]) for name in expected}, expected)
    other = run(make(), n_replicates, n_generations, seed=2)
    assert all((other[name] != values).any() for name, values in expected.items())
    # A block has at least one generation and at most the remaining ones.
    state = make().initial(n_replicates, 1)
    assert make().block_length(state, 1) == 1
    assert 1 <= make().block_length(state, 10**6) <= 10**6
