"""Mean absolute deviations with real data in every fit: golden values and limits."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.language.total_variation import (
    context_l1,
    context_l1_bound,
    context_l1_limit,
    contexts_total_variation,
)

COUNTS = [9, 5, 3, 2, 1]
# n: E|p - p_1|_1 after 8 refits, its limit, the bound, and the value for many tokens.
GOLDEN = {
    10: (0.1625485347, 0.1625485354, 0.2006, 0.1601),
    40: (0.1993060075, 0.1994228017, 0.2527, 0.2016),
    200: (0.1951710271, 0.2189560788, 0.2449, 0.1954),
}


@pytest.mark.parametrize("n", GOLDEN)
def test_l1__has_golden_values(n):
    exact, limit, bound, normal = GOLDEN[n]
    assert context_l1(COUNTS, n, 8) == pytest.approx(exact, abs=6e-11)
    assert context_l1_limit(COUNTS, n) == pytest.approx(limit, abs=6e-11)
    assert context_l1_bound(COUNTS, n, 8) == pytest.approx(bound, abs=5e-5)
    assert context_l1_bound(COUNTS, n, 8) * np.sqrt(2 / np.pi) == pytest.approx(normal, abs=5e-5)
    assert (context_l1(COUNTS, n, range(20)) <= context_l1_bound(COUNTS, n, range(20)) + 1e-15).all()


def test_total_variation__sums_exact_small_contexts():
    m = [0, 1, 5]
    two = contexts_total_variation([0, 5, 7], [*COUNTS, 3, 1], [10, 6], m)
    one, other = context_l1(COUNTS, 10, m) / 2, context_l1([3, 1], 6, m) / 2
    np.testing.assert_allclose(two, (20 * one + 4 * other) / 24, rtol=1e-12)
    # Larger contexts are as if normal.
    counts = [90, 50, 30, 20, 10]
    large = contexts_total_variation([0, 5], counts, [100], m)
    np.testing.assert_allclose(large, context_l1(counts, 100, m) / 2, rtol=0.004)
    assert large[1] != context_l1(counts, 100, 1) / 2


@pytest.mark.parametrize("n", [60, 300, 1000])
def test_total_variation__of_rare_symbols_is_that_of_poisson_counts(n):
    # As if normal, the symbol of one token is 3 to 20 % off.
    counts, m = [1, 299], [1, 2, 8]
    expected = context_l1(counts, n, m) / 2
    np.testing.assert_allclose(contexts_total_variation([0, 2], counts, [n], m), expected, rtol=0.005)
    normal = context_l1_bound(counts, n, m) * np.sqrt(2 / np.pi) / 2
    assert np.abs(normal / expected - 1).max() > 0.03


def test_total_variation__without_noise_is_0():
    assert contexts_total_variation([0, 1, 3], [4, 100, 100], [9, 0], [0, 3]).tolist() == [0, 0]


def test_l1__domain_is_checked():
    with pytest.raises(InputError, match="counts must be a whole number of at least 1"):
        context_l1([0], 10, 1)
    with pytest.raises(InputError, match="m must be at most 249 for n = 2000"):
        context_l1(COUNTS, 2000, 1000)
    with pytest.raises(InputError, match="totals must be of 1 contexts"):
        contexts_total_variation([0, 5], COUNTS, [1, 2], 1)
