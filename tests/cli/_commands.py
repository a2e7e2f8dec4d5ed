"""Calls of the command line in this process, and a small experiment."""

from pathlib import Path

from click.testing import CliRunner

from fastcollapse.cli import main as cli

TOML = """
[truth]
zipf_mandelbrot = { a = 1.0, b = 2.7, size = 60 }
[workflow]
name = "replace"
n_samples = 200
[run]
n_generations = 15
n_replicates = 40
seed = 5
record = ["metrics", "trajectory"]
"""


def call(*arguments):
    return CliRunner().invoke(cli.main, [str(a) for a in arguments])


def files_in(folder):
    return sorted(str(p.relative_to(folder)) for p in Path(folder).rglob("*"))
