"""Downstream fit: its grid, and its theory against simulation."""

import itertools

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.panels.downstream_grid import chosen, grid_of
from fastcollapse.analysis.panels.downstream_theory import fit_of
from fastcollapse.analysis.panels.scores import curve_of
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment

pytestmark = pytest.mark.filterwarnings("ignore::fastcollapse.errors.InfiniteMomentWarning")
# 60 cases of 3 dependent scores: beyond 5 in one of 10,000 right files.
Z_LIMIT = 5.0
DOWNSTREAM = {"n_samples": [10, 50], "ridge": [0.0, 0.1, 1.0], "generations": [0, 1, 3]}
PARTS = {"error": "test_error", "bias": "test_bias", "variance": "test_variance", "synthetic": "test_synthetic"}


def run(truth=(), downstream=(), n_samples=60, workflow="replace", n_replicates=400, **model):
    more = {} if workflow == "replace" else {"keep_real": True}
    mapping = {
        "model": {
            "family": "ridge",
            "designs": "independent",
            "sigma": 0.3,
            "downstream": {
                "n_samples": [10, 50],
                "ridge": [0.0, 0.1, 1.0],
                "generations": [0, 1, 3],
                **dict(downstream),
            },
            **model,
        },
        "truth": {"dimension": 20, **dict(truth)},
        "workflow": {"name": workflow, "n_samples": n_samples, **more},
        "run": {"n_generations": 3, "n_replicates": n_replicates, "seed": 6},
    }
    return simulate(Experiment.from_mapping(mapping))


def test_grid__equals_grid_of_run():
    grid = grid_of(run(n_replicates=2))
    np.testing.assert_array_equal(grid.generations, [0, 1, 3])
    np.testing.assert_array_equal(grid.samples, [10, 50])
    np.testing.assert_array_equal(grid.ridge, [[0.0, 0.1, 1.0]] * 2)
    assert grid.ridge_name(1) == r"$\lambda$ = 0.1"


def test_grid__exponents_give_ridges_by_sample_size():
    results = run(downstream={"ridge": None, "exponent": [0.5, 1.0]}, n_replicates=2)
    grid = grid_of(results)
    np.testing.assert_allclose(grid.ridge, [[10**-0.5, 0.1], [50**-0.5, 0.02]])
    assert grid.ridge_name(0) == r"$\lambda = T^{-0.5}$"
    assert not fit_of(results).exact.any()


def test_chosen__refuses_values_outside_grid():
    with pytest.raises(InputError, match=r"recipe\.samples must be in the grid of the run, got 7"):
        chosen(np.array([10, 50]), {"samples": (7,)}, "samples", 1)
    assert chosen(np.array([10, 50]), {"samples": (50,)}, "samples", 1) == [1]
    assert chosen(np.arange(9), {}, "samples", 3) == [0, 4, 8]


@pytest.mark.parametrize(
    ("truth", "n_samples", "workflow", "model"),
    [
        ({}, 60, "replace", {}),
        ({"beta": 1.0}, 60, "replace", {"designs": "dependent"}),
        ({"spectrum": [3.0] * 20}, 60, "accumulate", {"sigma0": 0.5}),
        ({"spectrum": [3.0] * 20}, 8, "replace", {}),
        ({}, 8, "replace", {"designs": "dependent"}),
    ],
)
def test_fit__without_ridge_is_exact(truth, n_samples, workflow, model):
    results = run(truth, (), n_samples, workflow, **model)
    grid, fit, isotropic = grid_of(results), fit_of(results), "beta" not in truth
    np.testing.assert_array_equal(fit.exact[0], [[isotropic, False, False], [True, False, False]])
    assert not fit.heavy.any()
    for m in (0, 1) if isotropic else (1,):
        for part, metric in PARTS.items():
            values = np.where(results.metrics[metric] < 1e-24, 0.0, results.metrics[metric])[:, grid.generations, m, 0]
            expected = getattr(fit, part)[grid.generations, m, 0]
            curve = curve_of(grid.generations, values, None, None, expected, np.full(3, True))
            assert np.nanmax(np.abs(curve.z)) < Z_LIMIT, (part, m)
            np.testing.assert_array_equal(curve.mean == 0, expected == 0)
        # Negative control: the part of the generator increased by half.
        assert np.abs((curve.mean - 1.5 * expected)[1:] / (curve.sd[1:] / 20)).max() > Z_LIMIT


@pytest.mark.parametrize(
    ("truth", "n_samples", "generator"),
    [
        *itertools.product([{}, {"beta": 1.0}], [60], [{}, {"ridge": 0.2}]),
        *itertools.product([{}, {"beta": 1.0}], [8], [{}]),
        ({"spectrum": [2.0] * 20}, 60, {"ridge": 0.4, "designs": "dependent"}),
    ],
)
def test_fit__with_ridge_is_approximate(truth, n_samples, generator):
    results = run(truth, (), n_samples, **generator)
    grid, fit = grid_of(results), fit_of(results)
    at = grid.generations
    off = results.metrics["test_error"].mean(axis=0)[at, :, 1:] / fit.error[at, :, 1:] - 1
    # 20 dimensions: errors of theory of 1/20 and less, and 400 replicates that vary by a half.
    assert np.abs(off).max() < 0.15


def test_fit__reports_infinite_moments():
    fit = fit_of(run(downstream={"n_samples": [15, 17, 20, 22, 24]}, n_replicates=2))
    np.testing.assert_array_equal(fit.heavy[0, :, 0], [False, True, True, True, False])
    assert not fit.heavy[..., 1:].any()
    # Infinite moments of the generator are inherited at every ridge, except at generation 0.
    fit = fit_of(run(n_samples=20, n_replicates=2))
    assert fit.heavy[1:].all()
    assert not fit.heavy[0].any()
    assert np.isinf(fit.error[1:]).all()
