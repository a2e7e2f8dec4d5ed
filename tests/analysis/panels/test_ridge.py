"""Panels of ridge regression: simulated values and exact or asymptotic theory."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.analysis.comparison import compare
from fastcollapse.analysis.figures import draw
from fastcollapse.analysis.panels.downstream_grid import EXPONENT, RIDGE, SAMPLES
from fastcollapse.analysis.panels.panel import GENERATION, QUARTILES
from fastcollapse.analysis.panels.registry import panels_of
from fastcollapse.analysis.panels.ridge import PANELS
from fastcollapse.analysis.report import comparison_text, contents, summary
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment

pytestmark = pytest.mark.filterwarnings("ignore::fastcollapse.errors.InfiniteMomentWarning")
# All scores of this file are about 200: beyond 5 in one of 10,000 right files.
Z_LIMIT = 5.0
ALL = np.arange(7)


def run(model=(), truth=(), workflow=(), downstream=(), n_replicates=400, text=""):
    mapping = {
        "model": {
            "family": "ridge",
            "designs": "independent",
            "sigma": 0.3,
            "downstream": {"n_samples": [10, 50, 200], "ridge": [0.0, 0.03, 0.1, 0.3, 1.0], **dict(downstream)},
            **dict(model),
        },
        "truth": {"dimension": 20, **dict(truth)},
        "workflow": {"name": "replace", "n_samples": 60, **dict(workflow)},
        "run": {"n_generations": 6, "n_replicates": n_replicates, "seed": 8},
    }
    return simulate(Experiment.from_mapping(mapping, text=text))


@pytest.fixture(scope="module")
def results():
    return run()


@pytest.fixture(scope="module")
def square_samples():
    """As many samples as inputs, the same inputs in every generation: every moment is infinite, the law is known."""
    return run({"designs": "dependent"}, workflow={"name": "accumulate", "n_samples": 20, "keep_real": True})


# Panels of runs with real rows, with mixed labels, with fine-tuning, and with a share of synthetic samples.
OTHER_RUNS = ("error_over_real", "mixed_error", "best_weight", "fine_tuning", "plateau", "ridge_gain")


@pytest.mark.parametrize("name", [name for name in PANELS.panels if name not in OTHER_RUNS])
def test_panels__agree_with_theory(name, results):
    panels = panels_of(results, ALL, [name])
    scores = np.concatenate([panel.curve.z[np.isfinite(panel.curve.z)] for panel in panels])
    close = [panel.asymptotic() for panel in panels]
    assert scores.size or any(np.isfinite(values).any() for values in close)
    assert np.abs(scores).max(initial=0.0) < Z_LIMIT
    for panel in panels:
        assert len(panel.curve.at) == len(panel.curve.mean)
        assert not panel.median


def test_error_by_ridge__has_curve_per_generation_and_plot_per_sample_size(results):
    panels = panels_of(results, ALL, ["error_by_ridge"])
    assert [panel.title for panel in panels[::6]] == [f"Test error, $T$ = {T}" for T in (10, 50, 200)]
    assert [panel.group for panel in panels[:6]] == [f"$t$ = {t}" for t in (0, 1, 2, 3, 4, 6)]
    assert all(panel.axis is RIDGE for panel in panels)
    np.testing.assert_array_equal(panels[1].curve.mean, results.metrics["test_error"][:, 1, 0].mean(axis=0))
    # Exact only without a ridge.
    np.testing.assert_array_equal(np.isfinite(panels[1].curve.expected), [True, False, False, False, False])
    np.testing.assert_array_equal(np.isfinite(panels[1].asymptotic()), [False, True, True, True, True])


def test_error_by_samples__uses_ridges_named_in_recipe():
    results = run(n_replicates=2, text='[recipe]\ntitle = "t"\nridge = [0.1]\npanels = ["error_by_samples"]\n')
    panels = panels_of(results, ALL)
    assert {panel.title for panel in panels} == {r"Test error, $\lambda$ = 0.1"}
    assert all(panel.axis is SAMPLES and panel.log for panel in panels)
    np.testing.assert_array_equal(panels[0].curve.at, [10, 50, 200])
    wrong = run(n_replicates=2, text='[recipe]\ntitle = "t"\nridge = [0.2]\npanels = ["error_by_samples"]\n')
    with pytest.raises(InputError, match=r"recipe\.ridge must be in the grid of the run, got 0.2"):
        panels_of(wrong, ALL)


def test_error_by_generation__shows_evaluated_generations():
    results = run(downstream={"generations": [0, 2, 6]}, n_replicates=3)
    panels = panels_of(results, np.array([1, 2, 3, 6]), ["error_by_generation"])
    assert all(panel.axis is GENERATION for panel in panels)
    np.testing.assert_array_equal(panels[0].curve.at, [2, 6])
    assert "T = 10" in summary(results)


def test_exponents__have_separate_axis():
    results = run(downstream={"ridge": None, "exponent": [0.3, 0.6, 0.9]}, n_replicates=50)
    assert all(panel.axis is EXPONENT for panel in panels_of(results, ALL, ["error_by_ridge", "decomposition"]))
    with pytest.raises(InputError, match="at least 3 values above 0 for the panel optimum"):
        panels_of(results, ALL, ["optimum"])


def test_decomposition__parts_sum_to_total(results):
    bias, variance, synthetic, total = (panel.curve for panel in panels_of(results, ALL, ["decomposition"]))
    # The products of the parts have mean 0; 400 replicates of them vary by less than a tenth of the total.
    np.testing.assert_allclose(bias.mean + variance.mean + synthetic.mean, total.mean, rtol=0.05)
    assert bias.mean[0] == bias.expected[0] == bias.z[0] == 0


def test_ratio__is_below_limit_for_accumulate():
    replaced, kept = (
        panels_of(run(workflow={"name": name, **more}), ALL, ["ratio_to_first"])[0]
        for name, more in (("replace", {}), ("accumulate", {"keep_real": True}))
    )
    np.testing.assert_allclose(replaced.curve.expected, np.arange(1, 7))
    assert [line.kind for line in kept.lines] == ["limit"]
    assert not replaced.lines
    assert kept.curve.expected.max() < np.pi**2 / 6
    for panel in (replaced, kept):
        assert np.abs(panel.curve.z).max() < Z_LIMIT


def test_heavy_tails__table_and_figure_show_medians(square_samples):
    error, ratio, *tests = panels_of(square_samples, ALL, ["generator_error", "ratio_to_first", "error_by_ridge"])
    for panel in (error, ratio):
        assert panel.median
        assert panel.band == QUARTILES
        assert np.abs(panel.curve.z[1:]).max() < Z_LIMIT
    np.testing.assert_allclose(ratio.curve.expected, np.cumsum(1 / np.arange(1, 7) ** 2))
    np.testing.assert_allclose(error.curve.mean, np.median(square_samples.metrics["generator_error"], axis=0))
    assert all(panel.median for panel in tests)
    compared = compare(square_samples)
    text = comparison_text(square_samples, compared)
    assert compared.agrees
    assert "error: median and quartiles over replicates" in text
    assert "error: the mean or variance is infinite, samples near the dimension" in text
    assert "(infinite moments, and no exact median is known)" in text
    assert PANELS.why_no_bounds(square_samples) == "its expectation is not known"


def test_heavy_tails__few_points_are_omitted():
    results = run(downstream={"n_samples": [10, 20, 50]}, n_replicates=50)
    panels = panels_of(results, ALL, ["error_by_ridge"])
    near = [panel for panel in panels if panel.title == "Test error, $T$ = 20"]
    for panel in near:
        assert not panel.median
        np.testing.assert_array_equal(np.isnan(panel.curve.mean), [True, False, False, False, False])
        assert panel.curve.expected[0] == np.inf
        assert "left out where the mean or variance is infinite" in panel.note
    assert not any(panel.note for panel in panels if panel not in near)
    [first, *_] = panels_of(results, ALL, ["error_by_samples"])
    np.testing.assert_array_equal(np.isnan(first.curve.mean), [False, True, False])
    # All points of a curve over generations are medians.
    text = '[recipe]\ntitle = "t"\nridge = [0.0]\nsamples = [20]\npanels = ["error_by_generation"]\n'
    [panel] = panels_of(run(downstream={"n_samples": [10, 20, 50]}, n_replicates=50, text=text), ALL)
    assert panel.median
    draw([results])


def test_optimum__grows_with_generations():
    grid = {"start": 0.003, "stop": 3.0, "n": 15}
    results = run({"sigma": 0.2}, downstream={"n_samples": 100, "ridge": grid})
    [panel] = panels_of(results, ALL, ["optimum"])
    assert (np.diff(panel.curve.mean) > 0).all()
    assert np.abs(panel.curve.mean / panel.asymptotic() - 1).max() < 0.3


@pytest.mark.parametrize(
    ("downstream", "axis"),
    [({}, RIDGE), ({"ridge": [0.1, 1.0]}, SAMPLES), ({"n_samples": 50, "ridge": 0.1}, GENERATION)],
)
def test_test_error__axis_is_longest_coordinate(downstream, axis):
    panels = panels_of(run(downstream=downstream, n_replicates=3), ALL)
    assert {panel.axis for panel in panels[1:]} == {axis}


def test_default__without_predictor_shows_generator():
    mapping = {
        "model": {"family": "ridge", "designs": "independent", "sigma": 0.3},
        "truth": {"dimension": 20},
        "workflow": {"name": "replace", "n_samples": 60},
        "run": {"n_generations": 6, "n_replicates": 30, "seed": 8},
    }
    results = simulate(Experiment.from_mapping(mapping))
    assert [panel.heading for panel in panels_of(results, ALL)] == ["error"]
    with pytest.raises(InputError, match=r"run\.record must have test_error for the panel error_by_ridge"):
        panels_of(results, ALL, ["error_by_ridge"])
    assert len(draw([results]).axes) == 1


def test_families_page__regression_example_runs():
    page = (Path(__file__).parents[3] / "docs" / "explanation" / "families" / "ridge.md").read_text()
    (text,) = (block for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if 'family = "ridge"' in block)
    experiment = Experiment.from_mapping(tomllib.loads(text))
    results = simulate(experiment.with_values({"run.n_replicates": 2}))
    got = results.to_xarray().test_error.sel(ridge=0.1, downstream_samples=300, method="nearest")
    assert got.dims == ("replicate", "generation")
    assert np.isfinite(got.sel(generation=[0, 1, 5, 10])).all()
    named = re.search(r"`panels` of (.*?);", page, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", named[1])) == set(PANELS.panels)


def test_labels__are_read_from_file_with_grid(results):
    text = contents(results)
    assert "test_error" in text
    assert "downstream_samples" in text
    assert "3 values, 10 to 200" in text
    assert "  downstream n_samples = [10, 50, 200], ridge = [0.0, 0.03, 0.1, 0.3, 1.0], generations = all" in text
    assert set(PANELS.default) <= set(PANELS.panels)


TUNED = {"start": "generation", "n_samples": [8, 50], "ridge": [0.0, 0.1, 0.3, 1.0, 3.0]}


@pytest.mark.parametrize("truth", [{}, {"beta": 1.0}], ids=["isotropic", "power law"])
def test_fine_tuning__agrees_with_theory(truth):
    results = run(truth=truth, downstream=TUNED)
    panels = panels_of(results, ALL, ["fine_tuning"])
    # The fit from scratch is a reference of all curves, not of one.
    assert all([line.kind for line in panel.lines].count("reference") == 1 for panel in panels)
    assert [panel.group for panel in panels[:4]] == [
        "not fine-tuned",
        *(rf"$\lambda$ = {ridge}" for ridge in ("0", "0.3", "3")),
    ]
    scores = np.array([panel.curve.z for panel in panels[:2]])
    assert np.abs(scores[:, 1:][np.isfinite(scores[:, 1:])]).max() < Z_LIMIT
    # Exact for isotropic inputs; a projection of others has an approximate error.
    assert np.isfinite(scores[1, 1:]).all() != bool(truth)
    for panel in panels[2:4]:
        np.testing.assert_allclose(panel.curve.mean[1:], panel.asymptotic()[1:], rtol=0.15)
    # From scratch the error is that of a start with the error |w0|^2 = 1.
    assert panels[0].lines[-1].label == "theory: from scratch, best ridge"
    scratch = panels[0].lines[-1].values
    assert scratch[0] == scratch[-1] < 1
    # Many rows forget the start, and decompositions have no synthetic part.
    many = panels[5]
    np.testing.assert_allclose(many.curve.expected, 0.09 * 20 / 29)
    assert [panel.group for panel in panels_of(results, ALL, ["decomposition"])] == ["bias", "variance", "total"]
    with pytest.raises(InputError, match="start must be 'generation' or a number for the panel"):
        panels_of(run(n_replicates=2), ALL, ["fine_tuning"])


def test_fine_tuning__best_ridge_falls_with_the_error_of_the_start():
    results = run(downstream=TUNED, n_replicates=50)
    panel = panels_of(results, ALL, ["optimum"])[0]
    # No ridge is best for the truth: the best one of the grid would say nothing.
    np.testing.assert_array_equal(panel.curve.at, np.arange(1, 7))
    line = panel.lines[0].values
    # sigma^2 d/(T |delta|^2)
    expected = 0.09 * 20 / (8 * np.arange(1, 7) * 0.09 * 20 / 39)
    np.testing.assert_allclose(line, expected, rtol=1e-6)
    with pytest.raises(InputError, match="must have a generation above 0 for the panel optimum"):
        panels_of(run(downstream={**TUNED, "start": 0}, n_replicates=2), ALL, ["optimum"])


@pytest.mark.parametrize("model", [{}, {"ridge": 0.2}, {"designs": "dependent"}], ids=str)
@pytest.mark.parametrize("n_samples", [10, 60])
def test_start_from_previous__agrees_with_theory(model, n_samples):
    results = run({"start": "previous", **model}, workflow={"n_samples": n_samples})
    for name in ("generator_error", "generator_norm", "generator_alignment"):
        panel = panels_of(results, ALL, [name])[0]
        if np.isfinite(panel.asymptotic()[1:]).all():
            np.testing.assert_allclose(panel.curve.mean[1:], panel.asymptotic()[1:], rtol=0.15)
        else:
            assert np.isfinite(panel.curve.z[1:]).all()
            assert np.abs(panel.curve.z).max() < Z_LIMIT
    # Negative control: the theory of fits from zero.
    other = run(model, workflow={"n_samples": n_samples}, n_replicates=2)
    panel, wrong = (panels_of(one, ALL, ["generator_error"])[0] for one in (results, other))
    expected = np.where(np.isnan(wrong.curve.expected), wrong.asymptotic(), wrong.curve.expected)[1:]
    is_same = n_samples == 60 and "ridge" not in model
    assert np.allclose(panel.curve.mean[1:], expected, rtol=0.15) == is_same
