"""Plot of extinction times, which is empty without theory."""

import numpy as np
from matplotlib.figure import Figure

from fastcollapse import simulate
from fastcollapse.analysis.panels.extinction_plot import draw_extinction_times
from fastcollapse.analysis.panels.extinction_times import quartiles_of, uncensored_curve
from fastcollapse.analysis.panels.style import SIMULATED
from fastcollapse.simulation.experiment import Experiment


def run(workflow):
    mapping = {
        "truth": {"zipf_mandelbrot": {"a": 1.0, "b": 2.7, "size": 60}},
        "workflow": {"n_samples": 200, **workflow},
        "run": {"n_generations": 40, "n_replicates": 20, "seed": 3},
    }
    return simulate(Experiment.from_mapping(mapping))


def test_draw__medians_over_expected_counts():
    results, axes = run({"name": "replace"}), Figure().subplots()
    assert draw_extinction_times(axes, results)
    groups = uncensored_curve(results)
    simulated = next(line for line in axes.get_lines() if line.get_label() == "simulated median")
    assert simulated.get_color() == SIMULATED
    np.testing.assert_array_equal(simulated.get_xdata(), [one.copies for one in groups])
    np.testing.assert_array_equal(simulated.get_ydata(), quartiles_of(groups, 40)[1])
    assert axes.get_xlabel() == "expected count $c$ in generation 1 (tokens)"


def test_draw__is_empty_for_workflow_without_theory():
    axes = Figure().subplots()
    assert not draw_extinction_times(axes, run({"name": "mix", "n_real": 20, "real": "fresh"}))
    assert not axes.get_lines()
