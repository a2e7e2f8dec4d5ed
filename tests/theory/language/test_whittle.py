"""The exact law of small tables: normalisation, and golden distances from multinomials."""

import itertools
import math

import numpy as np
import pytest
from scipy.special import gammaln

from fastcollapse.errors import InputError
from fastcollapse.theory.language.whittle import whittle_log_probability

# Start: a .7, b .3. After a: a .3, b .4, end .3. After b: a .5, end .5. As counts of balanced sentences.
SHARES = np.array([0.7, 0.3, 0.3, 0.4, 0.3, 0.5, 0.5])
CHAIN = {"offsets": [0, 2, 5, 7], "words": [0, 1, 0, 1, 2, 0, 2], "successors": [1, 2, 1, 2, 0, 1, 0]}


def balanced_counts():
    """Return whole counts with these shares: the expected uses of the cells, scaled."""
    a, b = np.linalg.solve([[1 - 0.3, -0.5], [-0.4, 1]], [0.7, 0.3])
    uses = np.array([1, 1, a, a, a, b, b]) * SHARES
    return np.rint(uses * 1000).astype(int)


def tables(n_sentences, visits_a, visits_b):
    """Return the balanced tables with given visits."""
    for to_a, aa, ab, ba in itertools.product(
        range(n_sentences + 1), range(visits_a + 1), range(visits_a + 1), range(visits_b + 1)
    ):
        table = np.array([to_a, n_sentences - to_a, aa, ab, visits_a - aa - ab, ba, visits_b - ba])
        if (table >= 0).all() and to_a + aa + ba == visits_a and n_sentences - to_a + ab == visits_b:
            yield table


def product_log(table, shares):
    visits = np.array([table[:2].sum(), table[2:5].sum(), table[5:].sum()])
    return gammaln(visits + 1).sum() - gammaln(table + 1).sum() + table @ np.log(shares)


@pytest.mark.parametrize(("visits", "distance"), [((3, 2), 0.0858968310646), ((4, 2), 0.0701511582741)])
def test_whittle__has_golden_distance_from_multinomials(visits, distance):
    counts = balanced_counts()
    shares = counts / np.repeat(np.add.reduceat(counts, [0, 2, 5]), [2, 3, 2])
    np.testing.assert_allclose(shares, SHARES, rtol=1e-12)
    exact, product = [], []
    for table in tables(3, *visits):
        exact.append(math.exp(whittle_log_probability(table, counts=counts, **CHAIN)))
        product.append(math.exp(product_log(table, shares)))
    exact, product = np.array(exact) / sum(exact), np.array(product) / sum(product)
    assert np.abs(exact - product).sum() / 2 == pytest.approx(distance, abs=1e-12)


def test_whittle__probabilities_sum_to_1():
    # Sentences of at most one word after the first: the tables of two sentences are few.
    table = {"offsets": [0, 2, 4, 5], "words": [0, 1, 1, 2, 2], "successors": [1, 2, 2, 0, 0]}
    counts = [3, 1, 2, 1, 3]
    total = 0.0
    for to_a in range(3):
        for ab in range(to_a + 1):
            F = [to_a, 2 - to_a, ab, to_a - ab, 2 - to_a + ab]
            total += math.exp(whittle_log_probability(F, counts=counts, **table))
    assert total == pytest.approx(1, rel=1e-13)


def test_whittle__impossible_tables_have_no_probability():
    counts = balanced_counts()
    assert whittle_log_probability([1, 0, 1, 0, 0, 0, 1], counts=counts, **CHAIN) == -math.inf  # not balanced
    # A loop at a that no sentence enters.
    loop = {"offsets": [0, 2, 4, 5], "words": [0, 1, 0, 2, 2], "successors": [1, 2, 1, 0, 0]}
    assert whittle_log_probability([0, 1, 2, 0, 1], counts=[1, 1, 1, 1, 1], **loop) == -math.inf
    with pytest.raises(InputError, match=r"F must be of the shape of counts, \(7,\)"):
        whittle_log_probability([1, 2], counts=counts, **CHAIN)
