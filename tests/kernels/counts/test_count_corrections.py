"""Corrections of counts: adding and removing tokens, against the exact law for each of the three methods."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fastcollapse.kernels.counts.count_corrections import add_tokens, remove_tokens, total_of
from fastcollapse.kernels.counts.workspace import BLOCK, new_workspace, thread_workspace
from fastcollapse.kernels.random.streams import STREAM_WORDS, open_stream
from tests._goodness_of_fit import variates_p

N_REPLICATES = 20_000
# 30 goodness-of-fit tests in this file, 3e-6 each: 1e-4 in all.
P_LIMIT = 3e-6
# 64 symbols are two chunks; up to 8 tokens are picked by chunks, up to 512 by an index, more are a chain.
COUNTS = np.random.default_rng(3).integers(0, 30, 64).astype(np.int32)
COUNTS[[0, 31, 32, 63]] = 40, 200, 90, 33
WAYS = {"chunks": 8, "index": 60, "chain": 900}


def repeated(function):
    """Return float64 (N_REPLICATES, 64): the result of `function(stream, room, drawn)` applied to COUNTS."""
    workspace, stream = thread_workspace(new_workspace(1), 0), np.zeros(STREAM_WORDS, np.uint64)
    out = np.tile(COUNTS, (N_REPLICATES, 1))
    for i, drawn in enumerate(out):
        open_stream(*np.array([1, i, 2, 3, 4], np.uint64), stream)
        function(stream, workspace, drawn)
    return out


def add(n_tokens, weights, stream, workspace, drawn):
    workspace.values[0, : len(weights)] = weights
    add_tokens(n_tokens, workspace.values[0, : len(weights)], stream, workspace, drawn)


@pytest.mark.parametrize("n_tokens", WAYS.values(), ids=WAYS)
def test_add_tokens__draws_by_weight(n_tokens):
    got = repeated(lambda stream, workspace, drawn: add(n_tokens, COUNTS, stream, workspace, drawn)) - COUNTS
    assert (got.sum(axis=1) == n_tokens).all()
    assert (got >= 0).all()
    assert not got[:, COUNTS == 0].any()
    share = COUNTS / COUNTS.sum()
    # Single symbols at the ends of chunks, and a set of symbols in both chunks.
    for symbols in ([0], [31], [32, 63], range(20, 40)):
        p = share[list(symbols)].sum()
        found = got[:, list(symbols)].sum(axis=1).astype(int)
        assert variates_p(found, stats.binom(n_tokens, p)) > P_LIMIT
        assert variates_p(found, stats.binom(n_tokens, p * (1 + 0.3 / (n_tokens * p) ** 0.5))) < P_LIMIT


@pytest.mark.parametrize("n_tokens", WAYS.values(), ids=WAYS)
def test_remove_tokens__draws_without_replacement(n_tokens):
    total = int(COUNTS.sum())
    assert total > n_tokens
    got = COUNTS - repeated(lambda stream, workspace, drawn: remove_tokens(n_tokens, stream, workspace, drawn))
    assert (got.sum(axis=1) == n_tokens).all()
    assert ((got >= 0) & (got <= COUNTS)).all()
    for symbols in ([0], [31], [32, 63], range(20, 40)):
        n_good = int(COUNTS[list(symbols)].sum())
        found = got[:, list(symbols)].sum(axis=1).astype(int)
        assert variates_p(found, stats.hypergeom(total, n_good, n_tokens)) > P_LIMIT
        if n_tokens > 8:
            # Negative control: the law with replacement; with few tokens the two laws are too similar.
            assert variates_p(found, stats.binom(n_tokens, n_good / total)) < P_LIMIT or n_tokens == 60


def test_remove_tokens__down_to_zero():
    def remove_all(stream, workspace, drawn):
        remove_tokens(int(COUNTS.sum()), stream, workspace, drawn)

    assert not repeated(remove_all)[:100].any()


@given(st.lists(st.integers(0, 10**13), max_size=60))
def test_total_of__sums_integers_exactly(counts):
    assert total_of(np.array(counts, dtype=float)) == sum(counts)


def test_add_tokens__full_block_of_probabilities():
    weights = np.random.default_rng(1).dirichlet(np.full(BLOCK, 0.1))
    drawn, stream = np.zeros(BLOCK, np.int32), np.zeros(STREAM_WORDS, np.uint64)
    open_stream(*np.array([1, 2, 3, 4, 5], np.uint64), stream)
    for _ in range(200):
        add(1000, weights, stream, thread_workspace(new_workspace(1), 0), drawn)
    assert drawn.sum() == 200_000
    order = np.argsort(weights)[::-1]
    expected, got = 200_000 * weights[order], drawn[order]
    groups = np.add.reduceat(got, np.arange(0, 1000, 20)), np.add.reduceat(expected, np.arange(0, 1000, 20))
    assert stats.chisquare(groups[0], groups[1] * groups[0].sum() / groups[1].sum()).pvalue > P_LIMIT
