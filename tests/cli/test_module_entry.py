"""Entry point `python -m fastcollapse` in a new process."""

import subprocess
import sys
from pathlib import Path

import fastcollapse
from tests.cli._commands import TOML

ROOT = Path(__file__).parents[2]
# Runs the module as `python -m fastcollapse --help` does, then prints the numerical packages that it imported.
HELP = """
import runpy, sys
sys.argv = ["fastcollapse", "--help"]
try:
    runpy.run_module("fastcollapse", run_name="__main__")
except SystemExit as end:
    print(end.code, [name for name in ("numpy", "numba") if name in sys.modules])
"""
# Runs an experiment, then prints the modules that it imported and does not need. Numba imports the last one to compile.
RUN = """
import sys
from fastcollapse.cli.main import main
try:
    main(["run", sys.argv[1], "-o", sys.argv[2]])
except SystemExit as end:
    slow = ("dask", "xarray", "matplotlib.pyplot", "scipy.stats", "scipy.integrate", "scipy.optimize")
    print(end.code, [name for name in (*slow, "numba.typed.typeddict") if name in sys.modules])
"""


def output_of(*arguments):
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_module__prints_version():
    assert output_of("-m", "fastcollapse", "--version").split()[-1] == fastcollapse.__version__


def test_module__help_exits_0_without_numpy_and_numba():
    assert output_of("-m", "fastcollapse", "--help").startswith("Usage: ")
    assert output_of("-c", HELP).splitlines()[-1] == "0 []"


def test_module__run_with_compiled_code_imports_nothing_slow_that_it_does_not_need(tmp_path):
    # The exact chain of a small n_samples needs scipy.stats.
    (tmp_path / "small.toml").write_text(TOML.replace("n_samples = 200", "n_samples = 20000"))
    compiling = output_of("-c", RUN, tmp_path / "small.toml", tmp_path / "first.h5").splitlines()[-1]
    compiled = output_of("-c", RUN, tmp_path / "small.toml", tmp_path / "second.h5").splitlines()[-1]
    assert compiling in ("0 []", "0 ['numba.typed.typeddict']")
    assert compiled == "0 []"
