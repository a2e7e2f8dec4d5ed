"""The gallery: its page belongs to the shipped recipes and figures, and it is made from results that are kept."""

import re
import shlex
from pathlib import Path

import pytest

from fastcollapse.analysis import gallery
from fastcollapse.analysis.agreement import Agreement
from fastcollapse.analysis.gallery import Entry, Gallery, page, verdict_of
from fastcollapse.analysis.reproduction import reproduce
from fastcollapse.cli.main import main
from fastcollapse.datasets.recipe_files import find_shipped, shipped
from fastcollapse.datasets.shipped import recipes, sweeps
from fastcollapse.errors import InputError
from fastcollapse.simulation.load_experiment import load_experiment
from fastcollapse.sweeps.load import load_sweep
from fastcollapse.sweeps.run import run_sweep

FOLDER = Path(__file__).parents[2] / "docs" / "gallery"
PAGE = FOLDER / "index.md"
SMALL = {"run.n_replicates": 300}


def test_page__has_every_recipe_with_its_title():
    headings = re.findall(r"^### (.*)\n\n\*\*(.*)\*\*$", PAGE.read_text(), re.MULTILINE)
    names = {"recipe": "{}", "sweep": "{} (sweep)"}
    expected = {(names[one.kind].format(one.name), one.title or one.description) for one in shipped()}
    assert set(headings) <= expected
    assert {name for name, _ in headings} >= set(recipes())
    assert len(set(headings)) == len(headings)


def test_page__has_every_figure_of_its_folder():
    linked = re.findall(r"^!\[.*\]\((.*)\)$", PAGE.read_text(), re.MULTILINE)
    assert sorted(linked) == sorted(path.name for path in FOLDER.glob("*.png"))
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 6 * 2**20


def test_page__commands_name_recipes_options_and_keys():
    lines = [
        part.strip()
        for line in re.findall(r"^fastcollapse .*", PAGE.read_text(), re.MULTILINE)
        for part in line.split("&&")
    ]
    assert len(lines) >= 2 * len(recipes())
    for line in lines:
        _, command, name, *rest = shlex.split(line)
        with main.commands[command].make_context(command, [name, *rest]) as context:
            settings = context.params.get("settings", ())
        if command == "plot":
            continue
        load = {"reproduce": load_experiment, "sweep": load_sweep}[command]
        load(name, dict(map(gallery_setting, settings)))


def gallery_setting(setting):
    key, value = setting.split("=")
    return key, float(value) if "." in value else int(value)


def test_gallery__is_made_from_kept_results(tmp_path):
    """A recipe and a sweep: figures, and a page with their verdicts."""
    values = {"run.n_generations": 2, "run.n_replicates": 5}
    (tmp_path / "kept").mkdir()
    run_sweep(load_sweep("cot-disc", values), tmp_path / "kept" / "sweep-cot-disc")
    made = Gallery(tmp_path / "figures", ["sur-gau"], has_page=True)
    for one in reproduce(["sur-gau"], SMALL, tmp_path / "kept"):
        made.add(one)
    made.finish(tmp_path / "kept")
    names = ["index.md", "sur-gau.png", "sweep-cot-disc.png"]
    assert [name for name in names if not (tmp_path / "figures" / name).exists()] == []
    text = (tmp_path / "figures" / "index.md").read_text()
    assert f"### sur-gau\n\n**{find_shipped('sur-gau').title}**" in text
    assert re.search(r"^- Verdict: all \d+ scores agree, largest \|z\| \d\.\d; not scored: ", text, re.MULTILINE)
    assert "fastcollapse reproduce sur-gau --set workflow.n_samples=20 -o changed" in text
    assert "### cot-disc (sweep)" in text.partition("## Sweeps")[2]
    with pytest.raises(InputError, match=r"sur-gau\.png already exists"):
        Gallery(tmp_path / "figures", ["sur-gau"], has_page=False)
    with pytest.raises(InputError, match=r"index\.md already exists"):
        Gallery(tmp_path / "figures", [], has_page=True)


def test_gallery__page_is_the_same_for_similar_durations():
    def text(seconds):
        return page([Entry("sur-gau", "published", "sur-gau.png", "all 7 scores agree", seconds)])

    assert text(1.0) == text(9.0)
    assert "- Time: less than ten seconds." in text(1.0)
    assert text(1.0) != text(11.0)
    assert "more than ten minutes" in text(1e4)


@pytest.mark.parametrize(
    ("agreements", "expected"),
    [
        ([], "a picture, without a score"),
        ([Agreement("H", 1, (1.0, "a"), ())], "the only score agrees, largest |z| 1.0"),
        ([Agreement("H", 1, (1.0, "a"), ()), Agreement("H", 2, (2.0, "a"), ())], "all 3 scores agree, largest |z| 2.0"),
        ([Agreement("H", 3, (6.0, "a"), ("a",))], "1 point of 3 disagree with theory, largest |z| 6.0"),
        ([Agreement("H", 0, (0.0, ""), (), {"no theory": 3})], "not scored: no theory (3)"),
        (
            [
                Agreement(
                    "H", 0, (0.0, ""), (), {"no exact theory; within 2 % of the asymptotic one": 3, "a, here 1": 1}
                )
            ],
            "not scored: asymptotic theory alone (3); a (1)",
        ),
        (
            [Agreement("H", 0, (0.0, ""), (), n_bounded=4, n_within=3)],
            "compared with bounds alone: 3 of 4 points within them",
        ),
    ],
)
def test_verdict__keeps_scores_bounds_and_the_rest_apart(agreements, expected, monkeypatch):
    monkeypatch.setattr(gallery, "agreement_of", lambda results: results)
    assert verdict_of([agreements]) == expected


def test_sweeps__of_the_gallery_are_shipped():
    names = re.findall(r"^fastcollapse sweep (\S+) -o", PAGE.read_text(), re.MULTILINE)
    assert set(names) <= {*sweeps()}
