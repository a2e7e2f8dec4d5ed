"""Poisson variates by tables, against the Poisson law: integer, fractional and large means, ends of the tables."""

import numpy as np
import pytest
from scipy import stats

from fastcollapse.kernels.counts.poisson_counts import open_poisson, poisson_of_counts, poisson_of_means
from fastcollapse.kernels.counts.workspace import BLOCK, new_workspace, thread_workspace
from fastcollapse.kernels.random.poisson_table import COARSE_STEP, MEANS_BELOW, poisson_tables
from fastcollapse.kernels.random.streams import StreamKey
from tests._goodness_of_fit import chi_square_p, variates_p

# 30 goodness-of-fit tests in this file, 3e-6 each: 1e-4 in all.
P_LIMIT = 3e-6


def counts_of(means, seed, n_blocks):
    """Return int64 (n_blocks, len(means)) counts; whole means are counts, others are means."""
    means = np.asarray(means, dtype=np.float64)
    whole = (means == np.floor(means)).all()
    out = np.empty((n_blocks, len(means)), np.int32)
    workspace = thread_workspace(new_workspace(1), 0)
    for block in range(n_blocks):
        key = StreamKey(np.uint64(seed), np.uint64(7), np.uint64(1), np.uint64(1))
        open_poisson(key, 3, block, workspace)
        if whole:
            poisson_of_counts(means.astype(np.int32), poisson_tables(), workspace, out[block])
        else:
            poisson_of_means(means, poisson_tables(), workspace, out[block])
    return out.astype(np.int64)


WHOLE = [1, 2, 9, 10, 100, COARSE_STEP - 1, COARSE_STEP, COARSE_STEP + 1, 5000, MEANS_BELOW - 1, MEANS_BELOW]
FRACTIONAL = [1e-4, 0.3, 0.999999, 1.5, 42.42, COARSE_STEP - 0.5, COARSE_STEP + 0.25, MEANS_BELOW - 0.5]


@pytest.mark.parametrize("mean", [*WHOLE, *FRACTIONAL, MEANS_BELOW + 0.5, 1e6])
def test_poisson_counts__law(mean):
    got = counts_of(np.full(BLOCK, mean), int(10 * mean), 50).ravel()
    assert variates_p(got, stats.poisson(mean)) > P_LIMIT
    wrong = mean + 0.1 * mean**0.5
    assert variates_p(got, stats.poisson(wrong)) < P_LIMIT


MIXED = {
    "fractional": [0.0, 1, 600, 0.25, 3, 40_000, 2.5, 0, 511.75, 30_000],
    "whole": [0.0, 1, 600, 2, 3, 40_000, 511, 0, 512, 30_000],
}


@pytest.mark.parametrize("means", MIXED.values(), ids=MIXED)
def test_poisson_counts__mean_depends_on_symbol(means):
    means = np.array(means)
    got = counts_of(means, 9, 20_000)
    for i, mean in enumerate(means):
        if mean == 0:
            assert not got[:, i].any()
        else:
            assert variates_p(got[:, i], stats.poisson(mean)) > P_LIMIT
    # Neighbouring symbols are independent: the correlations of 45 pairs, each a z-score over 20,000 draws, below 5.
    live = got[:, means > 0]
    correlation = np.corrcoef(live.T)[np.triu_indices(live.shape[1], 1)]
    assert np.abs(correlation * np.sqrt(len(live))).max() < 5


def test_poisson_counts__rare_values_have_correct_probability():
    # Mean 1 over 4 million draws: values up to 10, the largest need more than the coarse guide table.
    got = counts_of(np.ones(BLOCK), 77, 1000).ravel()
    probability = stats.poisson(1).pmf(np.arange(10))
    assert chi_square_p(np.bincount(np.minimum(got, 10), minlength=11)[:10], probability) > P_LIMIT
    assert got.max() >= 8


def test_poisson_counts__same_key_gives_same_counts():
    weights = np.geomspace(0.1, 1e5, 300)
    np.testing.assert_array_equal(counts_of(weights, 1, 3), counts_of(weights, 1, 3))
    assert (counts_of(weights, 1, 1) != counts_of(weights, 2, 1)).mean() > 0.5
