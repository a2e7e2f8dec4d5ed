"""Facts of a run, in a line and as HTML."""

from fastcollapse.api.results_html import facts, results_html, results_line
from tests.simulation._small_results import make_results


def test_facts__name_an_escaped_file(tmp_path):
    path = tmp_path / "<b>&.h5"
    results = make_results(path)
    assert facts(results)["file"] == str(path)
    assert results_line(results).startswith(f"{path}, 2 replicates, 1 of 1 generations")
    assert "&lt;b&gt;&amp;.h5" in results_html(results)
