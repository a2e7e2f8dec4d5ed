"""Results of a sweep, from its folder and from its collected file."""

import json
import pickle
import re
import shutil

import numpy as np
import pytest

import fastcollapse
from fastcollapse.api.sweep_results import SweepResults, open_sweep
from fastcollapse.errors import InputError
from fastcollapse.sweeps.folder import SweepFolder
from tests.sweeps._example_sweeps import mapping

SWEEP = {
    "model": {"family": "gaussian", "estimator": "mle"},
    "truth": {"sigma": 1.0},
    "run": {"n_generations": 20, "n_replicates": 40, "seed": 1},
    "sweep": {
        "grid": {
            "workflow": [{"name": "replace"}, {"name": "accumulate", "keep_real": True}],
            "workflow.n_samples": [10, 100],
        }
    },
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Return the results of a sweep, from its folder and from its collected file."""
    folder = tmp_path_factory.mktemp("made")
    fastcollapse.run_sweep(SWEEP, folder / "study")
    study = open_sweep(folder / "study")
    return study, open_sweep(study.save(folder / "study.h5"))


@pytest.fixture(params=["folder", "file"])
def study(request, opened):
    return opened[request.param == "file"]


def test_sweep_results__know_their_points(study):
    assert isinstance(study, SweepResults)
    assert (len(study), study.done) == (4, [0, 1, 2, 3])
    assert repr(study).endswith(": 4 of 4 points finished; workflow (2 values) x workflow.n_samples (2 values)>")
    assert study.parameters["n_samples"].tolist() == [10, 100]
    assert str(study.status()) in study.summary()
    assert "done     4" in str(study.status())


def test_html__has_states_verdict_and_a_figure(study, opened, monkeypatch):
    monkeypatch.setattr("fastcollapse.analysis.sweep_comparison.agreement_of", None)  # no theory is computed
    shown = study._repr_html_()
    for words in (
        "<th>family</th><td>gaussian</td>",
        "<th>parameters</th><td>workflow (2 values) x workflow.n_samples (2 values)</td>",
        "<th>points</th><td>4</td>",
        "<th>done</th><td>4</td>",
        "<th>missing</th><td>0</td>",
        "<img src=",
    ):
        assert words in shown
    assert "<th>workflow</th>" not in shown  # it varies
    assert ("agrees with exact theory in 4 of 4" in shown) is (study is opened[1])
    assert ("compare() compares the finished points with theory" in shown) is (study is opened[0])


def test_html__never_raises(tmp_path):
    fastcollapse.run_sweep(SWEEP, tmp_path / "<i>", shard=(1, 2))
    study = open_sweep(tmp_path / "<i>")
    for point in (tmp_path / "<i>" / "points").iterdir():
        point.write_bytes(b"damaged")
    assert "&lt;i&gt;" in study._repr_html_()
    shutil.rmtree(tmp_path / "<i>")
    shown = study._repr_html_()
    assert "&lt;i&gt;" in shown
    assert "<img" not in shown


def test_results__are_those_of_the_point_by_number_and_by_values(study, opened):
    expected = SweepFolder(opened[0].path).results(3)
    for point in (3, np.int64(3), {"workflow": "accumulate", "workflow.n_samples": 100}):
        got = study.results(point)
        assert isinstance(got, fastcollapse.Results)
        assert np.array_equal(got.metrics["log_sigma"], expected.metrics["log_sigma"])
    assert [one.digest for one in study][3] == expected.digest


@pytest.mark.parametrize(
    ("point", "message"),
    [
        (4, "point must be a number from 0 to 3, or a mapping of values, got 4"),
        (True, "point must be a number from 0 to 3, or a mapping of values, got True"),
        ({"n_samples": 10}, "point must have a value of workflow, got {'n_samples': 10}"),
        ({"n_sample": 10}, "got 'n_sample' (did you mean 'n_samples'?)"),
        ({"workflow": "replace", "n_samples": 11}, "n_samples must be one of 10, 100, got '11'"),
    ],
)
def test_results__refuse_a_point_that_does_not_exist(study, point, message):
    with pytest.raises(InputError, match=re.escape(message)):
        study.results(point)


def test_compare__has_a_line_a_point_with_the_worst_first(study):
    compared = study.compare()
    assert compared.agrees
    largest = [row.largest_z for row in compared.rows]
    assert largest == sorted(largest, reverse=True)
    assert {row.point for row in compared.rows} == {0, 1, 2, 3}
    assert str(compared).startswith("The simulation agrees with exact theory in 4 of 4 finished points; ")


def test_compare__of_the_file_is_that_of_the_folder_without_theory(opened, monkeypatch):
    expected = opened[0].compare()
    monkeypatch.setattr("fastcollapse.analysis.sweep_comparison.agreement_of", None)
    got = opened[1].compare()
    assert repr(got.rows) == repr(expected.rows)
    assert str(got) == str(expected)


def test_plot__is_the_figure_of_the_command(study):
    figure = study.plot("n_samples", {"workflow": "accumulate"}, generation=5)
    assert figure.get_suptitle() == "Sweep: Gaussian"
    assert figure.axes[0].get_xlabel() == "samples per generation $n$"


def test_to_xarray__is_the_same_for_folder_and_file(opened):
    folder, file = (one.to_xarray() for one in opened)
    assert folder.log_sigma.dims == ("workflow", "n_samples", "replicate", "generation")
    assert folder.log_sigma.sel(workflow="accumulate", n_samples=100).equals(
        file.log_sigma.sel(workflow="accumulate", n_samples=100)
    )
    assert set(file) - set(folder) == {
        *("largest_z", "n_scored", "n_disagreeing", "n_bounded", "n_within", "n_unscored", "place", "reason")
    }


def test_to_dataframe__has_a_row_for_each_number(study):
    pandas = pytest.importorskip("pandas")
    table = study.to_dataframe()
    assert list(table.columns) == ["point", "workflow", "n_samples", "metric", "replicate", "generation", "value"]
    rows = table[(table.point == 3) & (table.metric == "log_sigma") & (table.replicate == 2)]
    assert pandas.unique(rows.n_samples).tolist() == [100]
    assert np.array_equal(rows.value, study.results(3).metrics["log_sigma"][2])


def test_open_sweep__of_an_unfinished_sweep_says_what_is_missing(tmp_path):
    fastcollapse.run_sweep(mapping(), tmp_path / "study", shard=(1, 2))
    study = open_sweep(tmp_path / "study")
    assert study.done == [0, 2, 4]
    assert study.status().n_missing == 3
    assert "; 3 points not finished" in study.compare().verdict()
    with pytest.raises(InputError, match=r"finished, got 1 \(workflow.n_samples = 5, truth.uniform = 20\)"):
        study.results(1)
    assert study.to_dataframe().point.unique().tolist() == [0, 2, 4]


def test_save__refuses_a_collected_file(opened, tmp_path):
    with pytest.raises(InputError, match=r"study.h5 is a collected sweep already: copy the file"):
        opened[1].save(tmp_path / "again.h5")


def test_pickle__opens_the_path_again(study):
    again = pickle.loads(pickle.dumps(study))
    assert (again.path, again.done) == (study.path.absolute(), study.done)


def test_open_sweep__names_the_call_that_is_meant(opened, tmp_path):
    results = tmp_path / "one.h5"
    fastcollapse.simulate(opened[0].sweep[0].experiment, results)
    with pytest.raises(InputError, match=r"one.h5' is the results file of a run: use open_results\('"):
        open_sweep(results)
    with pytest.raises(InputError, match="must be the folder of a sweep, or a collected sweep, got something else"):
        open_sweep(tmp_path)


def test_comparison__is_json(study):
    made = json.loads(json.dumps(study.compare().to_dict(), allow_nan=False))
    assert (made["n_done"], made["agrees"], len(made["points"])) == (4, True, 4)
