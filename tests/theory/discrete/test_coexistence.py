"""Bounds of "not collapsed", against the exact chain and simulation."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.binomial_chain import exact_chain
from fastcollapse.theory.discrete.coexistence import (
    coexistence_bounds,
    coexistence_bounds_published,
    not_collapsed_bounds,
    seddik_bounds,
    seddik_bounds_sharp,
)

BOUNDS = [coexistence_bounds, coexistence_bounds_published, seddik_bounds, seddik_bounds_sharp]


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("n", [2, 3, 10, 100])
def test_coexistence__bounds_hold_for_the_exact_chain(bounds, n):
    p0 = np.array([0.0, 1e-4, 0.01, 0.2, 0.5, 0.9, 1.0])
    k = np.arange(401)
    lost, fixed = exact_chain(p0, n, 400)
    mixed = 1 - lost - fixed
    lower, upper = bounds(p0[:, None], n, k)
    assert (lower <= mixed + 1e-11).all()
    assert (mixed <= upper + 1e-11).all()


def test_coexistence__late_constant_is_six():
    error = []
    for n in (100, 200, 400):
        lost, fixed = exact_chain(0.3, n, 4 * n)
        error.append(6 - (1 - lost - fixed)[4 * n] / (0.3 * 0.7 * (1 - 1 / n) ** (4 * n)))
    # The constant is the diffusion limit; the value of the chain is smaller by about ln(n)/n.
    assert 0 < error[2] < 0.04 < error[1] < 0.07 < error[0]


def test_coexistence__sharp_pair_is_the_narrower():
    k = np.arange(1, 300)
    for p0 in (0.01, 0.2):
        for sharp, published in (
            (coexistence_bounds, coexistence_bounds_published),
            (seddik_bounds_sharp, seddik_bounds),
        ):
            assert (sharp(p0, 100, k)[0] >= published(p0, 100, k)[0] - 1e-12).all()
            assert (sharp(p0, 100, k)[1] <= published(p0, 100, k)[1] + 1e-12).all()


def test_coexistence__several_symbols_against_simulation():
    rng, n, replicates = np.random.default_rng(5), 10, 20_000
    p = np.full((replicates, 4), 0.25)
    for k in range(1, 41):
        p = rng.multinomial(n, p) / n
        got = (p.max(axis=1) < 1).mean()
        lower, upper = not_collapsed_bounds(0.75, 4, n, k)
        # 80 one-sided comparisons: 4.5 standard errors.
        slack = 4.5 * np.sqrt(got * (1 - got) / replicates) + 1e-3
        assert lower - slack <= got <= upper + slack
    # Negative control: at late times the truth is near the middle, so bounds tighter by 2.5 would fail.
    assert got < lower * 2.5 - slack / 2
    assert got > upper / 2.5 + slack / 2


def test_coexistence__refuses():
    with pytest.raises(InputError, match="p0 must be within"):
        coexistence_bounds(-0.1, 10, 1)
    with pytest.raises(InputError, match=r"h0 must be within \[0, 1-1/m\] with m = 2, got 0.6"):
        not_collapsed_bounds(0.6, 2, 10, 1)
