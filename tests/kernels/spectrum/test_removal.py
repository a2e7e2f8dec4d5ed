"""Removal of tokens from classes, against the multivariate hypergeometric law of single symbols."""

import numpy as np
import pytest

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random import streams
from fastcollapse.kernels.spectrum.bag import empty, new_bags
from fastcollapse.kernels.spectrum.removal import DEPTHS, add_after_removal, remove_from_classes
from tests._goodness_of_fit import two_sample_p

# 5 cases, 1e-6 each.
P_LIMIT = 1e-6
N = 20_000


@kernel
def _remove(n_tokens, values, numbers, stream, scratch, bag, out_values, out_numbers):
    ends, guide, removed, depths = scratch
    remove_from_classes(n_tokens, values, numbers, values.shape[0], stream, ends, guide, removed)
    gone = np.int64(0)
    for i in range(values.shape[0]):
        gone += add_after_removal(values[i], numbers[i], removed[i], 0, 0, stream, depths, bag)
    return empty(bag, 0, out_values, out_numbers), gone


def removed_spectra(values, numbers, n_tokens):
    """Return a label of the spectrum after the removal, int64 (N)."""
    stream = np.zeros(streams.STREAM_WORDS, np.uint64)
    streams.open_stream(*(np.uint64(part) for part in (5, 1, 2, 3, 4)), stream)
    bags = new_bags(1, 64, 4096)
    bag = type(bags)(*(array[0] for array in bags))
    m = len(values)
    scratch = (np.zeros(m, np.int64), np.zeros(m, np.int32), np.zeros(m, np.int64), np.zeros(DEPTHS, np.int64))
    out_values, out_numbers = np.zeros((2, 100), np.int64)
    labels = []
    for _ in range(N):
        end, gone = _remove(n_tokens, values, numbers, stream, scratch, bag, out_values, out_numbers)
        rows = tuple(zip(out_values[:end].tolist(), out_numbers[:end].tolist(), strict=True))
        assert sum(v * n for v, n in rows) == (values * numbers).sum() - n_tokens
        assert sum(n for _, n in rows) == numbers.sum()
        assert gone == sum(n for v, n in rows if v == 0)
        labels.append(hash(rows) % 2**40)
    return np.array(labels)


def naive_spectra(values, numbers, n_tokens, rng):
    tokens = np.repeat(np.arange(numbers.sum()), np.repeat(values, numbers))
    labels = []
    for _ in range(N):
        left = np.bincount(rng.permutation(tokens)[n_tokens:], minlength=numbers.sum())
        found, counts = np.unique(left, return_counts=True)
        labels.append(hash(tuple(zip(found.tolist(), counts.tolist(), strict=True))) % 2**40)
    return np.array(labels)


# Single picks with few and with many removed tokens, classes of one symbol, classes without tokens, and a chain.
CASES = [
    ([1, 2, 5], [4, 3, 1], 3),
    ([1, 2, 5], [4, 3, 1], 11),
    ([0, 1, 3], [5, 2, 6], 7),
    ([9, 60], [2, 1], 40),
    ([30, 35], [2, 1], 80),
]


@pytest.mark.parametrize(("values", "numbers", "n_tokens"), CASES)
def test_removal__is_uniform_without_replacement(values, numbers, n_tokens):
    values, numbers = np.array(values), np.array(numbers)
    expected = naive_spectra(values, numbers, n_tokens, np.random.default_rng(7))
    assert two_sample_p(removed_spectra(values, numbers, n_tokens), expected) > P_LIMIT
    wrong = naive_spectra(values, numbers, n_tokens - 1, np.random.default_rng(8))
    assert two_sample_p(removed_spectra(values, numbers, n_tokens), wrong) < P_LIMIT
