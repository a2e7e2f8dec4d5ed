"""Threefry, against the known answers of its authors (Random123, kat_vectors), and the keys of its words."""

import numpy as np

from fastcollapse.kernels.random.threefry import threefry, word_pairs

KNOWN = [
    ((0, 0, 0, 0), (0xC2B6E3A8C2C69865, 0x6F81ED42F350084D)),
    ((2**64 - 1,) * 4, (0xE02CB7C4D95D277A, 0xD06633D0893B8B68)),
]


def test_threefry__equals_known_answers():
    for names, expected in KNOWN:
        assert tuple(int(word) for word in threefry(*(np.uint64(name) for name in names))) == expected


def pairs(seed, replicate, first, n, purpose):
    one, two = np.empty(n, np.uint64), np.empty(n, np.uint64)
    word_pairs(np.uint64(seed), np.uint64(replicate), first, n, np.uint64(purpose), one, two)
    return np.stack([one, two])


def test_word_pairs__depend_on_generation():
    whole = pairs(5, 3, 1, 50, 1)
    np.testing.assert_array_equal(np.hstack([pairs(5, 3, 1, 13, 1), pairs(5, 3, 14, 37, 1)]), whole)
    expected = threefry(np.uint64(7), np.uint64(1), np.uint64(5), np.uint64(3))
    assert tuple(whole[:, 6]) == tuple(expected)
    every = np.hstack([whole, pairs(6, 3, 1, 50, 1), pairs(5, 4, 1, 50, 1), pairs(5, 3, 1, 50, 2)])
    assert len(np.unique(every)) == every.size


def test_word_pairs__bits_are_fair_and_independent():
    words = pairs(1, 2, 0, 20_000, 1)
    bits = np.unpackbits(words.view(np.uint8).reshape(2, -1, 8), axis=2).reshape(2, -1, 64).astype(float)
    # 128 bits, each paired with the same bit of the next generation: 256 z-scores, below 5.
    z = (bits.mean(axis=1) - 0.5) * 2 * np.sqrt(bits.shape[1])
    after = ((bits[:, 1:] == bits[:, :-1]).mean(axis=1) - 0.5) * 2 * np.sqrt(bits.shape[1])
    assert np.abs(z).max() < 5
    assert np.abs(after).max() < 5
