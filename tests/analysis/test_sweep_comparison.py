"""Comparison of a sweep with theory."""

import math
from pathlib import Path

import pytest

from fastcollapse.analysis.sweep_comparison import (
    PointComparison,
    SweepComparison,
    collect_compared,
    compare_sweep,
    panel_scores,
)
from fastcollapse.errors import InputError
from fastcollapse.sweeps.collected_results import open_sweep
from fastcollapse.sweeps.panel_scores import PanelScore
from fastcollapse.sweeps.run import run_sweep
from tests.sweeps._example_sweeps import mapping


def score(n_scored, largest_z, n_disagreeing=0, reason="", n_unscored=0):
    return PanelScore("entropy", n_scored, n_disagreeing, largest_z, "generation 3", 0, 0, n_unscored, reason)


def comparison(*panels, n_points=None):
    rows = tuple(PointComparison(i, {"n": 10 * i}, (panel,)) for i, panel in enumerate(panels))
    return SweepComparison(Path("study"), "", n_points or len(rows), rows)


def test_verdict__counts_points_scores_and_what_was_not_compared():
    made = comparison(score(4, 2.5), score(0, math.nan, reason="no theory", n_unscored=5), n_points=4)
    assert made.verdict() == (
        "the simulation agrees with exact theory in 1 of 2 finished points; 4 scores, largest |z| 2.5 in point 0, "
        "entropy, generation 3; 5 places without a score; 2 points not finished"
    )
    assert made.reasons == {"entropy": (1, "in point 1: no theory")}
    assert "  entropy: no score, or not everywhere, in 1 point; in point 1: no theory" in str(made)


def test_verdict__does_not_agree_where_nothing_was_compared():
    made = comparison(score(0, math.nan, reason="no theory"))
    assert (made.agrees, made.disagrees) == (None, False)
    assert made.verdict() == "0 of 1 finished point compared with exact theory"
    assert (made.largest, made.disagreeing) == (None, ())


def test_verdict__names_the_points_that_disagree():
    made = comparison(score(4, 9.0, n_disagreeing=2), score(4, 1.0))
    assert (made.agrees, made.disagrees) == (False, True)
    assert repr(made).startswith("<SweepComparison study: the simulation disagrees")
    assert made.disagreeing == (0,)
    assert made.verdict().startswith("the simulation disagrees with theory (|z| > 5) in 1 point: 0; 2 of 2 finished")


def test_str__has_the_worst_points_only():
    text = str(comparison(*(score(1, 1.0) for _ in range(30))))
    assert "  ... and 10 points with smaller |z|, or without a score" in text


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "study"
    run_sweep(mapping(run={"n_replicates": 400}), path)
    return path


def test_compare_sweep__finds_points_that_disagree_and_sorts_them_first(study, monkeypatch):
    """The points themselves agree; those with scores of a wrong theory come first."""
    source = open_sweep(study)
    assert compare_sweep(source).disagreeing == ()
    from fastcollapse.analysis import sweep_comparison

    of_point = sweep_comparison.panel_scores

    def wrong(results):
        changed = [one._replace(largest_z=8.0, n_disagreeing=1) for one in of_point(results)]
        return changed if results.experiment.truth.uniform == 20 else of_point(results)

    monkeypatch.setattr(sweep_comparison, "panel_scores", wrong)
    compared = compare_sweep(source)
    assert [row.values["uniform"] for row in compared.rows[:3]] == [20, 20, 20]
    assert sorted(compared.disagreeing) == [1, 3, 5]


def test_collect_compared__keeps_the_scores_of_every_point(study, tmp_path):
    assert collect_compared(study, tmp_path / "s.h5") == 6
    stored = open_sweep(tmp_path / "s.h5").scores()
    source = open_sweep(study)
    assert {index: repr(panels) for index, panels in stored.items()} == {
        index: repr(panel_scores(source.results(index))) for index in range(6)
    }


def test_compare_sweep__of_a_file_without_scores_computes_them(study, tmp_path):
    from fastcollapse.sweeps import collect_sweep

    collect_sweep(study, tmp_path / "plain.h5")
    source = open_sweep(tmp_path / "plain.h5")
    assert source.scores() == {}
    assert str(compare_sweep(source)) == str(compare_sweep(open_sweep(study)))


def test_panel_scores__of_a_point_without_panels_have_the_reason(study, monkeypatch):
    def refuse(results):
        raise InputError("run.record must have support_size for the panel survival")

    monkeypatch.setattr("fastcollapse.analysis.sweep_comparison.agreement_of", refuse)
    (one,) = panel_scores(open_sweep(study).results(0))
    assert (one.n_scored, one.reason) == (0, "run.record must have support_size for the panel survival")
