"""Theory of fits to real and synthetic rows together, against simulation, for every kind of delta and start."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.panels.downstream_grid import grid_of
from fastcollapse.analysis.panels.downstream_mixed_theory import labels_of, mixed_fit_of
from fastcollapse.analysis.panels.downstream_plot import theory_of
from fastcollapse.simulation.experiment import Experiment
from tests._goodness_of_fit import z_scores

pytestmark = pytest.mark.filterwarnings("ignore::fastcollapse.errors.InfiniteMomentWarning")
# Fewer than 1500 dependent scores, 5.7e-7 each: below 1e-3 in all.
Z_LIMIT = 5.0
D = 24
VECTOR = np.linspace(-0.2, 0.3, D).tolist()
PARTS = {"error": "error", "bias": "bias", "variance": "variance", "synthetic": "synthetic", "cross": "cross"}


def run(down=(), truth=(), n_samples=60, n_replicates=500, **model):
    downstream = {"n_samples": [12, 60], "synthetic_share": [0.0, 0.3, 1.0], "ridge": [0.0, 0.1], **dict(down)}
    mapping = {
        "model": {
            "family": "ridge",
            "designs": "independent",
            "sigma": 0.3,
            "sigma0": 0.5,
            "downstream": downstream,
            **model,
        },
        "truth": {"dimension": D, **dict(truth)},
        "workflow": {"name": "replace", "n_samples": n_samples},
        "run": {"n_generations": 2, "n_replicates": n_replicates, "seed": 8},
    }
    return simulate(Experiment.from_mapping(mapping))


KNOWN = {
    "a vector": {"down": {"delta": VECTOR}},
    "a vector, power law": {"down": {"delta": VECTOR}, "truth": {"beta": 1.0}},
    "a variance": {"down": {"delta": 0.02}, "truth": {"beta": 0.5}},
    "generators": {},
    "generators, power law": {"truth": {"beta": 1.0}},
    "biased generators": {"n_samples": 12},
    "biased generators, power law": {"n_samples": 12, "truth": {"beta": 0.5}},
    "biased generators of the same rows": {"n_samples": 12, "designs": "dependent"},
    "generators with a ridge": {"ridge": 0.2, "truth": {"beta": 0.5}},
    "fine-tuned generators": {"down": {"start": "generation"}},
    "fine-tuned biased generators": {"down": {"start": "generation"}, "n_samples": 12},
    "fine-tuned biased generators, power law": {"down": {"start": 2}, "n_samples": 12, "truth": {"beta": 0.5}},
    "fine-tuned with a vector": {"down": {"start": "generation", "delta": VECTOR}, "n_samples": 12},
    "fine-tuned with a variance": {"down": {"start": "generation", "delta": 0.02}, "truth": {"beta": 0.5}},
    "from previous weights": {"start": "previous", "n_samples": 12},
}


@pytest.mark.parametrize("name", KNOWN)
def test_fit__agrees_with_simulation(name):
    results = run(**KNOWN[name])
    fit, grid = mixed_fit_of(results), grid_of(results)
    assert theory_of(results) is fit
    t = int(grid.generations[-1])
    assert not fit.heavy[t].any()
    named = [part for part in PARTS if f"test_{PARTS[part]}" in results.metrics]
    assert len(named) == 5
    for part in named:
        values = results.metrics[f"test_{PARTS[part]}"][:, t]
        expected = getattr(fit, part)[t]
        assert np.isfinite(expected).all(), part
        # The equivalents of a sample, and those of biased generators, are off by O(1/d).
        rounding = np.where(fit.exact[t], 1e-12, 5 * (np.abs(expected) + 0.02) / D)
        z = z_scores(values, expected, rounding)
        assert np.abs(z).max() < Z_LIMIT, (part, z)
    # Least squares is exact, unless the size of delta is not.
    is_asymptotic = ("power law" in name and "biased" in name) or "with a ridge" in name
    assert fit.exact[t][..., 0].any() or is_asymptotic
    # Negative control: the theory of other shares.
    wrong = fit.synthetic[t][:, [0, 2, 1]]
    measured = results.metrics["test_synthetic"][:, t]
    assert np.abs(z_scores(measured, wrong, 3 * wrong / D)).max() > Z_LIMIT


def test_fit__of_an_unknown_direction_is_known_without_a_ridge():
    """Least squares to many rows only depends on the size of delta."""
    results = run({"ridge": [0.0, 0.1]}, {"beta": 1.0}, 60, designs="independent", start="previous", ridge=0.2)
    assert labels_of(results, 2) is None
    fit = mixed_fit_of(results)
    assert np.isfinite(fit.error[2, 1, :, 0]).all()
    assert np.isnan(fit.error[2, 0]).all()
    assert np.isnan(fit.error[2, 1, :, 1]).all()
    values = results.metrics["test_error"][:, 2, 1, :, 0]
    assert np.abs(z_scores(values, fit.error[2, 1, :, 0], 3 * fit.error[2, 1, :, 0] / D)).max() < Z_LIMIT


def test_fit__near_the_dimension_is_heavy():
    fit = mixed_fit_of(run({"n_samples": [D + 2, 60], "delta": 0.02}, n_replicates=2, sigma=0.0, sigma0=0.0))
    # Without noise, real and synthetic labels together are noise for each other.
    np.testing.assert_array_equal(fit.heavy[0, 0], [[False, False], [True, False], [False, False]])
    assert not fit.heavy[0, 1].any()
    noisy = mixed_fit_of(run({"n_samples": D + 2, "delta": 0.02}, n_replicates=2))
    assert noisy.heavy[0, 0, :, 0].all()
    # Generators near the dimension pass their tails on to synthetic rows alone.
    inherited = mixed_fit_of(run({"n_samples": 60}, n_samples=D + 1, n_replicates=2))
    np.testing.assert_array_equal(inherited.heavy[2, 0, :, 1], [False, True, True])
