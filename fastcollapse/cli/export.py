"""Command `export`: the recorded numbers of a run or a sweep as a table for other programs."""

import sys
from pathlib import Path

import click

from fastcollapse.cli.path_kinds import command_for
from fastcollapse.config.output_paths import beside

_STANDARD_OUTPUT = "-"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="TABLE",
    help="A new .csv or .parquet, or - for CSV on standard output; by default .csv beside FILE, or the next free name.",
)
def export(file: Path, output: str | None) -> None:
    """Write every recorded number of a results FILE, finished or not, or of a sweep into a table.

    One row is one number: metric, replicate, generation, value, further coordinates such as the ridge, and for a sweep
    the point and its parameters. A .parquet table needs pyarrow.

    \b
    fastcollapse export results/sur-gau.h5 -o sur-gau.csv
    fastcollapse export study -o - | head
    """
    from fastcollapse.analysis.table_files import TABLES, write_csv, write_table
    from fastcollapse.analysis.tidy_table import TidyTable
    from fastcollapse.simulation.recorded_run import check_run
    from fastcollapse.simulation.result_paths import free_path
    from fastcollapse.sweeps.collected_results import open_sweep

    with command_for(file, "results", "collected", "sweep folder"):
        source = open_sweep(file) or check_run(file, everything=False, checksums_required=False)
    table = TidyTable(source)
    if output == _STANDARD_OUTPUT:
        write_csv(table, sys.stdout)
        return
    path = Path(output) if output is not None else free_path(beside(file, TABLES[0]))
    write_table(table, path)
    click.echo(f"{path}: {table.n_rows:,} rows")
