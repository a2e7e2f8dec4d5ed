"""Fits of the symmetric mixture (1/2) N(mu, s^2) + (1/2) N(-mu, s^2) to the absolute values of n points.

The values are passed as `offset + points`, so that a deviation far below the offset keeps its precision, which would
cancel in a sum of squares.
"""

import math

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.subsample import mean_and_squares

_MAX_STEPS = 200
# A root t^2 of the likelihood equation below this fraction of the mean square counts as 0.
_MIN_FRACTION = 1e-9
# Offset, in deviations, from which tanh(t x / s^2) rounds to exactly 1.
SATURATED = 1e4


@kernel
def fit_approximate(points, offset):
    """Return (mu - offset, s^2) by the approximate joint maximum likelihood: ``(n),()->(),()``.

    References
    ----------
    Suresh et al., arXiv:2412.17646, Algorithm 1 as in the code of its authors, with eta = 2; written in terms of the
    ratio q = (m2 - m1^2) / m1^2.
    """
    n = float(points.shape[0])
    mean, squares = mean_and_squares(points)
    variance = squares / n
    m1 = offset + mean
    q = variance / m1 / m1
    kappa = math.expm1(((n - 1.0) / 2.0 + 8.0) / (2.0 * (n - 1.0) * (n + 7.0)))
    a = 50.0 if q <= kappa else 2.0 * (1.0 + kappa) * (1.0 + q) / (q - kappa)
    if 1.0 + q > 2.0 * a / (a - 2.0):
        return -offset, variance + m1 * m1
    fitted = a * (1.0 + q) * variance / (a + 2.0 * (1.0 + q))
    ratio = math.sqrt(max(0.0, 1.0 + (variance - fitted) / m1 / m1))
    return mean + (variance - fitted) / (m1 * (1.0 + ratio)), fitted


@kernel
def _excess(t, points, m1, variance):
    """Return phi = (mean(x tanh(t x / s^2)) / t - 1) / t^2 and its derivative with respect to t^2.

    Here s^2 = m2 - t^2, computed in the centred form.
    """
    n = points.shape[0]
    square = variance + (m1 - t) * (m1 + t)
    total, slope = 0.0, 0.0
    for i in range(n):
        x = points[i]
        bent = math.tanh(t * x / square)
        total += x * bent
        slope += x * x * (1.0 - bent * bent)
    g = total / n
    g_slope = slope / n * (square + 2.0 * t * t) / (square * square)
    phi = (g / t - 1.0) / (t * t)
    return phi, ((g_slope - g / t) / (t * t * t) - 2.0 * phi / t) / (2.0 * t)


@kernel
def fit_joint(points, offset):
    """Return (mu - offset, s^2) by joint maximum likelihood: ``(n),()->(),()``.

    mu is the largest root t <= mean |x| of t = mean(x tanh(t x / s^2)). This is the limit of the EM iteration from
    mean |x|, which decreases monotonically. Newton's method in t^2 solves the equation divided by t^3, which has no
    root at 0, inside a bracket.

    References
    ----------
    Derived; checked against the EM iteration in tests/models/mixture/test_model.py.
    """
    mean, squares = mean_and_squares(points)
    variance = squares / points.shape[0]
    if offset >= SATURATED:
        return mean, variance
    m1 = offset + mean
    m2 = variance + m1 * m1
    high, low = m1 * m1, 0.0
    smallest = _MIN_FRACTION * m2
    p = high
    for _ in range(_MAX_STEPS):
        phi, slope = _excess(math.sqrt(p), points, m1, variance)
        if abs(phi) * p <= 4e-16:
            break
        if phi > 0.0:
            low = p
        else:
            high = p
        following = p - phi / slope
        if not low < following < high:
            # Without a lower bound, reduce t^2 until it is certain that there is no root above the limit.
            following = 0.5 * (low + high) if low > 0.0 else 0.25 * high
        if following < smallest:
            return -offset, m2
        done = abs(following - p) <= 1e-14 * p
        p = following
        if done:
            break
    t = math.sqrt(p)
    return t - offset, variance + (m1 - t) * (m1 + t)
