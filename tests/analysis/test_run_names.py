"""Runs of several files in one figure, named by what differs."""

import pytest

from fastcollapse import plot, simulate
from fastcollapse.analysis.captions import caption_of
from fastcollapse.analysis.figure_plots import are_cases, plots_of_figure
from fastcollapse.analysis.figures import draw
from fastcollapse.analysis.run_names import run_names
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.load_experiment import load_experiment


def run(n=20, seed=1, truth=None, path=None):
    return simulate(
        Experiment.from_mapping(
            {
                "truth": truth or {"uniform": 5},
                "workflow": {"name": "replace", "n_samples": n},
                "run": {"n_generations": 6, "n_replicates": 30, "seed": seed},
            }
        ),
        path,
    )


def test_run_names__are_the_values_that_differ():
    names = run_names([run(20), run(50)])
    assert ["20" in name for name in names] == [True, False]
    assert ["50" in name for name in names] == [False, True]
    assert len(set(names)) == 2


def test_run_names__equal_runs_are_named_by_their_files(tmp_path):
    assert run_names([run(path=tmp_path / "first.h5"), run(seed=2, path=tmp_path / "second.h5")]) == ["first", "second"]
    assert run_names([run(), run(seed=2)]) == ["run 1", "run 2"]


def test_draw__equal_panels_of_several_runs_share_their_axes():
    runs = [run(20), run(50)]
    axes = plot(runs, "heterozygosity")
    labels = axes.get_legend_handles_labels()[1]
    assert labels[:2] == run_names(runs)
    assert "theory: exact" in labels
    simulated = [line for line in axes.get_lines() if line.get_label() in labels[:2]]
    assert [line.get_ydata()[-1] for line in simulated] == pytest.approx(
        [one.metrics["heterozygosity"][:, -1].mean() for one in runs]
    )


@pytest.mark.parametrize(("other", "is_shared"), [({"run.seed": 5}, True), ({"workflow.n_samples": 20}, False)])
def test_draw__published_points_are_those_that_all_runs_share(other, is_shared):
    size = {"run.n_replicates": 20, "run.n_generations": 30}
    runs = [simulate(load_experiment("sur-gau", {**size, **values})) for values in ({}, other)]
    labels = plot(runs, "tail").get_legend_handles_labels()[1]
    assert sum("read off" in label for label in labels) == is_shared
    caption = caption_of(plots_of_figure(runs))
    assert (
        "\nPublished points are not drawn where they do not belong to all curves of a plot." in caption
    ) != is_shared


def test_are_cases__runs_of_files_are_none():
    experiment = load_experiment("sur-zipf", {"run.n_replicates": 2, "run.n_generations": 2})
    cases = [simulate(case) for case in experiment.cases()]
    assert are_cases(cases)
    assert are_cases(cases[:1])
    assert not are_cases([run(), run(50)])
    assert not are_cases([*cases, run()])
    assert not are_cases([run(), *cases])


def test_draw__panels_of_one_run_alone_have_axes_of_their_own():
    gaussian = simulate(
        Experiment.from_mapping(
            {
                "model": {"family": "gaussian", "estimator": "mle"},
                "truth": {"sigma": 1.0},
                "workflow": {"name": "replace", "n_samples": 20},
                "run": {"n_generations": 6, "n_replicates": 30, "seed": 1},
            }
        )
    )
    n_alone = len([axes for axes in draw([gaussian]).axes if axes.get_title()])
    n_discrete = len([axes for axes in draw([run()]).axes if axes.get_title()])
    figure = draw([run(), gaussian])
    assert len([axes for axes in figure.axes if axes.get_title()]) == n_alone + n_discrete
