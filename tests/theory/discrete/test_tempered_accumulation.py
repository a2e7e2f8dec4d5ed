"""Accumulation about a fixed point: the exact law of an urn at temperature 1, and powers of the size of the pool."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.tempered_accumulation import tempered_accumulate_variance


@pytest.mark.parametrize(("lam", "p", "m"), [(0.0, 0.5, 4), (0.3, 0.2, 4), (0.6, 0.5, 1)])
def test_accumulate_variance__is_exact_for_a_linear_map(lam, p, m):
    N, last = 8, 6
    law = stats.binom.pmf(np.arange(N + 1), N, p)
    got = tempered_accumulate_variance(N, m, 1 - lam, p, np.arange(last + 1))
    for t in range(last + 1):
        total = N + t * m
        shares = np.arange(total + 1) / total
        assert got[t] == pytest.approx(law @ (shares - p) ** 2, rel=1e-12)
        new = stats.binom.pmf(np.arange(m + 1), m, ((1 - lam) * shares + lam * p)[:, None])
        law = sum(np.pad(law * new[:, j], (j, m - j)) for j in range(m + 1))


def test_accumulate_variance__falls_as_powers():
    N, m, p = 1000, 1000, 0.5
    t = np.array([10**4, 10**5])
    total = N + m * t
    slow = tempered_accumulate_variance(N, m, 0.2, p, t)
    np.testing.assert_allclose(slow * total * (1 - 2 * 0.2), p * (1 - p), rtol=0.01)
    for rho in (0.8, 1.2):
        first, second = tempered_accumulate_variance(N, m, rho, p, t)
        assert np.log10(second / first) == pytest.approx(-2 * (1 - rho), abs=1e-3)


def test_accumulate_variance__refuses():
    with pytest.raises(InputError, match="N must be a whole number of at least 1"):
        tempered_accumulate_variance(0, 1, 0.5, 0.5, 1)
    with pytest.raises(InputError, match=r"rho must be within \[-1, 1000\]"):
        tempered_accumulate_variance(1, 1, -2, 0.5, 1)
