"""Walks against the exact law of their tables (Whittle 1955), and their independence of lanes."""

import itertools
import math

import numpy as np
import pytest

from fastcollapse.kernels.random.streams import StreamKey
from fastcollapse.kernels.sequences.urns import ENTRIES, WHOLE_SUMS
from fastcollapse.kernels.sequences.walks import new_lanes, walk
from tests._goodness_of_fit import chi_square_p
from tests.kernels.sequences.test_urns import COUNTS, OFFSETS, SUCCESSORS, WORDS, filled

NONE = np.zeros(0, np.int32)
MOST = 2**31 - 1
# Four tests.
P_LIMIT = 1e-5
# Sentences of a table, tables, and the largest number of loops of the enumeration.
S, N_TABLES, MOST_LOOPS = 3, 40_000, 16


def key_of(number):
    return StreamKey(np.uint64(7), np.uint64(0), np.uint64(number), np.uint64(1))


def walked(urn, bounds, number=1, n_lanes=256, lengths=NONE, drawn=None, sign=1):
    drawn = np.zeros(len(urn.follow), np.int32) if drawn is None else drawn
    n = walk(urn, bounds, np.int32(sign), key_of(number), 0, new_lanes(n_lanes), MOST, drawn, lengths)
    return drawn, n


def whittle(table, p, independent=False):
    """Return the probability of a balanced table of S sentences: Whittle's formula, or without its determinant."""
    contexts = np.repeat(np.arange(3), np.diff(OFFSETS))
    flow = np.zeros((3, 3))
    np.add.at(flow, (contexts, SUCCESSORS), table)
    totals = flow.sum(axis=1)
    log = sum(math.lgamma(n + 1) for n in totals) - sum(math.lgamma(n + 1) for n in table)
    log += sum(n * math.log(q) for n, q in zip(table, p, strict=True) if n)
    used = [c for c in (1, 2) if totals[c] > 0]
    law = np.eye(len(used)) - flow[np.ix_(used, used)] / totals[used, None]
    return math.exp(log) * (1.0 if independent else np.linalg.det(law))


def balanced_tables():
    """Yield the tables of S sentences with at most MOST_LOOPS uses of each cell."""
    loops = range(MOST_LOOPS + 1)
    for start_a, aa, ab, ba, end_a in itertools.product(range(S + 1), loops, loops, loops, range(S + 1)):
        start_b, end_b = S - start_a, S - end_a
        if start_a + ba == ab + end_a and start_b + ab == ba + end_b:
            yield start_a, start_b, aa, ab, end_a, ba, end_b


@pytest.fixture(scope="module")
def laws():
    """Return the tables, their law, and what it would be with a multinomial in each context, given the visits."""
    p = COUNTS / np.repeat(np.add.reduceat(COUNTS, OFFSETS[:-1]), np.diff(OFFSETS))
    tables = list(balanced_tables())
    exact = np.array([whittle(table, p) for table in tables])
    product = np.array([whittle(table, p, independent=True) for table in tables])
    visits = np.array([(sum(table[2:5]), sum(table[5:])) for table in tables])
    _, group = np.unique(visits, axis=0, return_inverse=True)
    group = group.ravel()
    product *= (np.bincount(group, exact) / np.bincount(group, product))[group]
    return tables, visits, exact, product


def test_law__is_normalised_and_has_the_known_distances(laws):
    _, visits, exact, product = laws
    assert abs(exact.sum() - 1) < 1e-4  # a table of more uses is rare
    for at, expected in (((3, 2), 0.0858968310646), ((4, 2), 0.0701511582741)):
        mine = (visits == at).all(axis=1)
        distance = 0.5 * np.abs(exact[mine] - product[mine]).sum() / exact[mine].sum()
        assert abs(distance - expected) < 1e-12


@pytest.mark.parametrize("kind", [ENTRIES, WHOLE_SUMS])
def test_walk__has_the_law_of_whittle_and_not_a_product_of_multinomials(laws, kind):
    tables, _, exact, product = laws
    number = {table: i for i, table in enumerate(tables)}
    urn, observed = filled(COUNTS, kind=kind), np.zeros(len(tables) + 1)
    for t in range(N_TABLES):
        drawn, _ = walked(urn, (0, S), t)
        observed[number.get(tuple(drawn.tolist()), -1)] += 1
    order = np.argsort(-exact)
    observed = np.append(observed[:-1][order], observed[-1])
    assert chi_square_p(observed[:-1], exact[order]) > P_LIMIT
    assert chi_square_p(observed[:-1], product[order]) < P_LIMIT


def test_walk__with_a_temperature_draws_powers_of_counts():
    urn = filled(COUNTS, temperature=0.5)
    drawn, _ = walked(urn, (0, 30_000))
    for first, last in itertools.pairwise(OFFSETS.tolist()):
        weights = COUNTS[first:last] ** 2.0
        assert chi_square_p(drawn[first:last], weights / weights.sum()) > P_LIMIT
    assert chi_square_p(drawn[:2], COUNTS[:2] / 10) < P_LIMIT  # negative control


@pytest.mark.parametrize("n_lanes", [1, 7, 300])
def test_walk__does_not_depend_on_lanes_or_on_ranges(n_lanes):
    urn = filled(COUNTS)
    lengths = np.empty(500, np.int32)
    expected, n = walked(urn, (0, 500), lengths=lengths)
    got_lengths, got, n_parts = np.empty(500, np.int32), np.zeros(7, np.int32), 0
    for first, last in ((300, 500), (0, 1), (1, 300)):
        n_parts += walked(urn, (first, last), n_lanes=n_lanes, lengths=got_lengths[first:last], drawn=got)[1]
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(got_lengths, lengths)
    assert n == n_parts == expected.sum() == lengths.sum() + 500
    other, _ = walked(urn, (0, 500), number=2)
    assert (other != expected).any()


def test_walk__is_taken_back_by_the_opposite_sign():
    urn = filled(COUNTS)
    drawn, _ = walked(urn, (0, 100))
    walked(urn, (40, 100), drawn=drawn, sign=-1)
    np.testing.assert_array_equal(drawn, walked(urn, (0, 40))[0])


def test_walk__balances_the_contexts():
    drawn, _ = walked(filled(COUNTS), (0, 1000))
    left = np.add.reduceat(drawn, OFFSETS[:-1])
    np.testing.assert_array_equal(np.bincount(SUCCESSORS, drawn), left)
    assert left[0] == drawn[WORDS == 2].sum() == 1000


def test_walk__that_does_not_end_is_given_up():
    urn = filled([5, 0, 5, 0, 0, 0, 0])  # word 0 follows itself only
    drawn = np.zeros(7, np.int32)
    n = walk(urn, (0, 3), np.int32(1), key_of(1), 0, new_lanes(256), 1000, drawn, NONE)
    assert 1000 < n <= 1003
