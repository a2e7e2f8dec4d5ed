"""Ridge runs with a weight of the real data: exact means, bits, best weights, warnings and refusals."""

import numpy as np
import pytest

from fastcollapse.config.section_base import build
from fastcollapse.config.workflows import Accumulate, Mix
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InputError
from fastcollapse.models.base import ModelBlock
from fastcollapse.models.ridge.metrics import metrics_of
from fastcollapse.models.ridge.model import MODEL
from fastcollapse.models.ridge.parameters import RidgeParameters
from fastcollapse.models.ridge.truth import RidgeTruth
from fastcollapse.models.ridge.weighted_chains import WeightedChain, WeightedLawChain
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.schedules import schedule_of
from fastcollapse.theory.mixing.weighted_fit import best_weight, fixed_real_errors, weighted_errors
from tests._goodness_of_fit import z_scores
from tests.models._block_runs import assert_bits_are_reproducible, run

# About 30 scores in this file: 4.9 is 1e-6 each.
Z_LIMIT = 4.9
D, T = 5, 8
ROUND, STEEP = {"dimension": D}, {"dimension": D, "beta": 1.5}
NOISE = {"sigma": 0.5, "sigma0": 0.3}
REAL, SYNTHETIC = 0.25 * D / (20 - D - 1), 0.09 * D / (30 - D - 1)


def truth_of(**values):
    return load_truth(build(RidgeTruth, values))


def model(truth, workflow, n_generations=T, **parameters):
    made = build(RidgeParameters, {"designs": "independent", **NOISE, **parameters})
    return MODEL(truth_of(**truth), made, workflow.schedule(n_generations, None), ("metrics", "trajectory"))


def errors_of(truth, workflow, n_replicates=4000, **parameters):
    """Return the errors of generations 1..T, float64 (R, T)."""
    states = run(model(truth, workflow, **parameters), n_replicates, T, 1)
    return metrics_of(ModelBlock(states), truth_of(**truth))["generator_error"]


@pytest.mark.parametrize("parameters", [{}, {"designs": "dependent"}, {"sampler": "raw"}], ids=["law", "same", "raw"])
@pytest.mark.parametrize(("real", "theory"), [("fresh", weighted_errors), ("fixed", fixed_real_errors)])
def test_errors__have_the_exact_mean(real, theory, parameters):
    errors = errors_of(STEEP, Mix(n_samples=30, n_real=20, real=real, weight=0.4), **parameters)
    expected = theory([0.4] * T, REAL, SYNTHETIC, 1.0)
    assert np.abs(z_scores(errors, expected)).max() < Z_LIMIT
    # Negative control: the pooled fit, which has the weight 20/50.
    pooled = errors_of(STEEP, Mix(n_samples=30, n_real=20, real=real), **parameters)
    assert np.abs(z_scores(pooled, expected)).max() > Z_LIMIT


def test_errors__of_few_rows_have_the_exact_mean():
    # Of minimum norm: from the truth, E|w - w0|^2 = (1 - T/d) |w0|^2 + sigma^2 T/(d - T - 1).
    truth, n_real, n = {"dimension": 8}, 3, 4
    errors = errors_of(truth, Mix(n_samples=n, n_real=n_real, real="fresh", weight=1.0))
    expected = (1 - n_real / 8) + 0.25 * n_real / (8 - n_real - 1)
    assert np.abs(z_scores(errors, expected)).max() < Z_LIMIT
    assert np.abs(z_scores(errors, 1.1 * expected)).max() > Z_LIMIT


CHAINS = {
    "law": (STEEP, Mix(n_samples=30, n_real=20, real="fresh", weight=0.4), {}, WeightedLawChain),
    "law, fixed": (STEEP, Mix(n_samples=30, n_real=20, real="fixed", weight=0.4), {}, WeightedLawChain),
    "few rows": (ROUND, Mix(n_samples=3, n_real=2, real="fresh", weight=0.4), {}, WeightedLawChain),
    "few rows, not isotropic": (STEEP, Mix(n_samples=3, n_real=2, real="fresh", weight=0.4), {}, WeightedChain),
    "ridge": (STEEP, Mix(n_samples=9, n_real=7, real="fixed", weight=0.4), {"ridge": 0.1}, WeightedChain),
    "same": (STEEP, Mix(n_samples=9, n_real=7, real="fresh", weight=0.4), {"designs": "dependent"}, WeightedChain),
    "pool": (STEEP, Accumulate(n_samples=4, keep_real=True, weight=0.4), {}, WeightedChain),
    "same, pool": (
        STEEP,
        Accumulate(n_samples=4, keep_real=True, weight=0.4),
        {"designs": "dependent", "ridge": 0.1},
        WeightedChain,
    ),
}


@pytest.mark.parametrize(("truth", "workflow", "parameters", "chain"), CHAINS.values(), ids=CHAINS)
def test_bits__do_not_depend_on_blocks_or_threads(truth, workflow, parameters, chain):
    assert type(model(truth, workflow, 9, **parameters)._chain) is chain
    assert_bits_are_reproducible(lambda: model(truth, workflow, 9, **parameters))


def test_weights__of_the_real_sample_alone_are_those_of_a_longer_run():
    # A run of one generation keeps no pool and has no synthetic samples.
    workflow = Accumulate(n_samples=20, keep_real=True, weight=0.4)
    alone, longer = (run(model(ROUND, workflow, n), 3, n, 1)["weights"] for n in (1, 2))
    np.testing.assert_array_equal(alone[:, 0], longer[:, 0])


def experiment(workflow=None, truth=None, n_generations=T, **parameters):
    workflow = {"name": "mix", "n_samples": 30, "n_real": 20, "real": "fresh", "weight": "optimal", **(workflow or {})}
    sections = {
        "model": {"family": "ridge", "designs": "independent", "sigma": 0.5, **parameters},
        "truth": {"dimension": D, **(truth or {})},
        "workflow": workflow,
        "run": {"n_generations": n_generations, "n_replicates": 2, "seed": 1},
    }
    return Experiment.from_mapping(sections)


def test_optimal_weight__has_golden_value():
    assert abs(schedule_of(experiment(n_generations=60), None).weight[-1] - 0.525892369598) < 1e-12
    # Other noise of synthetic labels, and large samples with a ridge.
    assert schedule_of(experiment(n_generations=60, sigma0=0.0), None).weight[-1] < 0.02
    weight = schedule_of(experiment(n_generations=60, ridge=0.1), None).weight[-1]
    assert abs(weight - best_weight(1 / 20, 1 / 30)[0]) < 1e-12
    # A generation without real data.
    sometimes = schedule_of(experiment({"n_real": [20, 0] * 4}), None).weight
    assert (sometimes[1::2] == 0).all()
    assert (sometimes[::2] > 0).all()
    for truth in ({"spectrum": [1.0, 0.5]}, {"covariance": [[2.0, 0.5], [0.5, 1.0]]}):
        given = experiment({"n_real": 30}, {**truth, "dimension": 2}, 60)
        assert abs(schedule_of(given, None).weight[-1] - 0.618033988750) < 1e-12


@pytest.mark.parametrize(
    ("workflow", "truth", "parameters", "message"),
    [
        ({"n_real": 6}, {}, {}, "workflow.n_real must be at least 7 rows for 5 inputs where .* got 6 at generation 1"),
        (
            {"n_samples": [9, 9, 5, 9, 9, 9, 9, 9]},
            {},
            {},
            "workflow.n_samples must be at least 7 rows for 5 inputs where workflow.weight is 'optimal', "
            "got 5 at generation 3",
        ),
        ({}, {"dimension": None, "covariance": "cov.npy"}, {}, "truth.dimension must be given beside a file"),
        ({"weight": 0.4}, {}, {"follow": "overlaps"}, None),
    ],
)
def test_weights__are_refused_in_one_line(workflow, truth, parameters, message):
    truth = {name: value for name, value in {"dimension": D, **truth}.items() if value is not None}
    given = experiment(workflow, **parameters)
    given = Experiment.from_mapping({**given.to_mapping(), "truth": truth})
    if message:
        with pytest.raises(InputError, match=message):
            schedule_of(given, None)
        return
    with pytest.raises(InputError, match=r"model.follow must be 'weights' without .* got 'overlaps'"):
        MODEL(truth_of(**truth), given.model, schedule_of(given, None))


def test_warnings__name_the_part_with_infinite_moments():
    def warned(truth=ROUND, **workflow):
        mix = Mix(**{"n_samples": 30, "n_real": 20, "real": "fresh", "weight": 0.4, **workflow})
        return [str(one) for one in model(truth, mix).warnings()]

    assert warned() == []
    (line,) = warned(n_real=6)
    assert line.startswith("workflow.n_real: the fit to 6 samples of 5 inputs has an infinite mean of generator_error")
    (line,) = warned(n_samples=8)
    assert line.startswith("workflow.n_samples: the fit to 8 samples of 5 inputs has an infinite variance")
    assert len(warned(n_real=6, n_samples=8)) == 2
    # A part without weight.
    assert warned(n_real=6, weight=0.0) == []
    assert warned(n_samples=8, weight=1.0) == []
    assert len(warned(n_samples=8, n_real=[20, 0] * 4, weight=1.0)) == 1
    # The rows of both parts are not fitted together: 14 real and synthetic rows of 14 inputs.
    assert warned({"dimension": 14}, n_samples=7, n_real=7) == []
