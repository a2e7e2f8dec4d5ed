"""Weights of reward levels and expected rewards, against sums over symbols."""

import numpy as np
import pytest

from fastcollapse.kernels.counts.best_of import reward_table
from fastcollapse.kernels.counts.reward_levels import measure_rewards, n_shared_levels
from tests.kernels.counts.test_live_counts import live_of


@pytest.mark.parametrize("n_levels", [1, 7, 1024, 1025])
@pytest.mark.parametrize("n_symbols", [5, 1025, 8192, 8203])
def test_measure_rewards__are_sums_over_symbols(n_levels, n_symbols):
    rng = np.random.default_rng(n_levels + n_symbols)
    reward = rng.permutation(np.arange(n_symbols) % n_levels) / n_levels - 0.3
    counts = rng.poisson(0.7, (2, n_symbols))
    counts[:, 0] = 3
    counts[1] = rng.permutation(counts[0])
    live, total = live_of(counts), counts[0].sum()
    table = reward_table(reward, 3, False)
    masses, got = np.full((2, n_shared_levels(table)), np.nan), np.empty((2, 2))
    assert masses.shape[1] == (len(table.at) if len(table.at) <= 1024 else 0)
    measure_rewards(live._replace(counts=live.counts.astype(np.float64)), total, table, masses, got)
    expected = np.column_stack([counts @ reward, counts @ np.exp(reward)]) / total
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)
    if masses.size:
        expected_masses = [np.bincount(table.level, row, len(table.at)) for row in counts]
        np.testing.assert_array_equal(masses, expected_masses)
        assert not np.array_equal(masses[0], expected_masses[1]) or len(table.at) == 1  # negative control
