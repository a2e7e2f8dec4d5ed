"""Metrics in one dimension are computed when they are read, and a run stops at the first that is not finite."""

import itertools
import math
import pickle

import numpy as np
import pytest

from fastcollapse import Experiment, open_results, simulate
from fastcollapse.errors import NonFiniteError
from fastcollapse.models.base import ModelBlock
from fastcollapse.models.gaussian import metrics
from fastcollapse.models.gaussian.family import GaussianModel
from fastcollapse.models.gaussian.metrics import METRICS, derived_metrics, metrics_of
from fastcollapse.models.gaussian.parameters import GaussianTruth
from fastcollapse.models.gaussian.univariate import UnivariateGaussian
from fastcollapse.simulation.finite_check import first_fault
from fastcollapse.variables import DerivedArray

TRUTHS = [GaussianTruth(mean=mean, sigma=sigma) for mean in (0.0, -1e150) for sigma in (1.0, 1e-150, 1e150)]
MEANS = [0.0, 1.0, -1e150, 1e153, 2e154, -1.7e308, math.inf, -math.inf, math.nan]
LOGS = [0.0, -345.0, 340.0, 352.0, 360.0, 720.0, -1e300, -1.2e308, -math.inf, math.inf, math.nan]
# Finite states of which a metric is not.
OVERFLOWS = [("log_sigma", 400.0), ("log_sigma", 800.0), ("mean", 1e200), ("mean", -1e155), ("log_sigma", 1e308)]


def model_of(truth):
    law = np.array([truth.means()[0], truth.factor()[0, 0], math.log(truth.factor()[0, 0])])
    experiment = experiment_of()
    return UnivariateGaussian(law, 1, experiment.workflow.schedule(1, None))


def experiment_of(record="metrics"):
    return Experiment.from_mapping(
        {
            "model": {"family": "gaussian", "estimator": "unbiased"},
            "truth": {"mean": 1.0, "sigma": 2.0},
            "workflow": {"name": "replace", "n_samples": 10},
            "run": {"n_generations": 9, "n_replicates": 4, "seed": 1, "record": record},
        }
    )


def poison(monkeypatch, name, value):
    """Set a state of replicate 2 at generation 7."""
    honest = UnivariateGaussian.advance

    def poisoned(self, state, first, n_generations, *run):
        block = honest(self, state, first, n_generations, *run)
        if first <= 7 < first + n_generations:
            block.states[name][2, 7 - first] = value
        return block

    monkeypatch.setattr(UnivariateGaussian, "advance", poisoned)


@pytest.mark.parametrize("truth", TRUTHS)
def test_surely_legal__is_true_of_legal_values_only(truth):
    model = model_of(truth)
    variables = [(name, metric.variable) for name, metric in METRICS.items()]
    n_legal = 0
    for mean, log_sigma in itertools.product(MEANS, LOGS):
        # The value in question is not the only one of its block.
        states = {"mean": np.array([[truth.mean, mean]]), "log_sigma": np.array([[math.log(truth.sigma), log_sigma]])}
        with np.errstate(all="ignore"):
            computed = metrics_of(ModelBlock(states), truth)
        arrays = [(name, computed[name], variable) for name, variable in variables]
        arrays += [(name, states[name], variable) for name, variable in model.state_variables().items()]
        is_legal = first_fault(arrays, 1) is None
        assert is_legal or not model.surely_legal(states), (mean, log_sigma)
        n_legal += model.surely_legal(states)
    assert n_legal
    # It is true of a usual block, also of one that has lost its deviation.
    states = {"mean": np.full((1, 2), truth.mean), "log_sigma": np.array([[math.log(truth.sigma), -math.inf]])}
    assert model.surely_legal(states)


@pytest.mark.parametrize("block", [1, 5])
@pytest.mark.parametrize(("name", "value"), OVERFLOWS)
def test_derived_metric__that_is_not_finite_stops_the_run_as_a_computed_one_does(
    tmp_path, monkeypatch, name, value, block
):
    poison(monkeypatch, name, value)
    messages = []
    for i, measure in enumerate((UnivariateGaussian.measure, GaussianModel.measure)):
        monkeypatch.setattr(UnivariateGaussian, "measure", measure)
        with (
            np.errstate(all="ignore"),
            pytest.raises(NonFiniteError, match="of replicate 2 is inf at generation 7: ") as got,
        ):
            simulate(experiment_of(), tmp_path / f"{i}.h5", block=block)
        messages.append(str(got.value))
    assert messages[0] == messages[1]
    derived, computed = open_results(tmp_path / "0.h5"), open_results(tmp_path / "1.h5")
    assert derived.last == computed.last == 6
    for metric in METRICS:
        np.testing.assert_array_equal(derived.metrics[metric], computed.metrics[metric])


@pytest.mark.parametrize("value", [-math.inf, -400.0, 300.0])
def test_derived_metric__with_legal_values_does_not_stop_the_run(monkeypatch, value):
    poison(monkeypatch, "log_sigma", value)
    results = simulate(experiment_of())
    assert results.complete
    assert results.metrics["log_det"][2, 7] == 2 * value


def test_derived_metrics__have_the_bits_of_computed_ones():
    truth = GaussianTruth(mean=0.3, sigma=1.7)
    rng = np.random.default_rng(5)
    states = {"mean": rng.normal(size=(40, 2500)), "log_sigma": rng.normal(size=(40, 2500)) * 3}
    computed = metrics_of(ModelBlock(states), truth)
    for name, values in derived_metrics(states, truth, METRICS).items():
        np.testing.assert_array_equal(np.asarray(values), computed[name])


def test_metrics__are_computed_when_they_are_read_and_once(monkeypatch):
    calls = []

    def counted(name, function):
        return lambda *arguments: calls.append(name) or function(*arguments)

    for name, function in metrics._FUNCTIONS.items():
        monkeypatch.setitem(metrics._FUNCTIONS, name, counted(name, function))
    results = simulate(experiment_of(), block=9)
    assert not calls
    values = results.metrics["kl_divergence"]
    assert calls == ["kl_divergence"] * 2  # generation 0 and one block
    assert results.metrics["kl_divergence"] is values
    assert len(calls) == 2


def test_results__with_derived_metrics_can_be_pickled():
    results = simulate(experiment_of())
    copied = pickle.loads(pickle.dumps(results))
    for name, values in results.metrics.items():
        np.testing.assert_array_equal(copied.metrics[name], values)


def test_metric__that_is_recorded_alone_is_computed_at_once():
    (block, *_) = simulate(experiment_of(["kl_divergence"])).reader.blocks
    assert isinstance(block.metrics["kl_divergence"], np.ndarray)
    (block, *_) = simulate(experiment_of(["kl_divergence", "log_det"])).reader.blocks
    assert isinstance(block.metrics["kl_divergence"], DerivedArray)
