"""Draws from density estimates and choices of rows, against their laws.

Four Kolmogorov-Smirnov tests and two chi-square tests, each with limit 1e-5.
"""

import numpy as np
from scipy import stats

from fastcollapse.kernels.density.draws import Fit, choose_rows, count_real, draw_from_fit
from fastcollapse.kernels.random.streams import span_of
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.models.base import run_key
from tests._goodness_of_fit import chi_square_p, variates_p

P_LIMIT = 1e-5


def span(n_threads=1, seed=1, first=0):
    return span_of(run_key(seed, first), 1, 0, n_threads)


def drawn(fit, n, n_threads=1, first=0):
    out = np.full((len(fit.points), n, fit.points.shape[2]), np.nan)
    draw_from_fit(fit, 7, span(n_threads, first=first), np.full(len(out), n), normal_table(), out)
    return out


def test_draw_from_fit__has_law_of_weighted_kernels():
    rng = np.random.default_rng(0)
    points, beside = rng.normal(size=(1, 5, 1)), 3 + rng.normal(size=(1, 2, 1))
    for weight, real in ((-1.0, 2 / 7), (0.8, 0.8)):
        fit = Fit(points, beside, 5, weight, np.array([[[0.4]]]))
        got = drawn(fit, 20_000)[0, :, 0]

        def cdf(x, real=real):
            parts = (stats.norm.cdf((x - part.ravel()[:, None]) / 0.4).mean(axis=0) for part in (points, beside))
            return np.dot([1 - real, real], list(parts))

        assert stats.kstest(got, cdf).pvalue > P_LIMIT
        # Negative control: a slightly different weight of the real part.
        assert stats.kstest(got, lambda x, real=real: cdf(x, real + 0.05)).pvalue < P_LIMIT


def test_draw_from_fit__steps_have_covariance_of_kernel_and_bits_of_replicate():
    factor = np.array([[1.0, 0.0], [0.6, 0.8]])
    fit = Fit(np.zeros((3, 1, 2)), np.zeros((3, 0, 2)), 1, -1.0, factor[None])
    got = drawn(fit, 4000)
    white = np.linalg.solve(factor, got.reshape(-1, 2).T)
    assert stats.kstest(white.ravel(), "norm").pvalue > P_LIMIT
    assert stats.kstest(white[0] + white[1], "norm", (0, np.sqrt(2))).pvalue > P_LIMIT
    np.testing.assert_array_equal(drawn(fit, 4000, n_threads=2), got)
    one = Fit(np.zeros((1, 1, 2)), np.zeros((1, 0, 2)), 1, -1.0, factor[None])
    np.testing.assert_array_equal(drawn(one, 4000, first=2), got[2:])


def test_choose_rows__are_uniform_with_and_without_replacement():
    counts = {}
    for replacement in (False, True):
        rows = np.repeat(np.arange(6.0)[None, :, None], 4000, axis=0)
        out = np.empty((4000, 3, 1))
        choose_rows(rows, 5, replacement, 3, span(2), out)
        chosen = out[:, :, 0].astype(int)
        np.testing.assert_array_equal(np.sort(rows[:, :, 0]), np.tile(np.arange(6.0), (4000, 1)))
        n_distinct = np.array([len(set(row)) for row in chosen.tolist()])
        assert (n_distinct == 3).all() == (not replacement)
        assert chosen.max() == 4
        counts[replacement] = np.bincount(chosen[:, -1], minlength=5)
    assert all(chi_square_p(one, np.full(5, 0.2)) > P_LIMIT for one in counts.values())


def test_count_real__is_binomial():
    out = np.zeros(5000, np.int64)
    count_real(0.3, 20, 2, span(2), out)
    assert variates_p(out, stats.binom(20, 0.3)) > P_LIMIT
    assert variates_p(out, stats.binom(20, 0.33)) < P_LIMIT
