"""Poisson, binomial and hypergeometric variates on an explicit stream, exact for counts up to 1e15.

All three reject against log probabilities that are sums of one function, the Poisson log probability in the
saddle-point form of C. Loader ("Fast and accurate computation of binomial probabilities", 2000). `lgamma` would not be
exact: at 1e15 its rounding is larger than the whole range of log probabilities that a sampler compares.
"""

import math

import numpy as np

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random.streams import uniform, uniform_positive

# Below this mean a sequential search from 0 is used, above it transformed rejection, which needs a mean of 10.
SEARCH_BELOW = 10.0
_FARTHEST = 1e17
_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_STIRLING_ERRORS = np.array(
    [0.0] + [math.lgamma(n + 1.0) - (n + 0.5) * math.log(n) + n - _HALF_LOG_TWO_PI for n in range(1, 16)]
)
# Constants of the ratio-of-uniforms hat, Stadlober 1989: 2 sqrt(2/e) and 3 - 2 sqrt(3/e).
_HAT_SLOPE = 1.7155277699214135
_HAT_OFFSET = 0.8989161620588988


@kernel
def _stirling_error(n):
    """Return ln(n!) minus Stirling's formula, n > 0."""
    if n < 16.0:
        return _STIRLING_ERRORS[int(n)]
    square = n * n
    return (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / 1680.0 / square) / square) / square) / n


@kernel
def _deviance(x, mean):
    """Return x ln(x / mean) + mean - x for x, mean > 0, without cancellation where x is close to the mean."""
    difference = x - mean
    if abs(difference) < 0.1 * (x + mean):
        v = difference / (x + mean)
        total = difference * v
        term = 2.0 * x * v
        square = v * v
        for j in range(1, 1000):
            term *= square
            updated = total + term / (2 * j + 1)
            if updated == total:
                break
            total = updated
        return total
    return x * math.log(x / mean) - difference


@kernel
def log_poisson(count, mean):
    """Return the Poisson log probability of a whole float `count` >= 0, mean >= 0, to a few ulp of its terms."""
    if mean <= 0.0:
        return 0.0 if count == 0.0 else -math.inf
    if count == 0.0:
        return -mean
    return -_stirling_error(count) - _HALF_LOG_TWO_PI - 0.5 * math.log(count) - _deviance(count, mean)


@kernel
def _propose(a, b, shift, stream):
    """Return a proposal of transformed rejection: 1/2 - |u|, the uniform v, and the distance from the centre."""
    us = u = v = 0.0
    while us == 0.0:
        u = uniform(stream) - 0.5
        v = uniform_positive(stream)
        us = 0.5 - abs(u)
    return us, v, math.floor((2.0 * a / us + b) * u + shift)


@kernel
def poisson(mean, stream):
    """Return a Poisson variate, 0 <= mean <= 1e15; O(1) (search below a mean of 10, else PTRS of Hormann 1993)."""
    if mean < SEARCH_BELOW:
        return _search_poisson(mean, stream)
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    squeeze = 0.9277 - 3.6224 / (b - 2.0)
    # Distances are taken from the whole part of the mean, so that a mean of 1e15 costs no digits.
    centre = math.floor(mean)
    shift = mean - centre + 0.43
    while True:
        us, v, distance = _propose(a, b, shift, stream)
        if us >= 0.07 and v <= squeeze:
            return np.int64(centre) + np.int64(distance)
        if abs(distance) > _FARTHEST or centre + distance < 0.0 or (us < 0.013 and v > us):
            continue
        inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
        if math.log(v * inverse_alpha / (a / (us * us) + b)) <= log_poisson(centre + distance, mean):
            return np.int64(centre) + np.int64(distance)


@kernel
def _search_poisson(mean, stream):
    """Return a Poisson variate of a small mean by a search from 0 on."""
    start = math.exp(-mean)
    while True:
        u = uniform(stream)
        probability = start
        # 150 is beyond the double-precision tail of any mean below 10. Only rounding gets there; then it draws again.
        for count in range(150):
            if u < probability:
                return count
            u -= probability
            probability *= mean / (count + 1)


@kernel
def binomial(n, p, stream):
    """Return a binomial variate, 0 <= n <= 1e15, 0 <= p <= 1; O(1) (search or BTRS, Hormann 1993)."""
    if n <= 0 or p <= 0.0:
        return np.int64(0)
    if p >= 1.0:
        return np.int64(n)
    if p > 0.5:
        return np.int64(n) - _binomial_lower(np.int64(n), 1.0 - p, stream)
    return _binomial_lower(np.int64(n), p, stream)


@kernel
def _binomial_lower(n, p, stream):
    """Return a binomial variate for p <= 1/2."""
    mean = n * p
    if mean < SEARCH_BELOW:
        return _search_binomial(n, p, stream)
    q = 1.0 - p
    deviation = math.sqrt(mean * q)
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    squeeze = 0.92 - 4.2 / b
    centre = math.floor(mean)
    shift = mean - centre + 0.5
    while True:
        us, v, distance = _propose(a, b, shift, stream)
        if us >= 0.07 and v <= squeeze:
            return np.int64(centre) + np.int64(distance)
        if abs(distance) > _FARTHEST or centre + distance < 0.0 or centre + distance > n:
            continue
        count = centre + distance
        mode = math.floor((n + 1.0) * p)
        alpha = (2.83 + 5.1 / b) * deviation
        ratio = log_poisson(count, mean) - log_poisson(mode, mean)
        ratio += log_poisson(n - count, n * q) - log_poisson(n - mode, n * q)
        if math.log(v * alpha / (a / (us * us) + b)) <= ratio:
            return np.int64(count)


@kernel
def _search_binomial(n, p, stream):
    """Return a binomial variate of a small mean by a search from 0 on."""
    start = math.exp(n * math.log1p(-p))
    odds = p / (1.0 - p)
    limit = min(n, 150)
    while True:
        u = uniform(stream)
        probability = start
        for count in range(limit + 1):
            if u < probability:
                return np.int64(count)
            u -= probability
            probability *= odds * (n - count) / (count + 1.0)


@kernel
def hypergeometric(good, bad, draws, stream):
    """Return the number of good items among `draws` taken without replacement; O(1) (Stadlober 1989).

    `good` + `bad` items in all, at most 1e15.
    """
    total = good + bad
    if draws <= 0 or good <= 0:
        return np.int64(0)
    if draws >= total or bad <= 0:
        return np.int64(min(draws, good))
    # Symmetries reduce every case to fewer good than bad items and at most half of the items drawn.
    few = min(good, bad)
    taken = min(draws, total - draws)
    if few < taken:
        count = _hypergeometric_lower(taken, total - taken, few, stream)
    else:
        count = _hypergeometric_lower(few, total - few, taken, stream)
    if draws > total - draws:
        count = few - count
    if good > bad:
        count = draws - count
    return np.int64(count)


@kernel
def _hypergeometric_lower(good, bad, draws, stream):
    """Return a variate for draws <= good and draws at most the other margins."""
    if draws <= 10:
        count = 0
        remaining_good = good
        remaining = good + bad
        for _ in range(draws):
            if uniform(stream) * remaining < remaining_good:
                count += 1
                remaining_good -= 1
            remaining -= 1
        return np.int64(count)
    total = np.float64(good + bad)
    p = good / total
    mean = draws * p
    variance = mean * (bad / total) * ((total - draws) / (total - 1.0))
    width = _HAT_SLOPE * math.sqrt(variance + 0.5) + _HAT_OFFSET
    centre = math.floor(mean)
    shift = mean - centre + 0.5
    mode = math.floor((draws + 1.0) * (good + 1.0) / (total + 2.0))
    top = _log_hypergeometric(mode, good, bad, draws)
    while True:
        u = uniform_positive(stream)
        distance = math.floor(shift + width * (uniform(stream) - 0.5) / u)
        if abs(distance) > _FARTHEST:
            continue
        count = centre + distance
        if count < 0.0 or count > draws or count < draws - bad or count > good:
            continue
        ratio = _log_hypergeometric(count, good, bad, draws) - top
        if 2.0 * math.log(u) <= ratio:
            return np.int64(count)


@kernel
def _log_hypergeometric(count, good, bad, draws):
    """Return the log probability of `count` good items, up to a constant."""
    share = draws / np.float64(good + bad)
    rest = 1.0 - share
    return (
        log_poisson(count, good * share)
        + log_poisson(good - count, good * rest)
        + log_poisson(draws - count, bad * share)
        + log_poisson(bad - (draws - count), bad * rest)
    )
