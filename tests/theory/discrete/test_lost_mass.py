"""True probability of lost symbols, against exact sums."""

import math

import numpy as np
import pytest
from scipy.special import zeta

from fastcollapse.datasets.count_spectrum import ZipfMandelbrotLaw
from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.binomial_chain import exact_chain
from fastcollapse.theory.discrete.lost_mass import lost_mass_bounds, zipf_lost_mass


def test_lost_mass_bounds__enclose_the_exact_chain_and_meet_at_one_refit():
    p, n, last = np.array([0.5, 0.3, 0.1, 0.06, 0.04]), 20, 15
    lower, upper = lost_mass_bounds(p, n, np.arange(last + 1))
    exact = p @ exact_chain(p, n, last)[0]
    assert (lower <= exact + 1e-12).all()
    assert (exact <= upper + 1e-12).all()
    np.testing.assert_allclose(lower[:2], [0.0, p @ (1 - p) ** n], rtol=1e-12)
    np.testing.assert_allclose(upper[:2], lower[:2], rtol=1e-12)


def test_lost_mass_bounds__classes_are_symbols():
    p, copies = np.array([0.1, 0.05, 0.02]), np.array([2, 6, 25])
    for one, other in zip(
        lost_mass_bounds(p, 50, [[1, 2, 30]], copies),
        lost_mass_bounds(np.repeat(p, copies), 50, [[1, 2, 30]]),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12)
        assert one.shape == (1, 3)


@pytest.mark.parametrize(("a", "b"), [(1.3, 0.0), (1.5, 2.7), (2.0, -0.5), (4.0, 10.0)])
def test_zipf_lost_mass__is_the_sum_over_an_unbounded_law(a, b):
    n, size = 10**5, 10**5
    i = np.arange(1.0, size + 1) + b
    p = i**-a / zeta(a, 1 + b)
    # The symbols beyond the last one, all of them lost but for the share n p/2 at most.
    rest = zeta(a, size + 1 + b) / zeta(a, 1 + b)
    exact = math.fsum(p * np.exp(n * np.log1p(-p))) + rest
    slack = n * p[-1] * rest / exact
    if slack < 1e-3:
        assert float(zipf_lost_mass(a, n, b)) == pytest.approx(exact, rel=1e-3)
    law = ZipfMandelbrotLaw(a, b, 10**12)
    values, copies = law.classes()
    beyond = zeta(a, 10**12 + 1 + b) / zeta(a, 1 + b)
    exact = float(lost_mass_bounds(values, n, 1, copies)[0]) + beyond
    assert float(zipf_lost_mass(a, n, b)) == pytest.approx(exact, rel=3 * beyond + 100 / n)


def test_zipf_lost_mass__falls_with_the_published_exponent():
    got = zipf_lost_mass(1.5, [1e3, 1e6, 1e12])
    np.testing.assert_allclose(got[1:] / got[:-1], [1e3 ** (1 / 1.5 - 1), 1e6 ** (1 / 1.5 - 1)])


@pytest.mark.parametrize(("a", "b", "key"), [(1.0, 0.0, "a"), (2.0, -1.0, "b"), (1001, 0.0, "a")])
def test_zipf_lost_mass__refuses_laws_without_a_limit(a, b, key):
    with pytest.raises(InputError, match=f"^{key} must be"):
        zipf_lost_mass(a, 100, b)


def test_lost_mass__refuses_classes_that_are_no_distribution():
    with pytest.raises(InputError, match="p must be probabilities that sum to 1 with their copies"):
        lost_mass_bounds([0.5, 0.25], 10, 1, [1, 1])
    with pytest.raises(InputError, match="copies must be of the shape of p"):
        lost_mass_bounds([0.5, 0.25], 10, 1, [1, 1, 1])
