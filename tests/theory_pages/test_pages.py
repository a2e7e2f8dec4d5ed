"""Pages of docs/explanation/theory: each names every function of its topic, and shows the output of its commands."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from fastcollapse import theory
from fastcollapse.cli.main import main

PAGES = Path(__file__).parents[2] / "docs" / "explanation" / "theory"


def commands(topic):
    """Return the commands that a page evaluates, each with the output below it."""
    text = (PAGES / f"{topic}.md").read_text()
    blocks = re.findall(r"^```\n(\$ fastcollapse.*?)^```", text, re.DOTALL | re.MULTILINE)
    found = [entry.partition("\n") for block in blocks for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command, output) for command, _, output in found]


@pytest.mark.parametrize("topic", theory.__all__)
def test_page__names_every_function(topic):
    text = (PAGES / f"{topic}.md").read_text()
    functions = getattr(theory, topic).__all__
    assert [name for name in functions if f"`{name}`" not in text] == []


@pytest.mark.parametrize("topic", theory.__all__)
def test_page__shows_the_output_of_its_commands(topic):
    assert len(commands(topic)) > 5
    for command, shown in commands(topic):
        result = CliRunner().invoke(main, shlex.split(command)[1:])
        assert (result.exit_code, result.exception) == (0, None), command
        got, expected = result.output.split(), shown.split()
        assert [word for word in got if not _is_number(word)] == [word for word in expected if not _is_number(word)]
        numbers = [float(word) for word in expected if _is_number(word)]
        assert [float(word) for word in got if _is_number(word)] == pytest.approx(numbers, rel=2e-5), command


def _is_number(word):
    return re.fullmatch(r"-?[\d.]+(e[-+]?\d+)?|-?inf|nan", word) is not None
