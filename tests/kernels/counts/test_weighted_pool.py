"""Pools with weights, against dense NumPy."""

import numpy as np
import pytest

from fastcollapse.kernels.counts.weighted_pool import refit_weights, weigh_pool
from fastcollapse.kernels.counts.workspace import BLOCK, new_workspace
from tests.kernels.counts.test_live_counts import dense_of, live_of, random_states, truth_table

NO_REAL, NO_BATCHES = np.zeros((0, 0)), np.zeros((0, 0, 0))


def drawn_over(states, seed=2):
    """Return lists of states, counts drawn over them (R, K), and the same counts dense."""
    live = live_of(states)
    drawn = np.random.default_rng(seed).poisson(3.0, states.shape).astype(float)
    return live, drawn, dense_of(live._replace(counts=drawn)).astype(float)


@pytest.mark.parametrize("decay", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("scales", [(1.0, 1.0), (0.25, 0.125), (-1.0, 1.0)])
@pytest.mark.parametrize("with_real", [False, True])
def test_weigh_pool__ages_adds_and_weighs(decay, scales, with_real):
    states, _ = random_states(1)
    live, drawn, dense = drawn_over(states)
    rng = np.random.default_rng(3)
    before, real = rng.poisson(2.0, states.shape).astype(float), rng.poisson(1.0, states.shape).astype(float)
    expected = decay * before + dense
    fit = scales[1] * expected
    if with_real and scales[0] < 0:
        expected = fit = expected + real
    elif with_real:
        fit = scales[0] * real + fit
    pool = before.copy()
    weigh_pool(drawn, live, decay, 0, real if with_real else NO_REAL, np.array(scales), NO_BATCHES, pool)
    np.testing.assert_array_equal(pool, expected)
    np.testing.assert_array_equal(drawn, fit)


def test_weigh_pool__without_a_kept_pool_needs_none():
    states, _ = random_states(1)
    live, drawn, dense = drawn_over(states)
    real = np.random.default_rng(3).poisson(1.0, states.shape).astype(float)
    weigh_pool(drawn, live, 0.0, 0, real, np.array([0.3, 0.7]), NO_BATCHES, NO_REAL)
    np.testing.assert_array_equal(drawn, 0.3 * real + 0.7 * dense)
    assert not np.allclose(drawn, 0.7 * real + 0.3 * dense)  # negative control: the weights swapped


def test_weigh_pool__window_drops_the_oldest_batch():
    states, _ = random_states(1)
    batches, pool, found = np.zeros((states.shape[0], 2, states.shape[1])), np.zeros(states.shape), []
    for t in range(5):
        live, drawn, dense = drawn_over(states, seed=t)
        found.append(dense)
        decay = 0.0 if t == 3 else 1.0  # generation 4 keeps nothing
        weigh_pool(drawn, live, decay, t % 2, NO_REAL, np.ones(2), batches, pool)
        last = found[3:] if t >= 3 else found[-2:]
        np.testing.assert_array_equal(pool, sum(last))
        np.testing.assert_array_equal(drawn, pool)


def test_refit_weights__lists_the_symbols_with_a_weight():
    states, p = random_states(4)
    assert states.shape[1] > BLOCK
    live = live_of(np.ones_like(states))
    live = live._replace(counts=np.zeros(states.shape))
    weights = states / states.sum(axis=1, keepdims=True)
    sums = np.zeros((len(states), 6))
    refit_weights(weights, 7, truth_table(p), new_workspace(2), live, sums)
    for replicate in range(len(states)):
        listed = np.concatenate(
            [
                live.symbols[replicate, s : s + n]
                for s, n in zip(live.starts[replicate], live.lengths[replicate], strict=True)
            ]
        )
        np.testing.assert_array_equal(listed, np.flatnonzero(states[replicate]))
    np.testing.assert_array_equal(live.forgotten == 7, states == 0)
    np.testing.assert_allclose(sums[:, 0], (states > 0).sum(axis=1))
    np.testing.assert_allclose(sums[:, 1], 1 - (weights**2).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(sums[:, 5], (p * (states == 0)).sum(axis=1), rtol=1e-12)
