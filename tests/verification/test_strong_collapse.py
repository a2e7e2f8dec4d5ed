"""Verification of the theory of fits to real and synthetic rows together by raw simulation of rows, labels and fits.

Each test fails at |z| > 5 and has a negative control: a slightly wrong theory that the same data must reject. The
relative error O(1/d) of deterministic equivalents counts as rounding.
"""

import numpy as np
import pytest

from fastcollapse.theory.regression.mixed_rows import mixed_rows_factor
from fastcollapse.theory.regression.strong_collapse import (
    best_mixed_ridge,
    mixed_row_parts,
    strong_collapse_plateau,
)
from tests._goodness_of_fit import z_scores

# Fewer than 100 z-scores in this file, 5.7e-7 each: 6e-5 in all.
Z_LIMIT = 5.0


def reject(z):
    return np.abs(z).max() > Z_LIMIT


def parts_of(rng, spectrum, w0, deltas, T, T2, ridge, sigmas):
    """Return the squares of the parts, the cross term, and the error, (R, 5); the first T2 rows are synthetic."""
    n_replicates, d = deltas.shape
    x = rng.standard_normal((n_replicates, T, d)) * np.sqrt(spectrum)
    labels = (x @ deltas[..., None])[..., 0] * (np.arange(T) < T2)
    noise = rng.standard_normal((n_replicates, T)) * np.where(np.arange(T) < T2, sigmas[1], sigmas[0])
    transposed = np.swapaxes(x, 1, 2)
    sides = np.stack([x @ w0, noise, labels], axis=-1)
    if ridge > 0:
        fits = np.linalg.solve(transposed @ x / T + ridge * np.eye(d), transposed @ sides / T)
    elif T > d:
        fits = np.linalg.solve(transposed @ x, transposed @ sides)
    else:
        fits = transposed @ np.linalg.solve(x @ transposed, sides)
    bias, variance, zeta = fits[..., 0] - w0, fits[..., 1], fits[..., 2]
    squares = [part**2 @ spectrum for part in (bias, variance, zeta)]
    total = bias + variance + zeta
    return np.stack([*squares, 2 * (bias * zeta) @ spectrum, total**2 @ spectrum], axis=1)


@pytest.mark.parametrize(("T", "T2"), [(20, 3), (20, 12), (40, 39)])
@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_fit_without_ridge_to_many_rows__is_exact(T, T2, beta):
    d, rng = 8, np.random.default_rng(1)
    spectrum, w0 = np.arange(1, d + 1.0) ** -beta, np.linspace(1, 2, d)
    delta = np.linspace(-1, 0.5, d)
    found = parts_of(rng, spectrum, w0, np.tile(delta, (30_000, 1)), T, T2, 0.0, (0.5, 0.9))
    theory = mixed_row_parts(spectrum, w0, delta, T, T2, 0.0, 0.5, 0.9)
    expected = [theory.variance, theory.zeta, theory.error]
    assert not reject(z_scores(found[:, [1, 2, 4]], np.array(expected)))
    # Negative control: one synthetic row more or less.
    wrong = mixed_row_parts(spectrum, w0, delta, T, T2 - 1, 0.0, 0.5, 0.9)
    assert reject(z_scores(found[:, 2], wrong.zeta))


@pytest.mark.parametrize(("T", "T2"), [(9, 2), (9, 8), (4, 2)])
def test_minimum_norm_fit__is_exact_for_isotropic_inputs(T, T2):
    d, rng = 16, np.random.default_rng(2)
    delta = rng.standard_normal((20_000, d))
    found = parts_of(rng, np.ones(d), np.full(d, d**-0.5), delta, T, T2, 0.0, (0.5, 0.9))
    noise = ((T - T2) * 0.25 + T2 * 0.81) / (d - T - 1)
    zeta = d * mixed_rows_factor(d, T, T2)
    expected = np.array([1 - T / d, noise, zeta, 0.0, 1 - T / d + noise + zeta])
    assert not reject(z_scores(found, expected))
    # Negative controls: a tenth less, and labels of two kinds that do not contradict each other.
    assert reject(z_scores(found[:, 2], 0.9 * zeta))
    assert reject(z_scores(found[:, 2], float(T2)))


CASES = [(np.ones(60), 120, 36, 0.1), (np.ones(75), 38, 19, 0.05), (np.arange(1, 76.0) ** -1.5, 50, 10, 1e-3)]


@pytest.mark.parametrize(("spectrum", "T", "T2", "ridge"), CASES)
def test_mixed_row_parts__equals_simulation(spectrum, T, T2, ridge):
    """Deterministic equivalents: an error O(1/d) counts as rounding; for this delta the cross term is not 0."""
    d, rng = spectrum.size, np.random.default_rng(3)
    w0 = np.full(d, spectrum.sum() ** -0.5)
    found = parts_of(rng, spectrum, w0, np.tile(-w0 / 2, (500, 1)), T, T2, ridge, (0.2, 0.3))
    theory = mixed_row_parts(spectrum, w0, -w0 / 2, T, T2, ridge, 0.2, 0.3)
    expected = np.array([*theory, theory.error])
    assert not reject(z_scores(found, expected, 2 * np.abs(expected) / d + 1e-3 / d))
    wrong = mixed_row_parts(spectrum, w0, -w0 / 2, T, T2 + T // 5, ridge, 0.2, 0.3)
    assert reject(z_scores(found[:, 2], wrong.zeta, 2 * wrong.zeta / d))


def test_plateau_and_best_ridge__equal_simulation():
    """At many rows the best ridge goes below the plateau of least squares, by as much as theory says."""
    d, T, share, rng = 10, 20_000, 0.5, np.random.default_rng(4)
    w0, square = np.full(d, d**-0.5), np.full(d, 0.1)
    deltas = np.sqrt(square) * rng.standard_normal((400, d))
    # Sums of squares of so many rows are drawn as Wishart matrices of one generator.
    best = float(best_mixed_ridge(np.ones(d), w0, np.zeros(d), T, T // 2, 0.5, None, square)[0])
    pairs = []
    for delta in deltas:
        grams = [(x := rng.standard_normal((T // 2, d))).T @ x / T for _ in range(2)]
        noise = 0.5 * np.linalg.cholesky(sum(grams) / T) @ rng.standard_normal(d)
        side = sum(grams) @ w0 + grams[1] @ delta + noise
        pairs.append([((np.linalg.solve(sum(grams) + r * np.eye(d), side) - w0) ** 2).sum() for r in (0.0, best)])
    found = np.array(pairs)
    none = np.zeros(d)
    expected = strong_collapse_plateau(np.ones(d), w0, none, share, [0.0, best], square)
    # The noise and finite numbers of rows add d sigma^2/T and the like.
    assert not reject(z_scores(found, expected, 0.01 * expected))
    gain = expected[1] / expected[0]
    ratio = found[:, 1] - gain * found[:, 0]
    assert not reject(z_scores(ratio, 0.0, 0.01 * expected[1]))
    assert reject(z_scores(found[:, 1] - 1.0 * found[:, 0], 0.0, 0.01 * expected[1]))
