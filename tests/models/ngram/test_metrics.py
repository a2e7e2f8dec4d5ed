"""Metrics of n-gram models against their plain definitions."""

import numpy as np
import pytest

from fastcollapse.kernels.sequences.cell_sums import N_SUMS, cell_sums
from fastcollapse.models.ngram import metrics
from fastcollapse.models.ngram.cells import cells_of
from fastcollapse.models.ngram.metrics import CONTEXT_METRICS, METRICS, ROLES, CellMeasures
from fastcollapse.models.ngram.plan import table_of
from tests.models.ngram._corpora import corpus
from tests.naive import ngram as twin


def measured(truth, order, counts):
    """Return all metrics of counts by cell."""
    table, sums = table_of(cells_of(truth, order)), np.empty((1, 1, N_SUMS))
    cell_sums(table, counts.astype(np.int32), True, np.empty(table.n_words + 1, np.uint8), sums[0, 0])
    states = CellMeasures(sums, truth.n_tokens + truth.n_sentences)
    return {name: float(metric.function(states)[0, 0]) for name, metric in (METRICS | CONTEXT_METRICS).items()}


def tables_of(truth, order, counts):
    """Return counts by cell, and the corpus, as tables of the twin."""
    end = truth.n_words
    names = sorted({cell for sentence in twin.sentences_of(truth) for cell in twin.cells_of(sentence, order, end)})
    start = twin.fit(cell for sentence in twin.sentences_of(truth) for cell in twin.cells_of(sentence, order, end))
    given = {}
    for (context, symbol), count in zip(names, counts.tolist(), strict=True):
        given.setdefault(context, {})[symbol] = count
    return given, start


@pytest.mark.parametrize("order", [2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_metrics__equal_their_definitions(order, seed):
    truth, rng = corpus(*twin.TOY), np.random.default_rng(seed)
    n_cells = len(cells_of(truth, order).words)
    counts = rng.integers(0, 4, n_cells) * (rng.random(n_cells) < [1.0, 0.6, 0.3, 0.0][seed])
    given, start = tables_of(truth, order, counts)
    expected = twin.measures(given, start, truth.n_words)
    got = measured(truth, order, counts)
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        assert got[name] == pytest.approx(value, rel=1e-12, abs=1e-14), name


def test_metrics__of_the_truth():
    truth = corpus(*twin.TOY)
    got = measured(truth, 2, cells_of(truth, 2).counts)
    assert (got["support_size"], got["n_words"], got["covered_share"]) == (4, 18, 1)
    assert got["mean_length"] == pytest.approx(18 / 7)
    assert (got["total_variation"], got["squared_distance"]) == (0, 0)


def test_mean_length__without_ends_is_infinite():
    truth = corpus("a b", "b")
    ends = cells_of(truth, 2).words == 2
    assert measured(truth, 2, np.where(ends, 0, 1))["mean_length"] == np.inf
    assert metrics.METRICS["mean_length"].variable.limits == (np.inf,)


def test_roles__the_risk_of_walks_is_the_lost_share_of_n_grams():
    reading = next(r for r in ROLES["risk"] if set(r.metrics) <= set(METRICS))
    got = reading.function(np.array([[1.0, 0.75]]))
    assert (reading.metrics, got.tolist()) == (("covered_share",), [[0.0, 0.25]])
