"""Hints for unknown keys name keys that the present family and workflow accept, or say whose key it is."""

import re

import pytest

from fastcollapse.errors import InputError
from fastcollapse.models.registry import families
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.key_hints import accepted_keys, key_hint
from fastcollapse.sweeps.points import Sweep
from tests.test_conformance import CASES, experiment_of

DISCRETE = {
    "truth": {"uniform": 10},
    "workflow": {"name": "replace", "n_samples": 5},
    "run": {"n_generations": 1, "n_replicates": 1},
}
RIDGE = {
    **DISCRETE,
    "model": {"family": "ridge", "designs": "independent", "sigma": 1.0},
    "truth": {"dimension": 2},
}
BARE = {
    "n_samples": (DISCRETE, "(did you mean 'workflow.n_samples'?)"),
    "n_samples of ridge": (RIDGE, "(did you mean 'workflow.n_samples'?)"),
    "seed": (DISCRETE, "(did you mean 'run.seed'?)"),
    "n_gen": (DISCRETE, "(did you mean 'run.n_generations'?)"),
    "replicates": (DISCRETE, "(did you mean 'run.n_replicates'?)"),
    "design": (DISCRETE, "; truth.design belongs to model.family ridge, not to discrete"),
    "design of ridge": (RIDGE, "(did you mean 'truth.design'?)"),
    "n_real": (DISCRETE, "; workflow.n_real belongs to accumulate, mix, not to replace"),
    "family": (DISCRETE, "(did you mean 'model.family'?)"),
}


@pytest.mark.parametrize("case", BARE)
def test_bare_key__hint_is_a_key_of_this_family_and_workflow(case):
    mapping, words = BARE[case]
    name = case.partition(" ")[0]
    expected = re.escape(f"{name!r} must be a section and a key such as run.seed") + " ?" + re.escape(words)
    with pytest.raises(InputError, match=f"^{expected}$"):
        Experiment.from_mapping(mapping).with_values({name: 5})


def test_bare_key__workflow_that_is_set_too_decides():
    with pytest.raises(InputError, match=re.escape("(did you mean 'workflow.n_real'?)")):
        Experiment.from_mapping(DISCRETE).with_values({"workflow.name": "mix", "n_real": 5})


IN_SECTION = {
    "truth.precision": (DISCRETE, "; model.precision belongs to model.family kernel_ridge, not to discrete"),
    "model.scale": (DISCRETE, "belongs to model.family kernel_ridge, not to discrete"),
    "truth.dimension": (DISCRETE, "belongs to model.family gaussian or glm or ridge, not to discrete"),
    "workflow.n_real": (DISCRETE, "belongs to accumulate, mix, not to replace"),
    "model.n_samples": (DISCRETE, "is not a known key, use family, engine (did you mean 'workflow.n_samples'?)"),
    "run.n_samples": (DISCRETE, "(did you mean 'workflow.n_samples'?)"),
    "workflow.seed": (DISCRETE, "is not a known key, use name, n_samples (did you mean 'run.seed'?)"),
    "model.design": (RIDGE, "(did you mean 'truth.design'?)"),
    "model.sigmo": (RIDGE, "(did you mean 'sigma'?)"),
    "model.uniform": (RIDGE, "; truth.uniform belongs to model.family discrete, not to ridge"),
}


@pytest.mark.parametrize("key", IN_SECTION)
def test_key_in_a_section__says_whose_it_is_or_what_is_meant(key):
    mapping, words = IN_SECTION[key]
    with pytest.raises(InputError, match=rf"^{key} .*{re.escape(words)}$"):
        Experiment.from_mapping(mapping).with_values({key: 5})


def test_truth__unknown_key_does_not_replace_the_truth_of_the_file():
    with pytest.raises(InputError) as caught:
        Experiment.from_mapping(DISCRETE).with_values({"truth.unifrom": 5})
    assert str(caught.value).startswith("truth.unifrom is not a known key, use text, token_pattern, case, unit, counts")
    assert "exactly one" not in str(caught.value)


def test_key_without_a_section_in_a_file__names_its_section():
    known = "model, truth, workflow, run, sampling, recipe"
    words = f"n_samples is not a known section, use {known} (did you mean 'workflow.n_samples'?)"
    with pytest.raises(InputError, match=re.escape(words)):
        Experiment.from_mapping({**DISCRETE, "n_samples": 5})


def test_key_without_a_section_in_a_sweep__names_its_section():
    words = r'sweep\.grid\."n_samples" must be a section and a key .*\(did you mean \'workflow\.n_samples\'\?\)$'
    with pytest.raises(InputError, match=words):
        Sweep({**DISCRETE, "sweep": {"grid": {"n_samples": [5, 6]}}})


@pytest.mark.parametrize(("family", "case", "workflow"), [param.values for param in CASES])
def test_accepted_keys__are_those_of_an_experiment(family, case, workflow, tmp_path_factory):
    mapping = experiment_of(family, case, workflow, tmp_path_factory.mktemp("tables")).to_mapping()
    keys = {f"{section}.{key}" for section, table in mapping.items() for key in table}
    assert keys <= set(accepted_keys(family, workflow["name"]))


@pytest.mark.parametrize("family", families())
def test_key_hint__never_names_a_key_of_another_family(family):
    """Every key of every family, by its last part."""
    accepted = accepted_keys(family, "replace")
    names = {key.rpartition(".")[2] for other in families() for key in accepted_keys(other, "mix")}
    for name in names:
        meant = re.findall(r"did you mean '(.*?)'", key_hint(name, family, "replace"))
        assert set(meant) <= set(accepted)
