"""Files of tables: every bit of a number is in them, missing numbers are empty, and no file is replaced."""

import csv
import math
import sys

import numpy as np
import pytest

from fastcollapse import Experiment, simulate
from fastcollapse.analysis.table_files import csv_text, write_table
from fastcollapse.analysis.tidy_table import TidyTable
from fastcollapse.errors import InputError


@pytest.fixture(scope="module")
def table():
    """A table with a metric over one more dimension, with NaN and with infinities."""
    run = {"n_generations": 3, "n_replicates": 2, "seed": 1}
    experiment = Experiment.from_mapping({
        "model": {"family": "gaussian", "estimator": "mle"}, "truth": {"dimension": 3}, "run": run,
        "workflow": {"name": "replace", "n_samples": 9},
    })  # fmt: skip
    table = TidyTable(simulate(experiment))
    blocks = [dict(block) for block in table.blocks()]
    blocks[0]["value"] = np.array([np.nan, np.inf, -np.inf, 1 / 3, 5e-324, *blocks[0]["value"][5:]])
    table.blocks = lambda: iter(blocks)
    return table


def test_csv__reads_back_bit_for_bit(table):
    header, *rows = csv.reader(csv_text(table).splitlines())
    assert header == list(table.columns)
    columns = table.whole()
    assert len(rows) == table.n_rows
    for i, name in enumerate(header):
        cells = [row[i] for row in rows]
        if name == "metric":
            assert cells == columns[name].tolist()
        else:
            got = np.array([float(cell) if cell else math.nan for cell in cells])
            np.testing.assert_array_equal(got, columns[name].astype(float))
    assert [row[-1] for row in rows[:5]] == ["", "inf", "-inf", "0.3333333333333333", "5e-324"]
    assert {row[1] for row in rows} == {"0", "1"}


def test_csv__is_read_by_pandas(table, tmp_path):
    pandas = pytest.importorskip("pandas")
    write_table(table, tmp_path / "out.csv")
    frame = pandas.read_csv(tmp_path / "out.csv", float_precision="round_trip")
    for name, column in table.whole().items():
        np.testing.assert_array_equal(frame[name].to_numpy(column.dtype), column)


def test_parquet__has_types_and_null_for_missing_numbers(table, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write_table(table, tmp_path / "out.parquet")
    read = parquet.read_table(tmp_path / "out.parquet")
    assert read.column_names == list(table.columns)
    assert [str(read.schema.field(name).type) for name in ("metric", "replicate", "value")] == [
        "string",
        "int64",
        "double",
    ]
    columns = table.whole()
    got = [math.nan if value is None else value for value in read["value"].to_pylist()]
    np.testing.assert_array_equal(got, columns["value"])
    assert read["value"].null_count == np.isnan(columns["value"]).sum()
    assert read["metric"].to_pylist() == columns["metric"].tolist()


def test_parquet__without_pyarrow_is_refused_in_one_line(table, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"must have pyarrow: pip install pyarrow, or write a .csv"):
        write_table(table, tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == []


def test_write_table__replaces_nothing(table, tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("mine")
    with pytest.raises(InputError, match=r"table must be a new file, got .*out.csv: it exists"):
        write_table(table, path)
    with pytest.raises(InputError, match=r"table must end in .csv or .parquet, got .*out.txt"):
        write_table(table, tmp_path / "out.txt")
    with pytest.raises(InputError, match="table must be in a folder that exists"):
        write_table(table, tmp_path / "nowhere" / "out.csv")
    assert path.read_text() == "mine"


def test_write_table__a_failure_leaves_no_file(table, tmp_path, monkeypatch):
    def fail():
        yield next(iter(TidyTable.blocks(table)))
        raise KeyboardInterrupt

    monkeypatch.setattr(table, "blocks", fail)
    with pytest.raises(KeyboardInterrupt):
        write_table(table, tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []
