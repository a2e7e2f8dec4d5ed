"""Streams as generators of NumPy have the bits of the streams of kernels."""

import numpy as np
import pytest

from fastcollapse.kernels.random.numpy_streams import numpy_stream
from fastcollapse.kernels.random.streams import PURPOSE_TEXT, STREAM_WORDS, next_word, open_stream


@pytest.mark.parametrize("names", [(0, 0, 0, PURPOSE_TEXT), (2**64 - 1, 3, 10, 1), (5, 2**64 - 1, 7, 4)])
def test_stream__has_the_bits_of_the_kernels(names):
    seed, replicate, generation, purpose = names
    stream = np.empty(STREAM_WORDS, np.uint64)
    open_stream(np.uint64(seed), np.uint64(replicate), generation, 0, purpose, stream)
    expected = [next_word(stream) for _ in range(5)]
    assert numpy_stream(*names).bit_generator.random_raw(5).tolist() == expected
