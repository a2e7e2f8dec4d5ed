"""Files of tidy tables: CSV, and Parquet where pyarrow is installed."""

import csv
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from fastcollapse.analysis.tidy_table import TidyTable
from fastcollapse.config.output_paths import check_output_file, make_output_parent
from fastcollapse.errors import InputError
from fastcollapse.storage.atomic_write import new_file, remove_abandoned

TABLES = (".csv", ".parquet")


def write_table(table: TidyTable, path: str | Path) -> None:
    """Write a table into a new file; a kill leaves no part of it.

    Parameters
    ----------
    path : a new file that ends in .csv or .parquet.

    Raises
    ------
    InputError
        The path has another ending, exists, or its folder does not exist or cannot be written; or pyarrow is missing.
    StoreError
        The file cannot be written.

    Examples
    --------
    >>> from fastcollapse import Experiment, simulate
    >>> table = TidyTable(simulate(Experiment.from_mapping({
    ...     "model": {"family": "poisson"}, "truth": {"rate": 2.0}, "workflow": {"name": "replace", "n_samples": 10},
    ...     "run": {"n_generations": 1, "n_replicates": 1, "seed": 1, "record": ["rate"]}})))
    >>> print(csv_text(table).splitlines()[0])
    metric,replicate,generation,value
    """
    path = Path(path)
    check_output_file(path, TABLES, "table")
    if os.path.lexists(path):
        raise InputError(f"table must be a new file, got {path}: it exists")
    write = _write_csv_bytes if path.suffix.lower() == ".csv" else _parquet_writer()
    make_output_parent(path, "table")
    remove_abandoned(path.parent, path.name)
    with new_file(path) as file:
        write(table, file)


def write_csv(table: TidyTable, file: TextIO) -> None:
    """Write a table as CSV in UTF-8 with a header. Numbers are the shortest text that reads back as the same number."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.columns)
    for block in table.blocks():
        columns = [_cells(block[name]) if name in block else [None] * len(block["value"]) for name in table.columns]
        writer.writerows(zip(*columns, strict=True))


def csv_text(table: TidyTable) -> str:
    """Return a table as the text that `write_csv` writes."""
    file = io.StringIO()
    write_csv(table, file)
    return file.getvalue()


def _cells(column: np.ndarray) -> list[Any]:
    """Return the cells of a column, None for NaN."""
    cells = column.tolist()
    if column.dtype.kind == "f" and np.isnan(column).any():
        return [None if cell != cell else cell for cell in cells]
    return cells


def _write_csv_bytes(table: TidyTable, file: Any) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    write_csv(table, text)
    text.detach()


def _parquet_writer() -> Any:
    """Return a function that writes a table as Parquet into a binary file."""
    try:
        import pyarrow  # an extra
        import pyarrow.parquet
    except ImportError as error:
        raise InputError("a .parquet table must have pyarrow: pip install pyarrow, or write a .csv") from error
    kinds = {"i": pyarrow.int64(), "f": pyarrow.float64(), "O": pyarrow.string()}

    def batches(table: TidyTable, schema: Any) -> Iterator[Any]:
        for block in table.blocks():
            yield pyarrow.table([_array(block, field) for field in schema], schema=schema)

    def _array(block: Mapping[str, np.ndarray], field: Any) -> Any:
        if field.name not in block:
            return pyarrow.nulls(len(block["value"]), field.type)
        return pyarrow.array(block[field.name], field.type, from_pandas=True)  # NaN is null

    def write(table: TidyTable, file: Any) -> None:
        schema = pyarrow.schema([(name, kinds[kind.kind]) for name, kind in table.columns.items()])
        with pyarrow.parquet.ParquetWriter(file, schema) as writer:
            for batch in batches(table, schema):
                writer.write_table(batch)

    return write
