"""Figures of sweeps: one plot for each kind of panel, gaps for missing points, and common titles."""

import numpy as np
import pytest

from fastcollapse.analysis.sweep_axes import Side
from fastcollapse.analysis.sweep_choice import Choice
from fastcollapse.analysis.sweep_figures import draw_sweep
from fastcollapse.analysis.sweep_panels import drawn_of
from fastcollapse.errors import InputError
from fastcollapse.sweeps.axes import named_axes
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.run import run_sweep
from tests.sweeps._example_sweeps import small_sweep


def folder_of(path, sweep):
    run_sweep(sweep, path)
    return SweepFolder(path)


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    """A sweep over families, which have different panels."""
    models = [{"family": "poisson"}, {"family": "gaussian", "estimator": "mle"}]
    truths = [{"rate": 2.0}, {"sigma": 1.0}]
    return folder_of(
        tmp_path_factory.mktemp("families") / "s",
        Sweep(
            {
                "workflow": {"name": "replace", "n_samples": 20},
                "run": {"n_generations": 3, "n_replicates": 20, "seed": 3},
                "sweep": {"zip": {"model": models, "truth": truths}},
            }
        ),
    )


@pytest.fixture(scope="module")
def ragged(tmp_path_factory):
    """A sweep of points with 2 and 6 generations, 5 and 3 replicates, over three sample sizes."""
    lengths = {"run.n_generations": [2, 6], "run.n_replicates": [5, 3], "truth.uniform": [10, 20]}
    sweep = small_sweep(sweep={"grid": {"workflow.n_samples": [5, 6, 7]}, "zip": lengths})
    return folder_of(tmp_path_factory.mktemp("ragged") / "s", sweep)


def test_panels__families_have_separate_plots(families):
    drawn = drawn_of(families, Choice())
    titles = [plot[0].title for plot in drawn.plots]
    assert "Mean rate" in titles
    assert "Log deviation" in titles
    for title, known in (("Mean rate", [True, False]), ("Log deviation", [False, True])):
        (panel,) = drawn.plots[titles.index(title)]
        assert np.isfinite(panel.curve.mean).tolist() == known
    assert drawn.sides[0].names == [r"Poisson, $\lambda_0$ = 2", r"Gaussian, $\sigma_0$ = 1"]
    assert drawn.title == "Sweep: Poisson and Gaussian"


def test_categorical_axis__has_no_lines(families):
    figure = draw_sweep(families)
    for axes in figure.axes:
        assert all(line.get_linestyle() in ("None", "none") for line in axes.lines if len(line.get_xdata()) > 1)


@pytest.mark.parametrize(("sizes", "bounds"), [([5, 20], False), ([0, 5, 20], True)])
def test_legend__names_only_theory_that_is_drawn(tmp_path, sizes, bounds):
    """With real data there are no bounds; a bound of one point alone is a mark, because it makes no line."""
    mix = {"name": "mix", "n_samples": 50, "real": "fresh"}
    sweep = {"truth": {"uniform": 3}, "workflow": mix, "run": {"n_generations": 4, "n_replicates": 30, "seed": 1}}
    folder = folder_of(tmp_path / "s", Sweep(sweep | {"sweep": {"grid": {"workflow.n_real": sizes}}}))
    axes = draw_sweep(folder).axes[0]
    labels = axes.get_legend_handles_labels()[1]
    assert ("theory: lower bound" in labels) == bounds
    assert sum(line.get_marker() == "_" and len(line.get_xdata()) == 1 for line in axes.lines) == 3 * bounds


def test_names__of_tables_have_their_own_keys():
    laws = [{"a": 1.0, "b": 2.7, "size": size} for size in (50, 400)]
    swept = {"truth.zipf_mandelbrot": laws, "workflow.n_samples": [10, 100]}
    [axis] = named_axes(small_sweep(sweep={"zip": swept}))
    assert Side(axis, 0).groups == [
        "$K$ = 50, $n$ = 10",
        "$K$ = 400, $n$ = 100",
    ]


def test_title__bounds_and_unscored_points_are_no_scores(families):
    facts = drawn_of(families, Choice()).facts
    assert "largest |z|" in facts
    drawn = drawn_of(families, Choice())
    n = sum(int(panel.curve.is_compared.sum()) for plot in drawn.plots for panel in plot)
    assert f"; {n} score" in facts


def test_title__is_valid_for_all_points(ragged):
    drawn = drawn_of(ragged, Choice())
    assert drawn.facts.startswith("generation 2 to 6; 3 to 5 replicates")
    assert [panel.group for panel in drawn.plots[0]] == ["$K$ = 10", "$K$ = 20"]
    one = drawn_of(ragged, Choice(fixed={"uniform": "20"}))
    assert one.facts.startswith("generation 6; 3 replicates; $K$ = 20")


def test_generation__shorter_points_leave_gap(ragged):
    drawn = drawn_of(ragged, Choice(generation=5))
    assert [panel.group for panel in drawn.plots[0]] == ["$K$ = 20"]
    with pytest.raises(InputError, match="generation must be from 0 to 6, got 7"):
        drawn_of(ragged, Choice(generation=7))


def test_fixed__is_excluded_from_axes(ragged):
    drawn = drawn_of(ragged, Choice(fixed={"n_samples": "6"}))
    assert [side.label for side in drawn.sides] == ["number of symbols $K$"]
    with pytest.raises(InputError, match="n_samples must not be fixed: the figure is over it"):
        drawn_of(ragged, Choice(("n_samples",), {"n_samples": "6"}))
