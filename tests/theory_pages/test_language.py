"""Formulas of docs/explanation/theory/language.md, written out, against the functions."""

import math

import numpy as np
import pytest

from fastcollapse.theory import discrete, language

# The sentences "a a a" and "a": context 0 is the start, context 1 the word a.
TABLE = {"offsets": [0, 1, 3], "words": [0, 0, 1], "counts": [2, 2, 2], "successors": [1, 1, 0]}
P = np.array([[0, 1], [0, 0.5]])
G = np.linalg.inv(np.eye(2) - P)
S = 2


def test_means():
    assert language.ngram_expected_counts(30, 10, [10, 25]) == pytest.approx([30, 30 * 25 / 10])


def test_one_refit():
    contexts = np.array([2, 4]) / (S * np.diag(G))
    share, after = np.array([1, 0.5, 0.5]), np.array([G[1, 0], G[1, 1], 0])
    cells = np.array([2, 2, 2]) / (S * (1 + share * after))
    assert language.ngram_cell_probabilities(**TABLE) == pytest.approx(cells)
    expected = [1, np.sum(1 - (1 - cells) ** 3), np.sum(1 - (1 - contexts) ** 3)]
    assert language.ngram_alive_one_refit(**TABLE, n_sentences=3) == pytest.approx(expected)
    assert language.ngram_word_variances(**TABLE) == pytest.approx([4 * (2 * G[1, 1] - 1 - 4 / S)])


def test_law_of_the_table():
    """Sentences of a geometric length: two sentences with j repetitions in all."""
    for j in range(4):
        probability = math.exp(language.whittle_log_probability([2, j, 2], **TABLE))
        assert probability == pytest.approx((j + 1) * 0.5**j * 0.5**2)
        visits = 2 + j
        determinant = 1 - j / visits
        rows = math.factorial(visits) / (math.factorial(j) * 2) * 0.5**j * 0.5**2
        assert probability == pytest.approx(determinant * rows)


def test_whole_sentences():
    lower, upper = language.sentences_alive_bounds([1, 3], 10, 6)
    bounds = [discrete.survival_bounds(holders / 10, 10, 6) for holders in (1, 3)]
    assert [lower, upper] == pytest.approx([sum(float(b[i]) for b in bounds) for i in (0, 1)])


def test_fixed_totals():
    offsets, words, counts = [0, 2, 4], [0, 1, 1, 2], [1, 1, 1, 2]
    lost = [0.5**2, 0.5**2 * (2 / 3) ** 3]
    got = language.fixed_totals_alive_one_refit(offsets, words, counts)
    assert got[0] == pytest.approx(sum(1 - x for x in lost))
    h0, N, n, t = np.array([0.5, 0.75]), np.array([2, 6]), np.array([10, 20]), 7
    expected = np.sum(N / N.sum() * h0 * (1 - (1 - 1 / n) ** t))
    assert language.contexts_replace_distance(h0, N, n, t) == pytest.approx(expected)


def test_real_data():
    h, N, n, t = 0.7, 20, 40, 5
    alpha = n / (N + n)
    beta = alpha**2 * (1 - 1 / n)
    v = alpha**2 / n * (1 - beta**t) / (1 - beta)
    limit = n / (N**2 + 2 * N * n + n)
    assert language.contexts_squared_distance(h, N, n, t) == pytest.approx(h * v)
    assert language.contexts_squared_distance_limit(h, N, n) == pytest.approx(h * limit)
    assert language.contexts_sampled_distance(h, N, n, t) == pytest.approx(h * (1 / N + (1 - 1 / N) * v))
    M, e = N + n, 0.0
    for _ in range(t):
        e = 1 / M + n * (n - 1) / M**2 * e
    assert language.contexts_fresh_distance(h, N, n, t) == pytest.approx(h * e)
    tau = 0.2
    largest = tau * N**2 / (N * (1 - 2 * tau) - tau)
    assert language.largest_synthetic(N, tau) == pytest.approx(largest)
    assert N * largest / (N**2 + 2 * N * largest + largest) == pytest.approx(tau)
    threshold = N / (2 * N + 1)
    assert np.isinf(language.largest_synthetic(N, [threshold - 1e-9, threshold + 1e-9])).tolist() == [False, True]


def test_absolute_deviations():
    counts, n, t = np.array([9, 5, 3, 2, 1]), 10, 4
    N = counts.sum()
    p = counts / N
    v = float(language.contexts_squared_distance(1 - p @ p, N, n, t)) / (1 - p @ p)
    bound = np.sum(np.sqrt(p * (1 - p) * v))
    assert language.context_l1_bound(counts, n, t) == pytest.approx(bound)
    x = np.arange(n + 1)
    choose = np.array([math.comb(n, i) for i in x])
    expected = 0.0
    for c in counts:
        rows = np.array([choose * s**x * (1 - s) ** (n - x) for s in (c + x) / (N + n)])
        law = choose * (c / N) ** x * (1 - c / N) ** (n - x)
        for _ in range(t - 1):
            law = law @ rows
        expected += law @ np.abs((c + x) / (N + n) - c / N)
    assert language.context_l1(counts, n, t) == pytest.approx(expected)
    many = language.context_l1_bound(counts * 400, 400, t)
    assert language.context_l1(counts * 400, 400, t) == pytest.approx(many * math.sqrt(2 / math.pi), rel=0.01)


def test_collapse_time():
    n, C = 20, 50
    lost, alone = discrete.exact_chain(0.5, n, 2000)
    expected = np.sum(1 - (lost + alone) ** C)
    assert language.contexts_collapse_time(n, C) == pytest.approx(expected)
    gumbel = (math.log(3 * 0.5 * C) + np.euler_gamma) / -math.log(1 - 1 / n) + 0.5
    assert language.contexts_collapse_time_gumbel([0.5] * C, n) == pytest.approx(gumbel)
