"""Published points, notes and sources: shown where every parameter is as published, and otherwise the change."""

import gzip
import re

import pytest

from fastcollapse import run_sweep, simulate
from fastcollapse.analysis.captions import caption_of
from fastcollapse.analysis.comparison import compare
from fastcollapse.analysis.figure_plots import plots_of_figure
from fastcollapse.analysis.figures import draw
from fastcollapse.analysis.panels.published import changed_texts, published, recipe_words
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.report import comparison_text, summary
from fastcollapse.analysis.sweep_figures import draw_sweep
from fastcollapse.datasets.shipped import recipes
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.load_experiment import load_experiment
from fastcollapse.sweeps.collected_results import open_sweep
from fastcollapse.sweeps.load import load_sweep

SHORT = {"run.n_replicates": 3, "run.n_generations": 30, "run.seed": 5}
SOURCE = "arXiv:2412.17646, figure of Theorem 3"


def changes_of(results):
    """Return what differs from the recipe of a run, in words."""
    return changed_texts(published(results).changes)


def words_in(figure):
    """Return the title of a figure and the lines below it, without line breaks."""
    lines = [figure.get_suptitle(), *(text.get_text() for text in figure.texts if text is not figure._suptitle)]
    return " ".join(" ".join(lines).split())


def run(experiment, values=SHORT):
    return simulate(experiment.with_values(values))


def copy_of(tmp_path, name, *edits):
    """Return the experiment of an edited copy of a shipped recipe."""
    text = recipes()[name].read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "copy.toml"
    path.write_text(text)
    return Experiment.from_toml(path)


def keys(results):
    return [change.key for change in published(results).changes]


def legend_of(figure):
    return " ".join(text.get_text() for axes in figure.axes for text in axes.get_legend().get_texts())


def test_published__settings_of_the_run_are_free():
    results = run(load_experiment("sur-gau"))
    assert keys(results) == []
    [points] = published(results).points
    # Of the nine published points, one is of a generation that the run has.
    assert (points.generations, points.values) == ((23,), (0.788,))
    assert panels_of(results, results.generation)[0].points == (points,)
    assert SOURCE in summary(results)
    assert "Note: The curve" in summary(results)
    figure = draw([results])
    assert SOURCE in caption_of(plots_of_figure([results]))
    assert figure.get_suptitle() == load_experiment("sur-gau").recipe.title
    assert "read off" in legend_of(figure)


def test_published__changed_parameter_compares_with_nothing_published():
    results = run(load_experiment("sur-gau", {"workflow.n_samples": 20}))
    assert keys(results) == ["workflow.n_samples"]
    assert all(panel.points == () for panel in panels_of(results, results.generation))
    changed = f"after {SOURCE}, changed: n_samples = 20 (published 10)"
    assert changes_of(results) == ["n_samples = 20 (published 10)"]
    # A picture has symbols in place of keys.
    pictured = f"after {SOURCE}, changed: $n$ = 20 (published 10)"
    for text, words in (
        (summary(results), changed),
        (comparison_text(results, compare(results)), changed),
        (words_in(draw([results])), pictured),
        (caption_of(plots_of_figure([results])), pictured.replace("$", "")),
    ):
        assert words in text
        assert text.count("arXiv") == 1
        assert "The curve that the published figure" not in text
    assert "read off" not in legend_of(draw([results]))


@pytest.mark.parametrize(
    ("edit", "key"),
    [
        (("n_samples = 10", "n_samples = 12"), "workflow.n_samples"),
        (("sigma = 1.0", "sigma = 2.0"), "truth.sigma"),
        (('"unbiased"', '"mle"'), "model.estimator"),
        (("eps = 0.1", "eps = 0.2"), "recipe.eps"),
        (('panels = ["tail"]', 'panels = ["log_sigma", "tail"]'), "recipe.panels"),
    ],
)
def test_published__edited_copy_is_compared_with_the_shipped_recipe(tmp_path, edit, key):
    retitled = ("A refitted Gaussian loses its deviation", "My title")
    results = run(copy_of(tmp_path, "sur-gau", edit, retitled))
    assert keys(results) == [key]
    assert published(results).points == ()
    words = recipe_words([results])
    assert words.source.startswith(f"after {SOURCE}, changed: {key.partition('.')[2]} = ")
    assert words.note == ""


def test_published__unchanged_copy_keeps_its_source(tmp_path):
    results = run(copy_of(tmp_path, "sur-gau", ("seed = 42", "seed = 43"), ("linear = true", "linear = false")))
    assert recipe_words([results]).source == SOURCE
    assert published(results).points


def test_published__points_are_those_of_the_case(tmp_path):
    second = run(load_experiment("sur-gmm").cases()[1])
    assert [points.values for points in published(second).points] == [(0.573,)]
    # Of a copy without the first case, the only case is still the second one of the shipped recipe.
    only = ('[[recipe.cases]]\n"model.estimator" = "approximate"\n', "")
    results = run(copy_of(tmp_path, "sur-gmm", only).cases()[0])
    assert [points.label.partition(",")[0] for points in published(results).points] == ["called maximum likelihood"]


def test_published__own_recipe_has_its_own_points(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        '[model]\nfamily = "poisson"\n[truth]\nrate = 2.0\n[workflow]\nname = "replace"\nn_samples = 10\n'
        "[run]\nn_generations = 5\nn_replicates = 3\nseed = 1\n"
        '[recipe]\ntitle = "Own"\nsource = "a paper"\n'
        '[[recipe.read_off]]\nlabel = "theirs"\ngenerations = [1, 9]\nvalues = [1.0, 0.5]\n'
    )
    own = Experiment.from_toml(path)
    assert published(simulate(own)).points[0].values == (1.0,)
    changed = simulate(own.with_values({"truth.rate": 3.0}))
    assert changes_of(changed) == ["rate = 3.0 (published 2.0)"]
    assert "Own, after a paper, changed: rate = 3.0 (published 2.0)\n" in summary(changed)
    assert all(panel.points == () for panel in panels_of(changed, changed.generation))


@pytest.mark.parametrize(
    ("name", "key", "value", "expected"),
    [
        ("replace-accumulate", "workflow.n_samples", 300, "n_samples = 300 (recipe 200)"),  # a comment in its line
        ("heat-death", "truth.uniform", 12, "uniform = 12 (recipe 10)"),  # its source says so of all numbers
        ("dd-logistic", "truth.rows", 5000, "rows = 5000 (published 10000)"),
    ],
)
def test_published__values_of_our_own_choice_are_not_called_published(name, key, value, expected):
    case = load_experiment(name, {key: value}).cases()[0]
    assert changes_of(run(case, {"run.n_generations": 1, "run.n_replicates": 2})) == [expected]


def test_published__keys_that_a_file_lacks_are_no_change(tmp_path):
    size = {"run.n_generations": 1, "run.n_replicates": 2}
    text = recipes()["sur-gau"].read_text().replace("n_samples = 10\n", "")
    (tmp_path / "copy.toml").write_text(text)
    (tmp_path / "own.toml").write_text(re.sub(r"(source|title|note) = .*", r'\1 = "own"', text).replace("0.788", "0.8"))
    got = {
        (name, n): changes_of(simulate(load_experiment(tmp_path / name, {**size, "workflow.n_samples": n})))
        for name in ("copy.toml", "own.toml")
        for n in (10, 20)
    }
    # A copy is compared with the shipped recipe, which has the key.
    assert got.pop(("copy.toml", 20)) == ["n_samples = 20 (published 10)"]
    assert set(map(tuple, got.values())) == {()}
    changed = load_experiment(tmp_path / "own.toml", {**size, "workflow.n_samples": 9, "truth.sigma": 2.0})
    assert changes_of(simulate(changed)) == ["sigma = 2.0 (published 1.0)"]


def test_published__other_data_of_the_same_name_is_a_change(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "wikitext2_sample.txt.gz").write_bytes(gzip.compress(b"one two three two\n" * 50))
    results = run(load_experiment("sur-uni"), {"run.n_generations": 2, "run.n_replicates": 2})
    [change] = changes_of(results)
    assert change.startswith('data/wikitext2_sample.txt.gz = "SHA-256 ')
    assert published(results).points == ()


def test_published__cases_of_a_recipe_name_each_change_once(tmp_path):
    size = {"run.n_generations": 1, "run.n_replicates": 2}
    copy = copy_of(tmp_path, "sur-gmm", ("n_samples = 10", "n_samples = 20"))
    words = recipe_words([run(case, size) for case in copy.cases()])
    assert words.source.endswith(", changed: n_samples = 20 (published 10)")
    cases = copy_of(tmp_path, "sur-bern", ('n_samples" = 100\n', 'n_samples" = 120\n')).cases()
    assert [changes_of(run(case, size)) for case in cases] == [[], ["n_samples = 120 (published 100)"]]


def test_published__points_from_elsewhere_name_their_source(tmp_path):
    source = ('label = "raw WikiText-2"', 'label = "raw WikiText-2"\nsource = "a rerun"')
    results = run(copy_of(tmp_path, "sur-uni", source), {"run.n_generations": 1, "run.n_replicates": 1})
    assert [points.label for points in published(results).points] == ["a rerun, other data (raw WikiText-2)"]
    with pytest.raises(InputError, match=r"recipe.read_off\[0\].source must be text, got 3"):
        copy_of(tmp_path, "sur-uni", (source[0], source[1].replace('"a rerun"', "3")))


def test_published__changed_sweep_says_so():
    size = {"run.n_generations": 1, "run.n_replicates": 2}
    point = load_sweep("cot-gau", size)[40].experiment
    assert "arXiv:2410.16713" in summary(simulate(point))
    changed = simulate(load_sweep("cot-gau", {**size, "truth.sigma": 2.0})[40].experiment)
    assert keys(changed) == ["truth.sigma"]
    assert "changed: sigma = 2.0 (published 1.0)\n" in summary(changed)


def test_published__title_of_a_changed_sweep_says_so(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(
        '[model]\nfamily = "poisson"\n[truth]\nrate = 2.0\n[workflow]\nname = "replace"\n'
        "[run]\nn_generations = 3\nn_replicates = 3\nseed = 1\n"
        '[recipe]\ntitle = "Own"\nsource = "a paper"\n[sweep.grid]\n"workflow.n_samples" = [5, 6]\n'
    )
    titles = []
    for number, values in enumerate(({"run.seed": 5}, {"truth.rate": 3.0})):
        folder = tmp_path / f"study{number}"
        run_sweep(load_sweep(own, values), folder)
        titles.append(words_in(draw_sweep(open_sweep(folder))))
    changed = r"after a paper, changed: $\lambda_0$ = 3 (published 2)"
    assert titles == ["Own generation 3", f"Own {changed}; generation 3"]
