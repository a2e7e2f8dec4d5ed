"""The map of a normal law before it is sampled, and samples of the law after the map.

The maps of a normal law are normal laws: a biased deviation, an exponential weight e^(b x), a Gaussian weight around a
centre; or the law is truncated. Parameters of maps that are not in use leave the law as it is.
"""

import math
from typing import NamedTuple

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.truncated_normal import truncated_normal
from fastcollapse.kernels.random.ziggurat import chi_square, ziggurat


class UnivariateSource(NamedTuple):
    """The truth, and the map in units of the truth: its mean is 0 and its deviation 1.

    Attributes
    ----------
    mean, sigma, log_sigma : the truth.
    log_scale : log of the factor of the deviation; 0 leaves the law as it is.
    tilt : b of the weight e^(b x); 0 leaves the law as it is.
    centre, log_width : centre and log width of the Gaussian weight; the log width inf leaves the law as it is.
    cut : largest distance of a point from the mean in deviations; inf leaves the law as it is.
    first : the first generation whose points are drawn from the law after the map, 1 or 2.
    """

    mean: float
    sigma: float
    log_sigma: float
    log_scale: float = 0.0
    tilt: float = 0.0
    centre: float = 0.0
    log_width: float = math.inf
    cut: float = math.inf
    first: int = 1


@kernel
def mapped(mean, log_sigma, source, generation):
    """Return the law from which a generation is drawn.

    Returns
    -------
    The shift of the mean, in units of the deviation before the map, the ln deviation after the map, and the cut.
    """
    if generation < source.first:
        return 0.0, log_sigma, math.inf
    if source.tilt == 0.0 and source.log_width == math.inf:  # saves the exponentials
        return 0.0, log_sigma + source.log_scale, source.cut
    ratio = math.exp(2.0 * (log_sigma - source.log_width))
    if ratio <= 1.0:
        pull = math.exp(log_sigma - 2.0 * source.log_width) / (1.0 + ratio)
        log_mapped = log_sigma - 0.5 * math.log1p(ratio)
    else:  # the weight is narrower than the law, perhaps so much that the ratio overflows
        pull = math.exp(-log_sigma) / (1.0 + 1.0 / ratio)
        log_mapped = source.log_width - 0.5 * math.log1p(1.0 / ratio)
    shift = source.tilt * math.exp(log_sigma) + (source.centre - mean) * pull
    return shift, log_mapped + source.log_scale, source.cut


@kernel
def standard_batch(n, cut, normals, stream):
    """Return (n, mean, sum of squares about the mean) of n standard normal points within `cut`: ``(),()->(3)``.

    O(1), or O(n) if `cut` is finite. A batch of one point has no squares, one of none is 0.
    """
    if n < 1.0:
        return 0.0, 0.0, 0.0
    if cut == math.inf:
        z = ziggurat(normals, stream)
        return n, z / math.sqrt(n), chi_square(n - 1.0, normals, stream)
    # Relative to the first point, so that the squares of two points cancel nothing.
    start = truncated_normal(cut, normals, stream)
    total, squares = 0.0, 0.0
    for _ in range(1, int(n)):
        gap = truncated_normal(cut, normals, stream) - start
        total += gap
        squares += gap * gap
    return n, start + total / n, squares - total * total / n
