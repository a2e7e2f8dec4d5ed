"""Entropy loss, against simulation and the exact chain."""

import numpy as np
import pytest
from scipy.special import entr
from scipy.stats import binom

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.entropy import entropy_loss, entropy_path, entropy_slope, late_entropy, phi


def test_entropy__phi_of_one_and_series_meet():
    assert round(float(phi(1)), 3) == 0.573
    c = np.array([900.0, 999.0])
    np.testing.assert_allclose(phi(c), 1 / (2 * c) + 1 / (12 * c**2) + 1 / (12 * c**3), rtol=1e-8)
    np.testing.assert_allclose(phi([[1.0], [2000.0]])[0], phi(1.0))
    assert abs(phi(1e-6) - (-np.log(1e-6) + 1e-6 * np.log(2))) < 1e-6


def test_entropy__loss_against_simulation():
    rng, n, replicates = np.random.default_rng(11), 2000, 3000
    p = np.repeat([1.0, 2.0, 5.0], [500, 500, 100])
    p /= p.sum()
    new = entr(rng.multinomial(n, p, size=replicates) / n).sum(axis=1)
    loss = entr(p).sum() - new
    error = loss.std() / np.sqrt(replicates)
    # One comparison, |z| < 4.5. The formula is for Poisson counts; its relative error O(1/n) is small compared with
    # this error.
    assert abs(loss.mean() - entropy_loss(p, n)) < 4.5 * error + 1 / n
    # Negative control: at these small counts the diffusion slope of 1100 symbols is rejected.
    assert abs(loss.mean() + entropy_slope(1100, n)) > 4.5 * error + 1 / n


def test_entropy__slope_is_the_large_count_loss():
    p = np.full(20, 0.05)
    np.testing.assert_allclose(entropy_loss(p, 10**6), 20 / (2 * 10**6), rtol=1e-4)
    np.testing.assert_allclose(-entropy_slope(20, 10**6), 19 / (2 * 10**6))


def test_entropy__late_time_of_two_symbols():
    n, p0, k = 100, 0.3, 500
    counts = np.arange(n + 1)
    matrix = binom.pmf(counts[None, :], n, counts[:, None] / n)
    law = binom.pmf(counts, n, p0) @ np.linalg.matrix_power(matrix, k - 1)
    expected = law @ (entr(counts / n) + entr(1 - counts / n))
    got = late_entropy(2 * p0 * (1 - p0), n, k)
    assert abs(got / expected - 1) < 0.02
    assert abs(late_entropy(2 * p0 * (1 - p0), n, k + 10) / expected - 1) > 0.02


def test_entropy__refuses():
    with pytest.raises(InputError, match="c must be strictly between 0 and inf, got 0"):
        phi(0)
    with pytest.raises(InputError, match="expected_unique must be within"):
        entropy_slope(0.5, 10)


def test_entropy__classes_are_symbols():
    p, copies = np.array([0.1, 0.05, 0.02]), np.array([2, 6, 25])
    symbols = np.repeat(p, copies)
    np.testing.assert_allclose(entropy_loss(p, 500, copies), entropy_loss(symbols, 500), rtol=1e-12)
    np.testing.assert_allclose(entropy_path(p, 500, [[0, 7]], copies), entropy_path(symbols, 500, [[0, 7]]), rtol=1e-12)


def test_entropy__path_starts_with_the_loss_of_one_refit():
    n, p = 10_000, np.repeat([1.0, 4.0, 1500.0], [2000, 500, 4]) / 10_000
    start, first = entropy_path(p, n, [0, 1])
    np.testing.assert_allclose(start, entr(p).sum(), rtol=1e-12)
    np.testing.assert_allclose(start - first, entropy_loss(p, n) - 1 / (2 * n), rtol=1e-6)


def test_entropy__path_of_no_refit_is_the_entropy_of_the_truth():
    p = np.full(20, 0.05)
    assert entropy_path(p, 100, 0) == entropy_path(p, 100, [0, 3])[0] == pytest.approx(np.log(20))


def test_entropy__path_of_few_symbols_is_the_slope():
    path = entropy_path(np.full(20, 0.05), 10**6, [0, 1, 50, 1000])
    np.testing.assert_allclose(path[0] - path[1:], 19 / (2 * 10**6) * np.array([1, 50, 1000]), rtol=2e-3)
