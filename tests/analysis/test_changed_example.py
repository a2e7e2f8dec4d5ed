"""Examples of changes: each shipped recipe and sweep accepts its own."""

import pytest

from fastcollapse.analysis import changed_example as module
from fastcollapse.analysis.changed_example import changed_example
from fastcollapse.api.reproduce import reproduce
from fastcollapse.datasets.recipe_files import shipped
from fastcollapse.simulation.load_experiment import load_experiment
from fastcollapse.sweeps.load import load_sweep

EVERYTHING = [pytest.param(one.kind, one.name, id=f"{one.kind} {one.name}") for one in shipped()]


@pytest.mark.parametrize(("kind", "name"), EVERYTHING)
def test_example__is_accepted_and_changes_the_experiment(kind, name):
    change = changed_example(name, kind)
    load = load_experiment if kind == "recipe" else load_sweep
    assert load(name, {change.key: change.value}).digest != load(name).digest


@pytest.mark.parametrize(("name", "setting"), [("sur-gau", "workflow.n_samples=20"), ("cot-lin-t", "model.sigma=2.0")])
def test_example__is_a_key_that_no_case_sets(name, setting):
    assert changed_example(name, "recipe").setting == setting


def test_example__is_refused_without_a_number(monkeypatch):
    monkeypatch.setattr(module, "_KEYS", ("model.family",))
    with pytest.raises(module.InputError, match="sur-gau has no number that can be changed"):
        changed_example("sur-gau", "recipe")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sur-gau", "sur-uni", "cot-lin-t", "heat-death", "dfk-linear", "seddik-contexts"])
def test_example__runs(name):
    """Recipes of several families, whose changed keys are in several sections."""
    change = changed_example(name, "recipe")
    one = reproduce(name, {change.key: change.value})
    assert one.agrees is not False
    assert one.plot().axes
