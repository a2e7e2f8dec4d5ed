"""Exponentials of the kernels, against NumPy."""

import numpy as np

from fastcollapse.kernels.density.exponents import LANES, POINTS, add_exponentials


def test_add_exponentials__error_is_that_of_the_exponent():
    exponents = np.concatenate([np.linspace(0, 1, 1024), np.geomspace(1e-20, 690, 1024)]).reshape(-1, 1, LANES)
    squares, work = np.zeros((POINTS, LANES)), np.zeros(LANES)
    for row in exponents:
        squares[:1], sums = row, np.zeros(LANES)
        add_exponentials(squares, 1, 1.0, work, sums)
        error = np.abs(sums / np.exp(-row[0]) - 1)
        assert (error < 2.5e-16 * (1 + row[0]) + 2.3e-16).all()


def test_add_exponentials__large_exponents_add_nothing():
    squares, sums = np.full((POINTS, LANES), 1e300), np.ones(LANES)
    squares[1] = np.inf
    add_exponentials(squares, POINTS, 1e10, np.zeros(LANES), sums)
    np.testing.assert_array_equal(sums, 1.0)
