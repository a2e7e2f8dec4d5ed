"""Commands: output, files, refusals and exit status."""

import contextlib
import gzip
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastcollapse import open_results
from fastcollapse.cli import run_job as running
from fastcollapse.errors import InputError
from tests.cli._commands import TOML, call, files_in

ROOT = Path(__file__).parents[2]


def test_run__writes_results_and_figure_and_a_summary(ran):
    folder, result = ran
    assert {"small.h5", "small.png"} <= set(files_in(folder))
    table = ("workflow replace", "symbols alive (%)", "exact", "forgotten", "a second", "Time includes ")
    for words in (*table, "small.h5", "small.png"):
        assert words in result.output
    assert "\x1b" not in result.output
    assert result.stderr == ""


def test_run__help_is_short_and_names_the_command_for_keys():
    result = call("run", "--help")
    assert "fastcollapse keys FAMILY" in " ".join(result.output.split())
    assert len(result.output.splitlines()) < 45


@pytest.mark.parametrize(
    "what", ["fastcollapse.analysis.figure_files.save_figure", "fastcollapse.analysis.report.summary"]
)
@pytest.mark.parametrize("error", [InputError("c/ln(1/q) must be at most 1e15"), IndexError("7"), MemoryError()])
def test_run__a_figure_or_summary_that_fails_names_the_file_that_is_kept(here, monkeypatch, what, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(what, fail)
    result = call("run", "small.toml", "--set", "run.n_generations=2", "-o", "out.h5")
    assert result.exit_code == 1
    words = f"out.h5 holds the finished run, but its figure or summary failed: {type(error).__name__}"
    assert re.fullmatch(f"error: {words}.*\n", result.stderr)
    assert open_results("out.h5").complete


def test_run__default_output_takes_the_next_free_name(here):
    for expected, seed in (("small.h5", 6), ("small-2.h5", 7)):
        result = call("run", "small.toml", "--set", "run.n_generations=2", "--seed", seed)
        assert result.exit_code == 0, result.output
        assert f"results/{expected}" in result.stdout
    assert "results/small.h5 already exists; writing results/small-2.h5" in result.stderr
    assert open_results("results/small-2.h5").experiment.run.seed == 7
    assert files_in("results") == [
        *("small-2.caption.txt", "small-2.h5", "small-2.png"),
        *("small.caption.txt", "small.h5", "small.png"),
    ]


def test_run__a_drawn_seed_is_recorded(here):
    (here / "free.toml").write_text(TOML.replace("seed = 5", ""))
    result = call("run", "free.toml", "--set", "run.n_generations=1")
    seed = open_results("results/free.h5").experiment.run.seed
    assert f"seed {seed}" in result.output


SET = ["run", "small.toml", "--set"]
BAD = {
    "unknown recipe": (["run", "wikitext2-unigrm"], "recipe must be .*did you mean 'wikitext2-unigram'"),
    "missing toml": (["run", "none.toml"], "experiment file 'none.toml' does not exist"),
    "unknown key": ([*SET, "run.n_generation=3"], "run.n_generation.*n_generations"),
    "n_samples 0": ([*SET, "workflow.n_samples=0"], "workflow.n_samples must be at least 1"),
    "n_samples 1.5": ([*SET, "workflow.n_samples=1.5"], "workflow.n_samples must be"),
    "n_samples word": ([*SET, "workflow.n_samples=many"], "workflow.n_samples must be"),
    "n_samples 1e15+1": (
        [*SET, "workflow.n_samples=1000000000000001"],
        "workflow.n_samples must be at most 10",
    ),
    "missing text": ([*SET, "truth.text=none.txt"], "truth.text must be a file.*none.txt"),
    "empty text": ([*SET, "truth.text=empty.txt"], "truth.text must be .*empty"),
    "binary text": (
        [*SET, "truth.text=binary.txt"],
        "truth.text must be UTF-8 text, got 'binary.txt': binary, or not UTF-8",
    ),
    "device as text": (
        [*SET, "truth.text=/dev/null"], "truth.text must be a file, got '/dev/null': a device or pipe",
    ),
    "cut gzip": ([*SET, "truth.text=cut.txt.gz"], "truth.text must be a complete gzip file"),
    "one word": ([*SET, "truth.text=one.txt"], "truth.text must have at least two"),
    "huge count": ([*SET, "truth.counts=huge.csv"], "truth.counts must have whole counts"),
    "negative p": ([*SET, "truth.probabilities=[-0.5, 1.5]"], "truth.probabilities"),
    "infinite p": ([*SET, "truth.probabilities=[inf, 0.5]"], "truth.probabilities"),
    "nan p": ([*SET, "truth.probabilities=[nan, 0.5]"], "truth.probabilities"),
    "n_train": (
        [
            *SET, "workflow.name=accumulate_subsample", "--set", "workflow.keep_real=true",
            "--set", "workflow.replacement=false", "--set", "workflow.n_train=201",
        ],
        "workflow.n_train must be at most the pool, 200 tokens at generation 1, got 201",
    ),
    "output exists": (["run", "small.toml", "-o", "taken.h5"], "taken.h5 already exists"),
    "output is a folder": (["run", "small.toml", "-o", "folder"], "output must end in .h5 or .hdf5, got folder"),
    "output csv": (["run", "small.toml", "-o", "a.csv"], "output must end in .h5 or .hdf5, got a.csv"),
    "output toml": (["run", "small.toml", "-o", "small.toml"], "output must end in .h5 or .hdf5, got small.toml"),
    "overwritten toml": (["run", "small.toml", "-o", "small.toml", "--overwrite"], "output must end in .h5 or .hdf5"),
    "resumed csv": (["run", "small.toml", "--resume", "a.csv"], "output must end in .h5 or .hdf5, got a.csv"),
    "output mistyped": (
        ["run", "small.toml", "-o", "foldr/a.h5"],
        r"output must be in a folder that exists, got foldr/a.h5: foldr does not exist \(did you mean 'folder'\?\)",
    ),
    "output deep": (["run", "small.toml", "-o", "results/a/b.h5"], "results/a does not exist"),
    "resumed mistyped": (["run", "small.toml", "--resume", "foldr/a.h5"], "foldr does not exist"),
    "figure mistyped": (["plot", "good.h5", "-o", "foldr/a.png"], "figure must be in .* foldr does not exist"),
    "figure csv": (["plot", "good.h5", "-o", "a.csv"], "figure must end in .png, .pdf or .svg, got a.csv"),
    "output is empty": (["run", "small.toml", "-o", ""], "output must be the name of a new file, got '.'"),
    "output is here": (["run", "small.toml", "-o", "."], "output must be the name of a new file, got '.'"),
    "output is above": (["run", "small.toml", "-o", ".."], "output must be the name of a new file, got '..'"),
    "output png": (["run", "small.toml", "-o", "a.png"], "output must end in .h5 or .hdf5, got a.png: the figure is"),
    "output SVG": (["run", "small.toml", "-o", "b.SVG"], "output must end in .h5 or .hdf5, got b.SVG"),
    "info empty": (["info", ""], r"\.: is a folder, not a file"),
    "info here": (["info", "."], r"\.: is a folder, not a file"),
    "plot here": (["plot", ".", "-o", ""], r"\.: is a folder, not a file"),
    "info long": (["info", "a" * 300], "a{300}: cannot be read: File name too long"),
    "output long": (["run", "small.toml", "-o", "a" * 300 + ".h5"], "output must be in a folder"),
    "output in a file": (["run", "small.toml", "-o", "one.txt/a.h5"], "output must be in a folder"),
    "output in proc": (["run", "small.toml", "-o", "/proc/none/a.h5"], "output must be in a folder that exists"),
    "threads": (["run", "small.toml", "--threads", "100000"], "threads must be .*got 100000"),
    "threads 0": (["run", "small.toml", "--threads", "0"], "threads must be .*got 0"),
    "threads word": (["run", "small.toml", "--threads", "two"], "--threads.*two"),
    "seed": (["run", "small.toml", "--seed", "-1"], "run.seed must be at least 0, got -1"),
    "seed 2^64": (["run", "small.toml", "--seed", str(2**64)], "run.seed must be at most"),
    "setting": ([*SET, "run.seed"], "a setting must be key=value"),
    "option": (["run", "--nothing"], "--nothing"),
    "command": (["nothing"], "nothing"),
    "theory name": (["theory", "survival_bound", "k=1"], "did you mean 'survival_bounds'"),
    "theory argument": (["theory", "g_at", "j=1"], "'j' is not an argument of g_at, use k"),
    "theory missing": (["theory", "survival_bounds", "k=1"], "survival_bounds: arguments p0 and n are missing"),
    "theory value": (["theory", "survival_bounds", "p0=2", "n=5", "k=1"], r"p0 must be within \[0, 1\]"),
    "theory word": (["theory", "g_at", "k=x"], "k must be a whole number"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input__is_refused_in_one_line_and_nothing_is_written(case, here, ran):
    arguments, message = BAD[case]
    shutil.copyfile(ran[0] / "small.h5", here / "good.h5")
    (here / "empty.txt").touch()
    (here / "binary.txt").write_bytes(b"\x00\xff\x01words and words")
    (here / "cut.txt.gz").write_bytes(gzip.compress(os.urandom(999).hex().encode())[:500])
    (here / "one.txt").write_text("alone " * 9)
    (here / "huge.csv").write_text("word,count\na,1000000000000001\nb,2\n")
    (here / "taken.h5").write_text("mine")
    (here / "folder").mkdir()
    before = files_in(here)
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert re.fullmatch(f"error: .*{message}.*\n", result.stderr), result.stderr
    assert files_in(here) == before
    assert (here / "taken.h5").read_text() == "mine"


def test_theory__lists_explains_and_evaluates():
    assert "survival_bounds(p0, n, k)" in call("theory").output
    assert "Parameters" in call("theory", "survival_bounds").output
    got = call("theory", "forgetting_quantile", "c=1,10,100", "q=0.5").output.split()
    assert got == ["c", "forgetting_quantile", "1", "2", "10", "27", "100", "286"]
    got = call("theory", "survival_bounds", "p0=0.001", "n=10000", "k=1..3").output.split()
    assert got[:3] == ["k", "lower", "upper"]
    assert len(got) == 12


def test_interrupt__is_one_line_and_status_130(here, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["fastcollapse.simulation.execute"], "execute", interrupted)
    result = call("run", "small.toml")
    assert (result.exit_code, result.stderr) == (130, "error: interrupted, nothing was written\n")
    assert files_in(here) == ["small.toml"]


def test_interrupt__keeps_the_generations_that_are_done(here, monkeypatch):
    """Ctrl-C in the middle of a run: the saved generations equal those of an uninterrupted run."""

    class Bar:
        n_done = 0

        def __call__(self, n):
            self.n_done += n
            if self.n_done >= 20:
                os.kill(os.getpid(), signal.SIGINT)

    bar = Bar()
    monkeypatch.setattr(running, "progress_bar", lambda n: contextlib.nullcontext(bar))
    arguments = ["run", "small.toml", "--set", "run.n_generations=100000"]
    result = call(*arguments)
    assert result.exit_code == 130
    parts = "results/small.h5.parts"
    again = "to resume: fastcollapse run --resume results/small.h5"
    message = f"interrupted, {parts} keeps generations 0 to {bar.n_done}; {again}"
    assert result.stderr == f"error: {message}\n"
    assert files_in("results") == ["small.h5.parts", *(f"small.h5.parts/part-0000{i}.h5" for i in (0, 1))]
    got = open_results("results/small.h5")
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert call("run", "small.toml", "--set", f"run.n_generations={bar.n_done}", "-o", "whole.h5").exit_code == 0
    expected = open_results("whole.h5")
    np.testing.assert_array_equal(got.metrics["entropy"], expected.metrics["entropy"])
    np.testing.assert_array_equal(got.counts(3, bar.n_done), expected.counts(3, bar.n_done))
    assert f"{bar.n_done} of 100,000 generations" in call("info", "results/small.h5").output
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupt__while_the_figure_is_drawn_names_the_finished_run(here, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("fastcollapse.analysis.figure_files.save_figure", interrupted)
    result = call("run", "small.toml", "--set", "run.n_generations=2", "-o", "out.h5")
    assert result.exit_code == 130
    assert result.stderr == "error: interrupted, out.h5 holds the finished run\n"
    assert open_results("out.h5").complete


def test_import__of_the_command_line_loads_no_numerical_package():
    heavy = ("numba", "numpy", "scipy", "h5py", "matplotlib")
    code = f"import sys, fastcollapse.cli.main; print([m for m in {heavy} if m in sys.modules])"
    got = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert got.stdout == "[]\n"


def test_shim__is_the_same_program():
    got = subprocess.run([sys.executable, "cli.py", "recipes"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert got.stdout == call("recipes").output


def test_shim__without_the_packages_says_what_to_do_or_takes_the_environment_beside_it(tmp_path):
    shutil.copy(ROOT / "cli.py", tmp_path)

    def shim():
        return subprocess.run(
            [sys.executable, "-S", "cli.py", "recipes"], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    got = shim()
    assert (got.returncode, got.stdout) == (1, "")
    assert re.fullmatch("error: Python module .* is missing: run `make run` first.*\n", got.stderr)
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    assert shim().stdout == "cli.py recipes\n"


def test_shim__refuses_an_old_python(tmp_path):
    shutil.copy(ROOT / "cli.py", tmp_path)
    code = "import runpy, sys; sys.version_info = (3, 10, 13); runpy.run_path('cli.py')"
    got = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (got.returncode, got.stdout) == (1, "")
    assert re.fullmatch(r"error: Python 3.11 or newer is needed, this is [\d.]+\n", got.stderr)


CASES = """
[recipe]
title = "Two sizes"
panels = ["survival"]

[truth]
uniform = 20

[workflow]
name = "replace"
n_samples = 10

[run]
n_generations = 5
n_replicates = 30
seed = 1

[[recipe.cases]]
"workflow.n_samples" = 10

[[recipe.cases]]
"workflow.n_samples" = 40
"""


def test_run__each_case_of_a_recipe_has_a_file_and_all_have_one_figure(here):
    (here / "two.toml").write_text(CASES)
    (here / "out").mkdir()
    result = call("run", "two.toml", "-o", "out/two.h5")
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in (here / "out").iterdir()) == [
        *("two-case1.h5", "two-case2.h5", "two.caption.txt", "two.png")
    ]
    for words in ("Two sizes", "Case 1: n = 10", "Case 2: n = 40", "two-case2.h5"):
        assert words in result.output
    again = call("run", "two.toml", "-o", "out/two.h5", "--set", "run.n_generations=3")
    assert again.exit_code == 2
    assert "out/two-case1.h5 already exists (another experiment: run.n_generations is 5 there, 3 here)" in again.stderr


def test_run__a_case_that_is_wrong_is_named(here):
    (here / "two.toml").write_text(CASES.replace("= 40", "= 0"))
    result = call("run", "two.toml", "-o", "two.h5")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "workflow.n_samples must be at least 1, got 0" in result.stderr


SECTIONS = {
    "gaussian": '[model]\nfamily = "gaussian"\nestimator = "unbiased"\n[truth]\nsigma = 2.0\n',
    "space": '[model]\nfamily = "gaussian"\nestimator = "mle"\n[truth]\ndimension = 3\n',
    "poisson": '[model]\nfamily = "poisson"\n[truth]\nrate = 3.0\n',
    "mixture": '[model]\nfamily = "mixture"\nestimator = "joint_ml"\n[truth]\nmu = 2.0\nsigma = 1.0\n',
}
CORRELATED = "truth.covariance=[[1.0, 0.2, 0.0], [0.2, 1.0, 0.0], [0.0, 0.0, 1.0]]"
BAD_OF_FAMILIES = {
    "n 1": ("gaussian", ["workflow.n_samples=1"], "workflow.n_samples must give at least 2 points .* got 1 at generat"),
    "n 0": ("gaussian", ["workflow.n_samples=0"], "workflow.n_samples must be at least 1, got 0"),
    "later n 1": (
        "gaussian",
        ["workflow.n_samples=[9, 1]", "run.n_generations=2"],
        "workflow.n_samples must .* got 1 at gen",
    ),
    "sigma -1": ("gaussian", ["truth.sigma=-1.0"], "truth.sigma must be above 0, got -1.0"),
    "sigma 0": ("gaussian", ["truth.sigma=0"], "truth.sigma must be above 0, got 0"),
    "sigma nan": ("gaussian", ["truth.sigma=nan"], "truth.sigma must be a finite number, got nan"),
    "mean nan": ("gaussian", ["truth.mean=nan"], "truth.mean must be a finite number, got nan"),
    "mean inf": ("gaussian", ["truth.mean=-inf"], "truth.mean must be a finite number, got -inf"),
    "estimator": ("gaussian", ["model.estimator=ml"], "model.estimator must be one of unbiased, mle, got 'ml'"),
    "dimension 0": ("gaussian", ["truth.dimension=0"], "truth.dimension must be at least 1, got 0"),
    "dimension 1.5": ("gaussian", ["truth.dimension=1.5"], "truth.dimension must be a whole number.* got 1.5"),
    "discrete truth": ("gaussian", ["truth.uniform=9"], "truth.uniform belongs to model.family discrete"),
    "other truth": ("poisson", ["truth.sigma=1.0"], "truth.sigma belongs to model.family gaussian or mixture"),
    "n is d": (
        "space",
        [CORRELATED, "workflow.n_samples=3"],
        "workflow.n_samples must give more than .* = 3 points, got 3",
    ),
    "n below d": (
        "space",
        ["workflow.n_samples=2", "truth.sigma=[1, 2, 3]"],
        "workflow.n_samples must give more than truth.dimension = 3 points, got 2 at generation 1",
    ),
    "not definite": (
        "space",
        ["truth.dimension=2", "truth.covariance=[[1.0, 2.0], [2.0, 1.0]]"],
        r"truth.covariance must be positive definite, got \[\[1.0, 2.0\], \[2.0, 1.0\]\]",
    ),
    "not symmetric": (
        "space",
        ["truth.dimension=2", "truth.covariance=[[1.0, 0.5], [0.4, 1.0]]"],
        "truth.covariance must be symmetric",
    ),
    "covariance nan": (
        "space",
        ["truth.dimension=2", "truth.covariance=[[1.0, nan], [0.4, 1.0]]"],
        r"truth.covariance\[0\]\[1\] must be a finite number, got nan",
    ),
    "mean of 2": ("space", ["truth.mean=[0.0, 1.0]"], "truth.mean must be .* truth.dimension = 3 numbers, got 2"),
    "rate 0": ("poisson", ["truth.rate=0"], "truth.rate must be above 0, got 0"),
    "rate nan": ("poisson", ["truth.rate=nan"], "truth.rate must be a finite number, got nan"),
    "rate large": ("poisson", ["truth.rate=1e14"], "truth.rate must keep the sum of a pool at most 10"),
    "mu -1": ("mixture", ["truth.mu=-1.0"], "truth.mu must be at least 0, got -1.0"),
    "mixture n 1": ("mixture", ["workflow.n_samples=1"], "workflow.n_samples must give at least 2 points .* got 1 at"),
}


@pytest.mark.parametrize("case", BAD_OF_FAMILIES)
def test_bad_input__of_every_family_is_refused_in_one_line(case, here):
    family, values, message = BAD_OF_FAMILIES[case]
    (here / "small.toml").write_text(SECTIONS[family] + TOML[TOML.index("[workflow]") :])
    before = files_in(here)
    result = call("run", "small.toml", *(part for value in values for part in ("--set", value)))
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert re.fullmatch(f"error: {message}.*\n", result.stderr), result.stderr
    assert files_in(here) == before


@pytest.mark.parametrize(
    ("family", "words"), [("gaussian", "unbiased | mle"), ("mixture", "approximate | joint_ml")], ids=str
)
def test_bad_input__an_estimator_is_never_chosen_silently(family, words, here):
    (here / "small.toml").write_text(re.sub("estimator.*\n", "", SECTIONS[family]) + TOML[TOML.index("[workflow]") :])
    result = call("run", "small.toml")
    assert result.exit_code == 2
    assert result.stderr == f"error: model.estimator is required: {words}\n"
    assert files_in(here) == ["small.toml"]


def test_run__refuses_values_that_the_cases_set(here):
    (here / "two.toml").write_text(CASES)
    for setting, words in (
        ("workflow.n_samples=7", "workflow.n_samples is set by the cases of the recipe"),
        ("recipe.title=other", "recipe.title can only be changed in an experiment file"),
    ):
        result = call("run", "two.toml", "--set", setting, "-o", "x.h5")
        assert result.exit_code == 2
        assert words in result.stderr
    (here / "typo.toml").write_text(CASES.replace('["survival"]', '["survial"]'))
    result = call("run", "typo.toml", "-o", "x.h5")
    assert result.exit_code == 2
    assert "recipe.panels must be of" in result.stderr
    assert files_in(here) == ["small.toml", "two.toml", "typo.toml"]


def test_plot__of_one_case_of_a_recipe(here):
    (here / "two.toml").write_text(CASES)
    assert call("run", "two.toml", "-o", "two.h5").exit_code == 0
    assert call("plot", "two-case2.h5").exit_code == 0
    assert (here / "two-case2.png").exists()
