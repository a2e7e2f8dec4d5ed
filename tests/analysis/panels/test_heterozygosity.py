"""Heterozygosity and the error of the probabilities that follows from it, against the recorded counts."""

import numpy as np

from fastcollapse import simulate
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.simulation.experiment import Experiment

AT = np.array([1, 3, 6])


def test_ratio_to_first__is_the_loss_of_heterozygosity():
    mapping = {
        "model": {"family": "discrete"},
        "truth": {"probabilities": [0.5, 0.3, 0.2]},
        "workflow": {"name": "replace", "n_samples": 50},
        "run": {"n_generations": 6, "n_replicates": 4000, "seed": 11, "record": ["metrics", "trajectory"]},
    }
    results = simulate(Experiment.from_mapping(mapping))
    lost, ratio = panels_of(results, AT, ["heterozygosity", "ratio_to_first"])
    start = 1 - 0.5**2 - 0.3**2 - 0.2**2
    # The error of one fit to n tokens is 1/n of the heterozygosity.
    np.testing.assert_allclose(ratio.curve.mean, 50 * (1 - lost.curve.mean / start), rtol=1e-12)
    np.testing.assert_allclose(ratio.curve.expected, 50 * (1 - (1 - 1 / 50) ** AT), rtol=1e-12)
    np.testing.assert_allclose(ratio.curve.z, -lost.curve.z, rtol=1e-12)
    assert (ratio.curve.smallest <= ratio.curve.mean).all()
    assert (ratio.curve.mean <= ratio.curve.largest).all()
    # The squared error has the same expectation; the two means differ by chance.
    p = np.array([[np.bincount(*results_of(results, r, t), minlength=3) / 50 for t in AT] for r in range(4000)])
    squared = ((p - [0.5, 0.3, 0.2]) ** 2).sum(axis=2) / start * 50
    error = squared.std(axis=0) / np.sqrt(4000)
    # 3 comparisons; the negative control is the error of the next fit.
    assert (np.abs(squared.mean(axis=0) - ratio.curve.expected) < 5 * error).all()
    later = 50 * (1 - (1 - 1 / 50) ** (AT + 1))
    assert (np.abs(squared.mean(axis=0) - later) > 5 * error).all()


def results_of(results, replicate, generation):
    """Return the symbols and their counts, as arguments of `numpy.bincount`."""
    return results.counts(replicate, int(generation))
