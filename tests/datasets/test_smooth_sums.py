"""Sums over consecutive integers by quadrature."""

import math

import numpy as np
import pytest

from fastcollapse.datasets.smooth_sums import log_spaced_nodes


@pytest.mark.parametrize("size", [1, 2, 479, 480, 481, 500, 504, 505, 506, 3000, 100_000])
@pytest.mark.parametrize("offset", [-0.999, 0.0, 250.5, 1e12])
def test_log_spaced_nodes__power_law_and_its_exponential__are_summed_exactly(size, offset):
    nodes, weights = log_spaced_nodes(size, offset, 1.5)
    assert nodes.min() >= 1
    assert nodes.max() <= size
    assert (np.diff(nodes) > 0).all()
    assert weights.sum() == pytest.approx(size, rel=1e-14)

    def functions(i):
        power = ((i + offset) / (1 + offset)) ** -1.5
        return [power, power**2, np.log(i + offset), -np.expm1(-1e3 * power)]

    for got, exact in zip(functions(nodes), functions(np.arange(1.0, size + 1)), strict=True):
        assert weights @ got == pytest.approx(math.fsum(exact), rel=1e-11)


def test_log_spaced_nodes__coarser_blocks__would_be_seen():
    """Negative control: blocks that are 500 times as wide miss the sum of a steep law."""
    nodes, weights = log_spaced_nodes(100_000, 0.0, 0.002)
    exact = math.fsum(-np.expm1(-1e6 * np.arange(1.0, 100_001) ** -1.5))
    assert weights @ -np.expm1(-1e6 * nodes**-1.5) != pytest.approx(exact, rel=1e-11)
