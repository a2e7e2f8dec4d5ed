"""Verification of the theory of n-gram models and of many contexts by simulation, as z-scores and p-values.

Each test states its number of comparisons and its limit. Each has a negative control: a slightly wrong theory, or
another sampler, that the same data must reject. tests/test_architecture.py checks that no public function is left out.
"""

import itertools
import math

import numpy as np
import pytest
from scipy.special import gammaln

from fastcollapse.simulation.experiment import Experiment
from fastcollapse.theory.language.collapse_time import contexts_collapse_time, contexts_collapse_time_gumbel
from fastcollapse.theory.language.fixed_totals import fixed_totals_alive_bounds, fixed_totals_alive_one_refit
from fastcollapse.theory.language.flow import ngram_expected_counts
from fastcollapse.theory.language.one_refit import (
    ngram_alive_one_refit,
    ngram_alive_one_refit_poisson,
    ngram_cell_probabilities,
    ngram_length_variance,
    ngram_word_probabilities,
    ngram_word_variances,
)
from fastcollapse.theory.language.real_data import (
    contexts_fresh_distance,
    contexts_random_distance,
    contexts_replace_distance,
    contexts_sampled_distance,
    contexts_squared_distance,
    contexts_squared_distance_limit,
    largest_synthetic,
)
from fastcollapse.theory.language.total_variation import (
    context_l1,
    context_l1_bound,
    context_l1_limit,
    contexts_total_variation,
)
from fastcollapse.theory.language.whittle import whittle_log_probability
from fastcollapse.theory.language.whole_sentences import sentences_alive_bounds
from tests._corpora import first, heterozygosity_of, holders_of, table_of, toy
from tests._goodness_of_fit import chi_square_p, z_scores
from tests._runs import run_with_truth

# Fewer than 300 z-scores in this file, 5.7e-7 each: 2e-4 in all.
Z_LIMIT = 5.0
# Of one p-value.
LEAST_P = 1e-5
# The real tokens of one context, and its probabilities where real tokens are drawn.
COUNTS, LAW = np.array([9, 5, 3, 2, 1]), np.array([0.4, 0.25, 0.15, 0.12, 0.08])
H1, H0 = 1 - ((COUNTS / 20) ** 2).sum(), 1 - (LAW**2).sum()


def reject(z):
    return np.abs(z).max() > Z_LIMIT


class Sampler:
    """Draws cells from tables, one of each replicate.

    Parameters
    ----------
    counts : of the cells, (R, D).
    """

    def __init__(self, table, counts):
        self.shape, self.edges = counts.shape, np.concatenate([[0], np.cumsum(counts)])
        starts = counts.shape[1] * np.arange(len(counts))[:, None] + table["offsets"]
        self.low, self.high = self.edges[starts[:, :-1]], self.edges[starts[:, 1:]]

    def draw(self, replicate, context, rng):
        """Return a cell of each of some contexts."""
        low = self.low[replicate, context]
        place = low + rng.integers(self.high[replicate, context] - low)
        return np.searchsorted(self.edges, place, side="right") - 1 - replicate * self.shape[1]

    def count(self, replicate, cells):
        """Return counts of cells, (R, D)."""
        return np.bincount(replicate * self.shape[1] + cells, minlength=math.prod(self.shape)).reshape(self.shape)


def walks(table, counts, n_sentences, rng, context=None):
    """Return the counts of sentences that tables generate, all sentences a step at a time, (R, D)."""
    sampler, drawn = Sampler(table, counts), np.zeros_like(counts)
    replicate = np.repeat(np.arange(len(counts)), n_sentences)
    context = np.zeros(len(replicate), int) if context is None else context
    while len(context):
        cells = sampler.draw(replicate, context, rng)
        drawn += sampler.count(replicate, cells)
        context = table["successors"][cells]
        replicate, context = replicate[context > 0], context[context > 0]
    return drawn


def refits(table, n_sentences, n_generations, n_replicates, seed):
    """Return the counts of generations 0..T, (R, T + 1, D)."""
    rng, found = np.random.default_rng(seed), [np.tile(table["counts"], (n_replicates, 1))]
    for _ in range(n_generations):
        found.append(walks(table, found[-1], n_sentences, rng))
    return np.stack(found, axis=1)


def fixed_totals(table, counts, totals, rng):
    """Return counts that are multinomial in each context, (R, D)."""
    context = np.tile(np.repeat(np.arange(len(totals)), totals), len(counts))
    replicate = np.repeat(np.arange(len(counts)), totals.sum())
    sampler = Sampler(table, counts)
    return sampler.count(replicate, sampler.draw(replicate, context, rng))


def alive(table, drawn):
    """Return the numbers of words and cells with a count, (..., 2)."""
    is_word = table["successors"] > 0
    by_word = (table["words"][is_word, None] == np.arange(int(table["words"].max()))).astype(float)
    words = (drawn[..., is_word] @ by_word > 0).sum(axis=-1)
    return np.stack([words, (drawn > 0).sum(axis=-1)], axis=-1)


def test_flow__means_are_kept_at_every_generation():
    # 4 x (cells of the toy corpus + 1) comparisons. Control: sentences that begin with any word, as published.
    text = toy()
    table = table_of(text, 2)
    expected = ngram_expected_counts(table["counts"], 6, np.full(5, 6))
    found = refits(table, 6, 4, 30_000, seed=1)
    assert not reject(z_scores(found[:, 1:], expected[1:]))
    in_all = ngram_expected_counts(table["counts"].sum(), 6, np.full(5, 6))
    assert not reject(z_scores(found.sum(axis=2)[:, 1:], in_all[1:]))
    rng, counts = np.random.default_rng(2), np.tile(table["counts"], (30_000, 1))
    of_words = rng.choice(text.tokens + 1, 6 * len(counts))
    assert reject(z_scores(walks(table, counts, 6, rng, of_words), expected[1]))


def test_one_refit__alive_words_and_cells():
    # 4 comparisons. Control: multinomials in each context, which have their own theory.
    table = table_of(first(60), 2)
    counts, totals = np.tile(table["counts"], (1500, 1)), np.add.reduceat(table["counts"], table["offsets"][:-1])
    walked = alive(table, refits(table, 60, 1, 1500, seed=3)[:, 1])
    fixed = alive(table, fixed_totals(table, counts, totals, np.random.default_rng(4)))
    of_walks = ngram_alive_one_refit(**table)[:2]
    of_fixed = fixed_totals_alive_one_refit(table["offsets"], table["words"], table["counts"])
    assert not reject(z_scores(walked, of_walks))
    assert not reject(z_scores(fixed, of_fixed))
    assert reject(z_scores(fixed, of_walks))
    assert reject(z_scores(walked, of_fixed))


def test_one_refit__is_that_of_the_family():
    # 3 comparisons: words, n-grams, and the variance of the number of words. Control: fixed totals.
    def run(n_replicates, **model):
        experiment = Experiment.from_mapping(
            {
                "model": {"family": "ngram", "order": 2} | model,
                "truth": {"text": "a test"},
                "workflow": {"name": "replace", "n_samples": "truth"},
                "run": {"n_generations": 1, "n_replicates": n_replicates, "seed": 17},
            }
        )
        results = run_with_truth(experiment, text)
        alive = [results.metrics[name][:, 1] for name in ("support_size", "n_cells")]
        return np.stack(alive, axis=1), results.metrics["n_words"][:, 1]

    text = first(60)
    table = table_of(text, 2)
    walked, n_words = run(4000)
    fixed, fixed_n_words = run(1000, totals="fixed")
    expected = ngram_alive_one_refit(**table)[:2]
    assert not reject(z_scores(walked, expected))
    assert not reject(z_scores(n_words, ngram_expected_counts(text.n_tokens, 60, [60])[0]))
    assert not reject(spread_z(n_words, ngram_length_variance(**table)))
    assert reject(z_scores(fixed, expected))
    assert reject(spread_z(fixed_n_words, ngram_length_variance(**table)))


@pytest.mark.parametrize("order", [2, 3])
def test_one_refit__counts_sets_of_contexts(order):
    # 2 x 3 comparisons. Controls: the numbers of the other order, and the Poisson values.
    table, other = table_of(toy(), order), table_of(toy(), 5 - order)
    drawn = refits(table, 6, 1, 40_000, seed=5)[:, 1]
    of_contexts = np.add.reduceat(drawn, table["offsets"][:-1], axis=1)
    samples = np.column_stack([alive(table, drawn), (of_contexts > 0).sum(axis=1)])
    assert not reject(z_scores(samples, ngram_alive_one_refit(**table)))
    assert reject(z_scores(samples[:, 0], ngram_alive_one_refit(**other)[0]))
    poisson = ngram_alive_one_refit_poisson(table["offsets"], table["words"], table["counts"])
    assert reject(z_scores(samples[:, :2], poisson[:2]))


def test_visits__of_one_sentence():
    # 16 comparisons, events of known error. Control: the expected uses of a cell, which count its loops.
    table = table_of(toy(), 2)
    drawn = refits(table, 1, 1, 40_000, seed=6)[:, 1]
    # At order 2 the visits to a context are the uses of its word.
    samples = [drawn > 0, np.add.reduceat(drawn, table["offsets"][:-1], axis=1)[:, 1:] > 0]
    exact = ngram_cell_probabilities(**table), ngram_word_probabilities(**table)
    for sample, probability in zip(samples, exact, strict=True):
        error = np.sqrt(probability * (1 - probability) / len(drawn))
        assert not reject((sample.mean(axis=0) - probability) / error)
    uses = table["counts"] / 6
    assert reject((samples[0].mean(axis=0) - uses) / np.sqrt(uses / len(drawn)))


def spread_z(samples, variance):
    """Return z-scores of sample variances over axis 0."""
    deviations = (samples - samples.mean(axis=0)) ** 2
    return z_scores(deviations, variance * (1 - 1 / len(samples)))


def test_variances__of_words_and_lengths():
    # 5 comparisons. Control: the variances of Poisson counts.
    text = toy()
    table = table_of(text, 2)
    drawn = refits(table, 6, 1, 40_000, seed=7)[:, 1]
    counts = np.add.reduceat(drawn, table["offsets"][:-1], axis=1)[:, 1:]
    assert not reject(spread_z(counts, ngram_word_variances(**table)))
    assert not reject(spread_z(counts.sum(axis=1), ngram_length_variance(**table)))
    assert reject(spread_z(counts, text.word_counts))


def test_whittle__is_law_of_walks_on_toy_chain():
    # 1 p-value. Control: the product of multinomials, on the same tables.
    table = {"offsets": np.array([0, 2, 5, 7]), "words": np.array([0, 1, 0, 1, 2, 0, 2])}
    table |= {"successors": np.array([1, 2, 1, 2, 0, 1, 0]), "counts": np.array([7, 4, 5, 7, 6, 6, 5])}
    drawn = refits(table, 2, 1, 40_000, seed=8)[:, 1]
    seen, numbers = np.unique(drawn, axis=0, return_counts=True)
    logs = np.array([whittle_log_probability(one, **table) for one in seen])
    visits = np.add.reduceat(seen, table["offsets"][:-1], axis=1)
    shares = table["counts"] / np.repeat([11, 18, 11], [2, 3, 2])
    ways = gammaln(visits + 1).sum(axis=1) - gammaln(seen + 1).sum(axis=1)
    product = np.exp(ways + seen @ np.log(shares))
    # Tables that are expected less than ten times are one class, seen or not.
    often = 40_000 * np.exp(logs) >= 10
    observed = np.append(numbers[often], numbers[~often].sum())

    def p_value(law):
        return chi_square_p(observed, np.append(law[often], 1 - law[often].sum()))

    assert 0.99 < np.exp(logs).sum() <= 1 + 1e-12
    assert p_value(np.exp(logs)) > LEAST_P
    assert p_value(product / product.sum() * np.exp(logs).sum()) < LEAST_P


def test_whole_sentences__words_are_within_bounds():
    # 4 comparisons. Control: the counts of the words in place of the numbers of their sentences.
    text = first(60)
    rng, at = np.random.default_rng(9), [1, 2, 5, 20]
    has_word = np.zeros((60, text.n_words), np.float32)
    has_word[np.repeat(np.arange(60), np.diff(text.offsets)), text.tokens] = 1
    kept, found = np.full((20_000, 60), 1), []
    for k in range(1, at[-1] + 1):
        kept = rng.multinomial(60, kept / 60)
        if k in at:
            found.append(((kept > 0).astype(np.float32) @ has_word > 0).sum(axis=1))
    found = np.stack(found, axis=1)

    def outside(holders):
        lower, upper = sentences_alive_bounds(holders, 60, at)
        z = z_scores(found, np.clip(found.mean(axis=0), lower, upper))
        return np.abs(z).max() > Z_LIMIT

    assert not outside(holders_of(text))
    assert outside(np.minimum(text.word_counts, 60))


def test_fixed_totals__alive_after_many_refits():
    # 4 comparisons. Control: one refit more. All contexts have few draws, so that the bounds are exact.
    table = table_of(first(20), 2)
    totals = np.add.reduceat(table["counts"], table["offsets"][:-1])
    rng, counts = np.random.default_rng(16), np.tile(table["counts"], (2000, 1))
    for k in range(1, 6):
        counts = fixed_totals(table, counts, totals, rng)
        if k in (2, 5):
            lower, upper, low, high = fixed_totals_alive_bounds(
                table["offsets"], table["words"], table["counts"], [k, k + 1]
            )
            np.testing.assert_allclose([lower, low], [upper, high], rtol=1e-12)
            assert not reject(z_scores(alive(table, counts), [lower[0], low[0]]))
            assert reject(z_scores(alive(table, counts), [lower[1], low[1]]))


def chains(n, n_refits, n_replicates, seed, n_real=20, counts=COUNTS, fresh=None):
    """Return p after 0..m refits of one context with real data, (R, m + 1, K)."""
    rng = np.random.default_rng(seed)
    real = (
        np.broadcast_to(counts, (n_replicates, len(counts)))
        if fresh is None
        else rng.multinomial(n_real, fresh, n_replicates)
    )
    p = [real / n_real]
    for _ in range(n_refits):
        tokens = n if np.ndim(n) == 0 else rng.binomial(n[0], n[1], n_replicates)
        p.append((real + rng.multinomial(tokens, p[-1])) / (n_real + np.reshape(tokens, (-1, 1))))
    return np.stack(p, axis=1)


@pytest.mark.parametrize("n", [10, 40, 200])
def test_fixed_real_data__distances_from_the_real_data(n):
    # 3 x 24 comparisons. Controls: one real token more; n for n - 1.
    at = np.arange(1, 9)
    p = chains(n, 8, 20_000, seed=n)[:, 1:]
    squares = ((p - COUNTS / 20) ** 2).sum(axis=2)
    assert not reject(z_scores(squares, contexts_squared_distance(H1, 20, n, at)))
    assert reject(z_scores(squares, contexts_squared_distance(H1, 21, n, at)))
    absolute = np.abs(p - COUNTS / 20).sum(axis=2)
    assert not reject(z_scores(absolute, context_l1(COUNTS, n, at)))
    assert not reject(z_scores(absolute / 2, 0.5 * context_l1(COUNTS, n, at)))
    assert reject(z_scores(absolute, context_l1_bound(COUNTS, n, at)))
    assert (absolute.mean(axis=0) < context_l1_bound(COUNTS, n, at)).all()


def test_fixed_real_data__limits():
    # 3 comparisons. Control: the limit of n = 50.
    p = chains(40, 60, 20_000, seed=10)[:, -1]
    squares, absolute = ((p - COUNTS / 20) ** 2).sum(axis=1), np.abs(p - COUNTS / 20).sum(axis=1)
    assert not reject(z_scores(squares, contexts_squared_distance_limit(H1, 20, 40)))
    assert not reject(z_scores(absolute, context_l1_limit(COUNTS, 40)))
    assert reject(z_scores(squares, contexts_squared_distance_limit(H1, 20, 50)))
    # n = 40 is the largest number with this noise, in units of the sampling noise H1/N.
    tau = 20 * contexts_squared_distance_limit(1, 20, 40)
    assert largest_synthetic(20, tau) == pytest.approx(40, rel=1e-12)
    assert not reject(z_scores(20 / H1 * squares, tau))


def test_sampled_and_fresh_real_data():
    # 24 comparisons. Controls: the real data for the truth, and fixed data for fresh data.
    at = np.arange(1, 9)
    squares = ((chains(40, 8, 40_000, seed=11, fresh=LAW)[:, 1:] - LAW) ** 2).sum(axis=2)
    assert not reject(z_scores(squares, contexts_sampled_distance(H0, 20, 40, at)))
    assert reject(z_scores(squares, contexts_squared_distance(H0, 20, 40, at)))
    rng, p = np.random.default_rng(12), np.tile(LAW, (40_000, 1))
    for k in range(1, 9):
        p = (rng.multinomial(20, LAW, len(p)) + rng.multinomial(40, p)) / 60
        squares = ((p - LAW) ** 2).sum(axis=1)
        assert not reject(z_scores(squares, contexts_fresh_distance(H0, 20, 40, k)))
    assert reject(z_scores(squares, contexts_sampled_distance(H0, 20, 40, 8)))


def test_random_sizes__of_one_context():
    # 8 comparisons. Control: the expected number of tokens every time.
    at = np.arange(1, 9)
    p = chains((400, 0.08), 8, 80_000, seed=13)[:, 1:]
    squares = ((p - COUNTS / 20) ** 2).sum(axis=2)
    assert not reject(z_scores(squares, contexts_random_distance(H1, 20, 400, 0.08, at)))
    assert reject(z_scores(squares, contexts_squared_distance(H1, 20, 32, at)))


def test_contexts_of_text__sums_have_weights():
    # 12 comparisons. Controls: all contexts alike, 2 % more, and real data in every fit.
    table = table_of(first(60), 2)
    h, totals = heterozygosity_of(table["offsets"], table["counts"])
    context = np.repeat(np.arange(len(totals)), np.diff(table["offsets"]))
    real, weight = table["counts"] / totals[context], totals / totals.sum()
    rng, m = np.random.default_rng(14), np.arange(1, 5)
    counts, squares, absolute = np.tile(table["counts"], (400, 1)), [], []
    for _ in m:
        counts = table["counts"] + fixed_totals(table, counts, totals, rng)
        off = counts / 2 / totals[context] - real
        squares.append(off**2 @ weight[context])
        absolute.append(np.abs(off) @ weight[context])
    squares, absolute = np.stack(squares, axis=1), np.stack(absolute, axis=1)
    assert not reject(z_scores(squares, contexts_squared_distance(h, totals, totals, m)))
    assert reject(z_scores(squares, contexts_squared_distance(h, totals.mean().astype(int), totals, m)))
    # Large contexts are as if normal: 0.3 %.
    expected = contexts_total_variation(table["offsets"], table["counts"], totals, m)
    assert not reject(z_scores(absolute / 2, expected, rounding=0.003 * expected))
    assert reject(z_scores(absolute / 2, expected * 1.02, rounding=0.003 * expected))
    # Without real data, one generation after another.
    counts, squares = np.tile(table["counts"], (400, 1)), []
    for _ in m:
        counts = fixed_totals(table, counts, totals, rng)
        squares.append((counts / totals[context] - real) ** 2 @ weight[context])
    squares = np.stack(squares, axis=1)
    assert not reject(z_scores(squares, contexts_replace_distance(h, totals, totals, m)))
    assert reject(z_scores(squares, contexts_squared_distance(h, totals, totals, m)))


def test_collapse_time__of_all_contexts():
    # 2 comparisons. Control: half as many contexts.
    rng, found = np.random.default_rng(15), np.zeros(3000)
    replicate, counts = np.repeat(np.arange(3000), 100), np.full(300_000, 10)
    for k in itertools.count(1):
        counts = rng.binomial(20, counts / 20)
        is_open = (counts > 0) & (counts < 20)
        replicate, counts = replicate[is_open], counts[is_open]
        if not counts.size:
            break
        found[replicate] = k
    found += 1
    assert not reject(z_scores(found, contexts_collapse_time(20, 100)))
    assert reject(z_scores(found, contexts_collapse_time(20, 50)))
    gumbel = contexts_collapse_time_gumbel([0.5] * 100, 20)
    assert not reject(z_scores(found, gumbel, rounding=0.012 * gumbel))
