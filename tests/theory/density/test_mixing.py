"""Bandwidth and error under mixing: golden values and limits."""

import math

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.density.mise import kde_mise
from fastcollapse.theory.density.mixing import kde_mixing_bandwidth, kde_mixing_mise, kde_mixing_ratio
from fastcollapse.theory.density.moments import kde_second_moment


def test_mixing_ratio__has_golden_values():
    assert abs(kde_mixing_ratio(0.0593062727, 1) - 1) < 1e-10
    assert abs(kde_mixing_ratio(0.427093, 1) - 0.8881956491) < 1e-10
    assert kde_mixing_ratio([0.1], 2).round(3) == 1.614
    assert kde_mixing_ratio([0.1], 3).round(3) == 2.517
    # lam -> 0, with a first-order term in sqrt(lam).
    first, second = (kde_mixing_ratio(lam, 1) for lam in (4e-6, 1e-6))
    assert abs(2 * second - first - (math.pi / 2) ** 0.4) < 1e-5
    np.testing.assert_allclose([kde_mixing_ratio(1.0, d) for d in (1, 2, 5)], 1, rtol=1e-12)


def test_mixing_mise__has_golden_values():
    np.testing.assert_allclose(
        kde_mixing_mise([0.147522, 0.3], 0.1, 1000), [0.006107004068, 0.014854073411], atol=6e-13, rtol=0
    )
    np.testing.assert_allclose(
        kde_mixing_mise([0.219498, 0.3], 0.5, 1000), [0.001630496034, 0.002087364484], atol=6e-13, rtol=0
    )
    for h, lam in ((0.147522, 0.1), (0.219498, 0.5)):
        below, best, above = kde_mixing_mise([h - 1e-3, h, h + 1e-3], lam, 1000)
        assert best < min(below, above)


@pytest.mark.parametrize("lam", [0.01, 0.3, 0.8])
def test_mixing_bandwidth__is_asymptotic_minimum(lam):
    n = 10**10
    h = float(kde_mixing_bandwidth(lam, n, 1))
    values = kde_mixing_mise(h * np.array([0.98, 1.0, 1.02]), lam, n)
    assert values.argmin() == 1
    alone = kde_mise(float(kde_mixing_bandwidth(1.0, int(lam * n), 1)), [int(lam * n)])[1]
    np.testing.assert_allclose(values[1] / alone, kde_mixing_ratio(lam, 1), rtol=0.012)


def test_mixing__all_real_is_one_fit():
    np.testing.assert_allclose(kde_mixing_mise(0.3, 1.0, 50), kde_mise(0.3, [50])[1], rtol=1e-11)
    # Silverman's rule; an explicit R is the same.
    silverman = (4 / 3 / 50) ** 0.2
    np.testing.assert_allclose(kde_mixing_bandwidth(1.0, 50, 1), silverman, rtol=1e-12)
    np.testing.assert_allclose(kde_mixing_bandwidth(1.0, 50, 1, 3 / 8 / math.sqrt(math.pi)), silverman, rtol=1e-12)


def test_mixing__is_the_limit_of_the_recursion():
    # The stationary state, and its moments.
    far = kde_mise(0.3, [50] * 300, real_share=0.1)
    np.testing.assert_allclose(far[-1], kde_mixing_mise(0.3, 0.1, 50), rtol=1e-11)
    assert abs(far[5] / far[-1] - 1) > 0.1
    np.testing.assert_allclose(kde_second_moment(0.3, [50] * 300, real_share=0.1)[-1], 1 + 0.09 * 9, rtol=1e-11)
    with pytest.raises(InputError, match="real_share must be 0 with a pool or with other real points"):
        kde_mise(0.3, [50] * 3, keep=1, real_share=0.1)


def test_mixing__domain_is_checked():
    with pytest.raises(InputError, match="lam must be within"):
        kde_mixing_ratio(0.0, 1)
    with pytest.raises(InputError, match="d must be"):
        kde_mixing_ratio(0.5, 0)
    with pytest.raises(InputError, match="R must be above 0"):
        kde_mixing_bandwidth(0.5, 10, 1, 0.0)
