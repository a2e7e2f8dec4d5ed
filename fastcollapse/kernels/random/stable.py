"""Symmetric alpha-stable variates on an explicit stream."""

import math

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.streams import uniform, uniform_positive

# The smallest exponential variate: half the smallest positive one of -ln(u) for u a multiple of 2^-53.
_LEAST = 2.0**-54


@kernel
def stable(alpha, stream):
    """Return a variate with the characteristic function exp(-|k|^alpha), 0 < alpha <= 2: always two words, O(1).

    Chambers, Mallows and Stuck, JASA 71 (1976). alpha = 1 is the Cauchy law, alpha = 2 the normal law of variance 2.
    """
    angle = math.pi * (uniform(stream) - 0.5)
    waiting = max(-math.log(uniform_positive(stream)), _LEAST)
    tail = (math.cos((1.0 - alpha) * angle) / waiting) ** (1.0 / alpha - 1.0)
    return math.sin(alpha * angle) / math.cos(angle) ** (1.0 / alpha) * tail
