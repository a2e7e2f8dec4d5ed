"""Rewards in data files."""

import numpy as np
import pytest

from fastcollapse.config.sampling import BestOf, Sampling
from fastcollapse.datasets.rewards import load_rewards
from fastcollapse.errors import InputError


def sampling_of(reward):
    return Sampling(best_of=BestOf(k=2, reward=reward, rule="soft"))


def test_load_rewards__reads_a_column(tmp_path):
    (tmp_path / "r.csv").write_text("reward\n1\n2.5\n-3\n")
    loaded, hashes = load_rewards(sampling_of("r.csv"), tmp_path)
    np.testing.assert_array_equal(loaded.best_of.reward, [1, 2.5, -3])
    assert list(hashes) == ["r.csv"]


def test_load_rewards__leaves_other_maps(tmp_path):
    for sampling in (None, Sampling(top_k=2), sampling_of("rank"), sampling_of((1.0, 2.0))):
        assert load_rewards(sampling, tmp_path) == (sampling, {})


def test_load_rewards__refuses_tables_and_large_numbers(tmp_path):
    (tmp_path / "table.csv").write_text("1,2\n3,4\n")
    (tmp_path / "large.csv").write_text("1\n-701\n")
    with pytest.raises(InputError, match=r"sampling.best_of.reward must have one number for each symbol, got \(2, 2\)"):
        load_rewards(sampling_of("table.csv"), tmp_path)
    with pytest.raises(InputError, match=r"sampling.best_of.reward must be from -700 to 700, got -701 in 'large.csv'"):
        load_rewards(sampling_of("large.csv"), tmp_path)
    with pytest.raises(InputError, match=r"sampling.best_of.reward"):
        load_rewards(sampling_of("missing.csv"), tmp_path)
