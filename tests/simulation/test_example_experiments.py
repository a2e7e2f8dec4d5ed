"""Small experiments of families, derived from the checks of their parameters."""

import contextlib
import dataclasses

import pytest

from fastcollapse.config.fields import BoolField, ChoiceField, FloatField, IntField, ListField, StringField, parameter
from fastcollapse.config.section_base import Section, TableField
from fastcollapse.errors import InputError
from fastcollapse.models.registry import families
from fastcollapse.models.registry import family as family_class
from fastcollapse.simulation.example_experiments import _variants, example_experiments
from fastcollapse.simulation.experiment import Experiment
from tests.test_conformance import VARIANTS, needs_of


@dataclasses.dataclass(frozen=True)
class Inner(Section):
    n: int = parameter(IntField(1, 9), "a number")


@dataclasses.dataclass(frozen=True)
class Outer(Section):
    kind: str = parameter(ChoiceField(lambda: ("a", "b")), "a kind")
    rate: float = parameter(FloatField(0, 1, above=True), "a rate")
    list: tuple = parameter(ListField(IntField(7, 10**9), shortest=3), "a list")
    fast: bool = parameter(BoolField(), "a flag", default=True)
    inner: object = parameter(TableField(Inner), "a table", default=None)
    name: str = parameter(StringField(), "a name", default="x")


def test_variants__have_every_choice_beside_the_first_of_the_others():
    required = {"kind": "a", "rate": 0.5, "list": [7, 7, 7]}
    assert _variants(Outer) == [
        required,
        {**required, "kind": "b"},
        {**required, "fast": False},
        {**required, "fast": True},
        {**required, "inner": {"n": 3}},
    ]
    for values in _variants(Outer):
        Outer(**values)


@pytest.mark.parametrize("family", families())
def test_examples__run_every_workflow_that_the_family_serves(family):
    served = set()
    for sections in example_experiments(family):
        with contextlib.suppress(InputError):  # the family lacks a capability
            served.add(Experiment.from_mapping(sections).workflow.name)
    capabilities = family_class(family).CAPABILITIES
    assert served == {values["name"] for values in VARIANTS if needs_of(values) <= capabilities}
