"""Formulas of docs/explanation/theory/regression.md, written out, against the functions."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import digamma, gamma, zeta
from scipy.stats import f as f_law

from fastcollapse.theory import regression

D, T0, N_FITS = 20, 40, 3
SPECTRUM = np.arange(1, D + 1) ** -1.2
W0 = np.full(D, 0.3)


def equivalents(T, ridge):
    """Return kappa, df_1, df_2, u and p_j."""
    kappa = float(regression.effective_ridge(SPECTRUM, T, ridge))
    q = SPECTRUM / (SPECTRUM + kappa)
    return kappa, q.sum(), (q**2).sum(), (q**2).sum() / T, 1 - q


def test_least_squares_chain():
    sigma, nu = 0.5, T0 - D + 1
    mean, variance = sigma**2 / (nu - 2), 2 * sigma**4 / ((nu - 2) ** 2 * (nu - 4))
    assert regression.ols_error_mean(D, T0, N_FITS, sigma) == pytest.approx(N_FITS * sigma**2 * D / (T0 - D - 1))
    q_mean, q_variance = N_FITS * mean, N_FITS * variance
    expected = (q_variance + q_mean**2) * D * (D + 2) - (D * q_mean) ** 2
    assert regression.ols_error_variance(D, T0, N_FITS, sigma) == pytest.approx(expected)
    q_variance = N_FITS**2 * variance
    expected = (q_variance + q_mean**2) * D * (D + 2) - (D * q_mean) ** 2
    assert regression.ols_error_variance(D, T0, N_FITS, sigma, design="dependent") == pytest.approx(expected)
    x = 0.3
    expected = f_law.cdf(x * nu / (sigma**2 * D), D, nu)
    assert regression.ols_error_cdf(x, D, T0, 1, sigma) == pytest.approx(expected, abs=1e-9)


def test_fewer_rows_than_dimensions():
    d, rows, sigma, t = 40, 25, 0.4, 4
    rho, v = rows / d, sigma**2 * rows / (d - rows - 1)
    error, overlap, square = regression.isotropic_chain_means(d, rows, t, sigma)
    assert overlap == pytest.approx(rho**t)
    assert square == pytest.approx(rho**t + v * (1 - rho**t) / (1 - rho))
    assert error == pytest.approx(1 - 2 * rho**t + square)


def test_ridge_predictor():
    T, ridge, sigma, sigma0 = 30, 0.05, 0.3, 0.2
    kappa, df_1, df_2, u, p = equivalents(T, ridge)
    assert kappa - ridge == pytest.approx(kappa * df_1 / T)
    bias = (SPECTRUM * p**2 * W0**2).sum() / (1 - u)
    synthetic = (df_2 + u * (p**2).sum() / (1 - u)) / D
    got = regression.ridge_equivalents(SPECTRUM, W0, T, ridge)
    assert np.ravel(got) == pytest.approx([bias, u / (1 - u), synthetic])
    expected = bias + sigma**2 * u / (1 - u) + N_FITS * sigma0**2 * D / (T0 - D - 1) * synthetic
    assert regression.ridge_test_error(SPECTRUM, W0, T, ridge, T0, N_FITS, sigma, sigma0) == pytest.approx(expected)
    got = regression.ridge_equivalents(SPECTRUM, W0, T, 0.0)
    assert np.ravel(got) == pytest.approx([0, D / (T - D - 1), 1])
    b = ridge + D / T - 1
    kappa = (b + math.sqrt(b**2 + 4 * ridge)) / 2
    u = D / T / (1 + kappa) ** 2
    got = regression.isotropic_equivalents(D, T, ridge)
    assert [float(got[0]), float(got[2])] == pytest.approx([kappa, u / (1 - u)])


def test_best_ridge():
    T, sigma, square, error = 50, 0.5, 2.0, 0.7
    ridge = float(regression.isotropic_optimal_ridge(D, T, sigma, square, error))
    kappa = float(regression.isotropic_equivalents(D, T, ridge)[0])
    u = D / T / (1 + kappa) ** 2
    expected = sigma**2 * D / T + error * (1 + kappa) * (1 - u) ** 2
    assert ridge * (square + error) == pytest.approx(expected)
    assert regression.isotropic_optimal_ridge(D, T, sigma, square) == pytest.approx(sigma**2 * D / (T * square))
    many = 10**7
    assert regression.isotropic_optimal_ridge(D, many, sigma, square, error) == pytest.approx(error / square, rel=1e-4)


def test_scaling_laws():
    beta, r, ell, a, kappa = 1.5, 0.375, 0.7, 0.5, 1e-5
    e = min(2 * r * ell, a - ell / beta)
    assert regression.error_exponent(beta, r, ell, a) == pytest.approx(e)
    best = a * beta / (2 * beta * r + 1)
    assert np.ravel(regression.best_exponents(beta, r, a)) == pytest.approx([best, 2 * r * best])
    spectrum, w0 = regression.power_law(4, beta, r)
    j = np.arange(1, 5.0)
    assert spectrum == pytest.approx(j**-beta)
    assert spectrum * w0**2 == pytest.approx(j ** -(1 + 2 * beta * r))
    C = (math.pi / beta) / math.sin(math.pi / beta)
    df_1 = C * kappa ** (-1 / beta) - 0.5
    df_2 = (1 - 1 / beta) * C * kappa ** (-1 / beta) - 0.5
    bias = gamma(2 - 2 * r) * gamma(2 * r) / beta * kappa ** (2 * r) + _zeta(1 + 2 * beta * (r - 1)) * kappa**2
    assert np.ravel(regression.power_law_equivalents(kappa, beta, r)) == pytest.approx([df_1, df_2, bias])


def test_crossover():
    beta, r, ell, noise = 1.5, 0.375, 1.2, 1e-4
    T = float(regression.crossover_samples(beta, r, ell, noise))

    def excess(kappa):
        df_1 = float(regression.power_law_equivalents(kappa, beta, r)[0])
        return kappa - T**-ell - kappa * df_1 / T

    kappa = brentq(excess, 1e-9, 0.1, xtol=1e-18)
    _, df_2, bias = regression.power_law_equivalents(kappa, beta, r)
    assert noise * df_2 / T == pytest.approx(float(bias))


def test_best_ridge_of_any_covariance():
    T, sigma, labels = 25, 0.5, 0.7
    ridge, least = (float(one) for one in regression.optimal_ridge(SPECTRUM, W0, T, sigma, labels))

    def error(level):
        bias, variance, synthetic = regression.ridge_equivalents(SPECTRUM, W0, T, level)
        return float(bias + sigma**2 * variance + synthetic * labels)

    assert least == pytest.approx(error(ridge))
    assert min(error(ridge * factor) for factor in (0.5, 0.95, 1.05, 2.0)) > least


def _zeta(s):
    """Return the zeta function by its functional equation for s < 0."""
    if s > 1:
        return float(zeta(s))
    return float(2**s * math.pi ** (s - 1) * math.sin(math.pi * s / 2) * gamma(1 - s) * zeta(1 - s))


def test_accumulation():
    sigma, t = 0.5, 5
    one, s = sigma**2 * D / (T0 - D - 1), np.arange(1, t + 1)
    same, fresh = one * np.sum(1 / s**2), np.sum(sigma**2 * D / (s * (s * T0 - D - 1)))
    assert regression.accumulate_error(D, T0, t, sigma, "same") == pytest.approx(same)
    assert regression.accumulate_error(D, T0, t, sigma, "fresh") == pytest.approx(fresh)
    assert regression.accumulate_error_limit(D, T0, sigma, "same") == pytest.approx(math.pi**2 / 6 * one)
    limit = -(sigma**2) * D / (D + 1) * (np.euler_gamma + digamma(1 - (D + 1) / T0))
    assert regression.accumulate_error_limit(D, T0, sigma, "fresh") == pytest.approx(limit)
    expected = sigma**2 * D / T0 * (1 + 3 * np.sum(1 / s[1:] ** 2))
    assert regression.subsample_error(D, T0, t, sigma) == pytest.approx(expected)


def test_real_rows():
    synthetic, real, t, sigma0, sigma = 30, 10, 4, 0.5, 0.3
    N = synthetic + real
    inner = N + synthetic + 2 - synthetic * (N + 1) * (D - 1) / ((N - 1) * (N - D - 1))
    g = 1 - real / (N * (N + 2)) * inner
    e = (sigma0**2 * synthetic + sigma**2 * real) * D / (N * (N - D - 1))
    assert regression.mix_contraction(D, synthetic, real) == pytest.approx(g)
    assert regression.mix_error(D, synthetic, real, t, sigma0, sigma) == pytest.approx(e * (1 - g**t) / (1 - g))


def test_strong_collapse():
    T, T2, ridge, sigma, sigma2 = 60, 15, 0.05, 0.3, 0.2
    share, delta = T2 / T, np.linspace(-0.1, 0.2, D)
    _, _, _, u, p = equivalents(T, ridge)
    q = 1 - p
    variance = ((1 - share) * sigma**2 + share * sigma2**2) * u / (1 - u)
    zeta_part = SPECTRUM * delta**2 @ (share**2 * (q - u) ** 2 + share * u * (1 - share * u)) / (1 - u)
    cross = -2 * share * (SPECTRUM * W0 * delta) @ ((1 - q) * (q - u)) / (1 - u)
    parts = regression.mixed_row_parts(SPECTRUM, W0, delta, T, T2, ridge, sigma, sigma2)
    assert np.ravel(parts[1:4]) == pytest.approx([variance, zeta_part, cross])
    q = SPECTRUM / (SPECTRUM + ridge)
    plateau = SPECTRUM @ (share * q * delta - (1 - q) * W0) ** 2
    assert regression.strong_collapse_plateau(SPECTRUM, W0, delta, share, ridge) == pytest.approx(plateau)
    square, zero, ones = np.full(D, 0.02), np.zeros(D), np.ones(D)
    P, length = share**2 * square.sum(), W0 @ W0
    best = regression.strong_collapse_plateau(ones, W0, zero, share, [P / length, 0.9 * P / length], square)
    assert best[0] == pytest.approx(P * length / (P + length))
    assert best[1] > best[0]


def test_mixed_labels():
    T, w, ridge, s, b, t, sigma, sigma0 = 6, 0.4, 0.3, 1.7, 0.8, 3, 0.5, 0.6
    q = s**2 / (s**2 + ridge * T)
    r = (1 - w) * q
    mean = w * q * b * (1 - r**t) / (1 - r) + r**t * b
    variance = (w**2 * sigma**2 + (1 - w) ** 2 * sigma0**2) * (q / s) ** 2 * (1 - r ** (2 * t)) / (1 - r**2)
    got = regression.mixed_label_moments([s], [b], T, w, ridge, t, sigma, sigma0)
    assert np.ravel(got) == pytest.approx([mean, variance])
    assert regression.best_label_weight(30, 60) == pytest.approx((math.sqrt(5) - 1) / 2)
    assert regression.best_label_weight(30, 60, real_labels="fixed") == pytest.approx(1)


def test_fine_tuning():
    d, sigma, square = 30, 0.3, 1.2
    few = (1 - 18 / d) * square + sigma**2 * 18 / (d - 18 - 1)
    many = sigma**2 * d / (60 - d - 1)
    assert regression.nearest_fit_error(d, [18, 60], square, sigma) == pytest.approx([few, many])
    threshold = regression.fine_tuning_threshold(d, [18, 60], sigma)
    assert threshold == pytest.approx([sigma**2 * d / (12 - 1), sigma**2 * d / (30 - 1)])
    assert regression.nearest_fit_error(d, [18, 60], threshold, sigma) == pytest.approx(threshold)
    w, sigma0, T = 0.4, 0.5, 18
    step = (1 - w * (2 - w) * T / d) * square + (w**2 * sigma**2 + (1 - w) ** 2 * sigma0**2) * T / (d - T - 1)
    assert regression.nearest_chain_error(d, T, 1, sigma, sigma0, w, square) == pytest.approx(step)
