"""Recursion of products at one frequency: factors of the golden table, hand-made first fits and fixed data."""

import math

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.density.chain import Chain
from fastcollapse.theory.density.frequency_table import FrequencyTable
from fastcollapse.theory.density.pair_products import PairProducts

# (g, al, be) at kernel .9, generation 5, n = 10, of which 2 are real in a mix.
GOLDEN = {
    "replace": (0.590490000000, 0.237353573064, 0.205891132095),
    "accumulate": (0.789720750000, 0.093047254274, 0.538696717530),
    "fresh": (0.711961344000, 0.145396359440, 0.407946905901),
    "fixed": (0.711961344000, 0.240439550705, 0.312903714636),
    "subsample": (0.789720750000, 0.157553475375, 0.489655840736),
    "subsample_replacement": (0.789720750000, 0.183975875701, 0.466961125931),
}
# n_synthetic, n_real, keep, n_train, replacement, real.
SCHEDULES = {
    "replace": ([10] * 5, 0, 0, 0, False, "none"),
    "accumulate": ([10] * 5, 0, 1, 0, False, "none"),
    "fresh": ([8] * 5, 2, 0, 0, False, "fresh"),
    "fixed": ([8] * 5, 2, 0, 0, False, "fixed"),
    "subsample": ([10] * 5, 0, 1, 10, False, "none"),
    "subsample_replacement": ([10] * 5, 0, 1, 10, True, "none"),
}


def last_fit(name, squares, kernel=0.9):
    """Return the expected square of the last fit and its overlap with the truth where |f0|^2 is `squares`."""
    radius = np.array([math.sqrt(-2 * math.log(kernel))])
    table = FrequencyTable(radius, np.ones(1), np.full((1, 1, 1), squares), np.ones(1), squares, 1)
    chain = Chain.of(1.0, *SCHEDULES[name])
    fits = PairProducts.integrals(table, chain.schedule, chain.bandwidth, chain.real_share, chain.replacement)
    return fits.square[-1], fits.overlap[-1]


@pytest.mark.parametrize("name", GOLDEN)
def test_products__have_golden_factors(name):
    (noise, _), (all_, g) = last_fit(name, 0.0), last_fit(name, 1.0)
    np.testing.assert_allclose((g, noise, all_ - noise), GOLDEN[name], atol=6e-13, rtol=0)
    # They are linear in |f0|^2.
    np.testing.assert_allclose(last_fit(name, 0.3)[0], noise + 0.3 * (all_ - noise), rtol=1e-13)


@pytest.mark.parametrize("name", GOLDEN)
def test_products__without_smoothing_and_variation_are_one(name):
    # A kernel of 1 copies points: a truth that is one point stays it.
    np.testing.assert_allclose(last_fit(name, 1.0, kernel=1.0), 1, rtol=1e-14)


def test_products__subsample_of_fixed_data():
    # Two fixed points and two draws from the truth; both kernels are 1. Two distinct points have product F, or, of a
    # draw from fit 1, 1 with probability 1/4 for each of its points: brute force over the choices.
    squares, radius = 0.3, np.array([0.0])
    table = FrequencyTable(radius, np.ones(1), np.full((1, 1, 1), squares), np.ones(1), squares, 1)
    chain = Chain.of(1.0, [2, 2], 2, 0, 3, False, "fixed")
    got = chain.integrals(table).square
    first = 1 / 3 + 2 / 3 * squares
    # Fit 1 has 3 distinct points of the 4; two draws from it are the same with probability 1/3.
    same_draws = first
    # A fixed point is in the fit with probability 3/4, and a draw is then it with probability 1/3.
    draw_fixed = 1 / 4 + 3 / 4 * squares
    distinct = (same_draws + squares + 4 * draw_fixed) / 6
    np.testing.assert_allclose(got, [first, 1 / 3 + 2 / 3 * distinct], rtol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, [5], 0, 0, 0, False, "none"), "bandwidth must be within"),
        (([0.1, 0.2], [5], 0, 0, 0, False, "none"), "bandwidth must be a number or 1 numbers"),
        ((0.1, [5], 0, 0, 6, False, "none"), "n_train must be at most the 5 points of generation 1"),
        ((0.1, [5, 0], 0, 0, 0, False, "none"), "the training data of generation 2 must be at least 1 point"),
        ((0.1, [5], 3, 1, 0, False, "fixed"), "keep must be 0 if real is 'fixed'"),
        ((0.1, [5], 0, 0, 0, 1, "none"), "replacement must be true or false"),
    ],
)
def test_products__domain_is_checked(arguments, message):
    table = FrequencyTable(np.ones(1), np.ones(1), np.ones((1, 1, 1)), np.ones(1), 1.0, 1)
    with pytest.raises(InputError, match=message):
        Chain.of(*arguments).integrals(table)
