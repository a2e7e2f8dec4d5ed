"""Roles of every family: known roles, metrics that exist, theorems with functions that exist."""

import re

import numpy as np
import pytest

from fastcollapse.config.workflows import WORKFLOWS
from fastcollapse.models.registry import families, family
from fastcollapse.models.roles import ROLES, Excluded, Reading, SymbolModes, Unanswered, share_left, share_lost


def readings(name):
    return [one for role in family(name).ROLES.values() if isinstance(role, tuple) for one in role]


@pytest.mark.parametrize("name", families())
def test_roles__every_shipped_family_answers_every_role(name):
    model = family(name)
    assert set(model.ROLES) == set(ROLES)
    for role in model.ROLES.values():
        assert isinstance(role, SymbolModes | Excluded | Unanswered) or all(isinstance(one, Reading) for one in role)
        assert not isinstance(role, Excluded | Unanswered) or "\n" not in role.reason
    for reading in readings(name):
        assert set(reading.metrics) <= set(model.METRICS)


@pytest.mark.parametrize("name", families())
def test_roles__limits_name_workflows_and_functions_of_the_theory(name):
    from fastcollapse.cli.theory import theory_functions

    known = theory_functions()
    for reading in readings(name):
        assert set(reading.limits) <= set(WORKFLOWS)
        for limit in [one for several in reading.limits.values() for one in several]:
            (function,) = re.findall(r"\((\w+)\)$", limit.words)
            assert function in known


def test_shares__of_the_start():
    values = np.array([[4.0, 1.0], [0.0, 1.0]])
    np.testing.assert_array_equal(share_left(values), [[1, 0.25], [np.nan, np.nan]])
    np.testing.assert_array_equal(share_lost(values), [[0, 0.75], [np.nan, np.nan]])
