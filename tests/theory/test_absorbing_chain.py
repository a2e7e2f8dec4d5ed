"""Binomial chains of two symbols: rows against SciPy, absorption against a plain solution and exact fractions."""

from fractions import Fraction

import numpy as np
from scipy import stats
from scipy.special import logit

from fastcollapse.theory.absorbing_chain import absorption, binomial_rows, count_laws, count_logits


def test_binomial_rows__are_binomial_laws():
    p = np.array([0.0, 1e-9, 0.3, 0.5, 0.9, 1.0])
    expected = stats.binom.pmf(np.arange(13), 12, p[:, None])
    np.testing.assert_allclose(binomial_rows(12, logit(p)), expected, rtol=1e-7, atol=1e-300)
    # Failures with a probability that 1 - p does not hold.
    [row] = binomial_rows(10, np.array([50.0]))
    np.testing.assert_allclose(row[9], 10 * np.exp(-50.0), rtol=1e-12)


def test_absorption__equals_plain_solution():
    rows = binomial_rows(9, count_logits(9) * 1.2)
    inner, leave = rows[1:-1, 1:-1], rows[1:-1, 0] + rows[1:-1, -1]
    gains = np.column_stack([np.ones(8), rows[1:-1, -1]])
    np.testing.assert_allclose(absorption(inner, leave, gains), np.linalg.solve(np.eye(8) - inner, gains), rtol=1e-12)


def test_absorption__has_all_digits_where_leaving_is_rare():
    # Two states that leave with probability 1e-30, which the plain solution cannot hold.
    tiny = Fraction(1, 10**30)
    a, b = Fraction(1, 3), Fraction(1, 5)
    # m1 = 1 + (1-a) m1 + a m2; m2 = 1 + b m1 + (1-b-tiny) m2
    m2 = (1 + b / a) / tiny
    m1 = 1 / a + m2
    matrix = np.array([[1 - float(a), float(a)], [float(b), 1 - float(b)]])
    got = absorption(matrix, np.array([0.0, 1e-30]), np.ones((2, 1)))
    np.testing.assert_allclose(got[:, 0], [float(m1), float(m2)], rtol=1e-14)


def test_count_laws__are_powers():
    rows, first = binomial_rows(4, count_logits(4)), np.full(5, 0.2)
    laws = count_laws(4, first, rows, 3)
    np.testing.assert_allclose(laws, [first, first @ rows, first @ rows @ rows], rtol=1e-14)
    assert count_laws(4, first, rows, 0).shape == (0, 5)
