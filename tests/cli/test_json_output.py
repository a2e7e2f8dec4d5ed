"""Option `--json`: standard output is valid JSON and nothing else; refusals are on standard error."""

import json

import pytest

from fastcollapse import open_results
from fastcollapse.cli.json_output import plain
from fastcollapse.cli.theory import theory_functions
from tests.cli._commands import TOML, call


def strict(text):
    """Return the value of a JSON text, in which NaN and infinities are errors."""

    def refuse(word):
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


def test_plain__has_no_value_that_json_lacks():
    values = {"a": [float("nan"), float("inf")], 1: (float("-inf"), {"b"})}
    assert strict(json.dumps(plain(values), allow_nan=False)) == {"a": [None, "inf"], "1": ["-inf", ["b"]]}


def test_info__as_json(ran):
    record = strict(call("info", ran[0] / "small.h5", "--json").stdout)
    results = open_results(ran[0] / "small.h5")
    assert record["digest"] == results.digest
    assert record["experiment"] == json.loads(results.experiment.json)
    assert record["bytes"] == (ran[0] / "small.h5").stat().st_size


def test_compare__as_json_has_the_exit_status_of_the_text(ran, monkeypatch):
    result = call("compare", ran[0] / "small.h5", "--json")
    record = strict(result.stdout)
    assert (result.exit_code, record["disagrees"]) == (0, False)
    monkeypatch.setattr("fastcollapse.analysis.panels.discrete.replace_only_size", lambda results: 240)
    result = call("compare", ran[0] / "small.h5", "--json")
    assert (result.exit_code, strict(result.stdout)["disagrees"]) == (1, True)


def test_status__as_json(here):
    (here / "w.toml").write_text(TOML.replace("n_samples = 200", "") + '[sweep.grid]\n"workflow.n_samples" = [5, 6]\n')
    assert call("sweep", "w.toml", "-o", "study", "--jobs", 1).exit_code == 0
    record = strict(call("status", "study", "--json").stdout)
    assert (record["n_points"], record["done"], record["missing"], record["failed"]) == (2, [0, 1], [], {})


def test_theory__as_json():
    record = strict(call("theory", "g_at", "k=1..3", "--json").stdout)
    assert record["columns"] == ["k", "g_at"]
    assert [row["k"] for row in record["rows"]] == [1, 2, 3]
    assert record["rows"][1]["g_at"] == theory_functions()["g_at"](2)
    one = strict(call("theory", "survival_bounds", "--json").stdout)
    assert [argument["name"] for argument in one["arguments"]] == ["p0", "n", "k"]
    assert [one["name"] for one in strict(call("theory", "--json").stdout)] == list(theory_functions())


@pytest.mark.parametrize(
    "words",
    [
        ["info", "none.h5"],
        ["compare", "small.toml"],
        ["status", "none"],
        ["recipes", "none"],
        ["theory", "none"],
        ["theory", "g_at", "k=-1"],
    ],
)
def test_refusals__are_on_standard_error_alone(words, here):
    result = call(*words, "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
