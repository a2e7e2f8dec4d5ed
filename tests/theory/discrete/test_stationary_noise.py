"""Noise about fixed points of temperature loops: golden values, closed forms, exact chains."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.stationary_noise import (
    tempered_covariance,
    tempered_noise_path,
    tempered_uniform_noise,
)
from fastcollapse.theory.discrete.tempered_two_symbols import tempered_stationary_variance

P0 = (0.4, 0.25, 0.15, 0.12, 0.08)


def test_covariance__golden():
    golden = [1.0918862e-4, 7.5562375e-5, 3.3012417e-5, 2.4248884e-5, 1.4437213e-5]
    got = tempered_covariance(P0, 0.5, 1 / 1.4, 4000)
    np.testing.assert_allclose(got.diagonal(), golden, atol=6e-12)
    np.testing.assert_allclose(got.sum(axis=0), 0, atol=1e-18)
    # Negative control: with fixed sizes there is less noise.
    sizes = tempered_covariance(P0, 0.5, 1 / 1.4, 4000, "sizes").diagonal()
    assert (sizes < np.array(golden) * 0.995).all()


@pytest.mark.parametrize(
    ("lam", "beta", "golden"), [(0.4, 1.25, 0.00114286), (0.7, 2, 0.00078125), (0.1, 0.8, 0.00103821)]
)
def test_uniform_noise__golden(lam, beta, golden):
    variance, heterozygosity = tempered_uniform_noise(10, lam, 1 / beta, 2000)
    assert 1 - heterozygosity / 0.9 == pytest.approx(golden, abs=5e-9)
    np.testing.assert_allclose(tempered_covariance([0.1] * 10, lam, 1 / beta, 2000).diagonal(), variance, rtol=1e-12)


def test_noise_path__tends_to_the_stationary_covariance():
    law, variance = tempered_noise_path(P0, 0.5, 1 / 1.4, 4000, 300, "sizes")
    np.testing.assert_allclose(variance[-1], tempered_covariance(P0, 0.5, 1 / 1.4, 4000, "sizes").diagonal(), rtol=1e-9)
    np.testing.assert_allclose(law[0], P0)
    assert (variance[0] == 0).all()
    assert tempered_noise_path(P0, [0.5] * 3, 2, [100, 200, 300], 3)[1].shape == (4, 5)


def test_noise_path__at_temperature_1_is_that_of_drift():
    n, t = 1000, 4
    _, variance = tempered_noise_path(P0, 0.0, 1, n, t)
    p = np.array(P0)
    np.testing.assert_allclose(variance[-1], p * (1 - p) * t / n, rtol=1e-12)


@pytest.mark.parametrize("mixing", ["tokens", "sizes"])
def test_noise_path__about_a_uniform_law_is_the_limit_of_nearly_uniform_ones(mixing):
    lam, sizes = [0.4, 0.1, 0.7, 0.0], [100, 50, 200, 80]
    nearly = np.full(6, 1 / 6) + 1e-9 * np.arange(6)
    exact = tempered_noise_path(np.full(6, 1 / 6), lam, 0.7, sizes, 4, mixing)
    for got, expected in zip(tempered_noise_path(nearly, lam, 0.7, sizes, 4, mixing), exact, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert tempered_noise_path(np.full(5000, 1 / 5000), 0.5, 1, 100, 3, mixing)[1].shape == (4, 5000)


@pytest.mark.parametrize(("lam", "beta"), [(0.3, 0.5), (0.5, 1.5)])
def test_covariance__of_two_symbols_is_the_limit_of_exact_chains(lam, beta):
    errors = [
        abs(
            tempered_covariance([0.5, 0.5], lam, 1 / beta, n)[0, 0] / tempered_stationary_variance(n, lam, 1 / beta) - 1
        )
        for n in (200, 800)
    ]
    assert errors[1] < 0.011
    assert errors[1] < errors[0] / 3


def test_noise__refuses():
    with pytest.raises(InputError, match=r"lam must give a stable fixed point, got 0.4"):
        tempered_covariance([0.2] * 5, 0.4, 0.5, 100)
    with pytest.raises(InputError, match=r"lam must be above 0.5, the threshold of temperature 0.5, got 0.5"):
        tempered_uniform_noise(5, 0.5, 0.5, 100)
    with pytest.raises(InputError, match="mixing must be 'tokens' or 'sizes'"):
        tempered_covariance(P0, 0.5, 1, 100, "both")
    with pytest.raises(InputError, match="n must be a number or 3 numbers"):
        tempered_noise_path(P0, 0.5, 1, [100, 200], 3)
    with pytest.raises(InputError, match="p0 must be at most 2000 different symbols"):
        tempered_noise_path(np.arange(1, 2501) / (2501 * 1250), 0.5, 1, 100, 3)
