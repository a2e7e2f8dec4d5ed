"""Random streams as generators of NumPy, for draws that need no speed."""

import numpy as np


def numpy_stream(seed: int, replicate: int, generation: int, purpose: int) -> np.random.Generator:
    """Return the stream with these names, without blocks; see `fastcollapse.kernels.random.streams.open_stream`.

    Parameters
    ----------
    seed, replicate, generation : names of the stream, from 0 to 2^64 - 1.
    purpose : one of PURPOSE_*.

    Examples
    --------
    >>> numpy_stream(1, 0, 5, 10).random() == numpy_stream(1, 0, 5, 10).random()
    True
    """
    counter = np.array([0, generation, 0, purpose], np.uint64)  # NumPy adds 1 to it before it draws
    words = np.random.Philox(key=np.array([seed, replicate], np.uint64), counter=counter).random_raw(4)
    bits = np.random.SFC64(0)
    state = bits.state
    state["state"]["state"] = np.append(words[:3], np.uint64(1))
    bits.state = state
    return np.random.Generator(bits)
