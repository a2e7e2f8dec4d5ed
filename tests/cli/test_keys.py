"""Commands `keys` and `new`: every key of a family, and a template that runs as it is."""

import re

import pytest

from fastcollapse.config.workflows import WORKFLOWS
from fastcollapse.models.registry import families
from fastcollapse.simulation.parameter_table import parameters
from tests.cli._commands import call


@pytest.mark.parametrize("family", families())
def test_keys__of_a_family_are_those_that_it_accepts(family):
    result = call("keys", family)
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    for one in parameters(family):
        assert f" {one.key} {one.help}; {one.kind} [{one.default}]" in text
    others = {one.key for one in parameters()} - {one.key for one in parameters(family)}
    assert not others & set(re.findall(r"^  ([a-z]\w+\.[\w.]+)", result.stdout, re.MULTILINE))


def test_keys__without_a_family_lists_sections_families_and_workflows():
    result = call("keys")
    assert result.exit_code == 0
    names = re.findall(r"^  (\S+)", result.stdout, re.MULTILINE)
    assert names[:5] == ["[model]", "[truth]", "[workflow]", "[sampling]", "[run]"]
    assert names[-len(WORKFLOWS) - len(families()) :] == [*families(), *WORKFLOWS]


@pytest.mark.parametrize("family", families())
def test_new__runs_as_it_is_and_agrees_with_theory(family, here):
    result = call("new", family)
    assert (result.exit_code, result.stderr) == (0, "")
    (here / "my.toml").write_text(result.stdout)
    run = call("run", "my.toml", "-o", "out.h5", "--seed", 1)
    assert run.exit_code == 0, run.output
    assert call("compare", "out.h5").exit_code == 0


@pytest.mark.parametrize("command", ["keys", "new"])
def test_keys__of_an_unknown_family_name_the_nearest(command):
    result = call(command, "gausian")
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(
        r"error: model.family must be one of .*, got 'gausian' \(did you mean 'gaussian'\?\)\n", result.stderr
    )
