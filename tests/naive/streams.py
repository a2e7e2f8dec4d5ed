"""Random streams in plain Python: SFC64 (Doty-Humphrey), seeded by Philox4x64-10 (Salmon et al., SC'11)."""

_MASK = 2**64 - 1


def philox(counter, key):
    """Return the four words of Philox4x64-10 at a counter of four words and a key of two (Python
    integers)."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        product_0 = 0xD2E7470EE14C6C93 * c0
        product_1 = 0xCA5A826395121157 * c2
        c0, c1, c2, c3 = (
            (product_1 >> 64) ^ c1 ^ k0,
            product_1 & _MASK,
            (product_0 >> 64) ^ c3 ^ k1,
            product_0 & _MASK,
        )
        k0 = (k0 + 0x9E3779B97F4A7C15) & _MASK
        k1 = (k1 + 0xBB67AE8584CAA73B) & _MASK
    return c0, c1, c2, c3


def state(seed, replicate, generation, block, purpose):
    """Return the initial state a, b, c, counter of SFC64: Philox applied to the names of the stream."""
    return (*philox((1, generation, block, purpose), (seed, replicate))[:3], 1)


def words(seed, replicate, generation, block, purpose, n):
    """Return the first `n` words of a stream."""
    a, b, c, counter = state(seed, replicate, generation, block, purpose)
    result = []
    for _ in range(n):
        word = (a + b + counter) & _MASK
        counter = (counter + 1) & _MASK
        a, b, c = b ^ (b >> 11), (c + (c << 3)) & _MASK, (((c << 24) | (c >> 40)) + word) & _MASK
        result.append(word)
    return result


def uniforms(*stream_and_n):
    """Return the first uniforms in [0, 1) of a stream: the upper 53 bits of its words."""
    return [(word >> 11) / 2**53 for word in words(*stream_and_n)]
