"""Formulas of docs/explanation/theory/discrete.md, written out, against the functions."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gamma, zeta
from scipy.stats import poisson

from fastcollapse.theory import discrete

C_G = 0.3991249
A_0 = 0.5 - 2 * C_G - (np.euler_gamma + math.log(2)) / 3
P = np.array([0.5, 0.3, 0.2])


def g(t):
    """Return g_t by its recursion."""
    value = 1.0
    for _ in range(t - 1):
        value = 1 - math.exp(-value)
    return value


def test_constants():
    t = 1000
    assert A_0 == pytest.approx(-0.7217, abs=5e-5)
    harmonic = sum(1 / j for j in range(1, t + 1))
    assert np.ravel(discrete.g_bounds(t)) == pytest.approx([2 / (t + 1 + (harmonic - 1) / 3), 2 / (t + 1)])
    assert np.ravel(discrete.g_bounds_published(t)) == pytest.approx([1 / t, 3 / t])
    assert float(discrete.g_at(t)) == pytest.approx(g(t), rel=1e-12)
    assert 1 / g(10**5) == pytest.approx(10**5 / 2 + math.log(10**5) / 6 + C_G, abs=1e-4)


def test_survival():
    n, p, t = 1000, 0.004, 5
    e = math.exp(-n * p * g(t))
    expected = [1 - e, 1 - max(0, 1 - 3 * n * p**2 - 3 * t * p) * e]
    assert np.ravel(discrete.survival_bounds_published(p, n, t)) == pytest.approx(expected, rel=1e-12)
    b = n
    for _ in range(t - 1):
        b = n * (1 - (1 - 1 / n) ** b)
    expected = [max(p, 1 - (1 - p * g(t)) ** n), 1 - (1 - p) ** b]
    assert np.ravel(discrete.survival_bounds(p, n, t)) == pytest.approx(expected, rel=1e-9)
    assert float(discrete.poisson_survival(n * p, t)) == pytest.approx(1 - e)
    sums = [sum(one) for one in zip(*(np.ravel(discrete.survival_bounds(q, n, t)) for q in P), strict=True)]
    assert np.ravel(discrete.unique_symbols_bounds(P, n, t)) == pytest.approx(sums)


def test_extinction_time():
    c, q, t = 100, 0.5, 40
    length = 2 * c / math.log(1 / q)
    assert float(discrete.forgetting_cdf(c, t)) == pytest.approx(math.exp(-c * g(t)))
    assert float(discrete.forgetting_median_law(c)) == pytest.approx(2 * c / math.log(2))
    expected = length - math.log(length) / 3 - 2 * C_G
    assert float(discrete.forgetting_quantile_expansion(c, q)) == pytest.approx(expected, abs=1e-5)


def test_two_symbols():
    n, p, t, m, h0 = 100, 0.2, 500, 4, 0.75
    decay = (1 - 1 / n) ** t
    expected = [4 * p * (1 - p) * decay, 2 * n * p * (1 - p) * decay]
    assert np.ravel(discrete.seddik_bounds(p, n, t)) == pytest.approx(expected)
    expected[1] /= 2 * (1 - 1 / n)
    assert np.ravel(discrete.seddik_bounds_sharp(p, n, t)) == pytest.approx(expected)
    expected = [h0 * decay / (1 - 1 / m), n / 2 * h0 * decay / (1 - 1 / n)]
    assert np.ravel(discrete.not_collapsed_bounds(h0, m, n, t)) == pytest.approx(expected)
    lost, alone = discrete.exact_chain(p, n, t)
    assert 1 - lost[-1] - alone[-1] == pytest.approx(6 * p * (1 - p) * decay, rel=0.02)


def test_mean_times():
    n, p = 100, 0.3
    q = 1 - p
    entropy = p * math.log(p) + q * math.log(q)
    kimura = -2 * n * entropy
    second = kimura + (entropy - math.log(n * p * q)) / 3 + A_0
    assert float(discrete.mean_absorption(p, n)) == pytest.approx(second, abs=1e-5)
    assert float(discrete.mean_absorption(p, n, order=1)) == pytest.approx(kimura)
    lost, alone = -2 * n * p * math.log(p) / (1 - p), -2 * n * q * math.log(q) / p
    assert float(discrete.mean_absorption_given_extinction(p, n)) == pytest.approx(lost)
    assert float(discrete.mean_absorption_given_fixation(p, n)) == pytest.approx(alone)
    first = 1 + sum(np.prod(-np.expm1(-n * P * g)) for g in discrete.g(10**5)[1:])
    assert discrete.mean_first_loss(P, n) == pytest.approx(first, rel=1e-6)
    total = np.sum((-2 * n * (1 - P) - P / 3) * np.log(1 - P)) - math.log(n) / 3 + A_0
    assert discrete.mean_total_collapse(P, n) == pytest.approx(total, abs=1e-5)
    uniform = 2 * n * 9 * math.log(10 / 9) - math.log(0.9) / 3 - math.log(n) / 3 + A_0
    assert float(discrete.mean_total_collapse_uniform(10, n)) == pytest.approx(uniform, abs=1e-5)
    assert float(discrete.sd_total_collapse(n)) == pytest.approx(n * math.sqrt(4 * math.pi**2 / 3 - 12))


def test_heterozygosity():
    n, t, m, real = 10, 50, 4, 7
    s = np.arange(1, t + 1)
    x = math.pi / math.sqrt(n)
    assert discrete.accumulate_factor(n, t) == pytest.approx(np.prod(1 - 1 / (n * s**2)))
    assert discrete.accumulate_limit(n) == pytest.approx(math.sin(x) / x)
    rest = s[1:]
    subsample = (1 - 1 / n) * np.prod(1 - (3 * n - 1) / (n * rest * (n * rest - 1)))
    assert discrete.accumulate_subsample_factor(n, t) == pytest.approx(subsample)
    assert discrete.heterozygosity_replace(0.5, n, t) == pytest.approx(0.5 * (1 - 1 / n) ** t)
    assert discrete.fresh_limit(n, m) == pytest.approx(1 - n / (n**2 - m * (m - 1)))
    fixed = 0.75 * n / (real**2 + 2 * real * n + n)
    assert discrete.seddik_partial_limit(0.75, real, n) == pytest.approx(fixed)


def test_entropy():
    n, t = 5000, 20000
    s = np.arange(60)
    phi = [float(poisson.pmf(s, c) @ np.log1p(s)) - math.log(c) for c in (1, 5)]
    assert discrete.phi([1, 5]) == pytest.approx(phi, rel=1e-7)
    assert discrete.entropy_loss(P, n) == pytest.approx(P @ discrete.phi(n * P))
    assert discrete.entropy_slope(11, n) == pytest.approx(-10 / (2 * n))
    pairs = 0.5 * 0.3 + 0.5 * 0.2 + 0.3 * 0.2
    assert discrete.late_entropy(2 * pairs, n, t) == pytest.approx(3 * pairs * (1 - 1 / n) ** t)


def test_lost_mass():
    n, a, b = 20, 1.5, 2.0
    assert np.ravel(discrete.lost_mass_bounds(P, n, 1)) == pytest.approx([P @ (1 - P) ** n] * 2)
    constant = 1 / zeta(a, 1 + b)
    expected = constant ** (1 / a) * gamma(1 - 1 / a) / a * 1e6 ** -(1 - 1 / a)
    assert discrete.zipf_lost_mass(a, 1e6, b) == pytest.approx(expected)


def test_temperature():
    T, lam, K, n = 0.8, 0.5, 10, 2000
    beta = 1 / T
    law = P ** (beta**3)
    assert discrete.tempered_law(P, T, 3) == pytest.approx(law / law.sum())
    assert discrete.uniform_share_threshold(T) == pytest.approx(1 - T)
    assert discrete.collapsed_share_threshold(K, 0.5) == pytest.approx(K / (1 + math.sqrt(K - 1)) ** 2)
    x = np.linspace(1 / K, 1, 200_002)[1:-1]
    mapped = x**beta / (x**beta + (K - 1) ** (1 - beta) * (1 - x) ** beta)
    assert discrete.collapsed_share_threshold(K, T) == pytest.approx(np.max((mapped - x) / (mapped - 1 / K)), rel=1e-6)
    fixed = discrete.tempered_fixed_point(P, lam, T)
    q = fixed**beta / (fixed**beta).sum()
    assert fixed == pytest.approx((1 - lam) * q + lam * P)
    jacobian = (1 - lam) * beta * (np.diag(q) - np.outer(q, q)) @ np.diag(1 / fixed)
    radius = np.abs(np.linalg.eigvals(jacobian)).max()
    assert discrete.tempered_multiplier(P, lam, T) == pytest.approx(radius)
    rho = (1 - lam) / T
    expected = (1 / K) * (1 - 1 / K) / (n * (1 - rho**2))
    assert discrete.tempered_uniform_noise(K, lam, T, n)[0] == pytest.approx(expected)
    noise = (np.diag(fixed) - np.outer(fixed, fixed)) / n
    covariance = discrete.tempered_covariance(P, lam, T, n)
    assert covariance == pytest.approx(jacobian @ covariance @ jacobian.T + noise)
    law, variance = discrete.tempered_noise_path(P, lam, T, n, 300)
    assert law[-1] == pytest.approx(fixed)
    assert variance[-1] == pytest.approx(covariance.diagonal())
    N, m, p = 100, 50, 0.3
    V = p * (1 - p) / N
    after = ((N + m * rho) / (N + m)) ** 2 * V + m * (p * (1 - p) - rho**2 * V) / (N + m) ** 2
    assert discrete.tempered_accumulate_variance(N, m, rho, p, 1) == pytest.approx(after)


def test_curation():
    r, K, f, n, k, s = np.array([0.0, 0.5, 1.0]), 4, 0.3, 50, 10, 0.1
    w = np.exp(r)

    def kept(i):
        return quad(lambda u: math.exp(-u * w[i]) * (P @ np.exp(-u * w)) ** (K - 1), 0, np.inf)[0] * K * P[i] * w[i]

    assert discrete.curated_law(P, r, K) == pytest.approx([kept(i) for i in range(3)], rel=1e-7)
    assert discrete.curated_law(P, r, "infinite") == pytest.approx(P * w / (P @ w))
    law, Z = discrete.curation_fixed_point(P, r, f)
    assert law == pytest.approx(f * P / (1 - (1 - f) * w / Z))
    assert pytest.approx(law @ w) == Z
    step = f * P + (1 - f) * discrete.curated_law(P, r, K)
    assert discrete.curation_path(P, r, K, 1, f) == pytest.approx(step)
    expected = (1 - math.exp(-2 * s * k)) / (1 - math.exp(-2 * n * s))
    assert discrete.kimura_fixation(n, s, k) == pytest.approx(expected)


def test_poisson_rate():
    n, lam, t = 10, 1.5, 7
    expected = lam / (1 - math.exp(-n * lam * g(t)))
    assert discrete.poisson_mean_if_alive(lam, n, t) == pytest.approx(expected)
    assert discrete.poisson_rate_variance(lam, n, t) == pytest.approx(lam / n * t)
    squares = sum(1 / s**2 for s in range(1, t + 1))
    assert discrete.poisson_rate_variance(lam, n, t, "accumulate") == pytest.approx(lam / n * squares)
