"""Theory of the generators against simulation, for every workflow and design."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.panels.regression_setting import setting_of
from fastcollapse.analysis.panels.regression_theory import EQUIVALENT, FIRST_ORDER, chain_of, medians_of
from fastcollapse.analysis.panels.scores import curve_of
from fastcollapse.simulation.experiment import Experiment

pytestmark = pytest.mark.filterwarnings("ignore::fastcollapse.errors.InfiniteMomentWarning")
# About 20 cases of 5 dependent scores of error and norm each: beyond 5 in one of 10,000 right files.
Z_LIMIT = 5.0
GENERATIONS = np.array([0, 1, 2, 3, 6])
REPLACE = {"name": "replace", "n_samples": 40}
ACCUMULATE = {"name": "accumulate", "n_samples": 40, "keep_real": True}
SUBSAMPLE = {"name": "accumulate_subsample", "n_samples": 40, "keep_real": True, "replacement": False}


def run(workflow=(), truth=(), n_replicates=400, **model):
    mapping = {
        "model": {"family": "ridge", "designs": "independent", "sigma": 0.3, **model},
        "truth": {"dimension": 12, **dict(truth)},
        "workflow": {**REPLACE, **dict(workflow)},
        "run": {"n_generations": 6, "n_replicates": n_replicates, "seed": 5},
    }
    return simulate(Experiment.from_mapping(mapping))


def scores(values, expected):
    known = np.full(len(expected), True)
    return curve_of(GENERATIONS, values[:, GENERATIONS], None, None, expected, known).z


@pytest.mark.parametrize(
    ("workflow", "truth", "model"),
    [
        ({}, {"beta": 1.0}, {}),
        ({}, {"beta": 1.0}, {"designs": "dependent"}),
        ({}, {"spectrum": [2.0] * 12}, {"sigma0": 0.5}),
        ({"n_samples": {"start": 30, "step": 10}}, {}, {}),
        ({"n_samples": 5}, {"spectrum": [2.0] * 12}, {}),
        ({"n_samples": 5}, {}, {"designs": "dependent"}),
        ({"n_samples": 5}, {}, {"sigma0": 0.0}),
        (ACCUMULATE, {"beta": 1.0}, {}),
        (ACCUMULATE, {"beta": 1.0}, {"designs": "dependent"}),
        ({**ACCUMULATE, "n_samples": 5}, {}, {"designs": "dependent"}),
        ({**ACCUMULATE, "n_samples": [4, 2, 40, 40, 40, 40]}, {"spectrum": [2.0] * 12}, {}),
        ({**ACCUMULATE, "n_samples": {"start": 40, "factor": 1.5}}, {}, {}),
        ({"name": "mix", "n_samples": 30, "n_real": 10, "real": "fresh"}, {"beta": 1.0}, {"sigma0": 0.5}),
    ],
)
def test_chain__is_exact(workflow, truth, model):
    results = run(workflow, truth, **model)
    chain = chain_of(results)
    assert chain.exact
    assert not chain.heavy.any()
    z = scores(results.metrics["generator_error"], chain.error[GENERATIONS])
    assert np.nanmax(np.abs(z)) < Z_LIMIT
    assert np.isfinite(z[1:]).all() or setting_of(results).sigma0 == 0
    if np.isfinite(chain.square).all():
        assert np.nanmax(np.abs(scores(results.metrics["generator_norm"] ** 2, chain.square[GENERATIONS]))) < Z_LIMIT
    # Negative control: one generation late.
    wrong = np.append(chain.error[1:], chain.error[-1] * 1.5)[GENERATIONS]
    assert np.nanmax(np.abs(scores(results.metrics["generator_error"], wrong))) > Z_LIMIT


@pytest.mark.parametrize(
    ("workflow", "truth", "model", "label"),
    [
        ({"n_samples": 5}, {"beta": 1.0}, {}, EQUIVALENT),
        ({}, {"beta": 1.0}, {"ridge": 0.1}, EQUIVALENT),
        ({}, {"spectrum": [2.0] * 12}, {"designs": "dependent", "ridge": 0.5}, EQUIVALENT),
        ({"n_samples": 5}, {}, {"designs": "dependent", "ridge": 0.1}, EQUIVALENT),
        ({}, {"design": "rademacher"}, {"sampler": "raw"}, EQUIVALENT),
        ({**SUBSAMPLE, "n_samples": 400}, {}, {}, FIRST_ORDER),
        ({"name": "mix", "n_samples": 400, "n_real": 100, "real": "fixed"}, {}, {}, FIRST_ORDER),
    ],
)
def test_chain__approximation_is_close(workflow, truth, model, label):
    results = run(workflow, truth, **model)
    chain = chain_of(results)
    assert not chain.exact
    assert chain.label == label
    off = results.metrics["generator_error"].mean(axis=0)[1:] / chain.error[1:] - 1
    # 12 dimensions: errors of theory of 1/12 and less, and 400 replicates that vary by a half.
    assert np.abs(off).max() < 0.25


@pytest.mark.parametrize(
    ("workflow", "truth", "model"),
    [
        ({}, {"beta": 1.0}, {"designs": "dependent", "ridge": 0.1}),
        ({}, {}, {"designs": "dependent", "ridge": 1e-12}),
        ({**SUBSAMPLE, "replacement": True}, {}, {}),
        (SUBSAMPLE, {}, {"designs": "dependent"}),
        ({**SUBSAMPLE, "n_samples": 119}, {}, {}),
        ({"name": "mix", "n_samples": 59, "n_real": 60, "real": "fixed"}, {}, {}),
        (ACCUMULATE, {}, {"ridge": 0.1}),
        ({**ACCUMULATE, "n_samples": 5}, {"beta": 1.0}, {}),
        ({**ACCUMULATE, "keep_real": False, "n_samples": 5}, {}, {}),
        ({**ACCUMULATE, "keep_real": False}, {}, {"designs": "dependent"}),
    ],
)
def test_chain__reports_missing_theory(workflow, truth, model):
    chain = chain_of(run(workflow, truth, n_replicates=2, **model))
    assert np.isnan(chain.error).all()
    assert not chain.exact


@pytest.mark.parametrize(
    ("rows", "mean", "heavy"),
    [(8, False, False), (9, False, True), (11, True, True), (12, True, True), (13, True, True), (14, False, True),
     (15, False, True), (16, False, False)],
)  # fmt: skip
def test_chain__reports_infinite_moments(rows, mean, heavy):
    chain = chain_of(run({"n_samples": rows}, n_replicates=2))
    assert chain.heavy[1:].all() == chain.heavy.any() == heavy
    assert np.isinf(chain.error[1:]).all() == mean
    assert chain.error[0] == 0
    # Every moment is finite without noise, and with a ridge.
    for model in ({"sigma0": 0.0}, {"ridge": 0.1}):
        assert not chain_of(run({"n_samples": rows}, n_replicates=2, **model)).heavy.any()


@pytest.mark.parametrize(
    ("workflow", "model", "heavy"),
    [
        # The same inputs and as many real rows: fits to 24 and to 12 rows.
        ({"name": "mix", "n_samples": 12, "n_real": 12, "real": "fresh"}, {"designs": "dependent"}, False),
        ({"name": "mix", "n_samples": 6, "n_real": 6, "real": "fresh"}, {"designs": "dependent"}, True),
        # A row that is drawn twice counts once.
        ({**SUBSAMPLE, "n_samples": 20, "replacement": True}, {}, True),
        ({**SUBSAMPLE, "n_samples": 20}, {"designs": "dependent"}, True),
        ({**SUBSAMPLE, "n_samples": 20}, {}, False),
        ({"name": "mix", "n_samples": 6, "n_real": 5, "real": "fresh"}, {"sigma": 0.0}, True),
    ],
)
def test_chain__counts_distinct_rows(workflow, model, heavy):
    assert chain_of(run(workflow, n_replicates=2, **model)).heavy[2:].all() == heavy


def test_chain__infinite_moments_are_inherited():
    chain = chain_of(run({"n_samples": [40, 13, 40, 40, 40, 40]}, n_replicates=2))
    np.testing.assert_array_equal(chain.heavy, [False, False, True, True, True, True, True])
    np.testing.assert_array_equal(np.isinf(chain.error), chain.heavy)


@pytest.mark.parametrize(
    ("workflow", "model"),
    [({"n_samples": 13}, {}), ({"n_samples": 12}, {"designs": "dependent"}),
     ({**ACCUMULATE, "n_samples": 12}, {"designs": "dependent"})],
)  # fmt: skip
def test_medians__are_exact(workflow, model):
    results = run(workflow, n_replicates=1000, **model)
    median = medians_of(results, np.arange(7))
    above = (results.metrics["generator_error"] > median).mean(axis=0)[1:]
    # 18 dependent shares of 1,000: a deviation of 0.0158, 4.5 of them.
    assert np.abs(above - 0.5).max() < 0.071
    # Negative control: the median for 10 % more noise variance.
    assert np.abs((results.metrics["generator_error"] > 1.5 * median).mean(axis=0)[1:] - 0.5).max() > 0.071


def test_medians__some_are_known_for_many_generations():
    results = run({"n_samples": 13}, n_replicates=2)
    several = np.repeat(np.arange(7), 10)
    found = medians_of(results, several)
    assert np.isfinite(found[10:]).sum() == 12
    np.testing.assert_allclose(found[10], medians_of(results, np.array([1])))
    assert np.isnan(medians_of(run({"n_samples": [13, 14, 15, 16, 17, 18]}, n_replicates=2), np.arange(1, 7))).all()
    assert np.isnan(medians_of(run(SUBSAMPLE, n_replicates=2), np.arange(1, 7))).all()
