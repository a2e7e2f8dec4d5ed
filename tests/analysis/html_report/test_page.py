"""The page of a report: complete, self-contained, and alive in a browser."""

import re
import shutil
import subprocess
import tomllib
from html.parser import HTMLParser

import pytest

from fastcollapse import Experiment, Sweep, open_sweep, run_sweep, simulate
from fastcollapse.analysis.html_report.page import check_page_path, page_of, sections_at, write_page
from fastcollapse.analysis.html_report.sections import run_section
from fastcollapse.datasets.shipped import sweeps
from fastcollapse.errors import InputError, UnreadableResults
from fastcollapse.sweeps.executors import SerialExecutor

EXPERIMENT = {
    "truth": {"uniform": 50},
    "workflow": {"name": "replace", "n_samples": 100},
    "run": {"n_generations": 12, "n_replicates": 50, "seed": 1},
}
HOSTILE = """
truth.probabilities = [0.4, 0.3, 0.2, 0.1]
workflow = {name = "replace", n_samples = 50}
run = {n_generations = 3, n_replicates = 5, seed = 1}
recipe = {title = "<script>alert(1)</script>", note = "a & b < c"}
"""
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
VOID = {"meta", "br", "link", "img", "input", "path", "use"}


class Balanced(HTMLParser):
    """A parser that checks that elements nest, and collects what a page loads."""

    def __init__(self):
        super().__init__()
        self.open, self.loads, self.texts = [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        self.loads += [
            value for name, value in attributes if name in ("src", "href", "xlink:href") and not value.startswith("#")
        ]

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def parsed(page):
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def page():
    return page_of([run_section(simulate(Experiment.from_mapping(EXPERIMENT)))])


def test_page__is_one_well_formed_file_that_loads_nothing(page):
    parser = parsed(page)
    assert parser.loads == []
    assert "@import" not in page
    assert "url(http" not in page


def test_page__has_figure_verdict_numbers_values_and_versions(page):
    text = " ".join(parsed(page).texts)
    for part in ("agrees with exact theory", "generation", "workflow.n_samples = 100", "numba", "digest"):
        assert part in text
    assert page.count("<svg") == 1
    assert "symbols alive" in text


def test_page__escapes_what_a_user_wrote():
    page = page_of([run_section(simulate(Experiment.from_mapping(tomllib.loads(HOSTILE), text=HOSTILE)))])
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    parsed(page)


def test_sections__of_a_folder_are_those_of_its_files(tmp_path):
    for name in ("b.h5", "a.h5"):
        simulate(Experiment.from_mapping(EXPERIMENT), tmp_path / name)
    (tmp_path / "notes.txt").write_text("nothing")
    sections = sections_at(tmp_path)
    assert [one.name for one in sections] == ["a.h5", "b.h5"]
    parser = parsed(page_of(sections))
    assert "2 results" in " ".join(parser.texts)


def test_sections__of_a_sweep_have_a_line_for_each_point_the_worst_first(tmp_path):
    sweep = Sweep({**EXPERIMENT, "sweep": {"grid": {"workflow.n_samples": [60, 80, 100]}}})
    run_sweep(sweep, tmp_path / "study", SerialExecutor())
    (section,) = sections_at(tmp_path / "study")
    assert section.facts["points"] == "3 of 3 finished"
    header, rows = section.agreements.header, section.agreements.rows
    scores = [float(row[header.index("largest |z|")]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert sorted(row[header.index("n_samples")] for row in rows) == ["100", "60", "80"]
    assert section.agrees
    assert section.verdict.startswith("The simulation agrees with exact theory in 3 of 3 finished points; ")
    parsed(page_of([section]))


def test_sections__of_a_changed_sweep_say_what_was_changed(tmp_path):
    """The changed value is neither in the first point nor in the last."""
    text = sweeps()["cot-gau"].read_text().replace("[1, 3, 10, 31, 100]", "[1]")
    text = text.replace("[10, 32, 100, 316, 1000]", "[10, 55, 100]").replace("n_generations = 100", "n_generations = 2")
    (tmp_path / "mine.toml").write_text(text.replace("n_replicates = 100", "n_replicates = 3"))
    run_sweep(Sweep.from_toml(tmp_path / "mine.toml"), tmp_path / "study", SerialExecutor())
    (section,) = sections_at(tmp_path / "study")
    changed = "after arXiv:2410.16713, Gaussian figure, changed: n_samples = 55 (published 10)"
    assert section.source == changed
    assert changed in str(open_sweep(tmp_path / "study").compare())
    assert "= 55 (published 10)" in section.figure
    figure = open_sweep(tmp_path / "study").plot()
    figure.canvas.draw()
    title = figure._suptitle.get_window_extent()
    assert title.x0 >= 0
    assert title.x1 <= figure.bbox.width


def test_sections__of_a_folder_without_results_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"it has no \.h5"):
        sections_at(tmp_path)
    with pytest.raises(UnreadableResults, match="no such file"):
        sections_at(tmp_path / "nothing.h5")


def test_write_page__replaces_no_file_unless_asked(tmp_path):
    write_page("first", tmp_path / "a.html")
    with pytest.raises(InputError, match="report must be a new file"):
        write_page("second", tmp_path / "a.html")
    write_page("second", tmp_path / "a.html", replace=True)
    assert (tmp_path / "a.html").read_text() == "second"
    with pytest.raises(InputError, match=r"report must end in \.html or \.htm"):
        check_page_path(tmp_path / "a.pdf")


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
def test_page__sorts_a_table_in_a_browser(tmp_path, page):
    """A click on a heading sorts by numbers, not by letters; a second click turns the order round."""
    clicks = """<script>
    const heads = [...document.querySelectorAll("th")].filter(head => head.textContent === "generation");
    const column = () => [...heads[0].closest("table").tBodies[0].rows].map(row => row.cells[0].textContent).join(" ");
    heads[0].click(); const rising = column(); heads[0].click();
    document.title = rising + "|" + column();
    </script></body>"""
    file = tmp_path / "page.html"
    file.write_text(page.replace("</body>", clicks))
    call = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    shown = subprocess.run(
        [*call, "--dump-dom", file.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    rising, falling = re.search("<title>(.*?)</title>", shown.stdout).group(1).split("|")
    numbers = [int(cell) for cell in rising.split()]
    assert len(numbers) > 3
    assert max(numbers) >= 10  # letters would sort 10 before 2
    assert numbers == sorted(numbers)
    assert falling.split() == rising.split()[::-1]
    assert "Uncaught" not in shown.stderr


def test_page__says_how_to_cite_the_results_it_shows():
    page = page_of([run_section(simulate(Experiment.from_mapping(EXPERIMENT)))] * 2)
    assert page.count("@software{fastcollapse,") == 1
    assert page.count("% theory: bounds of the number of symbols, Corollary 1\n@misc{suresh2024,") == 1
