"""Results as a user has them: verbs, and how they show themselves."""

import base64
import pickle
import re

import numpy as np
import pytest
from matplotlib.figure import Figure

from fastcollapse.analysis.comparison import compare
from fastcollapse.analysis.report import summary
from fastcollapse.api.results import Results, open_results
from fastcollapse.api.simulate import simulate
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from tests.simulation._small_results import make_results

EXPERIMENT = Experiment.from_mapping(
    {
        "truth": {"uniform": 5},
        "workflow": {"name": "replace", "n_samples": 20},
        "run": {"n_generations": 6, "n_replicates": 30, "seed": 1, "record": ["metrics", "trajectory"]},
    }
)


@pytest.fixture(scope="module")
def results():
    return simulate(EXPERIMENT)


def test_open_results__returns_results_that_draw_on_the_recorded_run(tmp_path):
    make_results(tmp_path / "out.h5")
    results = open_results(tmp_path / "out.h5")
    assert isinstance(results, Results)
    assert repr(results).startswith("<Results: ")


def test_repr__says_what_was_run_in_a_line(results):
    assert repr(results) == (
        "<Results: in memory, discrete, replace, 30 replicates, 6 of 6 generations, seed 1, "
        f"digest {results.digest[:12]}>"
    )


def test_repr__never_raises():
    """The experiment of these results is no experiment."""
    results = make_results()
    with pytest.raises(InputError, match="its experiment is refused"):
        results.experiment.family  # noqa: B018
    assert repr(results).startswith("<Results: in memory, 2 replicates, 1 of 1 generations, digest ")
    assert "<th>replicates</th><td>2</td>" in results._repr_html_()


def test_html__has_a_table_and_a_small_figure(results):
    text = results._repr_html_()
    for words in ("discrete", "replace", results.digest[:12], "<th>seed</th><td>1</td>"):
        assert words in text
    image = base64.b64decode(re.search('base64,([^"]*)"', text)[1])
    assert image.startswith(b"\x89PNG")
    assert len(image) < 30_000


def test_html__is_text_alone_where_the_figure_fails(results, monkeypatch):
    monkeypatch.setattr("fastcollapse.analysis.figures.sketch", lambda results: 1 / 0)
    text = results._repr_html_()
    assert "<table>" in text
    assert "<img" not in text


def test_verbs__are_those_of_the_command(results):
    assert str(results.compare()) == str(compare(results))
    assert results.summary() == summary(results)
    assert isinstance(results.plot(), Figure)
    assert results.plot("survival").get_figure() is not None


def test_verbs__of_results_in_a_file_are_those_of_results_in_memory(results, tmp_path):
    results.save(tmp_path / "out.h5")
    opened = open_results(tmp_path / "out.h5")
    assert str(opened.compare()) == str(results.compare())
    assert opened.panels().equals(results.panels())
    assert opened.to_xarray(trajectory=True).equals(results.to_xarray(trajectory=True))
    assert opened.to_dataframe().equals(results.to_dataframe())


def test_counts_matrix__has_the_counts_of_each_generation(results):
    got = results.counts_matrix(3).toarray()
    assert got.shape == (7, 5)
    assert not got[0].any()  # a law has no counts
    for generation in range(1, 7):
        symbols, counts = results.counts(3, generation)
        np.testing.assert_array_equal(np.flatnonzero(got[generation]), symbols)
        np.testing.assert_array_equal(got[generation][symbols], counts)


def test_compare__needs_a_finished_generation(results):
    comparison = pickle.loads(pickle.dumps(results.compare()))
    assert comparison.n_scored == results.compare().n_scored
    with pytest.raises(InputError, match="replicate must be"):
        results.counts_matrix(30)
