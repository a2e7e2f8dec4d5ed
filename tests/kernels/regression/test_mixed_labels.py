"""Chains on mixed labels against ridge fits of the same rows, in plain NumPy."""

import numpy as np
import pytest

from fastcollapse.kernels.random.streams import span_of
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.designs import GAUSSIAN, Design
from fastcollapse.kernels.regression.mixed_labels import (
    Decompositions,
    MixedLabels,
    MixedTruth,
    decompose_designs,
    mix_fresh,
    mix_shared,
)
from fastcollapse.models.base import run_key
from tests.naive.ridge import fit

WEIGHTS, RIDGES = np.array([0.0, 0.4, 1.0]), np.array([0.0, 0.01, 2.0])
N_GENERATIONS = 4


def decomposed(rows):
    n_replicates, m, d = rows.shape
    k = min(m, d)
    out = Decompositions(np.empty((n_replicates, m, k)), np.empty((n_replicates, k)), np.empty((n_replicates, k, d)))
    decompose_designs(rows, out)
    return out


def labels_of(n_samples, noise=(0.0, 0.0), fixed=False):
    return MixedLabels(WEIGHTS, RIDGES, np.full(N_GENERATIONS, n_samples), *noise, fixed)


def follow(rows, spectrum, w0, mixed, n_threads=1):
    designs = decomposed(rows)
    gaps = np.zeros((len(rows), WEIGHTS.size * RIDGES.size, designs.values.shape[1]))
    out = np.empty((len(rows), N_GENERATIONS, WEIGHTS.size, RIDGES.size))
    truth = MixedTruth(spectrum, w0, bool(np.ptp(spectrum) == 0))
    mix_shared(gaps, designs, truth, mixed, normal_table(), span_of(run_key(1, 0), 1, N_GENERATIONS, n_threads), out)
    return out


def rows_of(n_samples, d, rank):
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((2, n_samples, rank)) @ rng.standard_normal((rank, d))
    return rows if rank < d else rng.standard_normal((2, n_samples, d))


@pytest.mark.parametrize("spectrum", [np.full(7, 2.0), np.arange(1.0, 8.0) ** -1.0], ids=["isotropic", "power law"])
@pytest.mark.parametrize(("n_samples", "rank"), [(20, 7), (4, 7), (7, 7), (20, 3), (4, 2)])
def test_mix_shared__without_noise_equals_refits(spectrum, n_samples, rank):
    rows = rows_of(n_samples, 7, rank)
    w0 = np.arange(1.0, 8.0)
    got = follow(rows, spectrum, w0, labels_of(n_samples))
    for r in range(2):
        for i, weight in enumerate(WEIGHTS):
            for j, ridge in enumerate(RIDGES):
                w = w0
                for t in range(N_GENERATIONS):
                    w = fit(rows[r], rows[r] @ (weight * w0 + (1 - weight) * w), ridge)
                    np.testing.assert_allclose(got[r, t, i, j], ((w - w0) ** 2) @ spectrum, rtol=1e-9, atol=1e-20)


def test_mix_shared__noise_of_labels_has_variance_of_both_parts():
    """One generation without a ridge: the error is a quadratic form of a normal vector."""
    n_replicates, spectrum = 20_000, np.full(3, 1.0)
    rows = np.repeat(rows_of(6, 3, 3)[:1], n_replicates, axis=0)
    got = follow(rows, spectrum, np.zeros(3), labels_of(6, (0.5, 0.8)))[:, 0, :, 0]
    inverse = np.trace(np.linalg.inv(rows[0].T @ rows[0]))
    expected = (WEIGHTS**2 * 0.25 + (1 - WEIGHTS) ** 2 * 0.64) * inverse
    z = (got.mean(axis=0) - expected) / (got.std(axis=0) / np.sqrt(n_replicates))
    assert np.abs(z).max() < 5
    # Negative control: both parts have the same noise.
    wrong = (WEIGHTS**2 + (1 - WEIGHTS) ** 2) * 0.25 * inverse
    assert np.abs((got.mean(axis=0) - wrong) / (got.std(axis=0) / np.sqrt(n_replicates))).max() > 5


def test_mix_shared__fixed_real_labels_repeat():
    """With weight 1 and fixed labels, all generations are the same fit; with fresh ones they differ."""
    rows, spectrum = rows_of(20, 7, 7), np.full(7, 1.0)
    fixed, fresh = (
        follow(rows, spectrum, np.ones(7), labels_of(20, (0.5, 0.5), law))[:, :, 2] for law in (True, False)
    )
    np.testing.assert_allclose(fixed[:, 1:], np.repeat(fixed[:, :1], N_GENERATIONS - 1, axis=1), rtol=1e-12)
    assert not np.isclose(fresh[:, 1:], fresh[:, :1]).any()


def test_mix_fresh__bits_do_not_depend_on_threads_or_blocks():
    design = Design(np.int64(GAUSSIAN), np.float64(0.0), np.arange(1.0, 6.0) ** -0.5, np.empty((0, 5)))
    truth, mixed = MixedTruth(design.roots**2, np.ones(5), False), labels_of(9, (0.5, 0.8))
    found = []
    for n_threads, blocks in ((1, [4]), (2, [1, 3])):
        gaps, first, parts = np.zeros((3, 9, 5)), 1, []
        for length in blocks:
            out = np.empty((3, length, 3, 3))
            mix_fresh(gaps, design, truth, mixed, normal_table(), span_of(run_key(1, 0), first, length, n_threads), out)
            parts.append(out)
            first += length
        found.append(np.concatenate(parts, axis=1))
    np.testing.assert_array_equal(*found)


def test_decompose_designs__has_signs_that_do_not_depend_on_lapack():
    """States are saved along these vectors. Inputs of the other sign have the same right vectors."""
    rows = rows_of(20, 7, 7)
    one, other = decomposed(rows), decomposed(-rows)
    largest = np.take_along_axis(one.right, np.abs(one.right).argmax(axis=2)[..., None], axis=2)
    assert (largest > 0).all()
    np.testing.assert_allclose(one.right, other.right, atol=1e-10)
    np.testing.assert_allclose(one.left, -other.left, atol=1e-10)


def test_decompose_designs__keeps_rows_and_drops_rounding():
    rows = rows_of(20, 7, 3)
    before = rows.copy()
    designs = decomposed(rows)
    np.testing.assert_array_equal(rows, before)
    assert (designs.values[:, 3:] == 0).all()
    assert (designs.values[:, :3] > 0).all()
    np.testing.assert_allclose(designs.left * designs.values[:, None] @ designs.right, rows, atol=1e-12)
