"""The recorded experiment and recipe of a run."""

import dataclasses

import pytest

from fastcollapse.errors import UnreadableResults
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.recorded_experiment import recorded_experiment, recorded_recipe
from tests.storage._stored_runs import make_header


def test_recorded_experiment__is_that_of_the_header():
    sections = {
        "truth": {"uniform": 3},
        "workflow": {"name": "replace", "n_samples": 5},
        "run": {"n_generations": 1, "n_replicates": 2, "seed": 4},
    }
    experiment = Experiment.from_mapping(sections)
    header = dataclasses.replace(make_header(), experiment_json=experiment.json, inputs={"a.csv": "0" * 64})
    assert recorded_experiment(header, "a.h5") == experiment
    wrong = dataclasses.replace(header, experiment_json="{}")
    with pytest.raises(UnreadableResults, match=r"^a\.h5: its experiment is refused: "):
        recorded_experiment(wrong, "a.h5")


def test_recorded_recipe__of_a_text_without_one_is_none():
    assert recorded_recipe("", "a.h5") is None
    assert recorded_recipe("[run]\n", "a.h5") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("recipe = 3", "a.h5: its experiment_text is refused: recipe must be a table, got 3"),
        ("= =", "a.h5: is damaged: its experiment_text is not TOML"),
        ("a = " + "[" * 20_000, "a.h5: is damaged: its experiment_text is not TOML"),
    ],
)
def test_recorded_recipe__damaged_text_is_refused(text, words):
    with pytest.raises(UnreadableResults) as error:
        recorded_recipe(text, "a.h5")
    assert str(error.value) == words
