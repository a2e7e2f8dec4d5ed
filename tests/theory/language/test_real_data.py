"""Contexts with real data in every fit: golden values, limits, and the discrete family as one context."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.heterozygosity import expected_heterozygosity
from fastcollapse.theory.discrete.heterozygosity_closed_forms import fresh_limit, seddik_partial_variance
from fastcollapse.theory.language.real_data import (
    contexts_fresh_distance,
    contexts_random_distance,
    contexts_sampled_distance,
    contexts_squared_distance,
    contexts_squared_distance_limit,
    largest_synthetic,
)
from tests._corpora import first, heterozygosity_of, shipped, table_of

GOLDEN = {
    10: [0.0077777778, 0.0086333333, 0.0086419752],
    40: [0.0077777778, 0.0126086420, 0.0137084253],
    200: [0.0028925620, 0.0072271079, 0.0128755266],
}
H0 = 1 - (np.array([0.4, 0.25, 0.15, 0.12, 0.08]) ** 2).sum()


@pytest.mark.parametrize("n", GOLDEN)
def test_squared_distance__has_golden_values(n):
    np.testing.assert_allclose(contexts_squared_distance(0.7, 20, n, [1, 3, 8]), GOLDEN[n], rtol=0, atol=6e-11)
    one = seddik_partial_variance(0.7, 20, n, np.arange(1, 30))
    np.testing.assert_allclose(contexts_squared_distance(0.7, 20, n, np.arange(29)), one, rtol=1e-12, atol=1e-17)
    assert contexts_squared_distance_limit(0.7, 20, n) == pytest.approx(
        contexts_squared_distance(0.7, 20, n, 10**5), rel=1e-12
    )


def test_sampled_distance__has_golden_value():
    assert contexts_sampled_distance(H0, 20, 40, 8) == pytest.approx(0.050369271, abs=5e-10)


def test_fresh_distance__has_golden_values_and_is_that_of_one_context():
    got = 1 - contexts_fresh_distance(H0, 20, 40, [1, 4, 15]) / H0
    np.testing.assert_allclose(got, [0.98333333, 0.97162531, 0.97058834], rtol=0, atol=5e-9)
    expected = expected_heterozygosity(H0, [40] * 15, 20, real="fresh")
    np.testing.assert_allclose(H0 - contexts_fresh_distance(H0, 20, 40, np.arange(16)), expected, rtol=1e-12)
    assert 1 - contexts_fresh_distance(H0, 20, 40, 10**4) / H0 == pytest.approx(fresh_limit(60, 40), rel=1e-12)


def test_contexts__have_golden_values_of_text():
    table = table_of(shipped(), 2)
    h, totals = heterozygosity_of(table["offsets"], table["counts"])
    assert (totals / totals.sum()) @ (h / totals) == pytest.approx(0.0227458103619, abs=5e-13)
    for rho, expected in ((0.1, 0.00186692152137), (1, 0.00715672156811), (10, 0.00999597674416)):
        assert contexts_squared_distance_limit(h, totals, rho * totals) == pytest.approx(expected, abs=5e-14)
    table = table_of(first(400), 2)
    h, totals = heterozygosity_of(table["offsets"], table["counts"])
    assert contexts_squared_distance(h, totals, totals, 4) == pytest.approx(0.018210954, abs=5e-10)


def test_random_sizes__have_golden_values():
    np.testing.assert_allclose(
        contexts_random_distance(0.7, 20, 400, 0.08, [8, 10**6]), [0.01296802, 0.0129719634], rtol=0, atol=5e-9
    )
    assert contexts_squared_distance_limit(0.7, 20, 32) == pytest.approx(0.0130841121, abs=5e-11)
    # A context that takes all tokens has no random size.
    np.testing.assert_allclose(
        contexts_random_distance(0.7, 20, 40, 1, [0, 1, 8]), contexts_squared_distance(0.7, 20, 40, [0, 1, 8])
    )


def test_largest_synthetic__has_golden_values():
    np.testing.assert_allclose(largest_synthetic(100, [0.1, 0.25]), [12.5156445557, 50.2512562814], rtol=0, atol=5e-11)
    assert largest_synthetic(1000, 0.4) == pytest.approx(2004.0080160321, abs=5e-11)
    assert largest_synthetic([1, 100], [0.34, 0.5]).tolist() == [np.inf, np.inf]
    limit = largest_synthetic(100, 0.25)
    assert 100 * contexts_squared_distance_limit(1, 100, limit) == pytest.approx(0.25, rel=1e-12)


def test_contexts__without_synthetic_tokens_stay():
    assert contexts_squared_distance([0.5, 0.5], [10, 30], [0, 0], [0, 5]).tolist() == [0, 0]
    assert contexts_squared_distance_limit(0.5, 10, 0) == 0


def test_contexts__domain_is_checked():
    with pytest.raises(InputError, match="h must be within"):
        contexts_squared_distance(1.5, 20, 10, 1)
    with pytest.raises(InputError, match="h and N and n must have shapes that broadcast"):
        contexts_squared_distance([0.5, 0.5], [1, 2, 3], 10, 1)
    with pytest.raises(InputError, match="N must be a whole number of at least 1"):
        largest_synthetic(0, 0.1)
    with pytest.raises(InputError, match="n must be a whole number of at least 0"):
        contexts_fresh_distance(0.5, 20, -1, 1)
