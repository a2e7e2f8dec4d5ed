"""Theory commands: list, documentation, and error messages that name the arguments."""

import inspect
import os
import subprocess
import sys
import warnings

import pytest

from fastcollapse.cli.theory import evaluate, explain, list_functions, theory_functions
from fastcollapse.errors import InputError

REFUSED = {
    "n 1e20": ("survival_bounds p0=0.1 n=1e20 k=1", r"n must be at most 9007199254740992, got 1\.e\+20"),
    "n 10^30": (f"survival_bounds p0=0.1 n={10**30} k=1", "n must be at most 9007199254740992"),
    "k inf": ("survival_bounds p0=0.1 n=5 k=Infinity", "k must be at most 9007199254740992|at most 10000000"),
    "k nan": ("survival_bounds p0=0.1 n=5 k=NaN", "k must be a whole number of at least 0, got nan"),
    "k 10^9": ("survival_bounds p0=0.1 n=100 k=1000000000", "k must be at most 10000000, got 1000000000"),
    "k_max 10^9": ("g k_max=1000000000", "k_max must be at most 10000000"),
    "t 10^9": ("accumulate_factor n=5 t=1000000000", "t must be at most 10000000"),
    "chain": (
        "exact_chain p0=0.1 n=1000 k_max=1000000",
        "k_max must be at most 49900 for 1001 counts and p0 of size 1",
    ),
    "truncated": (
        "exact_survival_truncated p0=0.1 n=10000 k_max=1000000",
        "k_max must be at most 71225 for 701 counts and p0 of size 1",
    ),
    "rows": ("g k_max=200000", "the table of g must have at most 100000 rows, got 200001"),
    "k true": ("g_at k=true", "k must be a whole number of at least 0, got True"),
    "c true": ("phi c=true", "c must be numeric, got True"),
    "c word": ("phi c=a", "c must be numeric, got 'a'"),
    "h0 list": (
        "not_collapsed_bounds h0=0.1,0.2 m=2 n=5 k=1",
        r"h0 must be a single number, got \[0.1, 0.2\]",
    ),
    "h0 word": ("not_collapsed_bounds h0=a m=2 n=5 k=1", "h0 must be numeric, got 'a'"),
    "late h0 list": ("late_entropy h0=0.1,0.2 n=5 k=1", "h0 must be a single number"),
    "h1 list": ("seddik_partial_limit h1=0.1,0.2 n_real=5 n=1", "h1 must be a single number"),
    "n list": ("survival_bounds p0=0.1 n=5,6 k=1", r"n must be a single number, got \[5, 6\]"),
    "schedule h0": ("expected_heterozygosity h0=0.1,0.2 n_synthetic=1,2", "h0 must be a single number"),
    "real": ("expected_heterozygosity h0=0.5 n_synthetic=1,2 real=1,2", "real must be 'none', 'fresh'"),
    "flag": (
        "expected_heterozygosity h0=0.5 n_synthetic=1,2 replacement=abc",
        "replacement must be true or false, got 'abc'",
    ),
    "order": ("mean_absorption p0=0.5 n=5 order=1,2", "order must be a single number"),
    "form": ("mean_first_loss p=0.5,0.5 n=5 form=1,2", "form must be 'lattice' or 'continuum'"),
}


def test_list__has_each_function_once_by_module():
    names, modules = [], []
    for line in list_functions().splitlines():
        if line and not line.startswith(" "):
            modules.append(line)
        elif line.startswith("  ") and not line.startswith("   "):
            names.append(line.strip().partition("(")[0])
    assert sorted(names) == sorted(theory_functions())
    assert modules == sorted(set(modules))
    assert "workflow_factors" in modules


def test_explain__has_notation_of_module():
    text = explain("survival_bounds")
    assert text.startswith("survival_bounds(p0, n, k)\n\nReturn ")
    assert "\nNotation\n--------\n" in text
    assert "p0 : " in text


def test_functions__are_listed_and_explained_without_docstrings():
    code = (
        "from fastcollapse.cli.theory import evaluate, explain, list_functions\n"
        "assert '  g_at(k)' in list_functions().splitlines()\n"
        "print(explain('g_at'), evaluate('g_bounds', ['k=1,2']))"
    )
    environment = {**os.environ, "PYTHONOPTIMIZE": "2"}
    command = [sys.executable, "-c", code]
    got = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    assert got.split()[:6] == ["g_at(k)", "k", "value", "1", "value", "2"]


@pytest.mark.parametrize("case", REFUSED)
def test_evaluate__refuses_in_one_line_without_warning(case):
    command, message = REFUSED[case]
    name, *settings = command.split()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match=message) as caught:
            evaluate(name, settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(theory_functions()))
@pytest.mark.parametrize("value", ["a", "true", "Infinity", "1e300", "[]", "-1", "1,2,3"])
def test_evaluate__any_argument_value_gives_table_or_one_line(name, value):
    keys = inspect.signature(theory_functions()[name]).parameters
    message = ""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            evaluate(name, [f"{key}={value}" for key in keys])
        except InputError as error:
            message = str(error)
    assert "\n" not in message
    assert "cannot be evaluated there" not in message
