"""A warning where the code of the user that is given is not that of the run at the path."""

import functools
import warnings

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.cli.main import main
from fastcollapse.errors import InputWarning
from fastcollapse.models.estimator.examples import Normal
from fastcollapse.simulation.other_code import warn_of_other_code
from fastcollapse.simulation.run_plan import plan_run

WORDS = {
    "truth": {"uniform": 20},
    "workflow": {"name": "replace", "n_samples": 30},
    "run": {"n_generations": 5, "n_replicates": 2, "seed": 1},
}
POINTS = {
    "model": {"family": "estimator"},
    "truth": {"normal_mixture": {"weights": [1.0], "means": [0.0], "covariances": [1.0]}, "n_test": 20},
    "workflow": {"name": "replace", "n_samples": 10},
    "run": {"n_generations": 5, "n_replicates": 2, "seed": 1},
}


class Silent:
    """Has no score, so that only its sample shows what it is."""

    scale = 1.0

    def fit(self, X):
        self.width = self.scale * X.std(axis=0)
        return self

    def sample(self, n, rng):
        return self.width * rng.standard_normal((n, len(self.width)))


class Other(Silent):
    scale = 1.01


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def of_largest(factor):
    return {"largest": lambda state: factor * state.probabilities.max()}


def test_function__that_was_edited_is_named_with_both_values(tmp_path):
    path = tmp_path / "a.h5"
    simulate(WORDS, path, metrics=of_largest(1))
    simulate(WORDS, path, metrics=of_largest(1))
    simulate(WORDS, path)  # without the function its recorded numbers are returned
    message = "a.h5 has numbers of other code .*: largest of replicate 0 at generation 0, 0.05 there and 0.1 here; over"
    with pytest.warns(InputWarning, match=message):
        assert simulate(WORDS, path, metrics=of_largest(2)).finished
    simulate(WORDS, path, metrics=of_largest(2), overwrite=True)
    simulate(WORDS, path, metrics=of_largest(2))


def test_function__of_a_longer_run_is_compared_too(tmp_path):
    longer = {**WORDS, "run": {**WORDS["run"], "n_generations": 7, "n_replicates": 3}}
    simulate(WORDS, tmp_path / "a.h5", metrics=of_largest(1))
    with pytest.warns(InputWarning, match="largest of replicate 0"):
        simulate(longer, tmp_path / "a.h5", metrics=of_largest(2), resume=True)


@pytest.mark.parametrize(
    ("recorded", "other"),
    [
        (functools.partial(Normal, unbiased=False), functools.partial(Normal, unbiased=True)),
        (functools.partial(Silent), functools.partial(Other)),
    ],
    ids=["score", "sample"],
)
def test_estimator__with_the_same_name_is_compared_by_its_numbers(tmp_path, recorded, other):
    path = tmp_path / "a.h5"
    simulate(POINTS, path, model=recorded)
    simulate(POINTS, path, model=recorded)
    with pytest.warns(InputWarning, match="of replicate 0 at generation"):
        simulate(POINTS, path, model=other)


def test_plan__of_a_new_run_or_without_code_runs_nothing(tmp_path):
    plan = plan_run(simulate(WORDS, tmp_path / "a.h5").experiment, tmp_path / "a.h5")
    warn_of_other_code(plan)
    warn_of_other_code(plan_run(plan.experiment, tmp_path / "b.h5", metrics={"largest": np.sum}))


def test_command__warns_of_an_edited_factory(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = """[model]
family = "estimator"
factory = "{}"
[truth]
normal_mixture = {{weights = [1.0], means = [0.0], covariances = [1.0]}}
n_test = 20
[workflow]
name = "replace"
n_samples = 10
[run]
n_generations = 3
n_replicates = 2
seed = 1
"""
    (tmp_path / "a.toml").write_text(text.format("tests.simulation.test_other_code:Silent"))
    for scale, is_warned in ((1.0, False), (1.0, False), (2.0, True)):
        monkeypatch.setattr(Silent, "scale", scale)
        with pytest.raises(SystemExit) as ended:
            main(["run", "a.toml", "-o", "a.h5"])
        assert ended.value.code == 0
        assert ("a.h5 has numbers of other code" in capsys.readouterr().err) == is_warned
