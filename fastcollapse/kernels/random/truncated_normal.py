"""Standard normal variates within a distance of the mean, exactly."""

import math

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.streams import uniform
from fastcollapse.kernels.random.ziggurat import ziggurat

# Below this distance, sqrt(pi / 2), uniform proposals are accepted more often than normal ones.
_UNIFORM_BELOW = 1.2533141373155001


@kernel
def truncated_normal(cut, normals, stream):
    """Return a standard normal variate given that it is between -cut and cut, cut > 0.

    At most 1.3 proposals on average. `normals` is `normal_table()`.
    """
    if cut < _UNIFORM_BELOW:
        while True:
            x = cut * (2.0 * uniform(stream) - 1.0)
            if uniform(stream) < math.exp(-0.5 * x * x):
                return x
    while True:
        x = ziggurat(normals, stream)
        if abs(x) < cut:
            return x
