"""Panels of quadrature, and the polylogarithm."""

import numpy as np
import pytest

from fastcollapse.theory.quadrature import marchenko_pastur, panels, polylog_ratio


def test_panels__resolve_small_scales_and_waves():
    nodes, weights = panels(1e-6, 50.0, 1.0, 20.0)
    np.testing.assert_allclose(weights.sum(), 50, rtol=1e-13)
    np.testing.assert_allclose(weights @ (1 / (nodes + 1e-6)), np.log(50e6 + 1), rtol=1e-12)
    wave = nodes < 20
    np.testing.assert_allclose(
        (weights * np.cos(30 * nodes))[wave].sum(), np.sin(30 * nodes[wave].max()) / 30, atol=0.1
    )
    narrow, share = panels(0.1, 10.0, 40 / 25)
    np.testing.assert_allclose(share @ np.cos(25 * narrow), np.sin(250) / 25, atol=1e-12)


@pytest.mark.parametrize("s", [0.5, 1.0, 1.5, 2.0, 10.0, 50.0])
@pytest.mark.parametrize("gap", [1.0, 0.5, 0.01])
def test_polylog_ratio__equals_sum(s, gap):
    j = np.arange(1.0, 5000)
    np.testing.assert_allclose(polylog_ratio(s, gap), (np.power(1 - gap, j - 1) * j**-s).sum(), rtol=1e-12)


def test_polylog_ratio__near_one():
    # Li_1 is a logarithm; Li_{1/2} has a pole of order 1/2 at 1.
    np.testing.assert_allclose(polylog_ratio(1.0, 1e-12), -np.log(1e-12), rtol=1e-11)
    np.testing.assert_allclose(polylog_ratio(0.5, 1e-12), np.sqrt(np.pi / 1e-12) - 1.4603545, rtol=1e-9)


@pytest.mark.parametrize("phi", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("ridge", [0.01, 1.0])
def test_marchenko_pastur__has_its_mass_and_its_resolvent(phi, ridge):
    s, weight = marchenko_pastur(phi, ridge)
    np.testing.assert_allclose([weight.sum(), weight @ s], [min(1.0, 1 / phi), 1.0], rtol=1e-2)
    # E 1/(s + ridge), without the eigenvalues 0, by its fixed point.
    kappa = (ridge + phi - 1) / 2 + np.sqrt(((ridge + phi - 1) / 2) ** 2 + ridge)
    expected = kappa / (1 + kappa) / ridge - max(0.0, 1 - 1 / phi) / ridge
    np.testing.assert_allclose(weight @ (1 / (s + ridge)), expected, rtol=1e-9)
