"""Normal variates, and logarithms of chi-square variates, from 64 bits each: a ziggurat for a family of laws.

The family is h(t; a) = -(e^u - 1 - u) / (4 a^2) with u = 2 a t, the log density of t up to a constant. a = 0 is the
standard normal law. With a = 1 / sqrt(2 nu), ln(chi2_nu / nu) / 2 has the law of a t (derived: the density of x =
ln(chi2_nu / nu) / 2 is proportional to exp(nu x - nu e^{2 x} / 2)). All are log-concave with their mode at 0.

LAYERS horizontal layers of equal area cover the density (Marsaglia and Tsang, J. Stat. Softw. 5(8), 2000). Here the two
sides of a layer have different ends, and the lowest layer ends in two virtual pieces that stand for the tails. A word
gives the layer (10 bits) and a place in it (53 bits). 99.6 % of the places are below the density at any height, and no
function is evaluated there. The others are decided exactly by further words of a spare stream.
"""

import functools
import math

import numpy as np

from fastcollapse.kernels.jit import kernel, plain
from fastcollapse.kernels.random.streams import next_word, uniform, uniform_positive

LAYERS = 1024
_LAYER_MASK = np.uint64(LAYERS - 1)
_PLACE_SHIFT = np.int64(11)
_HALF_PLACES = 2.0**52
# A table is flat: four numbers a layer (centre, step, centre and half width of the inside), half a cache line; then the
# levels; then a and the ends of the lowest layer.
_LEVELS = 4 * LAYERS
_SHAPE = _LEVELS + LAYERS + 1
_SIZE = _SHAPE + 3
# Below this e^u - 1 - u cancels, and its series replaces it: nine terms leave an error below 1e-16.
_SERIES_BELOW = 0.1
_SERIES = np.array([1.0 / math.factorial(k + 2) for k in range(9)])
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)
_TAIL_PANELS = 45
# The depth of the lowest layer for every a up to 2^-1/2: starting bracket (_DEEP, _HIGH), starting estimate and
# derivative for the secant search.
_DEEP, _HIGH = 8.7, 8.1
_DEPTH, _DEPTH_A, _DEPTH_SLOPE = 8.1562, 1.75, -11.0
_CLOSED = 1e-12


@kernel
def _depth(t, a):
    """Return -h(t; a) >= 0."""
    if a == 0.0:
        return 0.5 * t * t
    u = 2.0 * a * t
    if abs(u) < _SERIES_BELOW:
        total = 0.0
        for k in range(_SERIES.shape[0] - 1, -1, -1):
            total = total * u + _SERIES[k]
        return t * t * total
    return (math.expm1(u) - u) / (4.0 * a * a)


@kernel
def _slope(t, a):
    """Return -h'(t; a)."""
    return t if a == 0.0 else math.expm1(2.0 * a * t) / (2.0 * a)


@plain
def _depth_and_slope(t, a):
    """Return -h and -h', which share one exponential."""
    if a == 0.0:
        return 0.5 * t * t, t
    u = 2.0 * a * t
    e = math.expm1(u)
    if abs(u) < _SERIES_BELOW:
        total = 0.0
        for k in range(_SERIES.shape[0] - 1, -1, -1):
            total = total * u + _SERIES[k]
        return t * t * total, e / (2.0 * a)
    return (e - u) / (4.0 * a * a), e / (2.0 * a)


@plain
def _end(depth, a, t):
    """Return where -h(t; a) = `depth` > 0, from t by Newton's method, which is monotone because -h is convex."""
    for _ in range(100):
        reached, slope = _depth_and_slope(t, a)
        step = (reached - depth) / slope
        t -= step
        if abs(step) <= 1e-15 * abs(t):
            break
    return t


@plain
def _tail(end, a):
    """Return the area of exp(h) beyond `end`: Gauss-Legendre panels, each as wide as the density takes to fall by e."""
    _, slope = _depth_and_slope(end, a)
    total = 0.0
    for panel in range(_TAIL_PANELS):
        for k in range(_NODES.shape[0]):
            depth, _ = _depth_and_slope(end + (panel + 0.5 + 0.5 * _NODES[k]) / slope, a)
            total += 0.5 * _WEIGHTS[k] * math.exp(-depth)
    return total / abs(slope)


@plain
def _stack(depth, a, ends, levels):
    """Stack LAYERS layers on the level exp(-depth) and return by how much the top exceeds 1.

    0 means that the top layer ends exactly at the mode.
    Where the layers reach 1 early the result is the number of layers left.
    """
    left, right = _end(depth, a, -math.sqrt(2.0 * depth)), _end(depth, a, math.sqrt(2.0 * depth))
    level = math.exp(-depth)
    levels[0], levels[1] = 0.0, level
    tail_left, tail_right = _tail(left, a), _tail(right, a)
    area = level * (right - left) + tail_left + tail_right
    ends[0, 0], ends[0, 1] = left - tail_left / level, right + tail_right / level
    for i in range(1, LAYERS):
        if level >= 1.0:
            return float(LAYERS - i)
        depth = -math.log(level)
        left, right = _end(depth, a, left), _end(depth, a, right)
        ends[i, 0], ends[i, 1] = left, right
        level += area / (right - left)
        levels[i + 1] = level
    return level - 1.0


@plain
def _stack_layers(a, ends, levels):
    """Write the ends (LAYERS + 1, 2) and levels (LAYERS + 1) of the layers of the law with parameter a."""
    # The depth of the lowest layer by secants; layers from too deep a level do not reach the top. Any depth whose
    # layers reach it is exact, because places above the density are rejected.
    deep, high = _DEEP, _HIGH
    depth, last_depth, last_over = _DEPTH + _DEPTH_A * a * a / (1.0 + a * a), 0.0, 1.0
    for _ in range(100):
        over = _stack(depth, a, ends, levels)
        if 0.0 <= over < _CLOSED:
            break
        if over < 0.0:
            deep = depth
        else:
            high = depth
        middle = 0.5 * (deep + high)
        if over < 1.0 and last_over < 1.0:
            slope = (over - last_over) / (depth - last_depth)
        else:
            slope = _DEPTH_SLOPE
        secant = depth - (over - 0.5 * _CLOSED) / slope
        last_depth, last_over = depth, over
        depth = secant if over < 1.0 and high < secant < deep else middle


_stack_layers_compiled = kernel(_stack_layers)


@functools.lru_cache(maxsize=256)
def log_chi_table(degrees: float) -> np.ndarray:
    """Return the table of t, where t / sqrt(2 nu) has the law of ln(chi2_nu / nu) / 2; nu = inf is the normal law.

    Parameters
    ----------
    degrees : nu, at least 1, any real number.

    Returns
    -------
    float64, flat, read only; built in 1 to 4 ms, that of the normal law in 10 ms, and cached.

    Examples
    --------
    >>> log_chi_table(99.0).shape
    (5124,)
    """
    a = 1.0 / math.sqrt(2.0 * degrees)
    ends, levels = np.zeros((LAYERS + 1, 2)), np.zeros(LAYERS + 1)
    # Almost every run needs the normal law, and compilation takes 100 times as long as its table.
    stack = _stack_layers if degrees == math.inf else _stack_layers_compiled
    stack(a, ends, levels)
    table = np.zeros(_SIZE)
    layers = table[:_LEVELS].reshape(LAYERS, 4)
    for columns, places in ((layers[:, :2], ends[:-1]), (layers[:, 2:], ends[1:])):
        columns[:, 0], columns[:, 1] = 0.5 * (places[:, 0] + places[:, 1]), 0.5 * (places[:, 1] - places[:, 0])
    layers[:, 1] /= _HALF_PLACES
    # No place of the top layer is certain to be inside.
    layers[-1, 3] = -1.0
    table[_LEVELS:_SHAPE] = levels
    table[_SHAPE] = a
    table[_SHAPE + 1 :] = ends[1]
    table.setflags(write=False)
    return table


def normal_table() -> np.ndarray:
    """Return the table of the standard normal law."""
    return log_chi_table(math.inf)


@kernel
def place(word, table):
    """Return (layer, t) of a word."""
    layer = np.int64(word & _LAYER_MASK)
    steps = np.float64(np.int64(word) >> _PLACE_SHIFT) + 0.5
    return layer, table[4 * layer] + steps * table[4 * layer + 1]


@kernel
def inside(layer, t, table):
    """Whether the whole layer is below the density at t."""
    return abs(t - table[4 * layer + 2]) < table[4 * layer + 3]


@kernel
def accept_or_redraw(layer, t, table, stream):
    """Return the variate of a place (layer, t) that is not `inside`, with words of `stream`."""
    a = table[_SHAPE]
    while not inside(layer, t, table):
        if layer == 0:
            return _tail_variate(table[_SHAPE + 1] if t < table[_SHAPE + 1] else table[_SHAPE + 2], a, stream)
        low, high = table[_LEVELS + layer], table[_LEVELS + layer + 1]
        if low + (high - low) * uniform(stream) < math.exp(-_depth(t, a)):
            return t
        layer, t = place(next_word(stream), table)
    return t


@kernel
def _tail_variate(end, a, stream):
    """Return a variate beyond `end`: an exponential variate along the tangent of h, accepted or rejected exactly."""
    slope = _slope(end, a)
    depth = _depth(end, a)
    while True:
        fall = -math.log(uniform_positive(stream))
        t = end + fall / slope
        if -math.log(uniform_positive(stream)) >= _depth(t, a) - depth - fall:
            return t


@kernel
def ziggurat(table, stream):
    """Return a variate of the law of `table`: one word, rarely more."""
    layer, t = place(next_word(stream), table)
    return t if inside(layer, t, table) else accept_or_redraw(layer, t, table, stream)


@kernel
def chi_square(degrees, normals, stream):
    """Return a chi-square variate (Marsaglia and Tsang, ACM TOMS 26(3), 2000).

    The degrees of freedom are 0 (the variate is then 0) or any real number from 1 on. `normals` is `normal_table()`.
    The squeeze saves the logarithms in most cases.
    """
    if degrees < 2.0:
        root = ziggurat(normals, stream)
        return root * root if degrees == 1.0 else _between(degrees, normals, stream)
    return _chi_square_large(degrees, normals, stream)


@kernel
def _between(degrees, normals, stream):
    """Return a variate for degrees below 2 other than 1: 0, or one of two degrees more times U^(2 / degrees)."""
    if degrees <= 0.0:
        return 0.0
    boost = math.exp(2.0 * math.log(uniform_positive(stream)) / degrees)
    return boost * _chi_square_large(degrees + 2.0, normals, stream)


@kernel
def _chi_square_large(degrees, normals, stream):
    """Return a variate for degrees of 2 and more."""
    d = 0.5 * degrees - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = ziggurat(normals, stream)
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        u = uniform_positive(stream)
        square = x * x
        if u < 1.0 - 0.0331 * square * square:
            return 2.0 * d * v
        if math.log(u) < 0.5 * square + d - d * v + d * math.log(v):
            return 2.0 * d * v
