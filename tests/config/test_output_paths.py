"""Output paths: endings of files, and folders that must exist."""

import os
import re
from pathlib import Path

import pytest

from fastcollapse import open_results, simulate
from fastcollapse.analysis.figure_files import save_figure
from fastcollapse.config.output_paths import (
    FIGURES,
    RESULTS,
    check_output_file,
    check_output_folder,
    check_output_parent,
    make_output_folder,
)
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.sweeps.collect import collect_sweep, extract_point
from fastcollapse.sweeps.manifest import check_folder
from tests.sweeps._example_sweeps import small_sweep

EXPERIMENT = Experiment.from_mapping(
    {
        "truth": {"uniform": 5},
        "workflow": {"name": "replace", "n_samples": 9},
        "run": {"n_generations": 3, "n_replicates": 2, "seed": 1},
    }
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["a.csv", "a", "a.nc", "a.h5.txt", "a.h5.parts", ".h5"])
def test_check_output_file__refuses_another_ending_and_names_those_that_are_allowed(name):
    with pytest.raises(InputError, match=rf"^output must end in \.h5 or \.hdf5, got {re.escape(name)}$"):
        check_output_file(Path(name), RESULTS)
    with pytest.raises(InputError, match=rf"^figure must end in \.png, \.pdf or \.svg, got {re.escape(name)}$"):
        check_output_file(Path(name), FIGURES, "figure")


@pytest.mark.parametrize("name", ["a.h5", "a.HDF5", "results/a.h5", "./results/a.h5"])
def test_check_output_file__accepts_a_file_here_and_in_the_default_folder(name, here):
    check_output_file(Path(name), RESULTS)
    assert os.listdir(here) == []


def test_check_output_parent__names_a_folder_of_a_similar_name(here):
    (here / "figures").mkdir()
    words = "output must be in a folder that exists, got figurs/deep/a.h5: figurs/deep does not exist"
    with pytest.raises(InputError, match=re.escape(f"{words} (did you mean 'figures'?)")):
        check_output_parent(Path("figurs/deep/a.h5"))


def test_check_output_folder__is_no_name_of_a_file_and_has_a_parent(here):
    check_output_folder(Path("study.v1"))
    check_output_folder(here)
    with pytest.raises(InputError, match=r"^output must be a folder, got study\.h5: \.h5 is the ending of a file$"):
        check_output_folder(Path("study.h5"))
    with pytest.raises(InputError, match="folder that exists, got none/study: none does not exist"):
        check_output_folder(Path("none/study"))


def test_make_output_folder__makes_one_folder_and_refuses_what_cannot_be_made(here):
    for path in (Path("figures"), Path("figures"), Path("results/figures")):
        make_output_folder(path)
        assert path.is_dir()
    for path, words in (
        ("none/a", "none does not exist"),
        ("a" * 300, "a folder that can be made, got a+: File name too"),
    ):
        with pytest.raises(InputError, match=words):
            make_output_folder(Path(path))


def test_python__creates_no_mistyped_folder_and_no_file_of_another_ending(here):
    simulate(EXPERIMENT, "a.h5")
    results = open_results("a.h5")
    calls = {
        "simulate": lambda path: simulate(EXPERIMENT, path),
        "simulate, resume": lambda path: simulate(EXPERIMENT, path, resume=True),
        "simulate, overwrite": lambda path: simulate(EXPERIMENT, path, overwrite=True),
        "figure": lambda path: save_figure(results, path),
    }
    before = sorted(here.rglob("*"))
    for name, call in calls.items():
        for path in ("none/a.h5", "none/a.png", "b.csv", "b", "results/deep/b.h5"):
            with pytest.raises(InputError, match=r"must end in|does not exist"):
                call(path)
            assert sorted(here.rglob("*")) == before, name
    simulate(EXPERIMENT, "results/a.h5")
    assert open_results("results/a.h5").finished


def test_sweep__creates_its_folder_but_none_above_it(here):
    (here / "s").mkdir()
    check_folder(Path("s"), small_sweep())
    check_folder(Path("results/s"), small_sweep())
    for path in ("none/s", "s.h5"):
        with pytest.raises(InputError, match=r"does not exist|is the ending of a file"):
            check_folder(Path(path), small_sweep())
    assert os.listdir(here) == ["s"]


@pytest.mark.parametrize("path", ["x.csv", "x", "none/x.h5"])
def test_collect__refuses_the_path_before_it_reads(path, here):
    from fastcollapse.sweeps.folder import make_folder

    folder = make_folder(here / "s", small_sweep())
    for call in (lambda: collect_sweep(folder, path), lambda: extract_point(folder, 0, path)):
        with pytest.raises(InputError, match=r"output must end in|does not exist"):
            call()
    assert os.listdir(here) == ["s"]
