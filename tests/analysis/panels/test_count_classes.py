"""Panels whose theory is a sum over classes of symbols."""

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.panels.count_classes import (
    classes_of,
    entropy_panel,
    lost_mass_panel,
    survival_by_count_panel,
)
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.report import contents, summary
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.theory.discrete.lost_mass import zipf_lost_mass

ALL = np.arange(13)


def run(truth, workflow="replace", n=2000, n_replicates=40, record=("metrics",)):
    keys = {"keep_real": True} if workflow == "accumulate" else {}
    return simulate(
        Experiment.from_mapping(
            {
                "truth": truth,
                "workflow": {"name": workflow, "n_samples": n, **keys},
                "run": {"n_generations": 12, "n_replicates": n_replicates, "seed": 4, "record": list(record)},
            }
        )
    )


ZIPF = {"zipf_mandelbrot": {"a": 1.5, "b": 2.7, "size": 3000}}


def test_classes_of__are_the_different_probabilities():
    p, copies = classes_of(run({"probabilities": [0.25, 0.25, 0.5, 0.0]}, n=10))
    np.testing.assert_array_equal(p, [0.25, 0.5])
    np.testing.assert_array_equal(copies, [2, 1])


def test_lost_mass_panel__has_bounds_that_hold_and_a_score_of_generation_1():
    # 12 comparisons, |z| < 4.5.
    curve = lost_mass_panel(run(ZIPF), ALL, {}).curve
    assert curve.lower[0] == curve.upper[0] == curve.mean[0] == 0
    assert curve.is_compared[1]
    assert np.nanmax(np.abs(curve.z)) < 4.5
    wrong = lost_mass_panel(run(ZIPF, n=2300), ALL, {}).curve
    assert abs(wrong.mean[1] - curve.expected[1]) > 4.5 * curve.sd[1] / np.sqrt(40)  # negative control


def test_lost_mass_panel__limit_of_a_zipf_law_is_at_generation_1():
    panel = lost_mass_panel(run(ZIPF), ALL, {})
    limit = panel.asymptotic()
    assert limit[1] == zipf_lost_mass(1.5, 2000, 2.7)
    assert np.isnan(np.delete(limit, 1)).all()
    for truth in ({"uniform": 100}, {"zipf_mandelbrot": {"a": 1.0, "b": 2.7, "size": 3000}}):
        assert np.isnan(lost_mass_panel(run(truth), ALL, {}).asymptotic()).all()


def test_panels__other_workflows_have_no_theory_of_lost_mass_and_entropy():
    results = run(ZIPF, "accumulate")
    assert lost_mass_panel(results, ALL, {}).curve.lower is None
    assert entropy_panel(results, ALL, {}).lines == ()


def test_entropy_panel__has_the_expectation_for_many_tokens():
    panel = entropy_panel(run(ZIPF, n_replicates=200), ALL, {})
    loss, expected = 1 - panel.curve.mean[1:], 1 - panel.asymptotic()[1:]
    # 12 comparisons, |z| < 4.5; the expectation is off by up to 3 %.
    slack = 0.03 * expected + 4.5 * panel.curve.sd[1:] / np.sqrt(200)
    assert (np.abs(loss - expected) < slack).all()
    assert (np.abs(loss[1:4] - expected[:3]) > slack[:3]).all()  # negative control: one generation off


@pytest.mark.parametrize(("truth", "n"), [(ZIPF, 500), ({"probabilities": [0.5, 0.5]}, 2000)])
def test_entropy_panel__few_tokens_or_symbols_have_no_expectation(truth, n):
    assert entropy_panel(run(truth, n=n), ALL, {}).lines == ()


def spectrum_run(tmp_path, record, n_replicates=60):
    (tmp_path / "x.csv").write_text("count,symbols\n1,400\n2,200\n10,50\n60,10\n400,3\n")
    mapping = {
        "model": {"engine": "spectrum"},
        "truth": {"counts_of_counts": "x.csv"},
        "workflow": {"name": "replace", "n_samples": "truth"},
        "run": {"n_generations": 12, "n_replicates": n_replicates, "seed": 4, "record": record},
    }
    return simulate(Experiment.from_mapping(mapping, base=tmp_path))


def test_survival_by_count_panel__has_a_curve_for_each_count_between_its_bounds(tmp_path):
    # 3 curves of 12 comparisons, |z| < 4.5.
    panels = survival_by_count_panel(spectrum_run(tmp_path, ["survival"]), ALL, {})
    assert [panel.group for panel in panels] == ["$c$ = 1", "$c$ = 2", "$c$ = 10"]
    for panel in panels:
        assert panel.curve.is_compared[1:].any()
        assert np.nanmax(np.abs(panel.curve.z)) < 4.5
    one, two = (panel.curve for panel in panels[:2])
    assert (np.abs(one.mean[1:] - two.lower[1:]) > 4.5 * one.sd[1:] / np.sqrt(60)).all()  # negative control


def test_panels__of_a_run_without_symbols_are_those_that_its_metrics_have(tmp_path):
    results = spectrum_run(tmp_path, ["entropy", "heterozygosity", "lost_mass", "support_size", "survival"], 20)
    headings = [panel.heading for panel in panels_of(results, ALL)]
    assert headings == ["symbols alive (%)", "H", "c = 1", "c = 2", "c = 10"]
    for panel in panels_of(results, ALL, ["survival", "entropy", "heterozygosity", "lost_mass"]):
        z = panel.curve.z
        assert np.nanmax(np.abs(z), initial=0.0) < 4.5
    with pytest.raises(InputError, match=r"need a run with model.engine = 'symbols', got one with the spectrum engine"):
        panels_of(results, ALL, ["symbol"])
    assert "engine     spectrum" in summary(results)
    assert "engine     spectrum" in contents(results)


def test_panels__survival_by_count_needs_its_metric():
    with pytest.raises(InputError, match=r"run.record must have survival for the panel survival_by_count"):
        panels_of(run(ZIPF), ALL, ["survival_by_count"])
