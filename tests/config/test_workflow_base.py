import dataclasses

import pytest

from fastcollapse.config.sampling import Sampling
from fastcollapse.config.workflow_base import Workflow
from fastcollapse.config.workflows import WORKFLOWS, Accumulate


def optional_keys(section):
    """Return the keys that are absent by default; each is a stage of its own."""
    return {field.name for field in dataclasses.fields(section) if field.default is None}


@pytest.mark.parametrize("section", [*WORKFLOWS.values(), Sampling], ids=lambda section: section.__name__)
def test_examples__have_every_optional_key(section):
    assert optional_keys(section) <= {key for example in section.EXAMPLES for key in example}
    assert all(set(example) <= {field.name for field in dataclasses.fields(section)} for example in section.EXAMPLES)


def test_needs__of_the_base_are_none():
    assert Workflow(n_samples=3).needs() == frozenset()


def test_optional_keys__include_the_stages():
    assert optional_keys(Accumulate) == {"window", "discount", "weight", "n_real"}
