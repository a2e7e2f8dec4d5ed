"""The time until all contexts have collapsed: golden values."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.language.collapse_time import contexts_collapse_time, contexts_collapse_time_gumbel

GOLDEN = {(20, 100): 108.203015632, (50, 100): 275.698588524, (50, 10**4): 503.402155512, (100, 1000): 783.773200559}


@pytest.mark.parametrize(("n", "C"), GOLDEN)
def test_collapse_time__has_golden_values(n, C):
    assert contexts_collapse_time(n, C) == pytest.approx(GOLDEN[n, C], abs=5e-10)
    above = contexts_collapse_time_gumbel(np.full(C, 0.5), n) / GOLDEN[n, C] - 1
    assert 0.002 < above < 0.012


def test_collapse_time__of_one_context_is_mean_absorption():
    np.testing.assert_allclose(contexts_collapse_time(20, 1), 26.2294853480, atol=5e-10)
    np.testing.assert_allclose(contexts_collapse_time(50, 1), 67.5171716674, atol=5e-10)
    assert contexts_collapse_time(1, 5) == 1
    assert contexts_collapse_time_gumbel([0.8] * 100, 50) == pytest.approx(300.4, abs=0.05)


def test_collapse_time__domain_is_checked():
    with pytest.raises(InputError, match="p0 must be strictly between 0 and 1"):
        contexts_collapse_time(20, 1, 0.0)
    with pytest.raises(InputError, match="n must be at most 500"):
        contexts_collapse_time(501, 1)
    with pytest.raises(InputError, match="h0 must be of many contexts, with a sum of at least 1"):
        contexts_collapse_time_gumbel(0.5, 20)
