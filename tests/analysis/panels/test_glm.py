"""Panels of generalised linear models: theory of large samples, exact scores of the limit, and chains that end."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.panels.glm import PANELS, expected_errors, separation_table, separation_times
from fastcollapse.analysis.report import summary
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment

Z_LIMIT = 5.0


def run(response="logistic", workflow=None, truth=None, n_replicates=60, record=("metrics",), **model):
    rows = (truth or {}).get("rows", 300)
    sections = {
        "model": {"family": "glm", "response": response, **model},
        "truth": {"rows": rows, "dimension": 2, **(truth or {})},
        "workflow": {"name": "replace", "n_samples": rows, **(workflow or {})},
        "run": {"n_generations": 8, "n_replicates": n_replicates, "seed": 2, "record": list(record)},
    }
    return simulate(Experiment.from_mapping(sections))


KEEP = {"name": "accumulate", "keep_real": True}
AT = np.array([0, 1, 2, 4, 8])


@pytest.mark.parametrize("model", [{}, {"sampler": "limit"}, {"sampler": "limit", "estimator": "median"}])
@pytest.mark.parametrize("workflow", [{}, KEEP, {"name": "mix", "n_real": 300, "real": "fixed"}])
def test_gaussian__errors_have_exact_scores(workflow, model):
    results = run("gaussian", workflow, n_replicates=2000, **model)
    for name in ("squared_error", "ratio_to_first"):
        panel = PANELS.panels[name](results, AT, {})
        assert np.isfinite(panel.curve.z).all()
        assert np.abs(panel.curve.z).max() < Z_LIMIT
    # Negative control: the errors of a run with another workflow.
    other = run("gaussian", KEEP if not workflow else {}, n_replicates=2000, **model)
    wrong = other.metrics["squared_error"][:, 8].mean() / expected_errors(results)[8]
    assert abs(wrong - 1) > 0.3


def test_labels__errors_have_the_theory_of_large_samples():
    results = run(workflow=KEEP, truth={"rows": 2000}, n_replicates=200)
    panel = PANELS.panels["squared_error"](results, AT[1:], {})
    assert np.isnan(panel.curve.expected).all()
    np.testing.assert_allclose(panel.asymptotic() / panel.asymptotic()[0], [1, 1.25, 1.4236, 1.5274], atol=1e-4)
    np.testing.assert_allclose(panel.curve.mean / panel.asymptotic(), 1, atol=0.2)
    ratio = PANELS.panels["ratio_to_first"](results, AT, {})
    np.testing.assert_allclose(ratio.asymptotic(), [1, 1.25, 1.4236, 1.5274], atol=1e-4)
    assert [line.label for line in ratio.lines] == ["theory: large samples", r"$\pi^2/6$"]
    assert [line.label for line in PANELS.panels["ratio_to_first"](run(), AT, {}).lines] == ["theory: large samples"]


def test_separation__gives_medians_and_times_in_place_of_means():
    record = ("squared_error", "separated", "excess_risk")
    results = run(truth={"rows": 12, "norm": 2.0}, record=record)
    times = separation_times(results)
    first = results.metrics["separated"].argmax(axis=1)
    assert np.isfinite(times).any()
    np.testing.assert_array_equal(times[np.isfinite(times)], first[np.isfinite(times)])
    for name in ("squared_error", "ratio_to_first", "excess_risk"):
        panel = PANELS.panels[name](results, AT, {})
        assert panel.median
        assert not np.isinf(panel.curve.mean).any()
    assert PANELS.panels["ratio_to_first"](results, AT, {}).curve.mean[0] == 1.0
    note = PANELS.panels["squared_error"](results, AT, {}).note
    assert f"{np.isfinite(times).sum()} of 60 chains have ended at separated labels" in note
    text = summary([results], 1.0)
    assert separation_table(results) in text
    assert "50 %" in separation_table(results)
    panel = PANELS.panels["separated"](results, AT, {})
    median = int(np.sort(times)[29])
    assert f", 50 % by generation {median}, 90 % by generation" in panel.note
    np.testing.assert_allclose(panel.curve.mean, results.metrics["separated"][:, AT].mean(axis=0))


def test_panels__name_what_they_need():
    results = run()
    with pytest.raises(InputError, match=r'run\.record must contain "excess_risk" for the panel excess_risk'):
        PANELS.panels["excess_risk"](results, AT, {})
    assert PANELS.summary_tables(results) == []
    ended = run(truth={"rows": 4, "norm": 9.0})
    with pytest.raises(InputError, match=r"must be above 0 and finite in most replicates .* got inf"):
        PANELS.panels["ratio_to_first"](ended, AT, {})


def test_excess_risk__of_one_replicate_is_no_median():
    results = run(n_replicates=1, record=("excess_risk",))
    assert not PANELS.panels["excess_risk"](results, AT, {}).median


def test_default_panels__of_gaussian_fits_have_no_separation():
    assert PANELS.default_names(run("gaussian")) == ("squared_error",)
    assert PANELS.default_names(run()) == ("squared_error", "separated")


def test_profile__of_a_run_with_ended_chains_answers():
    results = run(truth={"rows": 12, "norm": 2.0})
    findings = results.profile()
    assert findings
