"""Panels of discrete runs: simulated values and the exact law."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.panels.discrete import PANELS
from fastcollapse.analysis.panels.extinction_times import extinction_curve
from fastcollapse.analysis.panels.registry import panels_for, panels_of
from fastcollapse.analysis.panels.scores import share_of
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.theory.discrete.binomial_chain import exact_chain

GENERATIONS = np.array([1, 5, 20])


@pytest.fixture(scope="module")
def two_symbols():
    mapping = {
        "truth": {"probabilities": [0.02, 0.98]},
        "workflow": {"name": "replace", "n_samples": 100},
        "run": {"n_generations": 20, "n_replicates": 4000, "seed": 5, "record": ["metrics", "trajectory"]},
    }
    return simulate(Experiment.from_mapping(mapping))


@pytest.mark.parametrize("name", ["symbol", "coexistence"])
def test_panels__two_symbols_agree_with_exact_chain(two_symbols, name):
    [panel] = panels_of(two_symbols, GENERATIONS, [name])
    lost, fixed = exact_chain([0.02], 100, 20)
    expected = 1 - lost[0] - (fixed[0] if name == "coexistence" else 0)
    np.testing.assert_allclose(panel.curve.expected, expected[GENERATIONS], rtol=1e-12)
    # 6 scores in all: |z| < 4.5; a law that is off by one generation is rejected.
    assert np.abs(panel.curve.z).max() < 4.5
    alive = two_symbols.metrics["support_size"][:, GENERATIONS] > 1
    wrong = share_of(GENERATIONS, alive, None, expected[GENERATIONS + 1 - 2 * (GENERATIONS == 20)])
    assert np.nanmax(np.abs(wrong.z)) > 4.5
    kinds = [line.kind for line in panel.lines]
    assert kinds == ["bound", "bound"] + ["published"] * (4 if name == "coexistence" else 2)
    lower, upper = (line.values for line in panel.lines[:2])
    assert (lower <= panel.curve.expected + 1e-9).all()
    assert (panel.curve.expected <= upper + 1e-9).all()


def test_paths__equal_counts(two_symbols):
    [panel] = panels_of(two_symbols, GENERATIONS, ["paths"])
    symbols, counts = two_symbols.counts(7, 5)
    assert panel.paths[7, 1] == counts[symbols == 0].sum() / 100
    assert np.nanmax(np.abs(panel.curve.z)) < 4.5


def test_entropy__starts_at_entropy_of_truth(two_symbols):
    [panel] = panels_of(two_symbols, np.array([0, 1]), ["entropy"])
    assert panel.curve.mean[0] == 1


def test_panels__defaults_and_unknown_name(two_symbols):
    # The third has a metric of the spectrum engine.
    assert len(panels_of(two_symbols, GENERATIONS)) == len(PANELS.default) - 1
    assert set(PANELS.default) <= set(PANELS.panels)
    with pytest.raises(InputError, match=r"recipe.panels must be of .*, got 'entropi' .did you mean 'entropy'"):
        panels_of(two_symbols, GENERATIONS, ["entropi"])


def test_coexistence__refuses_more_than_two_symbols():
    mapping = {
        "truth": {"uniform": 3},
        "workflow": {"name": "replace", "n_samples": 10},
        "run": {"n_generations": 2, "n_replicates": 2, "seed": 1},
    }
    results = simulate(Experiment.from_mapping(mapping))
    with pytest.raises(InputError, match="must have a truth of two symbols, got 3"):
        panels_of(results, GENERATIONS[:1], ["coexistence"])
    assert extinction_curve(results)


def test_ratio__is_relative_to_first_sample():
    mapping = {
        "truth": {"zipf_mandelbrot": {"a": 1.0, "b": 2.7, "size": 1000}},
        "workflow": {"name": "replace", "n_samples": 1000},
        "run": {"n_generations": 10, "n_replicates": 200, "seed": 5},
    }
    [panel] = panels_of(simulate(Experiment.from_mapping(mapping)), np.array([1, 2, 4, 10]), ["ratio"])
    assert panel.curve.mean[0] == 1
    # Exact expectations over initial samples: .7508, .5258 and .2970 after 1, 3 and 9 refits.
    error = panel.curve.sd / np.sqrt(200)
    expected = np.array([1, 0.7508, 0.5258, 0.2970])
    assert (np.abs(panel.curve.mean - expected)[1:] < 4.5 * error[1:]).all()
    np.testing.assert_allclose(panel.lines[0].values, expected, rtol=5e-3)


def test_throughput__counts_live_symbols_where_they_are_recorded(two_symbols):
    alive = two_symbols.metrics["support_size"][:, :-1].sum()
    assert panels_for(two_symbols).throughput(two_symbols) == (alive, "live symbols")
    one = two_symbols.experiment.with_values({"run.record": ["entropy"], "run.n_replicates": 2})
    results = simulate(one)
    assert panels_for(results).throughput(results) is None
