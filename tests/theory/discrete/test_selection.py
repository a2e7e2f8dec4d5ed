"""Fixation of the better of two symbols: golden value, Kimura's diffusion, neutral chain."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.selection import curated_fixation, kimura_fixation


def test_curated_fixation__golden():
    assert curated_fixation(50, 0.1, 10) == pytest.approx(0.867422122451, abs=5e-13)
    assert kimura_fixation(50, 0.1, 10) == pytest.approx(0.864704, abs=5e-7)


@pytest.mark.parametrize("K", [1, 2, "infinite"])
def test_curated_fixation__without_selection_is_the_share(K):
    np.testing.assert_allclose(curated_fixation(20, 0.0, np.arange(21), K), np.arange(21) / 20, rtol=1e-11, atol=0)
    if K == 1:  # one sample is no choice
        np.testing.assert_allclose(curated_fixation(20, 5.0, np.arange(21), K), np.arange(21) / 20, rtol=1e-11)


def test_curated_fixation__grows_with_the_number_of_samples():
    got = [float(curated_fixation(50, 0.1, 10, K)) for K in (1, 2, 3, 10, 1000, "infinite")]
    assert got == sorted(got)
    assert got[-1] - got[-2] < 1e-3


def test_kimura__is_the_diffusion_limit():
    errors = []
    for n, s in ((50, 0.1), (500, 0.01)):
        k = np.arange(1, n)
        errors.append(np.abs(kimura_fixation(n, s, k) - curated_fixation(n, s, k)).max())
    assert errors[0] < 0.01
    assert errors[1] < errors[0] / 5
    np.testing.assert_allclose(
        kimura_fixation(10**12, 1e-3, [5, 50]), 1 - np.exp(-2e-3 * np.array([5, 50])), rtol=1e-12
    )
    np.testing.assert_allclose(kimura_fixation(40, 0, [0, 10, 40]), [0, 0.25, 1])


def test_fixation__refuses():
    with pytest.raises(InputError, match=r"n must be at most 2000, got 2001"):
        curated_fixation(2001, 0.1, 1)
    with pytest.raises(InputError, match="k must be at most 50, got 51"):
        curated_fixation(50, 0.1, 51)
    with pytest.raises(InputError, match="k must be at most 50, got 51"):
        kimura_fixation(50, 0.1, 51)
    with pytest.raises(InputError, match="K must be a whole number or 'infinite', got 'x'"):
        curated_fixation(50, 0.1, 5, "x")
