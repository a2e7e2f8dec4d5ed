"""Rows of every law of inputs, reduced rows for many normal rows, and their labels."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.kernels.random.streams import STREAM_WORDS, StreamKey, generation_stream_pair
from fastcollapse.kernels.random.ziggurat import normal_table
from fastcollapse.kernels.regression.designs import (
    GAUSSIAN,
    RADEMACHER,
    REDUCED,
    ROWS,
    STUDENT,
    UNIFORM,
    Design,
    Sampler,
    draw_labels,
    draw_rows,
)
from tests._goodness_of_fit import chi_square_p, z_scores

# About 80 comparisons in this file, 1e-6 each (z-scores of 4.9): 1e-4 in all.
P_LIMIT = 1e-6
Z_LIMIT = 4.9
ROOTS = np.array([2.0, 1.0, 0.3])
DEGREES = 5.0


def sampler_of(d, number=0):
    sampler = Sampler(
        np.empty(d, np.uint64), np.empty((2, STREAM_WORDS), np.uint64), np.empty((0, d)), *np.empty((2, 0))
    )
    generation_stream_pair(StreamKey(*np.array([9, 0, 0, 0], np.uint64)), number, 1, np.uint64(1), sampler.streams)
    return sampler


def design_of(law, roots=ROOTS, rows=None):
    rows = np.empty((0, len(roots))) if rows is None else rows
    return Design(np.int64(law), DEGREES, np.asarray(roots, float), rows)


def rows_of(law, n, roots=ROOTS, rows=None):
    out = np.empty((n, len(roots)))
    draw_rows(design_of(law, roots, rows), n, normal_table(), sampler_of(len(roots)), out)
    return out


LAWS = {
    GAUSSIAN: stats.norm(),
    UNIFORM: stats.uniform(-(3**0.5), 2 * 3**0.5),
    STUDENT: stats.t(DEGREES, scale=((DEGREES - 2) / DEGREES) ** 0.5),
}


@pytest.mark.parametrize("law", [GAUSSIAN, RADEMACHER, UNIFORM, STUDENT])
def test_rows__have_mean_0_and_given_covariance(law):
    rows = rows_of(law, 100_000)
    assert np.abs(z_scores(rows, 0.0)).max() < Z_LIMIT
    products = np.einsum("ni,nj->nij", rows, rows)
    covariance = np.diag(ROOTS**2)
    # Squares of signs are constant.
    assert np.abs(z_scores(products, covariance, rounding=1e-12)).max() < Z_LIMIT
    assert np.abs(z_scores(products, 1.1 * covariance)[0, 1]) < Z_LIMIT
    assert np.abs(np.diagonal(z_scores(products, 1.1 * covariance))).min() > Z_LIMIT


@pytest.mark.parametrize("law", LAWS)
def test_rows__have_stated_law(law):
    rows = rows_of(law, 50_000) / ROOTS
    for i in range(3):
        assert stats.kstest(rows[:, i], LAWS[law].cdf).pvalue > P_LIMIT
        for other in LAWS.keys() - {law}:
            assert stats.kstest(rows[:, i], LAWS[other].cdf).pvalue < P_LIMIT


def test_signs__are_plus_minus_one_and_do_not_repeat():
    # Inputs beyond 64 use the bits of a second word.
    rows = rows_of(RADEMACHER, 20_000, np.ones(130))
    assert (np.abs(rows) == 1).all()
    products = np.abs(rows.T @ rows / len(rows) ** 0.5)[np.triu_indices(130, 1)]
    # 8,385 pairs.
    assert products.max() < 6.5
    assert np.abs(rows[1:].T @ rows[:-1]).max() / len(rows) ** 0.5 < 6.5
    assert np.abs(rows_of(RADEMACHER, 1, np.array([3.0]))) == 3.0


def test_rows_of_matrix__are_drawn_alike():
    given = np.arange(21.0).reshape(7, 3)
    rows = rows_of(ROWS, 20_000, rows=given)
    number = (rows[:, 0] / 3).astype(int)
    np.testing.assert_array_equal(rows, given[number])
    assert chi_square_p(np.bincount(number, minlength=7), np.full(7, 1 / 7)) > P_LIMIT
    assert chi_square_p(np.bincount(number, minlength=7), np.arange(4, 11) / 49) < P_LIMIT


def squares(gram):
    """Return statistics (R, ...) of Gram matrices: three entries, the trace, the least and the largest eigenvalue."""
    values = np.linalg.eigvalsh(gram)
    return np.column_stack([gram[:, 0, 0], gram[:, 1, 0], gram[:, -1, -1], values.sum(1), values[:, 0], values[:, -1]])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 30])
def test_reduced_rows__have_gram_law_of_full_sample(n):
    d, n_replicates, rng = 3, 6000, np.random.default_rng(2)
    m = min(n, d)
    reduced = np.empty((n_replicates, m, d))
    for i in range(n_replicates):
        draw_rows(design_of(REDUCED), n, normal_table(), sampler_of(d, i), reduced[i])
    assert (np.tril(reduced, -1) == 0).all()
    got = squares(np.einsum("rmi,rmj->rij", reduced, reduced))

    def raw(n):
        x = rng.standard_normal((n_replicates, n, d)) * ROOTS
        return squares(np.einsum("rmi,rmj->rij", x, x))

    right, wrong = raw(n), raw(n + 1)
    # With fewer rows than inputs the least eigenvalue is 0 up to rounding.
    columns = [i for i in range(6) if i != 4 or n >= d]
    assert min(stats.ks_2samp(got[:, i], right[:, i]).pvalue for i in columns) > P_LIMIT
    assert min(stats.ks_2samp(got[:, i], wrong[:, i]).pvalue for i in columns) < P_LIMIT


def test_reduced_rows__accept_largest_sample_size():
    n = 10**15
    rows = np.empty((3, 3))
    draw_rows(design_of(REDUCED), n, normal_table(), sampler_of(3), rows)
    np.testing.assert_allclose(rows.diagonal() ** 2 / n, ROOTS**2, rtol=1e-6)
    assert np.abs(rows[np.triu_indices(3, 1)]).max() < 10


def test_labels__are_linear_with_normal_noise():
    rows, weights, out = rows_of(GAUSSIAN, 50_000), np.array([1.0, -2.0, 3.0]), np.empty(50_000)
    draw_labels(rows, weights, 0.7, normal_table(), sampler_of(3, 1), out)
    noise = (out - rows @ weights) / 0.7
    assert stats.kstest(noise, "norm").pvalue > P_LIMIT
    assert stats.kstest(1.05 * noise, "norm").pvalue < P_LIMIT
    assert np.abs(rows.T @ noise / np.linalg.norm(rows, axis=0)).max() < Z_LIMIT
    draw_labels(rows, weights, 0.0, normal_table(), sampler_of(3, 1), out)
    np.testing.assert_allclose(out, rows @ weights, rtol=1e-12, atol=1e-12)
