"""Facts of a run, in a line and as HTML."""

from fastcollapse import simulate
from fastcollapse.api.results_html import facts, results_html, results_line
from fastcollapse.simulation.load_experiment import load_experiment
from tests.simulation._small_results import make_results


def test_facts__name_an_escaped_file(tmp_path):
    path = tmp_path / "<b>&.h5"
    results = make_results(path)
    assert facts(results)["file"] == str(path)
    assert results_line(results).startswith(f"{path}, 2 replicates, 1 of 1 generations")
    assert "&lt;b&gt;&amp;.h5" in results_html(results)


def test_html_and_comparison__of_a_changed_recipe_name_the_change():
    recipe = load_experiment("sur-gau").with_values({"run.n_generations": 5, "run.n_replicates": 3})
    changed = simulate(recipe.with_values({"workflow.n_samples": 20}))
    words = "after arXiv:2412.17646, figure of Theorem 3, changed: n_samples = 20 (published 10)"
    for text in (results_html(changed), str(changed.compare()), changed.compare()._repr_html_()):
        assert words in text
    assert words in changed.compare().to_dict()["title"]
    assert "loses its deviation, arXiv:2412.17646, figure of Theorem 3\n" in str(simulate(recipe).compare())


def test_facts__say_that_a_condition_ended_the_run():
    run = {"n_generations": 500, "n_replicates": 3, "seed": 1, "stop": "support_size <= 1"}
    results = simulate({"truth": {"uniform": 2}, "workflow": {"name": "replace", "n_samples": 2}, "run": run})
    assert "ended by run.stop, support_size <= 1" in repr(results)
    assert "ended by run.stop, support_size &lt;= 1" in results_html(results)
