"""Ziggurat variates, against their laws in the body and in the tails, and the layers of the tables."""

import math

import numpy as np
import pytest
from scipy import stats

from fastcollapse.kernels.jit import kernel
from fastcollapse.kernels.random import streams as rng
from fastcollapse.kernels.random import ziggurat as ziggurat_tables
from fastcollapse.kernels.random.ziggurat import (
    LAYERS,
    accept_or_redraw,
    chi_square,
    log_chi_table,
    normal_table,
    ziggurat,
)
from tests._goodness_of_fit import chi_square_p

N_DRAWS = 200_000
# About 30 goodness-of-fit tests in this file, 3e-6 each: 1e-4 in all.
P_LIMIT = 3e-6


@kernel
def fill(table, stream, out):
    for i in range(out.shape[0]):
        out[i] = ziggurat(table, stream)


@kernel
def fill_tail(layer, t, table, stream, out):
    for i in range(out.shape[0]):
        out[i] = accept_or_redraw(layer, t, table, stream)


@kernel
def fill_chi_square(degrees, normals, stream, out):
    for i in range(out.shape[0]):
        out[i] = chi_square(degrees, normals, stream)


def stream_of(seed):
    stream = np.zeros(rng.STREAM_WORDS, np.uint64)
    rng.open_stream(*(np.uint64(part) for part in (seed, 1, 2, 3, 4)), stream)
    return stream


def draws(filler, seed, *parameters, n=N_DRAWS):
    out = np.empty(n)
    filler(*parameters, stream_of(seed), out)
    return out


def log_chi_cdf(degrees):
    """Return the distribution function of t = sqrt(2 nu) ln(chi2_nu / nu) / 2."""
    if degrees > 1e12:
        return stats.norm.cdf
    return lambda t: stats.chi2.cdf(degrees * np.exp(2 * t / math.sqrt(2 * degrees)), degrees)


def test_normal__law():
    got = draws(fill, 1, normal_table(), n=1_000_000)
    assert stats.kstest(got, stats.norm.cdf).pvalue > P_LIMIT
    assert stats.kstest(got, stats.norm(0.01, 1).cdf).pvalue < P_LIMIT
    assert stats.kstest(got, stats.norm(0, 1.01).cdf).pvalue < P_LIMIT
    # Neighbouring variates are independent.
    assert abs(np.corrcoef(got[1:], got[:-1])[0, 1]) * math.sqrt(len(got)) < 5


def test_normal__law_of_tails():
    got = draws(fill, 2, normal_table(), n=10_000_000)
    edges = np.concatenate([-np.arange(5, 2.9, -0.25), np.arange(3, 5.1, 0.25)])
    observed = np.histogram(got, np.concatenate([[-np.inf], edges]))[0]
    expected = np.diff(np.concatenate([[0], stats.norm.cdf(edges)]))
    assert chi_square_p(observed, expected) > P_LIMIT
    wrong = np.diff(np.concatenate([[0], stats.norm(0, 1.006).cdf(edges)]))
    assert chi_square_p(observed, wrong) < P_LIMIT


@pytest.mark.parametrize("degrees", [math.inf, 1.0, 9.0])
@pytest.mark.parametrize("side", [1, 2])
def test_tails__law(degrees, side):
    table = log_chi_table(degrees)
    end = table[-3 + side]
    got = draws(fill_tail, 3, 0, 1.001 * end, table, n=100_000)
    cdf = log_chi_cdf(degrees)
    # The upper tail by its own probabilities would cancel: they are those of -t, from the survival function.
    below, at = cdf(got), cdf(end)
    if side == 2:
        if degrees == math.inf:
            below, at = stats.norm.sf(got), stats.norm.sf(end)
        else:
            root = math.sqrt(2 * degrees)
            below = stats.chi2.sf(degrees * np.exp(2 * got / root), degrees)
            at = stats.chi2.sf(degrees * np.exp(2 * end / root), degrees)
    assert ((below <= at * (1 + 1e-12)) & (below >= 0)).all()
    assert stats.kstest(below / at, "uniform").pvalue > P_LIMIT
    assert stats.kstest((below / at) ** 1.03, "uniform").pvalue < P_LIMIT


@pytest.mark.parametrize("degrees", [1.0, 2.0, 3.0, 9.0, 99.0, 1e4, 1e8, 1e15])
def test_log_chi__law(degrees):
    got = draws(fill, 4, log_chi_table(degrees), n=300_000)
    assert stats.kstest(got, log_chi_cdf(degrees)).pvalue > P_LIMIT
    # Negative controls: degrees of freedom off by one; for many degrees, a deviation off by 5 %.
    if degrees <= 99:
        root = math.sqrt(2 * degrees)
        wrong = stats.chi2(degrees + 1)
        assert stats.kstest(degrees * np.exp(2 * got / root), wrong.cdf).pvalue < P_LIMIT
    else:
        assert stats.kstest(1.05 * got, log_chi_cdf(degrees)).pvalue < P_LIMIT


@pytest.mark.parametrize("degrees", [math.inf, 1.0, 7.0, 1e6])
def test_table__layers_have_equal_area(degrees):
    table = log_chi_table(degrees)
    steps, levels = table[1 : 4 * LAYERS : 4], table[4 * LAYERS : 5 * LAYERS + 1]
    widths = steps * 2.0**53
    np.testing.assert_allclose(widths * np.diff(levels), widths[0] * levels[1], rtol=1e-12)
    assert (np.diff(levels) > 0).all()
    assert 1 <= levels[-1] < 1 + 1e-12
    assert not table.flags.writeable
    assert log_chi_table(degrees) is table


@pytest.mark.parametrize("a", [0.0, 0.1])
def test_layers__compiled_have_the_same_bits(a):
    layers = []
    for stack in (ziggurat_tables._stack_layers, ziggurat_tables._stack_layers_compiled):
        ends, levels = np.zeros((LAYERS + 1, 2)), np.zeros(LAYERS + 1)
        stack(a, ends, levels)
        layers.append(ends.tobytes() + levels.tobytes())
    assert layers[0] == layers[1]


@pytest.mark.parametrize("degrees", [0.5, 1.0, 1.5, 2.0, 3.0, 10.0, 99.0, 1e6])
def test_chi_square__law(degrees):
    got = draws(fill_chi_square, int(7 * degrees), degrees, normal_table())
    assert stats.kstest(got, stats.chi2(degrees).cdf).pvalue > P_LIMIT
    wrong = degrees + max(0.02 * degrees, 0.04 * math.sqrt(2 * degrees))
    assert stats.kstest(got, stats.chi2(wrong).cdf).pvalue < P_LIMIT


def test_chi_square__zero_degrees_give_zero():
    assert not draws(fill_chi_square, 1, 0.0, normal_table(), n=5).any()
