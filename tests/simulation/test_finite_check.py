"""Non-finite values: detected and named in every family, and the generations before them are saved."""

import itertools
import math

import numpy as np
import pytest

from fastcollapse import open_results, simulate
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import NonFiniteError
from fastcollapse.models.registry import families
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.finite_check import first_fault
from fastcollapse.variables import Variable
from tests.test_conformance import CASES, everything, experiment_of, model_of

BAD = (math.nan, math.inf, -math.inf)
FIRST_OF = {param.values[0]: param.values for param in reversed(CASES)}


def fault_in(arrays, first, *more, **options):
    return first_fault([(name, values, Variable(name, **options)) for name, values in arrays.items()], first, *more)


@pytest.mark.parametrize("value", BAD)
def test_first_fault__is_the_earliest_of_all_arrays(value):
    arrays = {"a": np.zeros((3, 7)), "b": np.zeros((3, 7, 2)), "c": np.broadcast_to(1.0, (3, 7))}
    assert fault_in(arrays, 10) is None
    arrays["a"][1, 4] = value
    arrays["b"][2, 3, 1] = value
    arrays["b"][0, 6] = value
    fault = fault_in(arrays, 10, 100)
    assert (fault.name, fault.replicate, fault.generation) == ("b", 102, 13)
    assert str(fault) == f"b of replicate 102 is {value} at generation 13"
    arrays["c"] = np.broadcast_to(value, (3, 7))
    assert (fault_in(arrays, 10).name, fault_in(arrays, 10).generation) == ("c", 10)


def test_first_fault__large_numbers_are_none():
    assert sum([1.7e308] * 2) == math.inf
    assert fault_in({"a": np.full((2, 5), 1.7e308)}, 0) is None


def test_first_fault__lets_true_infinities_and_missing_generations_pass():
    values = np.zeros((2, 5, 3))
    values[0, 1, 2] = -math.inf
    values[:, 3] = math.nan
    assert fault_in({"a": values}, 0, limits=(-math.inf,), missing=True) is None
    assert fault_in({"a": values}, 0, limits=(-math.inf,)).generation == 3
    assert fault_in({"a": values}, 0, limits=(math.inf,), missing=True).generation == 1
    # Of one replicate, or of one entry, nothing is missing.
    for partly in ((1, 4), (slice(None), 4, 0)):
        wrong = values.copy()
        wrong[partly] = math.nan
        assert fault_in({"a": wrong}, 0, limits=(-math.inf,), missing=True).generation == 4


@pytest.mark.parametrize(
    ("family", "value", "block"), [(f, v, b) for f, v in itertools.product(families(), BAD) for b in (1, 5)]
)
def test_metric__out_of_range_stops_the_run_and_keeps_what_came_before(
    tmp_path,
    tables,
    monkeypatch,
    family,
    value,
    block,
):
    _, case, workflow = FIRST_OF[family]
    experiment = experiment_of(family, case, workflow, tables, n_generations=9)
    uninterrupted = simulate(experiment)
    name = next(
        name
        for name, variable in uninterrupted.variables.items()
        if name in uninterrupted.metrics and not variable.limits
    )
    model, done = type(model_of(experiment, load_truth(experiment.truth, tables))), [0]
    honest = model.measure

    def poisoned(self, block, truth, names):
        metrics = dict(honest(self, block, truth, names))
        first = done[0]
        done[0] += metrics[name].shape[1]
        if first <= 7 < done[0] and metrics[name].shape[1] < 9:
            metrics[name] = np.array(metrics[name])
            metrics[name][2, 7 - first] = value
        return metrics

    monkeypatch.setattr(model, "measure", poisoned)
    with pytest.raises(
        NonFiniteError, match=f"^{name} of replicate 2 is {value} at generation 7: the run stops there$"
    ):
        simulate(experiment, tmp_path / "out.h5", block=block)
    got = open_results(tmp_path / "out.h5")
    assert (got.last, got.complete) == (6, False)
    for mine, other in zip(everything(got), everything(uninterrupted), strict=True):
        for key, values in mine.items():
            expected = other[key][:7] if key.startswith(("metric", "state")) else other[key]
            np.testing.assert_array_equal(values, expected, err_msg=key)


@pytest.mark.parametrize("family", [name for name in families() if name != "discrete"])
def test_state__out_of_range_stops_the_run_recorded_or_not(tmp_path, tables, monkeypatch, family):
    """Metrics are finite; only the state is not."""
    _, case, workflow = FIRST_OF[family]
    experiment = experiment_of(family, case, workflow, tables, record=["metrics"], n_generations=9)
    uninterrupted = simulate(experiment)
    assert not uninterrupted.states
    model = type(model_of(experiment, load_truth(experiment.truth, tables)))
    honest, done = model.advance, [0]

    def poisoned(self, state, first, n_generations, *run):
        block = honest(self, state, first, n_generations, *run)
        if first == 4:
            recorded = [name for name in self.state_variables() if name in block.states]
            if not recorded:
                pytest.skip("states are not computed where they are not recorded")
            block.states[recorded[0]][1] = math.nan
        return block

    def sound(self, block, truth, names):
        done[0] += 1
        return {name: values[:, done[0] - 1 : done[0]].copy() for name, values in uninterrupted.metrics.items()}

    monkeypatch.setattr(model, "advance", poisoned)
    monkeypatch.setattr(model, "measure", sound)
    with pytest.raises(NonFiniteError, match="of replicate 1 is nan at generation 4: the run stops there"):
        simulate(experiment, tmp_path / "out.h5", block=1)
    assert open_results(tmp_path / "out.h5").last == 3


def test_deviation__of_a_subsample_of_one_point_is_zero_and_true():
    sections = {
        "model": {"family": "gaussian", "estimator": "mle"},
        "truth": {},
        "workflow": {
            "name": "accumulate_subsample",
            "n_samples": 3,
            "n_train": 3,
            "keep_real": False,
            "replacement": True,
        },
        "run": {"n_generations": 60, "n_replicates": 30, "seed": 1},
    }
    results = simulate(Experiment.from_mapping(sections))
    gone = np.isneginf(results.metrics["log_sigma"])
    assert gone.any()
    assert np.isposinf(results.metrics["kl_divergence"][gone]).all()
