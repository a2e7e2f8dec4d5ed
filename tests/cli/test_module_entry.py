"""Entry point `python -m fastcollapse` in a new process."""

import subprocess
import sys
from pathlib import Path

import fastcollapse

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


def output_of(*arguments):
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_module__prints_version():
    assert output_of("-m", "fastcollapse", "--version").split()[-1] == fastcollapse.__version__


def test_module__help_exits_0_without_numpy_and_numba():
    assert output_of("-m", "fastcollapse", "--help").startswith("Usage: ")
    assert output_of("-c", HELP).splitlines()[-1] == "0 []"
