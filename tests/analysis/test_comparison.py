"""Comparison of a run with theory as a table: what it counts, and what it never says."""

import json
import math
import sys

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.agreement import ComparedPoint
from fastcollapse.analysis.comparison import Comparison, compare
from fastcollapse.analysis.panels import heterozygosity
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment

NAN = math.nan


def point(z=NAN, theory=NAN, reason="no theory", place=1):
    numbers = (0.5, 0.1, theory, NAN, NAN, z)
    return ComparedPoint("", "Survival", "alive", "", "generation", place, *numbers, reason, f"generation {place}")


def run(n_replicates=100):
    mapping = {
        "truth": {"zipf_mandelbrot": {"a": 1.0, "b": 2.7, "size": 60}},
        "workflow": {"name": "replace", "n_samples": 200},
        "run": {"n_generations": 30, "n_replicates": n_replicates, "seed": 3},
    }
    return simulate(Experiment.from_mapping(mapping))


@pytest.fixture(scope="module")
def results():
    return run()


def test_counts__scored_agreeing_and_not_scored_add_up():
    rows = (point(1.0, 0.5, ""), point(-6.0, 0.5, ""), point(0.0, NAN, "bounds alone"), point())
    got = Comparison((rows,))
    assert (got.n_scored, got.n_agreeing, got.n_unscored) == (2, 1, 2)
    assert got.reasons == {"bounds alone": 1, "no theory": 1}
    assert got.agrees is False
    assert got.largest is rows[1]
    assert got.counts() == (
        "4 points, 2 scored, 1 within |z| <= 5, largest |z| 6.0; not scored: bounds alone (1); no theory (1)"
    )


@pytest.mark.parametrize("rows", [(), (point(),), (point(0.0, NAN, "bounds alone"),)])
def test_agrees__is_never_said_without_a_score(rows):
    got = Comparison((rows,) if rows else ())
    assert got.agrees is None
    assert got.largest is None
    for text in (str(got), repr(got), got._repr_html_(), json.dumps(got.to_dict())):
        assert "agrees with" not in text
    # Negative control: one score, and it is said.
    scored = Comparison(((*rows, point(1.0, 0.5, "")),))
    assert scored.agrees
    assert "agrees with" in str(scored)


def test_agrees__a_bound_that_is_broken_disagrees():
    assert Comparison(((point(7.0, NAN, "bounds alone"),),)).agrees is False


def test_verdict__says_at_how_many_points_a_metric_has_a_score():
    assert Comparison(((point(1.0, 0.5, ""), point()),)).verdict() == (
        "the simulation agrees with exact theory in 1 of 1 metric (alive at 1 of 2 generations)"
    )


def test_compare__rows_have_the_numbers_of_the_run(results):
    got = compare(results)
    rows = [row for row in got.rows if row.metric == "H"]
    values = results.metrics["heterozygosity"][:, [row.place for row in rows]]
    np.testing.assert_allclose([row.mean for row in rows], values.mean(axis=0))
    np.testing.assert_allclose([row.standard_error for row in rows], values.std(axis=0, ddof=1) / 10)
    expected = heterozygosity._expected(results)[[row.place for row in rows]]
    np.testing.assert_allclose([row.theory for row in rows], expected)
    assert got.n_scored + got.n_unscored == len(got.rows)
    assert all(bool(row.reason) != row.is_scored for row in got.rows)


def test_compare__single_replicate_has_reasons_instead_of_scores():
    got = compare(run(1))
    assert got.agrees is None
    assert got.n_scored == 0
    assert "a score needs 2 replicates, here 1" in got.reasons
    assert all(math.isnan(row.standard_error) for row in got.rows)


def test_compare__refuses_nothing():
    with pytest.raises(InputError, match="a comparison must have at least one run, got none"):
        compare([])


def test_to_dataframe__has_a_row_for_each_point(results):
    pytest.importorskip("pandas")
    got = compare(results)
    frame = got.to_dataframe()
    assert len(frame) == len(got.rows)
    assert list(frame.columns[:6]) == ["case", "panel", "metric", "curve", "generation", "axis"]
    assert frame.z.notna().sum() == sum(row.is_scored or row.is_bounded for row in got.rows)
    assert frame.generation.tolist() == [row.place for row in got.rows]


def test_to_dataframe__needs_pandas(results, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match=r"to_dataframe must have pandas: pip install pandas"):
        compare(results).to_dataframe()


def test_to_dict__is_json_without_nan(results):
    got = compare(results)
    loaded = json.loads(json.dumps(got.to_dict(), allow_nan=False))
    assert loaded["n_scored"] == got.n_scored
    assert loaded["agrees"] is True
    assert len(loaded["points"]) == len(got.rows)


def test_html__escapes_and_shortens():
    rows = tuple(point(1.0, 0.5, "", place) for place in range(1, 70))
    got = Comparison((rows, (point(reason="<b>"),)))._repr_html_()
    assert "and 10 points more" in got
    assert "<b>" not in got
