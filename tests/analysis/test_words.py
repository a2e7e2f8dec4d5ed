"""Words of keys and values in figures: all shipped recipes and sweeps have them, and plain text has no mathtext."""

import tomllib
from collections.abc import Mapping

import pytest
from matplotlib.mathtext import MathTextParser

from fastcollapse.analysis.panels.published import Change, RecipeWords
from fastcollapse.analysis.sweep_axes import Side
from fastcollapse.analysis.word_table import VALUES, WORDS
from fastcollapse.analysis.words import (
    axis_label,
    case_words,
    escaped,
    group_words,
    overlaid_words,
    parameter_values,
    plain,
    setting,
    settings,
    source_words,
    value_words,
    words_of,
)
from fastcollapse.datasets.shipped import recipes, sweeps
from fastcollapse.sweeps.axes import SweptParameter, named_axes
from fastcollapse.sweeps.points import Sweep

RECIPES = {name: tomllib.loads(path.read_text(encoding="utf-8")) for name, path in recipes().items()}
CASES = {name: text["recipe"]["cases"] for name, text in RECIPES.items() if "cases" in text.get("recipe", {})}


def leaves(key, value):
    """Yield the dotted keys of a value, a table by its entries."""
    if isinstance(value, Mapping):
        for name, entry in value.items():
            yield from leaves(f"{key}.{name}", entry)
    else:
        yield key, value


def outside_mathtext(text):
    return "".join(text.split("$")[::2])


def swept():
    for name, path in sweeps().items():
        for axis in named_axes(Sweep.from_toml(path)):
            yield name, axis


@pytest.mark.parametrize("name", CASES)
def test_words__of_every_key_and_name_of_a_case(name):
    pairs = [pair for case in CASES[name] for key, value in case.items() for pair in leaves(key, value)]
    assert {key for key, _ in pairs} <= set(WORDS)
    for key, value in pairs:
        if isinstance(value, str) and "_" in value:
            assert value in VALUES[key]


def test_words__of_every_swept_key():
    keys = {
        key
        for path in sweeps().values()
        for axis in Sweep.from_toml(path).axes
        for entry, values in zip(axis.keys, axis.values, strict=True)
        for value in values
        for key, _ in leaves(entry, value)
    }
    assert len(keys) > 15
    assert keys <= set(WORDS)


@pytest.mark.parametrize("name", CASES)
def test_case_words__have_no_keys(name):
    cases = CASES[name]
    overlay = RECIPES[name]["recipe"].get("overlay")
    names = case_words(cases)
    assert len(set(names)) == len(cases)
    if overlay is not None:
        names += [group_words(case, overlay) for case in cases] + overlaid_words(cases, overlay)
    for text in names:
        assert "_" not in outside_mathtext(text)
        assert "$" not in plain(text)
        assert "\\" not in plain(text)


@pytest.mark.parametrize(("name", "axis"), [pytest.param(*one, id=f"{one[0]}-{one[1].dim}") for one in swept()])
def test_side__has_words_of_shipped_sweeps(name, axis):
    side = Side(axis, 0)
    for text in (side.label, *side.names, *side.groups):
        assert "_" not in outside_mathtext(text)
        assert "{" not in outside_mathtext(text)
    assert len(set(side.groups)) == len(set(side.names)) == axis.length


@pytest.mark.parametrize("text", [f"${symbol}$" for _, symbol in WORDS.values() if symbol])
def test_symbols__are_mathtext(text):
    MathTextParser("path").parse(text)


def test_words__of_keys_of_users():
    assert words_of("model.tree_depth") == ("tree depth", "")
    assert axis_label("model.tree_depth") == "tree depth"
    assert setting("model.tree_depth", 3) == "tree depth 3"
    assert setting("model.tree_kind", "very_deep") == "tree kind very deep"
    assert settings({"model.cost": "5 $", "truth.text": "my_file.txt"}) == r"cost 5 \$, text my_file.txt"


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("workflow.n_samples", 100_000, "$n$ = 100,000"),
        ("workflow.n_samples", "truth", "$n$ = truth"),
        ("workflow.name", "accumulate_subsample", "accumulate-subsample"),
        ("workflow.keep_real", False, "real data dropped"),
        ("workflow.real_share", [0.0, 0.5, 0.5], "share of real data 0 for 1 generation, then 0.5"),
        ("truth.probabilities", [0.25, 0.75], "$p$ = (0.25, 0.75)"),
        ("truth.zipf_mandelbrot", {"a": 1.0, "size": 1000}, "$a$ = 1, $K$ = 1,000"),
        ("truth", {"shape": "swiss_roll"}, "swiss roll"),
        ("model.parameters", {"depth": 2}, "parameters depth 2"),
        ("model.bandwidth", "scott", "Scott's rule"),
        ("sampling.best_of.k", "infinite", r"$k$ = $\infty$"),
    ],
)
def test_setting__is_in_words(key, value, expected):
    assert setting(key, value) == expected


def test_value_words__leave_the_key_out():
    assert value_words("workflow.n_samples", 1000) == "1,000"
    assert value_words("truth.noise", 0.05) == "0.05"
    assert value_words("truth.mean", 1e9) == "1e+09"


def test_source_words__name_changes_in_words():
    def change(key, value, recipe):
        return Change(key, value, recipe, "published")

    changes = (change("workflow.n_samples", 20, 10), change("model.estimator", "mle", None))
    words = RecipeWords("Title", "after arXiv:1, changed: n_samples = 20 (published 10), estimator", "", changes)
    expected = "after arXiv:1, changed: $n$ = 20 (published 10), maximum likelihood (published none)"
    assert source_words(words) == expected
    many = tuple(change(f"truth.{name}", 1, 2) for name in ("sigma", "mean", "alpha", "rate"))
    names = "true deviation, true mean, stability, true rate"
    assert source_words(words._replace(changes=many)) == f"after arXiv:1, changed: {names}"
    assert source_words(RecipeWords("Title", "arXiv:1", "")) == "arXiv:1"


def test_case_words__leave_out_what_all_cases_share():
    cases = [
        {"workflow.name": "replace", "truth.dimension": 3},
        {"workflow.name": "accumulate", "truth.dimension": 3, "workflow.keep_real": True},
    ]
    assert case_words(cases) == ["replace", "accumulate"]
    assert case_words(cases[:1]) == ["replace, $d$ = 3"]
    assert case_words([{"workflow.name": "replace"}, {}]) == ["replace", ""]
    both = [{"truth.rate": rate, "workflow.n_samples": n} for rate, n in ((1, 10), (2, 20))]
    assert case_words(both) == [r"$\lambda_0$ = 1", r"$\lambda_0$ = 2"]


def test_parameter_values__of_tables_are_what_differs():
    def parameter(*values):
        return SweptParameter("truth.zipf_mandelbrot", "law", values_of(values))

    def values_of(values):
        axis = named_axes(
            Sweep(
                {
                    "model": {"family": "discrete"},
                    "workflow": {"name": "replace", "n_samples": 5},
                    "run": {"n_generations": 2, "n_replicates": 2, "seed": 1},
                    "sweep": {"grid": {"truth.zipf_mandelbrot": list(values)}},
                }
            )
        )[0]
        return axis.parameters[0].values

    one, two = {"a": 1.0, "b": 0.0, "size": 5}, {"a": 2.0, "b": 0.0, "size": 5}
    assert parameter_values(parameter(one, two)) == ["$a$ = 1", "$a$ = 2"]
    assert parameter_values(parameter(one)) == ["$a$ = 1, $b$ = 0, $K$ = 5"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$n$ = 10", "n = 10"),
        (r"$\Pr(\sigma_t > \epsilon)$", "Pr(sigma_t > eps)"),
        (r"log deviation $\ln(\sigma_t/\sigma_0)$", "log deviation ln(sigma_t/sigma_0)"),
        (r"variance $\mathrm{tr}\,\Sigma_t/\mathrm{tr}\,\Sigma_0$", "variance tr Sigma_t/tr Sigma_0"),
        (r"$\Vert w_t - w_0\Vert^2$", "|w_t - w_0|^2"),
        (r"$\hat{\theta}_t$, $\bar{x}$", "theta_t, x"),
        (r"$t^{-1/2}$, $\pi^2/6$", "t^-1/2, pi^2/6"),
        (r"$\sqrt{n}$ at $\infty$", "sqrt(n) at infinity"),
        (r"cost \$5 and \$6", "cost $5 and $6"),
        ("one $ alone", "one $ alone"),
        ("nothing", "nothing"),
    ],
)
def test_plain__has_no_mathtext(text, expected):
    assert plain(text) == expected
    assert plain(escaped(text)) == text


@pytest.mark.parametrize("path", [*recipes().values(), *sweeps().values()], ids=lambda path: path.stem)
def test_titles__of_recipes_are_one_short_line(path):
    section = tomllib.loads(path.read_text(encoding="utf-8")).get("recipe", {})
    title, note = section.get("title", ""), section.get("note", "")
    assert len(title) <= 60
    assert not {"_", "`", "$", "\n"} & set(title)
    assert not {"_", "`", "$", "\n"} & set(note)
