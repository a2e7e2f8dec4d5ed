"""Multinomial and multivariate hypergeometric draws against exact laws and the raw twins."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fastcollapse.kernels.counts import multinomial as sampling
from fastcollapse.kernels.counts.multinomial import FEW_SYMBOLS, block_grid, multinomial, new_draw, subsample
from fastcollapse.kernels.counts.workspace import BLOCK, new_workspace
from fastcollapse.kernels.jit import max_threads
from fastcollapse.kernels.random.poisson_table import poisson_tables
from fastcollapse.kernels.random.streams import StreamKey
from tests._goodness_of_fit import chi_square_p, two_sample_p, variates_p, z_scores
from tests.naive import discrete as naive

N_REPLICATES = 60_000
# About 40 goodness-of-fit tests in this file, 2e-6 each: 1e-4 in all.
P_LIMIT = 2e-6


def draw(weights, n_tokens, seed, n_replicates, n_threads=None):
    """Return int64 (R, K) multinomial counts over weights (K), or (R, K)."""
    weights = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    n_symbols, total = weights.shape[1], float(weights[0].sum())
    dtype = np.int32 if max(n_tokens, total) < 2**31 else np.float64
    whole = (weights == np.floor(weights)).all()
    counts, law = (weights.astype(dtype), np.empty(0)) if whole else (np.empty((1, 0), dtype), weights[0])
    starts, lengths = block_grid(n_replicates, n_symbols)
    out = new_draw(counts, total, np.empty((n_replicates, n_symbols), dtype), n_tokens, starts.shape[1], law)
    key = StreamKey(np.uint64(seed), np.uint64(0), np.uint64(1), np.uint64(1))
    multinomial(out, starts, lengths, key, poisson_tables(), new_workspace(n_threads or max_threads()))
    return out.drawn.astype(np.int64)


def draw_subsample(counts, n_tokens, seed, n_replicates):
    dtype = np.int32 if np.sum(counts) < 2**31 else np.float64
    counts = np.tile(np.asarray(counts, dtype=dtype), (n_replicates, 1))
    out = np.empty_like(counts)
    subsample(counts, n_tokens, StreamKey(*np.array([seed, 0, 1, 3], np.uint64)), new_workspace(max_threads()), out)
    return out.astype(np.int64)


def labels(counts, n):
    """Return one integer label for each row of counts in 0..n."""
    return counts @ (n + 1) ** np.arange(counts.shape[1])


def exact_multinomial_p(counts, weights, n_tokens):
    """Return the chi-square p-value of rows of counts over every possible outcome."""
    states = np.array([x for x in itertools.product(range(n_tokens + 1), repeat=len(weights)) if sum(x) == n_tokens])
    pmf = stats.multinomial(n_tokens, np.array(weights) / np.sum(weights)).pmf(states)
    known = labels(states, n_tokens)
    order = np.argsort(known)
    found = np.searchsorted(known[order], labels(counts, n_tokens))
    return chi_square_p(np.bincount(found, minlength=len(states)), pmf[order])


# With padding by zero weights, 3 or 4 symbols are drawn by Poisson counts and their correction, not by the chain for
# few symbols.
PADDING = [0.0] * FEW_SYMBOLS
CASES = [
    ([1, 2, 3], 5),
    ([1, 2, 3], 6),
    ([1, 2, 3], 9),
    ([2, 1, 1, 2], 5),
    ([2, 1, 1, 2], 6),
    ([2, 1, 1, 2], 9),
    ([0.11, 0.4, 0.49], 6),
]


@pytest.mark.parametrize("padding", [[], PADDING], ids=["chain", "poisson"])
@pytest.mark.parametrize(("weights", "n_tokens"), CASES)
def test_multinomial__every_outcome(weights, n_tokens, padding):
    got = draw([*weights, *padding], n_tokens, n_tokens, N_REPLICATES)
    assert not got[:, len(weights) :].any()
    live = got[:, : len(weights)]
    assert exact_multinomial_p(live, weights, n_tokens) > P_LIMIT
    wrong = np.array(weights, dtype=float)
    wrong[0] *= 1.1
    assert exact_multinomial_p(live, wrong, n_tokens) < P_LIMIT


def test_multinomial__is_rejected_without_correction():
    # Independent Poisson counts have the right means; the tokens beyond n are removed from the first symbols.
    weights, n = np.array([1.0, 2, 3]), 6
    poisson = np.random.default_rng(1).poisson(weights, (N_REPLICATES, 3))
    surplus = poisson.sum(axis=1) - n
    for i in range(3):
        cut = np.minimum(np.maximum(surplus, 0), poisson[:, i])
        poisson[:, i] -= cut
        surplus -= cut
    poisson[:, 2] += np.maximum(-surplus, 0)
    assert (poisson.sum(axis=1) == n).all()
    assert exact_multinomial_p(poisson, weights, n) < P_LIMIT


@pytest.mark.parametrize("n_tokens", [5, 20, 70])
def test_multinomial__equals_raw_twin(n_tokens):
    weights = np.array([9.0, 5, 3, 1, 1, 1, 0, 1, 1, 1, 1, 1])
    rng = np.random.default_rng(n_tokens)
    got = draw(weights, n_tokens, 3, 20_000)
    expected = np.array([naive.multinomial(weights, n_tokens, rng) for _ in range(20_000)])

    def summary(counts):
        return np.column_stack([(counts > 0).sum(axis=1), np.minimum(counts[:, 0], 60)])

    assert two_sample_p(labels(summary(got), 99), labels(summary(expected), 99)) > P_LIMIT
    wrong = draw(weights + (weights > 5), n_tokens, 3, 20_000)
    assert two_sample_p(labels(summary(wrong), 99), labels(summary(expected), 99)) < P_LIMIT


def wide_weights(whole=True):
    """Return weights of three blocks: counts from 1 to 40,000, mostly small, some zero."""
    weights = np.ceil(40_000 / np.arange(1, 2 * BLOCK + 1001) ** 1.1)
    weights[::7] = 0
    return np.random.default_rng(5).permutation(weights if whole else weights / weights.sum())


@pytest.mark.parametrize("whole", [True, False], ids=["counts", "probabilities"])
@pytest.mark.parametrize("factor", [0.5, 1.0, 1.25])
def test_multinomial__several_blocks(factor, whole):
    weights = wide_weights(whole)
    n = int(factor * wide_weights().sum())
    n_replicates = 3000
    got = draw(weights, n, 11, n_replicates)
    assert (got.sum(axis=1) == n).all()
    assert not got[:, weights == 0].any()
    p = weights / weights.sum()
    # Totals of the blocks: 3 tests; the largest symbol and 3 others; the sum over a set of symbols in several blocks.
    starts = np.arange(0, len(weights), BLOCK)
    totals = np.add.reduceat(got, starts, axis=1)
    shares = np.add.reduceat(p, starts)
    for total, share in zip(totals.T, shares, strict=True):
        assert variates_p(total, stats.binom(n, share)) > P_LIMIT
        assert variates_p(total, stats.binom(n, share * (1 + 0.2 / (n * share) ** 0.5))) < P_LIMIT
    for symbol in np.argsort(p)[[-1, -2, -100, -1000]]:
        assert variates_p(got[:, symbol], stats.binom(n, p[symbol])) > P_LIMIT
    crossing = slice(BLOCK - 50, BLOCK + 50)
    assert variates_p(got[:, crossing].sum(axis=1), stats.binom(n, p[crossing].sum())) > P_LIMIT
    # Means of all symbols: about 8,000 z-scores, those with 5 tokens in all and more; |z| < 6.5
    # (skewed small ones).
    often = p * n * n_replicates > 50
    z = (got.sum(axis=0) - p * n * n_replicates)[often] / np.sqrt((p * (1 - p) * n * n_replicates)[often])
    assert np.abs(z).max() < 6.5
    assert 0.9 < z.std() < 1.1
    # Pairs of the largest symbols have the covariance -n p q.
    i, j = np.argsort(p)[-2:]
    product = (got[:, i] - n * p[i]) * (got[:, j] - n * p[j])
    assert abs(z_scores(product, -n * p[i] * p[j])) < 5


def test_multinomial__biased_poisson_table_is_rejected(monkeypatch):
    # Every second value that the table decides for mean 1 is moved up by one: the correction keeps
    # the sum, not the law.
    weights = np.array([1.0] * 20 + [20.0])
    law = stats.binom(40, 0.5)
    assert variates_p(draw(weights, 40, 1, 30_000)[:, 20], law) > P_LIMIT
    tables = poisson_tables()
    guide = tables.guide.copy()
    row = guide[1]
    row[::2] = np.where(row[::2] < 100, row[::2] + 1, row[::2])
    monkeypatch.setitem(globals(), "poisson_tables", lambda: tables._replace(guide=guide))
    assert variates_p(draw(weights, 40, 1, 30_000)[:, 20], law) < P_LIMIT


@pytest.mark.parametrize("weights", [[1.0, 3.0], [1.0] * 3 + [0.0] * 9 + [3.0, 6.0]])
def test_multinomial__up_to_1e15_tokens(weights):
    n = 10**15
    got = draw(weights, n, 2, 4000)
    assert (got.sum(axis=1) == n).all()
    p = np.array(weights) / np.sum(weights)
    live = p > 0
    assert not got[:, ~live].any()
    standard = (got - n * p)[:, live] / np.sqrt(n * p * (1 - p))[live]
    for column in standard.T:
        assert stats.kstest(column, "norm").pvalue > P_LIMIT
        assert stats.kstest(column + 0.2, "norm").pvalue < P_LIMIT


def test_multinomial__one_thread_equals_two():
    weights = wide_weights()
    np.testing.assert_array_equal(draw(weights, 10**5, 1, 5, 1), draw(weights, 10**5, 1, 5, 2))


def test_multinomial__each_replicate_has_its_own_weights():
    weights = np.stack([np.r_[np.ones(10), np.zeros(10)], np.r_[np.zeros(10), np.ones(10)]])
    got = draw(weights, 1000, 4, 2)
    assert got[0, :10].sum() == got[1, 10:].sum() == 1000


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=40), st.integers(0, 10**7), st.integers(0, 99))
def test_multinomial__sums_to_n_over_live_symbols(weights, n_tokens, seed):
    weights[seed % len(weights)] += 1
    got = draw(weights, n_tokens, seed, 2)
    assert (got.sum(axis=1) == n_tokens).all()
    assert (got >= 0).all()
    assert not got[:, np.array(weights) == 0].any()


@pytest.mark.parametrize(
    ("counts", "n_tokens"), [([3, 2, 4], 5), ([3, 2, 4], 8), ([2, 2, 2, 2], 4), ([1] * 3 + [0, 5], 3)]
)
def test_subsample__every_outcome(counts, n_tokens):
    got = draw_subsample(counts, n_tokens, sum(counts), N_REPLICATES)
    states = np.array([x for x in itertools.product(*(range(c + 1) for c in counts)) if sum(x) == n_tokens])
    ways = [math.prod(math.comb(c, x) for c, x in zip(counts, state, strict=True)) for state in states]
    pmf = np.array(ways) / math.comb(sum(counts), n_tokens)
    known = labels(states, n_tokens)
    order = np.argsort(known)
    found = np.searchsorted(known[order], labels(got, n_tokens))
    observed = np.bincount(found, minlength=len(states))
    assert chi_square_p(observed, pmf[order]) > P_LIMIT
    # Negative control: the law with replacement.
    wrong = stats.multinomial(n_tokens, np.array(counts) / np.sum(counts)).pmf(states[order])
    assert chi_square_p(observed, wrong / wrong.sum()) < P_LIMIT


def test_subsample__several_blocks():
    counts = np.random.default_rng(6).integers(0, 6, 2 * BLOCK + 300)
    counts[BLOCK] = 3000
    total, n = int(counts.sum()), int(counts.sum() // 3)
    got = draw_subsample(counts, n, 8, 3000)
    assert (got.sum(axis=1) == n).all()
    assert (got <= counts).all()
    starts = np.arange(0, len(counts), BLOCK)
    for drawn, size in zip(np.add.reduceat(got, starts, axis=1).T, np.add.reduceat(counts, starts), strict=True):
        assert variates_p(drawn, stats.hypergeom(total, size, n)) > P_LIMIT
        assert variates_p(drawn, stats.binom(n, size / total)) < P_LIMIT
    assert variates_p(got[:, BLOCK], stats.hypergeom(total, 3000, n)) > P_LIMIT
    crossing = slice(BLOCK - 40, BLOCK)
    assert variates_p(got[:, crossing].sum(axis=1), stats.hypergeom(total, counts[crossing].sum(), n)) > P_LIMIT


def test_subsample__equals_raw_twin():
    counts = np.array([9, 5, 3, 1, 1, 1, 0, 1, 1, 1, 1, 1])
    rng = np.random.default_rng(8)
    got = draw_subsample(counts, 10, 1, 20_000)
    expected = np.array([naive.subsample(counts, 10, rng) for _ in range(20_000)])

    def summary(x):
        return labels(np.column_stack([(x > 0).sum(axis=1), x[:, 0]]), 20)

    assert two_sample_p(summary(got), summary(expected)) > P_LIMIT
    assert two_sample_p(summary(draw_subsample(counts, 11, 1, 20_000)), summary(expected)) < P_LIMIT


@given(st.lists(st.integers(0, 10**14), min_size=1, max_size=10), st.floats(0, 1), st.integers(0, 99))
def test_subsample__takes_at_most_available_tokens(counts, share, seed):
    n_tokens = int(share * sum(counts))
    got = draw_subsample(counts, n_tokens, seed, 2)
    assert (got.sum(axis=1) == n_tokens).all()
    assert (got >= 0).all()
    assert (got <= np.array(counts)).all()


def test_subsample__may_overwrite_input():
    counts = np.tile(np.arange(5000, dtype=np.int32), (2, 1))
    expected = draw_subsample(np.arange(5000), 10**5, 4, 2)
    subsample(counts, 10**5, StreamKey(*np.array([4, 0, 1, 3], np.uint64)), new_workspace(max_threads()), counts)
    np.testing.assert_array_equal(counts, expected)


def test_few_symbols__padding_exceeds_limit():
    assert len(PADDING) + 3 > sampling.FEW_SYMBOLS
