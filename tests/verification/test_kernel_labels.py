"""Verification of the theory of kernel ridge regressions on given rows by raw simulation of labels and refits.

Each test fails at |z| > 5 and has a negative control: a slightly wrong theory that the same data must reject.
"""

import itertools

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.theory.regression.kernel_labels import kernel_label_error
from tests._goodness_of_fit import z_scores
from tests.naive import kernel_ridge as twin

# Fewer than 300 z-scores in this file, 5.7e-7 each: 1.7e-4 in all.
Z_LIMIT = 5.0
NOISE = 0.5, 0.8
LAWS = [*itertools.product(("fresh", "fixed"), ("zero", "previous"))]
RNG = np.random.default_rng(1)
X, Z = RNG.random((8, 2)), RNG.random((12, 2))
Y, Y_TEST = (np.sin(6 * x[:, 0]) + x[:, 1] for x in (X, Z))


def kernel(x, y):
    return np.exp(-((x[:, None] - y[None]) ** 2).sum(axis=2) / 0.1)


def reject(z):
    return np.abs(z).max() > Z_LIMIT


def errors(weight, ridge, n, real_labels, start, n_replicates=10_000):
    """Return the test errors after n generations, float64 (R); every generation solves the full system."""
    rng = np.random.default_rng(2)
    gram, across = kernel(X, X), kernel(X, Z)
    solve = np.linalg.inv(gram + len(X) * ridge * np.eye(len(X)))
    fixed = NOISE[0] * rng.standard_normal((n_replicates, len(X)))
    fitted, outputs = np.tile(Y, (n_replicates, 1)), np.tile(Y_TEST, (n_replicates, 1))
    for _ in range(n):
        real = Y + (fixed if real_labels == "fixed" else NOISE[0] * rng.standard_normal(fixed.shape))
        labels = weight * real + (1 - weight) * (fitted + NOISE[1] * rng.standard_normal(fixed.shape))
        before = (fitted, outputs) if start == "previous" else (0.0, 0.0)
        a = (labels - before[0]) @ solve
        fitted, outputs = before[0] + a @ gram, before[1] + a @ across
    return ((outputs - Y_TEST) ** 2).mean(axis=1)


@pytest.mark.parametrize(("real_labels", "start"), LAWS)
@pytest.mark.parametrize("ridge", [0.0, 0.02])
@pytest.mark.parametrize("n", [0, 1, 3, 80])
def test_error_given_rows__equals_simulation(real_labels, start, ridge, n):
    """After 80 generations the law is stationary, except where small eigenvalues hardly change the function."""
    got, law = errors(0.3, ridge, n, real_labels, start), (*NOISE, real_labels, start)
    expected = kernel_label_error(kernel(X, X), kernel(X, Z), Y, Y_TEST, 0.3, ridge, n, *law)
    assert not reject(z_scores(got, expected))
    if n:
        wrong = kernel_label_error(kernel(X, X), kernel(X, Z), Y, Y_TEST, 0.3, ridge, n, 0.6, 0.9, *law[2:])
        assert reject(z_scores(got, wrong))


def test_stationary_error__is_that_of_many_generations():
    args = kernel(X, X), kernel(X, Z), Y, Y_TEST, [0.2, 0.6, 1.0], 0.02
    for real_labels, start in LAWS:
        law = (*NOISE, real_labels, start)
        expected = kernel_label_error(*args, 1e9, *law)
        np.testing.assert_allclose(kernel_label_error(*args, np.inf, *law), expected, rtol=1e-6)
    # Negative control: a chain on synthetic labels with fits that are added never settles.
    law = (*NOISE, "fresh", "previous")
    many, more = (kernel_label_error(*args[:4], 0.0, 0.02, n, *law) for n in (1e3, 1e4))
    np.testing.assert_allclose(more, 10 * many)


FAMILY = {
    "zero": {"mixed_labels": {"weight": [0.0, 0.5], "ridge": [0.05, 0.2]}},
    "fixed": {"mixed_labels": {"weight": [0.2, 0.9], "ridge": [0.05]}, "real_labels": "fixed"},
    "previous": {"mixed_labels": {"weight": [0.3], "ridge": [0.05, 0.2]}, "start": "previous"},
}


@pytest.mark.parametrize("name", FAMILY)
def test_family__expects_the_error_given_its_rows(tmp_path, name):
    twin.write_tables(tmp_path)
    mapping = {
        "model": {"family": "kernel_ridge", "kernel": "rbf", "scale": 0.5, "sigma": NOISE[0], "sigma0": NOISE[1]}
        | {"ridge": 0.05, "designs": "dependent", **FAMILY[name]},
        "truth": {"images": "inputs.npy", "labels": "labels.csv", "n_test": 8},
        "workflow": {"name": "replace", "n_samples": 12},
        "run": {"n_generations": 5, "n_replicates": 400, "seed": 1, "record": ["metrics", "trajectory"]},
    }
    experiment = Experiment.from_mapping(mapping, base=tmp_path)
    results = simulate(experiment)
    truth, model, metrics = experiment.truth.load(tmp_path), experiment.model, results.metrics
    start, real_labels = model.start or "zero", model.real_labels or "fresh"
    weights, ridges = model.mixed_labels.weights()[:, None], model.mixed_labels.ridges()
    for r in range(3):
        rows = np.flatnonzero(results.states["coefficients"][r, 1, 0])
        x = truth.rows[rows]
        given = (
            twin.kernel(truth, model, x, x),
            twin.kernel(truth, model, x, truth.test_rows),
            truth.targets[0, rows],
            truth.test_targets[0],
        )
        for n in (0, 1, 5):
            expected = kernel_label_error(*given, weights, ridges, n, *NOISE, real_labels, start)
            np.testing.assert_allclose(metrics["mixed_expected"][r, n], expected, rtol=1e-8)
            expected = kernel_label_error(*given, 0.0, 0.05, n, *NOISE, real_labels, start)
            np.testing.assert_allclose(metrics["generator_expected"][r, n], expected, rtol=1e-8)
    for error, expected in (("mixed_error", "mixed_expected"), ("generator_error", "generator_expected")):
        assert not reject(z_scores(metrics[error] - metrics[expected], 0.0))
        # Negative control: the expectation of the generation before.
        assert reject(z_scores(metrics[error][:, 2:] - metrics[expected][:, 1:-1], 0.0))
