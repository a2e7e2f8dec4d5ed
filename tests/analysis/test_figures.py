"""Figure of a run: panels, dashed lines of theory, legends and titles, and refusal to overwrite a file."""

import dataclasses
import io
import itertools
import subprocess
import sys
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from fastcollapse import simulate
from fastcollapse.analysis.axes import draw_plot
from fastcollapse.analysis.figure_files import save_figure
from fastcollapse.analysis.figures import Look, draw, plot
from fastcollapse.analysis.panels.panel import Line, Panel
from fastcollapse.analysis.panels.scores import unscored_curve
from fastcollapse.datasets.shipped import recipes
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.load_experiment import load_experiment

ERRORS = "band: mean ± 2 standard errors"
PATH = "theory: path of infinitely many points"
WORKFLOWS = {
    "replace": {"name": "replace", "n_samples": 200},
    "mix": {"name": "mix", "n_samples": 200, "n_real": 20, "real": "fresh"},
}
TRUTHS = {
    "zipf": {"zipf_mandelbrot": {"a": 1.0, "b": 2.7, "size": 60}},
    "bernoulli": {"probabilities": [0.01, 0.99]},
    "uniform": {"uniform": 10},
}


def run(truth, workflow, n_generations=40):
    return simulate(
        Experiment.from_mapping(
            {
                "truth": TRUTHS[truth],
                "workflow": WORKFLOWS[workflow],
                "run": {"n_generations": n_generations, "n_replicates": 20, "seed": 3},
            }
        )
    )


def labels(axes):
    """The entries of a legend."""
    return axes.get_legend_handles_labels()[1]


def test_draw__replace_has_bounds_and_extinction_times():
    left, right, *_ = draw([run("zipf", "replace")]).axes
    assert labels(left)[2:] == ["theory: exact expectation", "theory: lower bound", "theory: upper bound"]
    # 200 tokens: median by the exact chain, and its limit for counts far below 200.
    assert labels(right)[2:] == ["theory: exact median", r"theory: $2c/\ln 2$ for $c \ll n$"]
    for axes in (left, right):
        assert axes.get_xscale() == ("symlog" if axes is left else "log")
        for line in axes.get_lines():
            name = line.get_label()
            if name.startswith(("theory", "simulated")):
                assert (line.get_linestyle() == "-") == name.startswith("simulated")


def test_draw__extinction_times_stop_at_the_first_median_beyond_the_run():
    right = draw([run("zipf", "replace", 15)]).axes[1]
    median = next(line for line in right.get_lines() if line.get_label() == "simulated median")
    assert max(median.get_ydata()) <= 15


@pytest.mark.parametrize(("truth", "workflow"), [("zipf", "mix"), ("bernoulli", "replace"), ("uniform", "replace")])
def test_draw__shows_heterozygosity_without_extinction_times(truth, workflow):
    left, right, *_ = draw([run(truth, workflow)]).axes
    assert labels(right)[-1] == "theory: exact expectation"
    assert ("theory: lower bound" in labels(left)) == (workflow == "replace")


def test_draw__accepts_one_generation():
    assert len(draw([run("uniform", "replace", 1)]).axes) == 2


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_save_figure__never_overwrites(suffix, tmp_path):
    results, path = run("uniform", "replace", 3), tmp_path / f"figure{suffix}"
    save_figure(results, path)
    old = path.read_bytes()
    assert len(old) > 1000
    with pytest.raises(InputError, match="figure must be a new file"):
        save_figure(results, path)
    assert path.read_bytes() == old


def test_save_figure__that_is_stopped_leaves_the_old_one(tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    results, path = run("uniform", "replace", 3), tmp_path / "figure.png"
    path.write_bytes(b"old")
    with monkeypatch.context() as patch:
        patch.setattr("matplotlib.figure.Figure.savefig", stopped)
        with pytest.raises(KeyboardInterrupt):
            save_figure(results, path, replace=True)
    assert path.read_bytes() == b"old"
    save_figure(results, path, replace=True)
    assert len(path.read_bytes()) > 1000
    assert sorted(one.name for one in tmp_path.iterdir()) == ["figure.caption.txt", "figure.png"]


def test_save_figure__refuses_unknown_extension(tmp_path):
    with pytest.raises(InputError, match=r"figure must end in \.png"):
        save_figure(run("uniform", "replace", 3), tmp_path / "figure.h5")


def test_draw__shows_bounds_of_median_without_exact_value():
    """2,000 tokens exceed the exact chain, and 200 copies are too large a share for the limit law."""
    results = simulate(
        Experiment.from_mapping(
            {
                "truth": {"zipf_mandelbrot": {"a": 1.0, "b": 2.7, "size": 100}},
                "workflow": {"name": "replace", "n_samples": 2000},
                "run": {"n_generations": 700, "n_replicates": 20, "seed": 3},
            }
        )
    )
    right = draw([results]).axes[1]
    assert "theory: bounds of the median" in labels(right)
    lower, upper = (line for line in right.get_lines() if line.get_linestyle() == "--")
    shared = min(len(lower.get_xdata()), len(upper.get_xdata()))
    assert (lower.get_ydata()[:shared] <= upper.get_ydata()[:shared]).all()
    # The limit stops at n / 100.
    law = next(line for line in right.get_lines() if line.get_label().startswith("theory: $2c"))
    assert max(law.get_xdata()) <= 20


def test_draw__single_replicate_and_huge_samples():
    mapping = {
        "truth": {"probabilities": [0.01, 0.99]},
        "workflow": {"name": "replace", "n_samples": 10**15},
        "run": {"n_generations": 3, "n_replicates": 1, "seed": 3},
    }
    figure = draw([simulate(Experiment.from_mapping(mapping))])
    assert figure.get_suptitle().startswith("Recursive training, discrete model")
    assert "band" not in " ".join(labels(figure.axes[0]))  # one replicate has no spread


@pytest.mark.parametrize("name", ["sur-zipf", "sur-gmm"])
def test_draw__legends_are_whole_and_apart(name):
    size = {"run.n_replicates": 2, "run.n_generations": 10}
    figure = draw([simulate(case) for case in load_experiment(name, size).cases()])
    figure.savefig(io.BytesIO(), format="png", dpi=100)  # places everything
    own = [axes.get_legend() for axes in figure.axes if axes.get_legend() is not None]
    legends = [legend.get_window_extent() for legend in (*own, *figure.legends)]
    assert legends
    for legend in legends:
        assert legend.x0 >= 0
        assert legend.y0 >= 0
        assert legend.x1 <= figure.bbox.x1
    boxes = [*legends, *(axes.get_window_extent() for axes in figure.axes)]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_draw__titles_have_no_python_tables():
    size = {"run.n_replicates": 2, "run.n_generations": 2}
    figure = draw([simulate(case) for case in load_experiment("sur-zipf", size).cases()])
    titles = [axes.get_title().replace("\n", " ") for axes in figure.axes]
    assert titles[0] == "Share of the symbols of the first sample $a$ = 1, $b$ = 2.7, $K$ = 1,000"
    assert not any("{" in title for title in titles)


def test_draw__overlaid_workflows_of_one_name_are_named_by_their_keys():
    def labels_of(name):
        experiment = load_experiment(name)
        cases = [case.with_values({"run.n_replicates": 2, "run.n_generations": 10}) for case in experiment.cases()]
        figure = draw([simulate(dataclasses.replace(case, text=experiment.text)) for case in cases])
        return [labels(axes) for axes in figure.axes]

    [names] = labels_of("pathways")
    assert names[:3] == [
        "replace",
        "accumulate, real data dropped, window 2",
        "accumulate, real data dropped, window 10",
    ]
    # Workflows of different names need no other key.
    assert labels_of("replace-accumulate")[0][:2] == ["replace", "accumulate"]


def test_draw__overlaid_cases_have_asymptotic_theory():
    cases = Experiment.from_toml(recipes()["verifier"]).cases()
    mean, variance = draw([simulate(case.with_values({"run.n_replicates": 3})) for case in cases]).axes
    assert labels(mean) == [*(rf"$\tau$ = {width}" for width in (1, 3, 10)), "centre of the verifier", PATH, ERRORS]
    assert labels(variance)[3:] == [PATH, "band: middle 80 % of the replicates"]
    dashed = [line for line in variance.get_lines() if line.get_linestyle() != "-" and len(line.get_xdata())]
    assert len(dashed) == 3
    # By theory the variance is 1/(1 + t/tau^2).
    assert dashed[0].get_ydata()[-1] == pytest.approx(1 / 201)


def test_plot__limits_that_differ_have_the_colours_of_their_curves():
    at = np.arange(4)

    def panel(group, limit):
        line = Line("limit", np.full(4, limit), "limit")
        return Panel("title", "label", "heading", unscored_curve(at, np.ones((2, 4))), (line,), group=group)

    def dotted(*panels):
        axes = Figure().subplots()
        draw_plot(axes, panels, run("uniform", "replace", 3))
        return [line for line in axes.get_lines() if line.get_linestyle() == ":" and len(line.get_xdata())]

    first, second = dotted(panel("a", 0.5), panel("b", 0.7))
    assert tuple(first.get_color()) != tuple(second.get_color())
    assert (first.get_ydata()[0], second.get_ydata()[0]) == (0.5, 0.7)
    assert len(dotted(panel("a", 0.5), panel("b", 0.5))) == 1


def test_plot__returns_the_figure_or_the_axes_of_a_panel():
    results = run("uniform", "replace", 5)
    figure = plot(results)
    assert isinstance(figure, Figure)
    axes = plot(results, "heterozygosity")
    assert axes.get_title().replace("\n", " ") == "Probability that two tokens differ"
    assert [place for place in axes.get_figure().axes] == [axes]
    assert plot(results, "support_size").get_ylabel() == "number of live symbols (1)"


def test_plot__unknown_panel_names_the_nearest():
    results = run("uniform", "replace", 5)
    with pytest.raises(InputError, match=r"panel must be one of survival, .*, got 'surviva' \(did you mean 'survival'"):
        plot(results, "surviva")


def test_plot__draws_into_given_axes_and_leaves_their_figure_alone():
    results = run("uniform", "replace", 5)
    figure = Figure(figsize=(7, 3))
    figure.suptitle("mine")
    left, right, other = figure.subplots(1, 3)
    assert plot(results, "survival", other) is other
    assert plot(results, axes=[left, right], look=Look(legend=False)) is figure
    assert figure.get_suptitle() == "mine"
    assert len(figure.axes) == 3
    assert left.get_legend() is None
    assert other.get_legend() is not None
    assert left.spines["top"].get_visible()
    assert right.get_title().splitlines()[0] == "Probability that two"  # wrapped to the narrow axes
    with pytest.raises(InputError, match="axes must be 2 axes for 2 plots, or panel must name one of them, got 1"):
        plot(results, axes=left)
    with pytest.raises(InputError, match="axes must be one Axes, got 2"):
        plot(results, "survival", [left, right])


def test_plot__font_sizes_follow_the_settings_of_the_user():
    results = run("uniform", "replace", 5)
    sizes = []
    for size in (10, 5):
        with matplotlib.rc_context({"font.size": size}):
            axes = plot(results, "survival")
            [legend] = [place.get_legend() for place in axes.figure.axes if place.get_legend()]
            sizes.append((axes.title.get_fontsize(), legend.get_texts()[0].get_fontsize()))
    assert sizes == [(11, 10), (5.5, 5)]


def test_plot__does_not_import_pyplot():
    code = (
        "import sys, fastcollapse\n"
        "results = fastcollapse.simulate(fastcollapse.Experiment.from_mapping({'truth': {'uniform': 5},\n"
        "    'workflow': {'name': 'replace', 'n_samples': 10},\n"
        "    'run': {'n_generations': 2, 'n_replicates': 2, 'seed': 1}}))\n"
        "assert results.plot()._repr_png_().startswith(b'\\x89PNG')\n"
        "assert results.plot('survival')._repr_png_().startswith(b'\\x89PNG')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_published_points__beyond_changed_limits_take_no_space():
    figure = plot([simulate(load_experiment("sur-gau", {"run.n_replicates": 20}))])
    (axes,) = figure.axes
    axes.set_xlim(0, 50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO())
    assert axes.get_tightbbox().x1 <= figure.bbox.x1
