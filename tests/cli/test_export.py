"""Command `export`: tables beside the results, on standard output, of runs and of sweeps, and refusals."""

import csv
import re

import h5py
import numpy as np
import pytest

from fastcollapse import open_results
from tests.cli._commands import call, files_in

SWEEP = """
[model]
family = "poisson"
[truth]
rate = 1.0
[workflow]
name = "replace"
[run]
n_generations = 3
n_replicates = 2
seed = 1
[sweep.grid]
"workflow.n_samples" = [10, 20]
"""


def test_export__writes_what_results_hold(ran, here):
    results = open_results(ran[0] / "small.h5")
    result = call("export", ran[0] / "small.h5", "-o", "out.csv")
    n_rows = sum(values.size for values in results.metrics.values())
    assert (result.exit_code, result.stdout) == (0, f"out.csv: {n_rows:,} rows\n")
    with open(here / "out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == n_rows
    got = [float(row["value"]) for row in rows if row["metric"] == "entropy"]
    np.testing.assert_array_equal(got, results.metrics["entropy"].ravel())


def test_export__to_standard_output_has_the_table_alone(ran, here):
    result = call("export", ran[0] / "small.h5", "-o", "-")
    call("export", ran[0] / "small.h5", "-o", "out.csv")
    assert result.exit_code == 0
    assert result.stdout == (here / "out.csv").read_text()
    assert files_in(here) == ["out.csv", "small.toml"]


def test_export__takes_a_free_name_and_refuses_a_taken_one(ran, here):
    (here / "run.h5").write_bytes((ran[0] / "small.h5").read_bytes())
    names = [call("export", "run.h5").stdout.partition(":")[0] for _ in range(2)]
    assert names == ["run.csv", "run-2.csv"]
    result = call("export", "run.h5", "-o", "run.csv")
    assert (result.exit_code, result.stderr) == (2, "error: table must be a new file, got run.csv: it exists\n")


def test_export__of_a_sweep_folder_and_its_collected_file(here):
    (here / "study.toml").write_text(SWEEP)
    assert call("sweep", "study.toml", "-o", "study", "--jobs", 1).exit_code == 0
    assert call("collect", "study", "-o", "all.h5").exit_code == 0
    assert call("export", "study").stdout.startswith("study.csv: ")
    assert call("export", "all.h5").stdout.startswith("all.csv: ")
    text = (here / "study.csv").read_text()
    assert text == (here / "all.csv").read_text()
    assert text.startswith("point,n_samples,metric,replicate,generation,value\n0,10,")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["small.toml"], "small.toml is an experiment file without a section .*: use `fastcollapse run small.toml`"),
        (["none.h5"], "none.h5: no such file.*"),
        (["run.h5", "-o", "out.xlsx"], "table must end in .csv or .parquet, got out.xlsx"),
        (["run.h5", "-o", "no/out.csv"], "table must be in a folder that exists, got no/out.csv: no does not exist"),
    ],
)
def test_export__refusals_are_one_line(options, message, ran, here):
    (here / "run.h5").write_bytes((ran[0] / "small.h5").read_bytes())
    result = call("export", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(f"error: {message}\n", result.stderr), result.stderr
    assert files_in(here) == ["run.h5", "small.toml"]


def test_export__of_damaged_numbers_is_refused(ran, here):
    content = bytearray((ran[0] / "small.h5").read_bytes())
    with h5py.File(ran[0] / "small.h5") as file:
        content[file["entropy"].id.get_offset()] ^= 1
    (here / "bad.h5").write_bytes(content)
    result = call("export", "bad.h5")
    assert result.exit_code == 2
    assert re.fullmatch("error: .*bad.h5: is damaged: .*\n", result.stderr)
    assert files_in(here) == ["bad.h5", "small.toml"]
