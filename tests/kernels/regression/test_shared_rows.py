"""Chains of kernel regressions on shared rows: refits, errors and expectations against dense solves."""

import numpy as np
import pytest

from fastcollapse.kernels.regression.shared_rows import (
    Chains,
    SharedRows,
    diagonalize,
    errors_of_chains,
    expected_errors,
    refit_shared,
    solve_along,
    turn,
)
from tests._goodness_of_fit import z_scores

# Fewer than 100 z-scores in this file, 5.7e-7 each.
Z_LIMIT = 5.0
R, C, N, M = 2, 2, 5, 7
WEIGHTS, PENALTIES = np.array([0.0, 0.3, 0.3, 1.0]), np.array([0.2, 0.2, 1.5, 0.4])


def matrices(rng=None, rank=N):
    """Return R positive semidefinite matrices of a rank, and their values at M held-out rows."""
    rng = rng or np.random.default_rng(1)
    features = rng.standard_normal((R, N + M, rank))
    gram = features @ features.swapaxes(1, 2)
    return gram[:, :N, :N].copy(), gram[:, :N, N:].copy()


def shared_rows(given):
    gram, across = matrices()
    vectors, values = np.triu(gram), np.empty((R, N))
    diagonalize(vectors, values)
    along, basis = np.empty((R, C, N)), np.empty((R, N, M))
    turn(given, vectors, True, along)
    turn(vectors, across, False, basis)
    return gram, across, SharedRows(values, vectors, along, basis, (basis**2).mean(axis=2))


def test_diagonalize__returns_eigenvectors_of_upper_triangles():
    gram, _ = matrices()
    vectors, values = np.triu(gram), np.empty((R, N))
    diagonalize(vectors, values)
    np.testing.assert_allclose(vectors.swapaxes(1, 2) @ (values[..., None] * vectors), gram, rtol=1e-12, atol=1e-12)
    assert (np.diff(values) > 0).all()
    singular, _ = matrices(rank=3)
    diagonalize(singular, values)
    assert (values[:, :2] == 0).all()
    assert (values[:, 2:] > 0).all()


def test_solve__equals_dense_solves():
    gram, _ = matrices()
    labels = np.random.default_rng(2).standard_normal((R, 3, 4, N))
    penalties = np.array([0.0, 0.1, 2.0])
    vectors, values, got = gram.copy(), np.empty((R, N)), labels.copy()
    diagonalize(vectors, values)
    solve_along(values, vectors, penalties, got)
    for r in range(R):
        for j, penalty in enumerate(penalties):
            expected = np.linalg.solve(gram[r] + penalty * np.eye(N), labels[r, j].T).T
            np.testing.assert_allclose(got[r, j], expected, rtol=1e-8)
    # Without a penalty a singular matrix gives the solution of least norm.
    vectors, _ = matrices(rank=3)
    expected = labels[0, 0] @ np.linalg.pinv(vectors[0])
    got = labels[:, :1].copy()
    diagonalize(vectors, values)
    solve_along(values, vectors, np.zeros(1), got)
    np.testing.assert_allclose(got[0, 0], expected, rtol=1e-8, atol=1e-10)


def simulate(chains, noise, given, targets):
    """Return the errors of generations 1..T of all chains by dense solves, float64 (T, R, P, S).

    The noise (T, 2, R, S, C, n) has S samples.
    """
    gram, across = matrices()
    found = np.empty((len(noise), R, len(chains.weights), noise.shape[3]))
    for r in range(R):
        for p, (w, penalty) in enumerate(zip(chains.weights, chains.penalties, strict=True)):
            solve = np.linalg.inv(gram[r] + penalty * np.eye(N))
            coefficients, fitted = np.zeros((C, N)), given[r]
            for t, (real, synthetic) in enumerate(noise[:, :, r]):
                labels = w * (given[r] + chains.real_noise * real)
                labels = labels + (1 - w) * (fitted + chains.synthetic_noise * synthetic)
                if chains.from_previous:
                    coefficients = coefficients + (labels - fitted) @ solve
                else:
                    coefficients = labels @ solve
                fitted = coefficients @ gram[r] + (given[r] if chains.from_previous else 0)
                gaps = coefficients @ across[r] - (0 if chains.from_previous else targets)
                found[t, r, p] = (gaps**2).mean(axis=(1, 2))
    return found


def law(fixed, from_previous):
    return Chains(WEIGHTS, PENALTIES, 0.5, 0.8, fixed, from_previous)


@pytest.mark.parametrize("from_previous", [False, True])
def test_refits__equal_dense_solves(from_previous):
    rng, chains = np.random.default_rng(3), law(False, from_previous)
    given, targets = rng.standard_normal((R, C, N)), rng.standard_normal((C, M))
    noise = rng.standard_normal((4, 2, R, 1, C, N))
    _, _, shared = shared_rows(given)
    along, turned = np.zeros((R, len(WEIGHTS), C, N)), np.empty((2, R, C, N))
    expected = simulate(chains, noise, given, targets)[..., 0]
    for t in range(4):
        for i in range(2):
            turn(noise[t, i, :, 0].copy(), shared.vectors, True, turned[i])
        refit_shared(shared, chains, turned, t == 0, along)
        got = np.empty((R, len(WEIGHTS)))
        errors_of_chains(along, shared.basis, targets[:0] if from_previous else targets, 2, got)
        np.testing.assert_allclose(got, expected[t], rtol=1e-9)


@pytest.mark.parametrize("from_previous", [False, True])
@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("generation", [1, 4])
def test_expectation__equals_the_mean_of_dense_solves(fixed, from_previous, generation):
    rng, chains, n = np.random.default_rng(4), law(fixed, from_previous), 4000
    given, targets = rng.standard_normal((R, C, N)), rng.standard_normal((C, M))
    _, _, shared = shared_rows(given)
    noise = rng.standard_normal((generation, 2, R, n, C, N))
    if fixed:
        noise[:, 0] = noise[:1, 0]
    errors = np.moveaxis(simulate(chains, noise, given, targets)[-1], -1, 0)
    got, wrong = np.empty((2, R, len(WEIGHTS)))
    own = targets[:0] if from_previous else targets
    expected_errors(shared, chains, own, float(generation), 2, got)
    assert np.abs(z_scores(errors, got)).max() < Z_LIMIT
    # Negative control: the theory of more noise.
    expected_errors(shared, chains._replace(synthetic_noise=0.9), own, float(generation), 2, wrong)
    assert np.abs(z_scores(errors, wrong)).max() > Z_LIMIT
