"""Captions, and figures in files with their captions."""

import re

import pytest

from fastcollapse import reproduce, simulate
from fastcollapse.analysis.agreement import agreement_of
from fastcollapse.analysis.captions import caption_of
from fastcollapse.analysis.comparison import compare
from fastcollapse.analysis.figure_files import save_figure
from fastcollapse.analysis.figure_plots import figure_generations, plots_of_figure
from fastcollapse.analysis.figures import Look, draw
from fastcollapse.analysis.panels import discrete
from fastcollapse.analysis.report import summary
from fastcollapse.api.cases import plot
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.load_experiment import load_experiment

SUR_GAU = reproduce("sur-gau", {"run.n_replicates": 200, "run.n_generations": 40})


def test_caption__has_title_source_run_note_look_and_verdict():
    results = SUR_GAU.cases[0]
    lines = results.caption().split("\n")
    recipe = results.recipe
    assert lines[0] == f"{recipe.title}."
    assert lines[1] == f"Source: {recipe.source}."
    assert lines[2] == f"200 replicates of 40 generations, seed {results.experiment.run.seed}."
    assert recipe.note in lines
    assert any(line.startswith("Bands and bars: the mean plus and minus two standard errors") for line in lines)
    assert "largest |z|" in lines[-1]
    assert SUR_GAU.caption() == caption_of(plots_of_figure(SUR_GAU.cases)) == results.caption()


def test_caption__names_metrics_as_the_figure_does():
    reproduced = reproduce("cot-gau", {"run.n_replicates": 30, "run.n_generations": 3})
    verdict = reproduced.caption().split("\n")[-1]
    assert "exact theory in 1 of 2 metrics (variance over the true one at " in verdict
    assert "not compared: squared error of the mean" in verdict


def test_caption__notes_name_the_curves_that_have_them():
    values = {"run.n_replicates": 2, "run.n_generations": 45}
    cases = [simulate(case) for case in load_experiment("crt-kde").with_values(values).cases()]
    caption = caption_of(plots_of_figure(cases))
    lines = [line for line in caption.split("\n") if "slope of ln(squared error)" in line]
    assert [line.partition(":")[0] for line in lines] == ["sigma^2 = (0.64, 1.69)", "sigma^2 = (0.8, 1.3)"]
    assert [re.findall(r"\(n = (\d+)\)", line) for line in lines] == [["450", "150", "50", "6"]] * 2


def test_caption__of_one_panel_does_not_describe_others():
    results = reproduce("cot-gau", {"run.n_replicates": 5, "run.n_generations": 5}).cases[0]
    assert "Broken lines: theory" in results.caption("variance")
    assert "Broken lines: theory" not in results.caption("squared_error")
    with pytest.raises(InputError, match="panel must be one of"):
        results.caption("variances")


def test_save_figure__has_its_caption_beside_it_and_replaces_no_other(tmp_path):
    cases = SUR_GAU.cases
    save_figure(cases, tmp_path / "a.png")
    caption = tmp_path / "a.caption.txt"
    assert caption.read_text() == f"{caption_of(plots_of_figure(cases))}\n"
    save_figure(cases, tmp_path / "a.pdf")  # the same caption
    caption.write_text("mine")
    with pytest.raises(InputError, match=r"figure must be a new file, got .*a\.svg: its caption .* exists"):
        save_figure(cases, tmp_path / "a.svg")
    assert caption.read_text() == "mine"
    assert not (tmp_path / "a.svg").exists()
    save_figure(cases, tmp_path / "a.svg", replace=True)
    assert caption.read_text() == f"{caption_of(plots_of_figure(cases))}\n"


def test_save_figure__makes_panels_once_for_picture_caption_and_verdict(tmp_path, monkeypatch):
    original, made = discrete.PANELS.panels["heterozygosity"], []

    def counted(results, generations, options):
        made.append(len(generations))
        return original(results, generations, options)

    monkeypatch.setitem(discrete.PANELS.panels, "heterozygosity", counted)
    run = {"n_generations": 60, "n_replicates": 20, "seed": 1}
    text = '[recipe]\ntitle = "A run"\ngenerations = [5, 60]\npanels = ["heterozygosity"]\n'
    mapping = {"truth": {"uniform": 10}, "workflow": {"name": "replace", "n_samples": 20}, "run": run}
    results = simulate(Experiment.from_mapping(mapping, text=text))
    save_figure(results, tmp_path / "a.png")
    summary(results)
    assert compare(results).agreements == tuple(agreement_of(results))
    # The generations of the picture, and those of the verdict and of the tables.
    assert made == [len(figure_generations(results)), 2]


@pytest.mark.parametrize(("width", "inches"), [("one", 3.3), ("two", 6.9), (5, 5)])
def test_plot__has_the_width_and_title_that_are_asked_for(width, inches):
    figure = plot(SUR_GAU.cases, width=width, style="paper", title="Mine")
    assert figure.get_figwidth() == inches
    assert figure.get_suptitle() == "Mine"
    assert plot(SUR_GAU.cases, title="").get_suptitle() == ""


def test_look__refuses_other_styles():
    with pytest.raises(InputError, match="style must be paper or screen"):
        Look(style="slides")


def test_caption__has_the_truth_that_is_too_long_for_a_title(tmp_path):
    (tmp_path / "a_long_name_of_a_text_file.txt").write_text("to be or not to be")
    sections = {
        "truth": {"text": str(tmp_path / "a_long_name_of_a_text_file.txt")},
        "workflow": {"name": "replace", "n_samples": 20},
        "run": {"n_generations": 3, "n_replicates": 3, "seed": 1},
    }
    results = simulate(sections)
    assert draw([results]).get_suptitle() == "Recursive training, discrete model"
    assert "a_long_name_of_a_text_file.txt: 4 symbols, 6 tokens." in caption_of(plots_of_figure([results]))
