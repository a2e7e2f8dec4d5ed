"""Closed form and limit of workflow replace."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.density.replace import kde_mise_limit, kde_mise_replace


def test_replace__limit_has_golden_values():
    expected = {1: 0.440614020626, 2: 0.119285239327, 3: 0.037752639491}
    for d, value in expected.items():
        assert abs(kde_mise_limit(0.4, 50, means=[[0] * d]) - value) < 6e-13


@pytest.mark.parametrize("n", [1, 2, 50])
def test_replace__tends_to_limit(n):
    far = kde_mise_replace(0.4, n, 10**6)
    # The overlap with the truth vanishes like 1/sqrt(t).
    overlap = 2 / np.sqrt(2 * np.pi * (2 + 0.16 * 10**6))
    np.testing.assert_allclose(far + overlap, kde_mise_limit(0.4, n), rtol=1e-9)


def test_replace__large_samples_have_their_asymptotic_limit():
    h, n = 0.4, 10**10
    np.testing.assert_allclose(kde_mise_limit(h, n) - 0.5 / np.sqrt(np.pi), 1 / (2 * h * np.sqrt(n)), rtol=1e-4)
    plane = kde_mise_limit(h, n, means=[[0, 0]]) - 0.25 / np.pi
    np.testing.assert_allclose(plane, np.log(n) / (4 * np.pi * h**2 * (n - 1)), rtol=1e-6)


def test_replace__domain_is_checked():
    for arguments, message in (((0, 5, 1), "h must be within"), ((1, 0, 1), "n must be"), ((1, 5, -1), "t must be")):
        with pytest.raises(InputError, match=message):
            kde_mise_replace(*arguments)
