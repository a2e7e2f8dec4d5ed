"""Random streams, against Philox and SFC64 of NumPy and the definition; continuous variates against their laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random import streams as rng
from tests._goodness_of_fit import chi_square_p
from tests.naive import streams

WORD = st.integers(0, 2**64 - 1)
N_DRAWS = 200_000
# 20 goodness-of-fit tests in this file, 1e-5 each: 2e-4 in all.
P_LIMIT = 1e-5


def new_stream(*key):
    stream = np.zeros(rng.STREAM_WORDS, np.uint64)
    rng.open_stream(*(np.uint64(part) for part in key), stream)
    return stream


@kernel
def fill_words(stream, out):
    for i in range(out.shape[0]):
        out[i] = rng.next_word(stream)


def test_fill_words__equals_single_words():
    expected, got = np.empty(11, np.uint64), np.empty(11, np.uint64)
    fill_words(new_stream(1, 2, 3, 4, 5), expected)
    stream = new_stream(1, 2, 3, 4, 5)
    rng.fill_words(stream, got[:4])
    rng.fill_words(stream, got[4:])
    np.testing.assert_array_equal(got, expected)


@kernel
def fill_uniform(stream, out):
    for i in range(out.shape[0]):
        out[i] = rng.uniform(stream)


@kernel
def fill_uniform_positive(stream, out):
    for i in range(out.shape[0]):
        out[i] = rng.uniform_positive(stream)


@kernel
def fill_below(n, stream, out):
    for i in range(out.shape[0]):
        out[i] = rng.uniform_below(n, stream)


@kernel
def fill_normal(stream, out):
    for i in range(out.shape[0]):
        out[i] = rng.normal(stream)


@kernel
def fill_gamma(shape, stream, out):
    for i in range(out.shape[0]):
        out[i] = rng.gamma(shape, stream)


@kernel
def fill_chi_square(degrees, stream, out):
    for i in range(out.shape[0]):
        out[i] = rng.chi_square(degrees, stream)


def draws(fill, seed, *parameters, dtype=np.float64, n=N_DRAWS):
    out = np.empty(n, dtype)
    fill(*parameters, new_stream(seed, 0, 0, 0, 0), out)
    return out


@kernel
def philox_words(counter, key, out):
    out[0], out[1], out[2], out[3] = rng.philox(counter[0], counter[1], counter[2], counter[3], key[0], key[1])


def numpy_words(seed, replicate, generation, block, purpose, n):
    """Return the words of a stream by the two generators of NumPy."""
    key = np.array([seed, replicate], np.uint64)
    counter = np.array([0, generation, block, purpose], np.uint64)
    generator = np.random.SFC64(0)
    state = generator.state
    state["state"]["state"] = np.append(np.random.Philox(key=key, counter=counter).random_raw(4)[:3], np.uint64(1))
    generator.state = state
    return generator.random_raw(n)


@given(st.lists(WORD, min_size=4, max_size=4), st.lists(WORD, min_size=2, max_size=2))
def test_philox__equals_numpy(counter, key):
    got = np.empty(4, np.uint64)
    philox_words(np.array(counter, np.uint64), np.array(key, np.uint64), got)
    assert tuple(got.tolist()) == streams.philox(counter, key)
    # NumPy increments the counter (four words) before it draws.
    before = (sum(word << 64 * i for i, word in enumerate(counter)) - 1) % 2**256
    words = np.array([before >> 64 * i & (2**64 - 1) for i in range(4)], np.uint64)
    reference = np.random.Philox(key=np.array(key, np.uint64), counter=words)
    np.testing.assert_array_equal(got, reference.random_raw(4))


@given(WORD, WORD, WORD, WORD, WORD)
def test_stream__equals_numpy(seed, replicate, generation, block, purpose):
    key = (seed, replicate, generation, block, purpose)
    got = np.empty(21, np.uint64)
    fill_words(new_stream(*key), got)
    np.testing.assert_array_equal(got, numpy_words(*key, 21))
    assert got.tolist() == streams.words(*key, 21)


def test_philox__published_vectors():
    # Random123, kat_vectors: philox4x64-10 at counter and key 0, and at all bits set.
    zero = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    ones = [0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0]
    full = 2**64 - 1
    for bits, expected in ((0, zero), (full, ones)):
        assert list(streams.philox((bits,) * 4, (bits,) * 2)) == expected


@pytest.mark.parametrize("position", range(5))
def test_stream__depends_on_every_part_of_key(position):
    key = [3, 1, 4, 1, 5]
    plain = streams.words(*key, 4)
    key[position] += 1
    got = np.empty(4, np.uint64)
    fill_words(new_stream(*key), got)
    assert not set(got.tolist()) & set(plain)


def test_uniform__is_the_upper_53_bits():
    got = draws(fill_uniform, 1, n=100)
    assert got.tolist() == streams.uniforms(1, 0, 0, 0, 0, 100)
    np.testing.assert_array_equal(draws(fill_uniform_positive, 1, n=100), got + 2.0**-53)


def test_uniform__law():
    got = draws(fill_uniform, 2)
    assert stats.kstest(got, "uniform").pvalue > P_LIMIT
    assert stats.kstest(got**1.02, "uniform").pvalue < P_LIMIT
    # Neighbouring variates are independent: 2 x 16 by 16 cells.
    cells = np.floor(16 * got[:-1]) * 16 + np.floor(16 * got[1:])
    for part in (cells[::2], cells[1::2]):
        assert chi_square_p(np.bincount(part.astype(int), minlength=256), np.full(256, 1 / 256)) > P_LIMIT


@pytest.mark.parametrize("n", [1, 7, 3 * 2**20])
def test_uniform_below__law(n):
    got = draws(fill_below, n, n, dtype=np.int64)
    assert got.min() >= 0
    assert got.max() < n
    if n == 1:
        return
    cells = min(n, 12)
    bounds = -(-np.arange(cells + 1) * n // cells)
    observed = np.histogram(got, bounds - 0.5)[0]
    assert chi_square_p(observed, np.diff(bounds) / n) > P_LIMIT
    wrong = np.arange(cells) * 0.01 + 1
    assert chi_square_p(observed, wrong / wrong.sum()) < P_LIMIT


def test_uniform_below__has_no_modulo_bias():
    # The number of words is 8/3 of the bound: without rejection every third value would have 2/3 of the probability.
    n = 3 * 2**61
    got = draws(fill_below, 5, n, dtype=np.int64)
    third = np.full(3, 1 / 3)
    assert chi_square_p(np.bincount(got % 3, minlength=3), third) > P_LIMIT
    biased = [(word * n >> 64) % 3 for word in streams.words(5, 0, 0, 0, 0, 10_000)]
    assert chi_square_p(np.bincount(biased, minlength=3), third) < P_LIMIT


def test_normal__law():
    got = draws(fill_normal, 3)
    assert stats.kstest(got, "norm").pvalue > P_LIMIT
    assert stats.kstest(got * 1.03, "norm").pvalue < P_LIMIT


@pytest.mark.parametrize("shape", [0.01, 0.3, 0.999, 1.0, 1.001, 7.5, 1e6])
def test_gamma__law(shape):
    got = draws(fill_gamma, int(shape * 1000), shape)
    assert stats.kstest(got, stats.gamma(shape).cdf).pvalue > P_LIMIT
    # Wrong by 3 % of a small shape, by a tenth of a standard deviation of a large one.
    wrong = shape * 1.03 if shape < 100 else shape + 0.1 * np.sqrt(shape)
    assert stats.kstest(got, stats.gamma(wrong).cdf).pvalue < P_LIMIT


@pytest.mark.parametrize("degrees", [1, 2.5, 99])
def test_chi_square__law(degrees):
    got = draws(fill_chi_square, 11, degrees)
    assert stats.kstest(got, stats.chi2(degrees).cdf).pvalue > P_LIMIT
    assert stats.kstest(got, stats.chi2(degrees * 1.03).cdf).pvalue < P_LIMIT
