"""The command `plot`: several files, widths, styles, titles and captions."""

import pytest
from click.testing import CliRunner

from fastcollapse import simulate
from fastcollapse.cli.main import main
from fastcollapse.simulation.experiment import Experiment


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for n in (20, 50):
        experiment = {
            "truth": {"uniform": 5},
            "workflow": {"name": "replace", "n_samples": n},
            "run": {"n_generations": 5, "n_replicates": 20, "seed": 1},
        }
        simulate(Experiment.from_mapping(experiment), folder / f"n{n}.h5")
    return folder


def call(*arguments):
    return CliRunner().invoke(main, ["plot", *map(str, arguments)])


def test_plot__several_files_are_one_figure_with_one_caption(files):
    figure = files / "both.svg"
    result = call(files / "n20.h5", files / "n50.h5", "--panel", "heterozygosity", "--title", "Mine", "-o", figure)
    assert (result.exit_code, result.output) == (0, f"{figure}\n")
    text = figure.read_text()
    assert "Mine" in text  # letters stay letters
    assert "20" in text
    assert "2 runs, 20 replicates of 5 generations" in (files / "both.caption.txt").read_text()


def test_plot__default_name_leaves_captions_alone(files):
    caption = files / "n20.caption.txt"
    caption.write_text("mine")
    result = call(files / "n20.h5", "--width", "one")
    assert result.output == f"{files / 'n20-2.png'}\n"
    assert caption.read_text() == "mine"
    assert (files / "n20-2.caption.txt").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--width", "wide"), "width must be one, two, or from 2 to 40 inches, got 'wide'"),
        (("--style", "poster"), "style must be paper or screen, got 'poster'"),
        (("--panel", "surviva"), "did you mean 'survival'"),
        (("--over", "n"), "--over, --fix, --generation and --heat-map are for sweeps"),
    ],
)
def test_plot__refuses_in_one_line(files, options, message):
    result = call(files / "n20.h5", "-o", files / "none.png", *options)
    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert not (files / "none.png").exists()


def test_plot__pdf_has_letters_as_truetype(files):
    assert call(files / "n50.h5", "-o", files / "a.pdf").exit_code == 0
    content = (files / "a.pdf").read_bytes()
    assert b"/Subtype /Type3" not in content
    assert b"/FontFile2" in content
