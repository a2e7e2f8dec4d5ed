"""Panels of kernel density estimates: simulated values beside exact errors and moments, bounds, pictures."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from fastcollapse import simulate
from fastcollapse.analysis import figures
from fastcollapse.analysis.agreement import agreement_of, verdict
from fastcollapse.analysis.clouds import draw_cloud
from fastcollapse.analysis.panels.kde import PANELS
from fastcollapse.analysis.panels.kde_theory import setting_of
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.tables import tables_of
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment

GENERATIONS = np.array([0, 1, 2, 4])
# About 250 scores in this file, far fewer independent ones.
Z_LIMIT = 5.0
MIXTURE = {"normal_mixture": {"weights": [0.3, 0.7], "means": [-1.5, 1.0], "covariances": [0.25, 1.0]}, "n_test": 50}
PLANE = {
    "normal_mixture": {"weights": [0.5, 0.5], "means": [[0, 0], [2, 1]], "covariances": [[[1, 0.5], [0.5, 1]], 1.0]},
    "n_test": 50,
}
WORKFLOWS = {
    "replace": {"name": "replace", "n_samples": 12},
    "accumulate": {"name": "accumulate", "n_samples": 12, "keep_real": True},
    "dropped": {"name": "accumulate", "n_samples": 12, "keep_real": False},
    "with_real": {"name": "accumulate", "n_samples": 12, "keep_real": True, "n_real": 5},
    "subsample": {"name": "accumulate_subsample", "n_samples": 12, "keep_real": True, "replacement": False},
    "repeated": {"name": "accumulate_subsample", "n_samples": 12, "keep_real": True, "replacement": True},
    "fresh": {"name": "mix", "n_samples": 10, "n_real": 4, "real": "fresh"},
    "fixed": {"name": "mix", "n_samples": 10, "n_real": 4, "real": "fixed"},
    "real_share": {"name": "mix", "n_samples": 12, "real_share": 0.4, "real": "fresh"},
}


def run(truth, workflow, bandwidth=0.5, n_replicates=600, record=("metrics",), n_generations=4, seed=3):
    mapping = {
        "model": {"family": "kde", "bandwidth": bandwidth},
        "truth": truth,
        "workflow": workflow,
        "run": {
            "n_generations": n_generations,
            "n_replicates": n_replicates,
            "seed": seed,
            "record": list(record),
        },
    }
    return simulate(Experiment.from_mapping(mapping))


def largest(panel):
    return np.nanmax(np.abs(panel.curve.z))


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_panels__agree_with_theory_of_every_workflow(workflow):
    # 4 panels of 3 scores.
    results = run(MIXTURE, WORKFLOWS[workflow], record=("ise", "nll", "second_moment", "within_variance", "centre"))
    panels = panels_of(results, GENERATIONS, ["ise", "second_moment", "within_variance", "centre"])
    for panel in panels:
        assert panel.curve.is_compared.sum() == 3, panel.title
        assert largest(panel) < Z_LIMIT, panel.title
    other = run(MIXTURE, WORKFLOWS[workflow], 0.7, record=("ise",))
    # Negative control: the errors of another bandwidth.
    values, curve = other.metrics["ise"][:, GENERATIONS], panels[0].curve
    z = (values.mean(axis=0) - curve.expected)[1:] / (values.std(axis=0)[1:] / np.sqrt(len(values)))
    assert np.abs(z).max() > Z_LIMIT


@pytest.mark.parametrize("workflow", ["replace", "subsample", "fresh", "fixed"])
@pytest.mark.parametrize("truth", [{"shape": "moons"}, {"shape": "circles", "placement": "iid"}, {"shape": "blobs"}])
def test_panels__agree_with_theory_of_shapes(truth, workflow):
    truth = {**truth, "n_test": 20}
    results = run(truth, WORKFLOWS[workflow], n_replicates=300, record=("ise", "second_moment", "within_variance"))
    ise, *moments = panels_of(results, GENERATIONS, ["ise", "second_moment", "within_variance"])
    assert largest(ise) < Z_LIMIT
    # Theory of the moments does not cover evenly placed points that are drawn again.
    known = workflow in ("replace", "subsample") or truth.get("placement") == "iid"
    for panel in moments:
        assert np.isfinite(panel.curve.expected).all() == known
        assert not known or largest(panel) < Z_LIMIT


def test_panels__agree_in_the_plane_and_of_changing_bandwidths():
    results = run(PLANE, WORKFLOWS["accumulate"], "scott", n_replicates=200)
    for panel in panels_of(results, GENERATIONS, ["ise", "second_moment"]):
        assert largest(panel) < Z_LIMIT
    results = run(MIXTURE, WORKFLOWS["with_real"], [0.6, 0.5, 0.4, 0.3], record=("ise", "mmd", "w1"))
    for panel in panels_of(results, GENERATIONS, ["ise", "mmd"]):
        assert largest(panel) < Z_LIMIT
    [distance] = panels_of(results, GENERATIONS, ["w1"])
    assert np.isnan(distance.curve.z).all()


def test_nll__has_medians_in_replace_and_bounds_elsewhere():
    [panel] = panels_of(run(MIXTURE, WORKFLOWS["replace"], n_replicates=50), GENERATIONS, ["nll"])
    assert panel.median
    assert [line.label for line in panel.lines] == [
        "theory: lower bound of the mean",
        "theory: upper bound of the mean",
    ]
    for workflow in ("accumulate", "subsample", "fresh", "fixed"):
        results = run(MIXTURE, WORKFLOWS[workflow], n_replicates=200, record=("nll",))
        [panel] = panels_of(results, GENERATIONS, ["nll"])
        assert not panel.median
        assert (panel.curve.z[1:] == 0).all()
        assert panel.curve.is_within_bounds[1:].all()
        has_pathwise = any("every run" in line.label for line in panel.lines)
        assert has_pathwise == (workflow == "accumulate")
    # Negative control: values of a narrow kernel are not within the bounds of a wide one.
    narrow = run(MIXTURE, WORKFLOWS["accumulate"], 1.0, n_replicates=200, record=("nll",)).metrics["nll"].mean(axis=0)
    wide = panels_of(run(MIXTURE, WORKFLOWS["accumulate"], 4.0, n_replicates=2), GENERATIONS, ["nll"])[0].curve
    assert (narrow[GENERATIONS] < wide.lower)[1:].all()


@pytest.mark.filterwarnings("ignore:nll is evaluated")
def test_notes__say_how_many_generations_are_evaluated():
    results = run(MIXTURE, WORKFLOWS["accumulate"], "scott", n_replicates=2, n_generations=60, record=("nll", "ise"))
    nll, ise = panels_of(results, np.array([1, 60]), ["nll", "ise"])
    n = np.isfinite(results.metrics["nll"][0, 1:]).sum()
    assert nll.note == f"the negative log density is taken at {n} of 60 generations"
    assert ise.note.startswith("slope of ln(squared error)")
    assert nll.note in tables_of(results)
    results = run(MIXTURE, WORKFLOWS["replace"], n_replicates=2)
    assert panels_of(results, GENERATIONS, ["nll"])[0].note == ""
    assert "nll is not compared (heavy tails, and no exact median is known)" in tables_of(results)


def test_scaled__has_exact_variance_in_replace_alone():
    scaled = run(MIXTURE, WORKFLOWS["replace"], "scaled", n_replicates=3000, record=("within_variance", "ise"))
    variance, ise = panels_of(scaled, GENERATIONS, ["within_variance", "ise"])
    assert largest(variance) < Z_LIMIT
    assert np.isfinite(variance.curve.z).all()
    assert np.isnan(ise.curve.expected).all()
    mixed = run(MIXTURE, WORKFLOWS["fresh"], "scaled", n_replicates=2, record=("within_variance",))
    [variance] = panels_of(mixed, GENERATIONS, ["within_variance"])
    assert np.isnan(variance.curve.expected).all()


def test_points__are_pictures_of_some_generations():
    results = run({"shape": "swiss_roll", "n_test": 20}, WORKFLOWS["replace"], 0.1, 2, ("metrics", "trajectory"), 12)
    nll, *pictures = panels_of(results, np.array([1, 10]))
    assert nll.heading == "nll"
    assert [panel.curve.at.tolist() for panel in pictures] == [[1], [10], [12]]
    # The roll is seen along its axis.
    np.testing.assert_array_equal(pictures[1].cloud, results.sample("points", 0, 10)[:, [0, 2]])
    np.testing.assert_array_equal(pictures[1].behind, results.sample("points", 0, 1)[:, [0, 2]])
    assert len(figures.draw([results]).axes) >= 4
    text = tables_of(results)
    assert "Pictures\n  width: standard deviation of the points" in text
    rows = text.split("Pictures")[1].splitlines()[3:6]
    assert [row.split()[0] for row in rows] == ["1", "10", "12"]
    # No theory is beside a picture.
    assert "Points" not in text
    assert [agreement.name for agreement in agreement_of(results)] == ["nll"]
    assert verdict([]) == "pictures are not compared with theory"
    axes = Figure().subplots()
    draw_cloud(axes, pictures[1])
    assert axes.get_aspect() == 1
    assert [len(points.get_offsets()) for points in axes.collections] == [12, 12, 0]
    # The mark of the legend is visible, also for many small points.
    [handle], [label] = axes.get_legend_handles_labels()
    assert label == "generation 1"
    assert handle.get_sizes()[0] >= 16
    assert all(panel.note == "" for panel in pictures)
    made = run(
        {"shape": "moons", "n_test": 20}, {"name": "replace", "n_samples": 2500}, 0.1, 1, ("nll", "trajectory"), 1
    )
    [picture] = panels_of(made, np.array([1]), ["points"])
    assert len(picture.cloud) == 2000
    assert picture.note == "a picture has at most 2,000 of the points"


def test_points__need_a_trajectory_and_two_dimensions():
    line = run(MIXTURE, WORKFLOWS["replace"], n_replicates=2, record=("metrics", "trajectory"))
    assert [panel.heading for panel in panels_of(line, GENERATIONS)] == ["nll", "ise"]
    with pytest.raises(InputError, match="must have points in at least 2 dimensions for the panel points"):
        panels_of(line, GENERATIONS, ["points"])
    with pytest.raises(InputError, match='must have "trajectory" for the panel points'):
        panels_of(run({"shape": "moons"}, WORKFLOWS["replace"], n_replicates=2), GENERATIONS, ["points"])


def test_panels__without_theory(tmp_path):
    np.savetxt(tmp_path / "points.csv", np.random.default_rng(1).normal(size=(40, 2)), delimiter=",")
    truth = {"rows": str(tmp_path / "points.csv"), "n_test": 5}
    results = run(truth, WORKFLOWS["replace"], n_replicates=3)
    assert [panel.heading for panel in panels_of(results, GENERATIONS)] == ["nll"]
    assert np.isnan(panels_of(results, GENERATIONS, ["second_moment"])[0].curve.expected).all()
    # Theory has a narrower domain than the family.
    far = {"normal_mixture": {"weights": [0.5, 0.5], "means": [0, 1e8], "covariances": [1e-6, 1e6]}, "n_test": 5}
    wide = {"shape": "moons", "noise": 20.0, "n_test": 5}
    for truth, bandwidth in ((MIXTURE, 1e-9), (far, 0.5), (wide, 0.5)):
        results = run(truth, WORKFLOWS["accumulate"], bandwidth, n_replicates=3, record=("nll", "ise", "second_moment"))
        nll, ise, _ = panels_of(results, GENERATIONS, ["nll", "ise", "second_moment"])
        assert np.isnan(ise.curve.expected).all()
        assert nll.curve.lower is None
    windowed = {**WORKFLOWS["accumulate"], "window": 2}
    results = run(MIXTURE, windowed, n_replicates=30)
    assert setting_of(results).arguments is None
    nll, ise = panels_of(results, GENERATIONS)
    assert np.isnan(ise.curve.expected).all()
    assert np.isnan(nll.curve.z).all()
    assert "theory" in PANELS.why_no_bounds(results)


def test_errors__name_their_slope_in_a_growing_pool():
    shrinking = {"start": 0.5, "power": -0.25}
    results = run(MIXTURE, WORKFLOWS["with_real"], shrinking, 4, ("mmd", "w1"), n_generations=60)
    for name in ("mmd", "w1"):
        [panel] = panels_of(results, np.array([1, 10, 60]), [name])
        values = results.metrics[name].mean(axis=0)[11:]
        expected = np.polyfit(np.log(17 * np.arange(11, 61)), np.log(values), 1)[0]
        assert panel.note.endswith(f"from generation 11 on: {expected:.3f}")
        assert panel.log
