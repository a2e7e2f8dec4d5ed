import numpy as np

from fastcollapse.kernels.float_bits import bits_of, float_of
from fastcollapse.kernels.jit import kernel


@kernel
def there_and_back(x, bits, out):
    for i in range(x.shape[0]):
        bits[i] = bits_of(x[i])
        out[i] = float_of(bits[i])


def test_bits_of__are_those_of_a_view_and_back():
    x = np.array([0.0, -0.0, 1.5, -np.inf, 5e-324, 1e300])
    bits, out = np.empty(6, np.int64), np.empty(6)
    there_and_back(x, bits, out)
    np.testing.assert_array_equal(bits, x.view(np.int64))
    np.testing.assert_array_equal(out.view(np.int64), bits)
