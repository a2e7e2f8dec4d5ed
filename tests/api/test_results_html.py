"""Facts of a run, in a line and as HTML."""

from fastcollapse import reproduce
from fastcollapse.api.results_html import facts, results_html, results_line
from tests.simulation._small_results import make_results


def test_facts__name_an_escaped_file(tmp_path):
    path = tmp_path / "<b>&.h5"
    results = make_results(path)
    assert facts(results)["file"] == str(path)
    assert results_line(results).startswith(f"{path}, 2 replicates, 1 of 1 generations")
    assert "&lt;b&gt;&amp;.h5" in results_html(results)


def test_results_html__says_what_was_changed_of_a_recipe():
    (results,) = reproduce("sur-gau", {"workflow.n_samples": 20, "run.n_generations": 2, "run.n_replicates": 2}).cases
    assert "after arXiv:2412.17646, figure of Theorem 3, changed: n_samples = 20 (published 10)" in results_html(
        results
    )
    comparison = results.compare()
    assert "changed: n_samples = 20 (published 10); " in repr(comparison)
    assert "changed: n_samples = 20 (published 10)</p>" in comparison._repr_html_()
