"""Templates of experiment files: valid, complete, and with true defaults."""

import re
import tomllib

import pytest

from fastcollapse.config.toml_text import toml_value
from fastcollapse.models.registry import families
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.experiment_template import experiment_template
from fastcollapse.simulation.parameter_table import parameters

KEY = re.compile(r"^#?(\w+) = ", re.MULTILINE)


def experiment_of(text):
    return Experiment.from_mapping(tomllib.loads(text))


@pytest.mark.parametrize("family", families())
def test_template__has_each_key_of_the_family(family):
    text = experiment_template(family)
    found = []
    for block in re.split(r"^(?=\[)", text, flags=re.MULTILINE)[1:]:
        found += [f"{block[1 : block.index(']')]}.{key}" for key in KEY.findall(block)]
    # Workflows may have a key of one name with another meaning.
    assert sorted(found) == sorted(one.key for one in parameters(family) if one.key.count(".") == 1)


@pytest.mark.parametrize("family", families())
def test_template__defaults_that_are_set_change_nothing(family):
    text = experiment_template(family)
    expected = experiment_of(text)
    assert expected.family == family
    own, rest = text.split("\n\n# With name = ")[0], text.partition("\n[run]")[2]
    whole = f"{own}\n[run]{rest}" if "# With name" in text else text
    assert experiment_of(whole) == expected
    lines = whole.split("\n")
    n_set = 0
    for i, line in enumerate(lines):
        has_default = line.startswith("#") and KEY.match(line) and "Default: " in comment_before(lines, i)
        if has_default:
            lines[i] = line[1:]
            n_set += 1
    assert n_set >= 1
    assert experiment_of("\n".join(lines)) == expected


def comment_before(lines, i):
    """Return the comment of the key in a line."""
    first = i
    while lines[first - 1].startswith("# "):
        first -= 1
    return " ".join(line[2:] for line in lines[first:i])


@pytest.mark.parametrize("family", families())
def test_template__keys_that_are_not_set_are_toml(family):
    for line in re.findall(r"^#(\w+ = .*)$", experiment_template(family), re.MULTILINE):
        assert tomllib.loads(line)
    assert max(map(len, experiment_template(family).splitlines())) <= 120


@pytest.mark.parametrize("value", [1, 2.5, 1e-300, True, 'a "b"\n', [1, [2.0]], {"a": {"b": [1]}, "c": "x"}])
def test_toml_value__is_read_back(value):
    assert tomllib.loads(f"value = {toml_value(value)}")["value"] == value
