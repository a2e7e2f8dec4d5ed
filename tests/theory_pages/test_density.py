"""Formulas of docs/explanation/theory/density.md, written out, against the functions."""

import math

import numpy as np
import pytest

from fastcollapse.theory import density


def polylogarithm(s, x):
    """Return Li_s(x) by its series."""
    j = np.arange(1, 20_001)
    return float(np.sum(x**j / j**s))


def test_recursion_of_a_pool():
    """Two generations that keep all points of N(0, 1), with fresh real points and two bandwidths."""
    u = np.linspace(0, 60, 60_001)
    f0 = np.exp(-(u**2) / 2)
    M, A, N, m, a, c = f0, f0**2, 0, 0.0, 0.0, 0.0
    n, r, found = [10, 7], [3, 2], [0.0]
    for n_t, r_t, h in zip(n, r, (0.4, 0.6), strict=True):
        k, size = N, N + n_t + r_t
        pairs = k * (k - 1) * a + n_t * (n_t - 1) * A + r_t * (r_t - 1) * f0**2
        pairs = pairs + 2 * k * n_t * c + 2 * n_t * r_t * f0 * M + 2 * k * r_t * f0 * m
        m = (k * m + n_t * M + r_t * f0) / size
        a = pairs / (size * (size - 1))
        K = np.exp(-(h**2) * u**2 / 2)
        delta = 1 / size + (1 - 1 / size) * a
        M, A, c, N = K * m, K**2 * delta, K * delta, size
        found.append(np.trapezoid(A - 2 * f0 * M + f0**2, u) / math.pi)
    got = density.kde_mise([0.4, 0.6], n, r, keep=1, real="fresh")
    assert got == pytest.approx(found, rel=1e-6)


@pytest.mark.parametrize("replacement", [True, False])
def test_recursion_of_a_subsample(replacement):
    """A pool of n points for each generation, of which k are fitted."""
    u = np.linspace(0, 60, 60_001)
    f0, h, n, k = np.exp(-(u**2) / 2), 0.5, 6, 4
    K = np.exp(-(h**2) * u**2 / 2)
    M, A, N, m, a, c, found = f0, f0**2, 0, 0.0, 0.0, 0.0, [0.0]
    for _ in range(3):
        size = N + n
        a = (N * (N - 1) * a + n * (n - 1) * A + 2 * N * n * c) / (size * (size - 1))
        m = (N * m + n * M) / size
        pairs = 1 / size + (1 - 1 / size) * a
        delta = 1 / k + (1 - 1 / k) * (pairs if replacement else a)
        M, A, c, N = K * m, K**2 * delta, K * pairs, size
        found.append(np.trapezoid(A - 2 * f0 * M + f0**2, u) / math.pi)
    got = density.kde_mise(h, [n] * 3, keep=1, n_train=k, replacement=replacement)
    assert got == pytest.approx(found, rel=1e-6)


def test_fixed_real_points():
    """The same r real points in every fit beside n synthetic ones; b is the mean product of a fit and the real ones."""
    u = np.linspace(0, 60, 60_001)
    f0, h, n, r = np.exp(-(u**2) / 2), 0.5, 6, 3
    K, real = np.exp(-(h**2) * u**2 / 2), 1 / r + (1 - 1 / r) * f0**2
    A, b, M, found = f0**2, f0**2, f0, [0.0]
    for _ in range(3):
        points = (r * f0 + n * M) / (r + n)
        square = (r**2 * real + 2 * r * n * b + n**2 * (1 / n + (1 - 1 / n) * A)) / (r + n) ** 2
        b = K * (r * real + n * b) / (r + n)
        M, A = K * points, K**2 * square
        found.append(np.trapezoid(A - 2 * f0 * M + f0**2, u) / math.pi)
    assert density.kde_mise(h, [n] * 3, r, real="fixed") == pytest.approx(found, rel=1e-6)


@pytest.mark.parametrize("d", [1, 2])
def test_replace(d):
    h, n, t = 0.4, 50, 6
    rho, truth = 1 - 1 / n, np.zeros((1, d))

    def at_zero(s):
        return (2 * math.pi * (2 + s)) ** (-d / 2)

    j = np.arange(1, t + 1)
    expected = np.sum(rho ** (j - 1) * (4 * math.pi * j * h**2) ** (-d / 2)) / n
    expected += rho**t * at_zero(2 * t * h**2) - 2 * at_zero(t * h**2) + at_zero(0)
    assert density.kde_mise_replace(h, n, t, means=truth) == pytest.approx(expected)
    limit = at_zero(0) + polylogarithm(d / 2, rho) / (n * rho * (4 * math.pi * h**2) ** (d / 2))
    assert density.kde_mise_limit(h, n, means=truth) == pytest.approx(limit)


def test_moments():
    h, n, t, V, share, c = 0.5, 10, 12, 1.3, 0.2, 0.6
    harmonic = np.sum(1 / np.arange(1, t + 1))
    assert density.kde_second_moment(h, [n] * t, V=V)[-1] == pytest.approx(V + (t - 1) * h**2)
    assert density.kde_second_moment(h, [n] * t, keep=1, V=V)[-1] == pytest.approx(V + h**2 * (harmonic - 1))
    mixed = density.kde_second_moment(h, [n] * 200, V=V, real_share=share)[-1]
    assert mixed == pytest.approx(V + h**2 * (1 - share) / share)
    expected = (n - 1) * h**2 + ((1 - 1 / n) * V - (n - 1) * h**2) * (1 - 1 / n) ** (t - 1)
    assert density.kde_within_variance(h, [n] * t, V=V)[-1] == pytest.approx(expected)
    expected = (1 - 1 / n) * V * (1 - 1 / n + c**2) ** (t - 1)
    assert density.kde_scaled_within_variance(n, t, c, V) == pytest.approx(expected)


def test_likelihood():
    h, t = 0.5, 4
    lower, upper = density.kde_nll_bounds(h, [10] * t)
    second = density.kde_second_moment(h, [10] * t)[-1]
    assert upper[-1] == pytest.approx(math.log(2 * math.pi * h**2) / 2 + (1 + second) / (2 * h**2))
    v = 1 + t * h**2
    assert lower[-1] == pytest.approx((math.log(2 * math.pi * v) + 1 / v) / 2)
    assert density.kde_accumulate_nll_bound(2.0, [10, 70])[-1] == pytest.approx(2 + math.log(7))
    assert density.kde_mix_nll_bound(2.0, 10, 50) == pytest.approx(2 + math.log(5))


@pytest.mark.parametrize("d", [1, 3])
def test_bandwidth_with_real_data(d):
    share, n, R = 0.3, 1000, 0.7
    q = (1 - share) ** 2
    L = polylogarithm(d / 2, q) / q
    expected = (d * (4 * math.pi) ** (-d / 2) * L * share**2 / (n * R)) ** (1 / (d + 4))
    assert density.kde_mixing_bandwidth(share, n, d, R) == pytest.approx(expected)
    ratio = share ** ((4 - 2 * d) / (d + 4)) * L ** (4 / (d + 4))
    assert density.kde_mixing_ratio(share, d) == pytest.approx(ratio)


def test_gain_of_synthetic_points():
    shares = np.linspace(0.01, 1, 1000)
    ratio = density.kde_mixing_ratio(shares, 1)
    assert 1 - ratio.min() == pytest.approx(0.112, abs=5e-4)
    assert shares[ratio.argmin()] == pytest.approx(0.427, abs=1e-3)
    assert min(density.kde_mixing_ratio(shares, d).min() for d in (2, 3, 10)) == pytest.approx(1)
