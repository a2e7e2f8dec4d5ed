"""The command `report`; modules that import NumPy or Numba are imported inside, for a fast start."""

from pathlib import Path

import click

from fastcollapse.cli.path_kinds import command_for


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="PAGE",
    help="A new .html; by default beside FILE or in the folder, or the next free name.",
)
def report(file: Path, output: Path | None) -> None:
    """Write a page of HTML about a results FILE, a sweep, or all results files in a folder.

    It has the figure, the agreement with theory, the numbers in tables that sort by a click, what was run, and how to
    repeat and cite it. It is one file and loads nothing from elsewhere.

    \b
    fastcollapse report results/sur-uni.h5 -o page.html
    """
    from fastcollapse.analysis.html_report.page import check_page_path, page_of, sections_at, write_page
    from fastcollapse.simulation.result_paths import free_path

    beside = file / "report.html" if file.is_dir() else file.with_suffix(".html")
    named = output or free_path(beside)
    check_page_path(named)  # before figures are drawn
    with command_for(file, "results", "collected", "sweep folder"):
        sections = sections_at(file)
    write_page(page_of(sections), named)
    click.echo(named)
