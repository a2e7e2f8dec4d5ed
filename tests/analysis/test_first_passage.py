"""Tables of first-passage times, and the scores of runs that a condition has ended."""

import dataclasses

import numpy as np

from fastcollapse import Experiment, simulate
from fastcollapse.analysis.agreement import agreement_of
from fastcollapse.analysis.first_passage import first_passage_table
from fastcollapse.analysis.panels.first_passage_theory import expected_time
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.panels.stopped_runs import N_LEFT, RULE, without_late_scores
from fastcollapse.analysis.report import summary


def run(probabilities=(0.5, 0.5), n_replicates=400, n_generations=400, **values):
    made = {
        "truth": {"probabilities": list(probabilities)},
        "workflow": {"name": "replace", "n_samples": 12},
        "run": {"n_generations": n_generations, "n_replicates": n_replicates, "seed": 4, "stop": "support_size == 1"},
    }
    return simulate(Experiment.from_mapping(made).with_values(values))


def test_time__of_two_symbols_is_exact():
    results = run()
    times = results.first_passage
    expected = expected_time(results)
    assert expected.is_exact
    z = (times.mean() - expected.mean) / (times.std(ddof=1) / np.sqrt(len(times)))
    assert abs(z) < 4
    assert f"{z:+.1f}" in first_passage_table(results)
    # Negative control: the time of another sample size.
    other = expected_time(run(**{"workflow.n_samples": 16}))
    assert abs(times.mean() - other.mean) / (times.std(ddof=1) / np.sqrt(len(times))) > 4


def test_time__is_compared_where_theory_knows_it(monkeypatch):
    """With its score, or with the reason for none; the negative control is the time of another sample size."""

    def passage(results):
        return next((one for one in agreement_of(results) if one.name == "first passage"), None)

    results, wrong = run(), expected_time(run(**{"workflow.n_samples": 16}))
    found = passage(results)
    assert (found.n_scores, found.disagrees) == (1, ())
    assert results.compare().to_dict()["points"][-1]["theory"] == expected_time(results).mean
    for options in ({"probabilities": (0.5, 0.3, 0.2)}, {"n_generations": 6}, {"n_replicates": 20}):
        found = passage(run(**options))
        assert (found.n_scores, found.n_unscored) == (0, 1)
    assert passage(run(n_replicates=3, **{"run.stop": "entropy < 0.1"})) is None
    monkeypatch.setattr("fastcollapse.analysis.first_passage.expected_time", lambda _: wrong)
    found = passage(run())  # a run is compared once, so this one is new
    assert found.disagrees or found.largest[0] > 4


def test_time__is_asymptotic_for_more_symbols_and_unknown_otherwise():
    results = run((0.5, 0.3, 0.2))
    expected = expected_time(results)
    assert not expected.is_exact
    assert abs(results.first_passage.mean() / expected.mean - 1) < 0.2
    assert "no score: the theory is asymptotic in n_samples" in first_passage_table(results)
    for values in ({"run.stop": "entropy < 0.1"}, {"workflow.n_samples": {"start": 12, "step": 1}}):
        assert expected_time(run(n_replicates=3, **values)) is None
    assert first_passage_table(run(n_replicates=3, **{"run.stop": None})) == ""


def test_table__has_the_quantiles_of_the_times():
    results = run(n_replicates=4)
    lines = first_passage_table(results).splitlines()
    low, second, third, high = np.sort(results.first_passage)
    assert lines[1].split()[-10:] == ["median", "5", "%", "25", "%", "75", "%", "95", "%", "exact"]
    # A quantile q of 4 times is the smallest of them that at least 4 q times do not exceed.
    assert [int(number) for number in lines[2].split()[3:8]] == [second, low, low, third, high]


def test_table__says_how_many_have_not_met_it():
    table = first_passage_table(run(n_generations=6))
    assert "not within 6 generations" in table
    assert "no score: not every replicate has met it" in table
    assert "not met" in table
    none = first_passage_table(run((0.5, 0.5), 3, 1))
    assert none == "First generation with support_size == 1: 3 replicates of 3 not within 1 generations"
    assert "no score: a score needs 100 replicates" in first_passage_table(run(n_replicates=5))
    results = run()
    assert first_passage_table(results) in summary(results)


def test_scores__are_not_given_to_the_generations_of_slow_runs():
    results = run()
    times = results.first_passage
    last_scored = int(np.sort(times)[-N_LEFT])
    panels = panels_of(results, np.arange(1, results.last + 1))
    for panel in panels:
        assert np.isnan(panel.curve.z[panel.curve.at > last_scored]).all()
    assert any(np.isfinite(panel.curve.z[panel.curve.at <= last_scored]).any() for panel in panels)
    assert all(not agreement.disagrees for agreement in agreement_of(results))
    # The panels of this family have fewer scores by their own rules: one with scores everywhere.
    everywhere = [
        dataclasses.replace(p, curve=dataclasses.replace(p.curve, z=np.zeros(len(p.curve.at)))) for p in panels
    ]
    for panel in without_late_scores(results, everywhere):
        assert RULE in panel.curve.rule
        np.testing.assert_array_equal(np.isnan(panel.curve.z), panel.curve.at > last_scored)
    # A run of its full length keeps its scores.
    full = run(n_generations=6)
    panels = panels_of(full, np.arange(1, 7))
    for before, after in zip(panels, without_late_scores(full, panels), strict=True):
        np.testing.assert_array_equal(before.curve.z, after.curve.z)
