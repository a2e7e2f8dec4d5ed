"""Verification of the theory of mixed labels by raw simulation of labels and refits.

Each test fails at |z| > 5 and has a negative control: a slightly wrong theory that the same data must reject. The
relative error O(1/d) of deterministic equivalents counts as rounding.
"""

import functools
import itertools

import numpy as np
import pytest

from fastcollapse.theory.mixing.weighted_fit import weighted_errors
from fastcollapse.theory.regression.mixed_labels import (
    best_label_weight,
    mixed_label_error,
    mixed_label_means,
    mixed_label_moments,
)
from tests._goodness_of_fit import z_scores

# Fewer than 400 z-scores in this file, 5.7e-7 each: 2.3e-4 in all.
Z_LIMIT = 5.0
PHI = (1 + np.sqrt(5)) / 2
NOISE = 0.5, 0.8
D = 6
SPECTRUM = np.arange(1.0, D + 1) ** -1.0
W0 = np.linspace(1.0, -0.5, D)


def reject(z):
    return np.abs(z).max() > Z_LIMIT


def pseudo_inverse(x, ridge):
    """Return the matrix that takes labels to the fit."""
    if ridge == 0:
        return np.linalg.pinv(x)
    n, d = x.shape[-2:]
    transposed = np.swapaxes(x, -1, -2)
    return np.linalg.solve(transposed @ x / n + ridge * np.eye(d), transposed / n)


def chains(x, weight, ridge, n, noise, real_labels, n_replicates, start="zero"):
    """Return the weights after n generations, float64 (R, d); x are rows (T, d), or (R, T, d)."""
    rng = np.random.default_rng(1)
    inverse, shape = pseudo_inverse(x, ridge), (n_replicates, x.shape[-2])
    w = np.tile(W0 if x.shape[-1] == D else unit(x.shape[-1]), (n_replicates, 1))
    truth = w
    fixed = noise[0] * rng.standard_normal(shape)
    for _ in range(n):
        real = fixed if real_labels == "fixed" else noise[0] * rng.standard_normal(shape)
        mixed = weight * truth + (1 - weight) * w
        labels = (x @ mixed[..., None])[..., 0] + weight * real + (1 - weight) * noise[1] * rng.standard_normal(shape)
        first = w if start == "previous" else np.zeros(w.shape)
        w = first + (inverse @ (labels - (x @ first[..., None])[..., 0])[..., None])[..., 0]
    return w


def unit(d):
    return np.full(d, d**-0.5)


def rows(n_samples, seed=2):
    return np.random.default_rng(seed).standard_normal((n_samples, D)) * np.sqrt(SPECTRUM)


# Rows, ridge, real labels and start.
LAWS = [
    *itertools.product((10, 4), (0.0, 0.1), ("fresh", "fixed"), ("zero",)),
    (10, 0.1, "fresh", "previous"),
    (4, 0.1, "fixed", "previous"),
    (4, 0.0, "fresh", "previous"),
]


@functools.cache
def given_rows(n_samples, ridge, real_labels, start, n):
    return chains(rows(n_samples), 0.3, ridge, n, NOISE, real_labels, 20_000, start)


@pytest.mark.parametrize(("n_samples", "ridge", "real_labels", "start"), LAWS)
@pytest.mark.parametrize("n", [1, 3, 80])
def test_moments__equal_simulation(n_samples, ridge, real_labels, start, n):
    """12 z-scores each; after 80 generations the law is stationary to 1e-4 of its deviation."""
    w = given_rows(n_samples, ridge, real_labels, start, n)
    _, s, right = np.linalg.svd(rows(n_samples), full_matrices=False)
    fits = np.inf if n == 80 else n
    mean, variance = mixed_label_moments(s, right @ W0, n_samples, 0.3, ridge, fits, *NOISE, real_labels, start)
    along = w @ right.T
    assert not reject(z_scores(along, mean))
    assert not reject(z_scores((along - mean) ** 2, variance))
    other = "fresh" if real_labels == "fixed" else "fixed"
    if n > 1:
        wrong = mixed_label_moments(s, right @ W0, n_samples, 0.3, ridge, fits, *NOISE, other, start)[1]
        assert reject(z_scores((along - mean) ** 2, wrong))


@pytest.mark.parametrize(("n_samples", "ridge", "real_labels", "start"), LAWS)
@pytest.mark.parametrize("n", [0, 1, 3, 80])
def test_error_given_rows__equals_simulation(n_samples, ridge, real_labels, start, n):
    errors = ((given_rows(n_samples, ridge, real_labels, start, n) - W0) ** 2) @ SPECTRUM
    law = ridge, np.inf if n == 80 else n, *NOISE
    expected = mixed_label_error(rows(n_samples), W0, SPECTRUM, 0.3, *law, real_labels, start)
    assert not reject(z_scores(errors, expected))
    if n > 0:
        assert reject(z_scores(errors, mixed_label_error(rows(n_samples), W0, SPECTRUM, 0.4, *law, real_labels, start)))


@pytest.mark.parametrize(("real_labels", "start"), [("fresh", "zero"), ("fixed", "zero"), ("fresh", "previous")])
@pytest.mark.parametrize(("n_samples", "ridge"), [(24, 0.0), (6, 0.0), (24, 0.2), (12, 0.2)])
def test_means_over_rows__equal_simulation(n_samples, ridge, real_labels, start):
    d, n_replicates = 14, 4000
    x = np.random.default_rng(5).standard_normal((n_replicates, n_samples, d))
    for n in (1, 5):
        error = ((chains(x, 0.4, ridge, n, NOISE, real_labels, n_replicates, start) - unit(d)) ** 2).sum(axis=1)
        expected = mixed_label_means(d, n_samples, 0.4, ridge, n, *NOISE, 1.0, real_labels, start)
        rounding = 0.0 if ridge == 0 else expected / d
        assert not reject(z_scores(error, expected, rounding))
        wrong = mixed_label_means(d, n_samples, 0.1, ridge, n, *NOISE, 1.0, real_labels, start)
        assert reject(z_scores(error, wrong, rounding))


def test_means_over_new_rows__follow_the_weighted_fit():
    """On new rows in each generation both parts have the error of least squares, sigma^2 d/(T - d - 1)."""
    d, n_samples, n_replicates, weight = 5, 14, 10_000, 0.4
    rng = np.random.default_rng(6)
    w, found = np.tile(unit(d), (n_replicates, 1)), []
    for _ in range(4):
        x = rng.standard_normal((n_replicates, n_samples, d))
        noise = rng.standard_normal((2, n_replicates, n_samples))
        labels = (x @ (weight * unit(d) + (1 - weight) * w)[..., None])[..., 0]
        labels += weight * NOISE[0] * noise[0] + (1 - weight) * NOISE[1] * noise[1]
        w = (np.linalg.pinv(x) @ labels[..., None])[..., 0]
        found.append(((w - unit(d)) ** 2).sum(axis=1))
    real, synthetic = (sigma**2 * d / (n_samples - d - 1) for sigma in NOISE)
    assert not reject(z_scores(np.array(found).T, weighted_errors([weight] * 4, real, synthetic, 1.0)))
    assert reject(z_scores(np.array(found).T, weighted_errors([weight] * 4, synthetic, real, 1.0)))


def best_given_rows(x, w0, spectrum, ridge, noise=(1.0, 1.0), real_labels="fresh"):
    """Return the weight of the least stationary error, to 1e-3."""
    weights = np.linspace(0, 1, 1001)[1:]
    return weights[mixed_label_error(x, w0, spectrum, weights, ridge, np.inf, *noise, real_labels).argmin()]


@pytest.mark.parametrize("n_samples", [4, 6, 7, 30])
@pytest.mark.parametrize("power", [0.0, 2.0])
def test_best_weight__is_golden_for_all_rows_without_a_ridge(n_samples, power):
    rng = np.random.default_rng(n_samples)
    spectrum = np.arange(1.0, 7.0) ** -power
    x, w0 = rng.standard_cauchy((n_samples, 6)) * np.sqrt(spectrum), rng.standard_normal(6)
    np.testing.assert_allclose(best_given_rows(x, w0, spectrum, 0.0), 1 / PHI, atol=1e-3)
    for ridge in (1e-3, 0.1, 1.0, 100.0):
        for length in (0.0, 0.1, 10.0):
            assert best_given_rows(x, length * w0, spectrum, ridge) >= 0.5
    # Negative controls: noise of another variance, and real labels that are the same for ever.
    assert abs(best_given_rows(x, w0, spectrum, 0.0, (1.0, 1.1)) - 1 / PHI) > 0.01
    assert best_given_rows(x, w0, spectrum, 0.0, real_labels="fixed") == 1.0
    assert best_given_rows(x, 0.0 * w0, spectrum, 1.0, (2.0, 1.0)) < 0.5


@pytest.mark.parametrize("n_samples", [24, 6])
def test_best_weight__is_that_of_the_simulated_stationary_error(n_samples):
    """The error at the best weight is below that of weights beside it, in paired runs."""
    d, n_replicates, noise = 12, 1500, (0.7, 0.7)
    x = np.random.default_rng(7).standard_normal((n_replicates, n_samples, d))
    best = float(best_label_weight(d, n_samples, 0.3, *noise))
    at, below, above = (
        ((chains(x, w, 0.3, 30, noise, "fresh", n_replicates) - unit(d)) ** 2).sum(axis=1)
        for w in (best, best - 0.2, min(1.0, best + 0.2))
    )
    assert z_scores(below - at, 0.0) > Z_LIMIT
    assert z_scores(above - at, 0.0) > Z_LIMIT
    # Negative control: without the ridge the best weight is another one.
    assert abs(best - float(best_label_weight(d, n_samples, 0.0, *noise))) > 0.01
