"""Sampling at a temperature without noise."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.temperature import tempered_law


@pytest.mark.parametrize("T", [0.5, 1.0, 3.0])
def test_tempered_law__is_the_iterated_power(T):
    law = expected = np.array([0.5, 0.3, 0.2, 0.0])
    for t in range(5):
        np.testing.assert_allclose(tempered_law(law, T, t), expected, rtol=1e-12)
        expected = np.where(expected > 0, expected ** (1 / T), 0)
        expected /= expected.sum()


def test_tempered_law__ends():
    with np.errstate(all="raise", under="ignore"):
        assert tempered_law([0.4, 0.4, 0.2], 0.5, 10**6).tolist() == [0.5, 0.5, 0.0]
        np.testing.assert_allclose(tempered_law([0.9, 0.1 - 1e-9, 1e-9, 0.0], 2, 200), [1 / 3, 1 / 3, 1 / 3, 0])
        assert tempered_law([1e-300, 1.0], 1e-3).tolist() == [0.0, 1.0]
    with pytest.raises(InputError, match=r"T must be within \[0.001, 1000\], got 0"):
        tempered_law([0.5, 0.5], 0)
