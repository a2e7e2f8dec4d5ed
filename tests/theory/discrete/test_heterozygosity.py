"""Heterozygosity recursion, against token-by-token simulation and closed forms."""

import numpy as np
import pytest

from fastcollapse.errors import InputError
from fastcollapse.theory.discrete.heterozygosity import expected_heterozygosity
from fastcollapse.theory.discrete.heterozygosity_closed_forms import (
    fresh_limit,
    heterozygosity_replace,
    seddik_partial_limit,
    seddik_partial_variance,
)
from fastcollapse.theory.workflow_factors import accumulate_factor, accumulate_limit, accumulate_subsample_factor

TRUTH = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2])
H0 = 1 - (0.25 + 0.09 + 0.04)
REPLICATES = 20_000
# 12 schedules x 6 generations: |z| > 4.8 has probability 1.2e-4 in all.
Z_LIMIT = 4.8


def _heterozygosity(tokens):
    p = np.stack([(tokens == symbol).mean(axis=1) for symbol in range(3)])
    return 1 - (p**2).sum(axis=0)


def _simulate(schedule, seed):
    """Return [REPLICATES, T+1] heterozygosities; a state is the array of tokens it was fitted to."""
    rng = np.random.default_rng(seed)

    def draw(tokens, size):
        return np.take_along_axis(tokens, rng.integers(0, tokens.shape[1], (REPLICATES, size)), axis=1)

    truth = np.broadcast_to(TRUTH, (REPLICATES, TRUTH.size))
    n_generations = len(schedule["n_synthetic"])
    each = {
        key: np.broadcast_to(schedule.get(key, 0), n_generations)
        for key in ("n_synthetic", "n_real", "keep", "n_train")
    }
    real = schedule.get("real", "none")
    fixed = truth[:, :0]
    if real == "fixed":
        fixed = truth if schedule.get("real_is_truth") else draw(truth, each["n_real"][0])
    pool = truth if schedule.get("start_total") else truth[:, :0]
    state, curve = truth, [_heterozygosity(truth)]
    for t in range(n_generations):
        parts = [pool] if each["keep"][t] else []
        parts.append(draw(state, each["n_synthetic"][t]))
        if real == "fresh":
            parts.append(draw(truth, each["n_real"][t]))
        pool = np.concatenate(parts, axis=1)
        state = np.concatenate([pool, fixed], axis=1)
        size = each["n_train"][t]
        if size and schedule.get("replacement"):
            state = draw(state, size)
        elif size:
            state = rng.permuted(state, axis=1)[:, :size]
        curve.append(_heterozygosity(state))
    return np.stack(curve, axis=1)


SIX = [5] * 6
SCHEDULES = {
    "replace": {"n_synthetic": SIX},
    "replace_growing": {"n_synthetic": [2, 4, 8, 3, 5, 7]},
    "accumulate": {"n_synthetic": SIX, "keep": 1},
    "accumulate_data": {"n_synthetic": SIX, "keep": 1, "start_total": 10},
    "accumulate_drop_first": {"n_synthetic": SIX, "keep": [1, 0, 1, 1, 1, 1]},
    "subsample": {"n_synthetic": SIX, "keep": 1, "n_train": 5},
    "subsample_replacement": {"n_synthetic": SIX, "keep": 1, "n_train": 5, "replacement": True},
    "subsample_data": {"n_synthetic": SIX, "keep": 1, "n_train": [7, 0, 6, 9, 0, 4], "start_total": 10},
    "fresh": {"n_synthetic": SIX, "n_real": [0, 2, 2, 1, 0, 3], "real": "fresh"},
    "fresh_accumulate": {
        "n_synthetic": SIX,
        "n_real": 2,
        "real": "fresh",
        "keep": 1,
        "n_train": 6,
        "start_total": 10,
    },
    "fixed": {"n_synthetic": SIX, "n_real": 3, "real": "fixed"},
    "fixed_truth": {"n_synthetic": SIX, "n_real": 10, "real": "fixed", "real_is_truth": True},
    "fixed_everything": {
        "n_synthetic": [3, 4, 5, 2, 3, 4],
        "n_real": 4,
        "real": "fixed",
        "keep": [1, 1, 0, 1, 1, 1],
        "n_train": [6, 0, 4, 5, 6, 7],
        "start_total": 10,
    },
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_heterozygosity__recursion_against_simulation(name):
    schedule = SCHEDULES[name]
    curves = _simulate(schedule, seed=sorted(SCHEDULES).index(name))
    expected = expected_heterozygosity(H0, **schedule)
    error = curves[:, 1:].std(axis=0) / np.sqrt(REPLICATES)
    z = (curves[:, 1:].mean(axis=0) - expected[1:]) / error
    assert np.abs(z).max() < Z_LIMIT
    # Negative control: the same test rejects the curve that is one generation late.
    assert np.abs((curves[:, 1:].mean(axis=0) - expected[:-1]) / error).max() > Z_LIMIT


def test_heterozygosity__simulation_distinguishes_variants():
    curves = _simulate(SCHEDULES["subsample"], seed=99)
    error = curves[:, 1:].std(axis=0) / np.sqrt(REPLICATES)
    for wrong in ("subsample_replacement", "accumulate", "replace"):
        z = (curves[:, 1:].mean(axis=0) - expected_heterozygosity(H0, **SCHEDULES[wrong])[1:]) / error
        assert np.abs(z).max() > Z_LIMIT


@pytest.mark.parametrize("n", [1, 2, 10, 100])
def test_heterozygosity__closed_forms_of_the_workflows(n):
    t = np.arange(101)
    sizes = np.full(100, n)
    got = expected_heterozygosity(0.75, sizes)
    np.testing.assert_allclose(got, heterozygosity_replace(0.75, n, t), rtol=1e-12, atol=1e-300)
    growing = np.arange(1, 101) * n
    got = expected_heterozygosity(0.75, growing)
    np.testing.assert_allclose(got, heterozygosity_replace(0.75, growing, t), rtol=1e-12)
    got = expected_heterozygosity(0.75, sizes, keep=1)
    np.testing.assert_allclose(got, 0.75 * accumulate_factor(n, t), rtol=1e-12)
    got = expected_heterozygosity(0.75, sizes, keep=1, n_train=n)
    np.testing.assert_allclose(got, 0.75 * accumulate_subsample_factor(n, t), rtol=1e-12)


@pytest.mark.parametrize(
    ("n", "accumulate", "subsample"),
    [
        (10, 0.84344, 0.73899),
        (32, 0.94938, 0.91161),
        (100, 0.98363, 0.97100),
        (316, 0.99480, 0.99075),
        (1000, 0.99836, 0.99707),
    ],
)
def test_heterozygosity__limits(n, accumulate, subsample):
    assert round(float(accumulate_limit(n)), 5) == accumulate
    np.testing.assert_allclose(accumulate_factor(n, 10**6), accumulate, atol=6e-6)
    np.testing.assert_allclose(accumulate_subsample_factor(n, 10**6), subsample, atol=6e-6)


@pytest.mark.parametrize(("n", "m_s"), [(10, 0), (10, 5), (100, 99)])
def test_heterozygosity__fresh_limit(n, m_s):
    got = expected_heterozygosity(0.75, [m_s] * 3000, n - m_s, real="fresh")
    np.testing.assert_allclose(got[-1], 0.75 * fresh_limit(n, m_s), rtol=1e-12)


def test_heterozygosity__fixed_real_data():
    h1, n_real, n = 0.62, 10, 7
    got = expected_heterozygosity(h1, [n] * 50, n_real, real="fixed", real_is_truth=True)
    np.testing.assert_allclose(got, h1 - seddik_partial_variance(h1, n_real, n, np.arange(1, 52)), rtol=1e-12)
    np.testing.assert_allclose(h1 - got[-1], seddik_partial_limit(h1, n_real, n), rtol=1e-9)
    assert seddik_partial_limit(h1, n_real, 10**12) < h1 / (2 * n_real + 1)


def test_heterozygosity__huge_sizes_do_not_overflow():
    got = expected_heterozygosity(0.9, [10**15] * 3, 10**15, 1, 10**15, real="fresh", start_total=10**15)
    np.testing.assert_allclose(got, 0.9, rtol=1e-13)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_train": 7}, r"n_train must be at most the 5 tokens of generation 1 \(no replacement\), got 7"),
        ({"keep": 2}, "keep must be 0 or 1, got 2"),
        ({"real": "old"}, "real must be 'none', 'fresh' or 'fixed'"),
        ({"n_real": 3}, "n_real must be 0 if real is 'none', got 3"),
        ({"n_real": [1, 1]}, "n_real must be a number or 6 numbers"),
        ({"n_real": [1, 2, 2, 2, 2, 2], "real": "fixed"}, "n_real must be constant if real is 'fixed'"),
        ({"n_synthetic": [0]}, "the training data of generation 1 must be at least one token, got 0"),
        ({"start_total": 2}, "h0 must be at most 1-1/start_total for 2 tokens"),
    ],
)
def test_heterozygosity__refuses(change, message):
    with pytest.raises(InputError, match=message):
        expected_heterozygosity(H0, **({"n_synthetic": SIX} | change))
