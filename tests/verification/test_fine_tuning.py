"""Verification of the theory of fine-tuning by raw simulation of rows, labels and fits.

Each test fails at |z| > 5 and has a negative control: a slightly wrong theory that the same data must reject. The
relative error O(1/d) of deterministic equivalents counts as rounding.
"""

import functools

import numpy as np
import pytest

from fastcollapse.theory.regression.fine_tuning import (
    fine_tuned_error,
    fine_tuning_threshold,
    nearest_chain_error,
    nearest_fit_error,
)
from tests._goodness_of_fit import z_scores

# Fewer than 100 z-scores in this file, 5.7e-7 each: 6e-5 in all.
Z_LIMIT = 5.0
DESIGNS = ("gaussian", "rademacher", "uniform", "student")


def reject(z):
    return np.abs(z).max() > Z_LIMIT


def rows_of(rng, design, shape):
    if design == "rademacher":
        return rng.choice([-1.0, 1.0], size=shape)
    if design == "uniform":
        return rng.uniform(-np.sqrt(3), np.sqrt(3), size=shape)
    if design == "student":
        return rng.standard_t(5, size=shape) * np.sqrt(3 / 5)
    return rng.standard_normal(shape)


def gaps_after(rng, x, gaps, sigma, ridge):
    """Return w - w0 of fits with a ridge towards w0 + `gaps`, (R, d), to rows (R, T, d) with labels of w0."""
    n_samples, d = x.shape[-2:]
    residuals = sigma * rng.standard_normal(x.shape[:2]) - (x @ gaps[..., None])[..., 0]
    if ridge == 0:
        return gaps + (np.linalg.pinv(x) @ residuals[..., None])[..., 0]
    transposed = np.swapaxes(x, -1, -2)
    gram = transposed @ x / n_samples + ridge * np.eye(d)
    return gaps + np.linalg.solve(gram, transposed @ residuals[..., None] / n_samples)[..., 0]


@pytest.mark.parametrize("n_samples", [5, 25])
@pytest.mark.parametrize("square", [0.3, 2.0])
def test_nearest_fit__equals_simulation(n_samples, square):
    d, sigma, n_replicates = 12, 0.4, 20_000
    rng = np.random.default_rng(1)
    x, gaps = rng.standard_normal((n_replicates, n_samples, d)), np.full((n_replicates, d), (square / d) ** 0.5)
    error = (gaps_after(rng, x, gaps, sigma, 0.0) ** 2).sum(axis=1)
    assert not reject(z_scores(error, nearest_fit_error(d, n_samples, square, sigma)))
    assert reject(z_scores(error, nearest_fit_error(d, n_samples, square, 1.1 * sigma)))
    # Whether fine-tuning pays.
    threshold = fine_tuning_threshold(d, n_samples, sigma)
    assert (error.mean() < square) == (square > threshold)


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("n_samples", [6, 16])
def test_nearest_chain__equals_simulation(weight, n_samples):
    """Chains (a), w = 0, and (b), w = 1, and one between them."""
    d, noise, n_replicates, square = 12, (0.4, 0.6), 8000, 1.5
    rng = np.random.default_rng(2)
    gaps, found = np.full((n_replicates, d), (square / d) ** 0.5), []
    for _ in range(4):
        x = rng.standard_normal((n_replicates, n_samples, d))
        labels = rng.standard_normal((2, n_replicates, n_samples))
        residuals = weight * noise[0] * labels[0] + (1 - weight) * noise[1] * labels[1]
        residuals -= weight * (x @ gaps[..., None])[..., 0]
        gaps = gaps + (np.linalg.pinv(x) @ residuals[..., None])[..., 0]
        found.append((gaps**2).sum(axis=1))
    law = d, n_samples, [1, 2, 3, 4], *noise
    assert not reject(z_scores(np.array(found).T, nearest_chain_error(*law, weight, square)))
    assert reject(z_scores(np.array(found).T, nearest_chain_error(*law, abs(weight - 0.2), square)))


@functools.cache
def tuned(design, n_replicates=300):
    """Return errors of fits to 50 rows of 75 inputs of a power law, of one design."""
    d, spectrum = 75, np.arange(1.0, 76) ** -1.0
    rng = np.random.default_rng(3)
    x = rows_of(rng, design, (n_replicates, 50, d)) * np.sqrt(spectrum)
    gaps = np.full((n_replicates, d), spectrum.sum() ** -0.5)
    return (gaps_after(rng, x, gaps, 0.3, 0.01) ** 2) @ spectrum


@pytest.mark.parametrize("design", DESIGNS)
def test_fine_tuned_error__is_universal(design):
    """The mean depends on the first two moments of the inputs only, up to O(1/d)."""
    spectrum = np.arange(1.0, 76) ** -1.0
    delta = np.full(75, spectrum.sum() ** -0.5)
    expected = fine_tuned_error(spectrum, delta, 50, 0.01, 0.3)
    assert not reject(z_scores(tuned(design), expected, 2 * expected / 75))
    wrong = fine_tuned_error(spectrum, 1.2 * delta, 50, 0.01, 0.3)
    assert reject(z_scores(tuned(design), wrong, 2 * wrong / 75))
