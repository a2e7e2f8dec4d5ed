"""Maps of lists of counts, against their definitions on dense arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse.config.sampling import BestOf, Sampling
from fastcollapse.config.workflows import Replace
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.kernels.counts.best_of import NO_REWARDS
from fastcollapse.kernels.counts.weight_maps import new_maps, sampling_weights
from fastcollapse.models.discrete.model import Discrete
from fastcollapse.models.discrete.parameters import DiscreteParameters
from fastcollapse.models.discrete.rewards import rewards_of
from tests.kernels.counts.test_live_counts import live_of, truth_table
from tests.naive import discrete

N_SYMBOLS = 9000  # two blocks


def truth_of_counts(counts):
    truth = CategoricalDistribution(None, counts, counts / counts.sum(), "a test")
    return Discrete(truth, DiscreteParameters(), Replace(n_samples=1).schedule(1, None))._truth


def weights_of(states, sampling, truth, total=None, is_whole=True, share=-1.0):
    """Return the weights (R, K) that the kernel draws from, dense."""
    live = live_of(states)
    live = live._replace(counts=live.counts.astype(np.float64))
    if not is_whole:
        live = live._replace(counts=live.counts / states.sum(axis=1, keepdims=True))
    maps = new_maps(sampling.temperature, sampling.top_k, sampling.top_p)
    rewards = rewards_of(sampling.best_of, truth.probability)
    n = np.int64(states.sum(axis=1)[0] if total is None else total)
    if not is_whole:
        n = np.int64(1)
    flat, dense = np.zeros(states.size + len(states)), np.zeros(states.shape)
    sampling_weights(live, n, is_whole, truth, maps, rewards, np.zeros((len(states), 0)), share, flat)
    found = flat[: states.size].reshape(states.shape) / flat[states.size :, None]
    if share >= 0:
        return found
    for replicate, lengths in enumerate(live.lengths):
        for start, length in zip(live.starts[replicate], lengths, strict=True):
            mine = slice(start, start + length)
            dense[replicate, live.symbols[replicate, mine]] = found[replicate, mine]
    return dense


def best_of(k, rule):
    return BestOf(k=k, reward="rank", rule=rule)


MAPS = st.builds(
    Sampling,
    temperature=st.sampled_from([None, 0.01, 0.3, 1.0, 1.7, 50.0]),
    top_k=st.sampled_from([None, 1, 3, 10**6]),
    top_p=st.sampled_from([None, 0.05, 0.6, 1.0]),
    best_of=st.sampled_from([None, best_of(2, "soft"), best_of(3, "hard"), best_of("infinite", "soft")]),
)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=12).filter(any), MAPS, st.booleans())
def test_sampling_weights__are_the_maps_one_after_the_other(counts, sampling, is_whole):
    p = np.arange(len(counts), 0, -1.0)
    p /= p.sum()
    states = np.array([counts])
    got = weights_of(states, sampling, truth_table(p), is_whole=is_whole)[0]
    rewards = discrete.rewards_of(sampling, p)
    expected = discrete.mapped(states[0] / states.sum(), sampling, rewards)
    np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("temperature", [1e-3, 0.2, 0.8, 1.5, 1000.0])
def test_temperature__large_counts_do_not_overflow(temperature):
    states = np.zeros((2, N_SYMBOLS), np.int64)
    states[:, 5], states[:, 17], states[:, 8999] = 2_000_000_000, 1_999_000_000, 3
    got = weights_of(states, Sampling(temperature=temperature), truth_table(np.full(N_SYMBOLS, 1 / N_SYMBOLS)))
    expected = discrete.mapped(states[0], Sampling(temperature=temperature))
    np.testing.assert_allclose(got, [expected, expected], rtol=1e-12, atol=1e-300)


def test_temperature__is_not_inverted():
    """Negative control of the definition: T < 1 makes frequent symbols more frequent."""
    states, truth = np.array([[8, 2]]), truth_table(np.array([0.5, 0.5]))
    sharp = weights_of(states, Sampling(temperature=0.5), truth)[0]
    flat = weights_of(states, Sampling(temperature=2.0), truth)[0]
    np.testing.assert_allclose(sharp, [16 / 17, 1 / 17])
    np.testing.assert_allclose(flat, [2 / 3, 1 / 3])


def test_sampling_weights__of_generation_0_are_those_of_the_truth():
    states = np.ones((2, 6), np.int64)
    sampling = Sampling(temperature=0.5, top_k=3)
    p = np.array([0.3, 0.25, 0.2, 0.15, 0.1, 0.0])
    expected = discrete.mapped(p, sampling)
    np.testing.assert_allclose(weights_of(states, sampling, truth_table(p), total=0), [expected] * 2, rtol=1e-14)
    counts = np.array([6, 5, 4, 3, 2, 1])
    got = weights_of(states, sampling, truth_of_counts(counts), total=0)
    np.testing.assert_allclose(got, [discrete.mapped(counts, sampling)] * 2, rtol=1e-14)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_sampling_weights__share_of_the_truth_is_not_mapped(share):
    rng = np.random.default_rng(1)
    p, states = rng.dirichlet(np.ones(N_SYMBOLS)), rng.poisson(0.5, (2, N_SYMBOLS))
    states[1] = rng.permutation(states[0])
    sampling = Sampling(top_k=2000)
    got = weights_of(states, sampling, truth_table(p), share=share)
    expected = [share * p + (1 - share) * discrete.mapped(state, sampling) for state in states]
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_new_maps__without_maps_are_the_counts():
    live = live_of(np.array([[3, 0, 1]]))
    live, found = live._replace(counts=live.counts.astype(np.float64)), np.zeros(4)
    maps = new_maps(None, None, None)
    truth = truth_table(np.full(3, 1 / 3))
    sampling_weights(live, np.int64(4), True, truth, maps, NO_REWARDS, np.zeros((1, 0)), -1.0, found)
    np.testing.assert_array_equal(found[[0, 1, 3]], [3, 1, 4])
