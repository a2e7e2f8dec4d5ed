"""The command `cite`; modules that import NumPy are imported inside, for a fast start."""

import click

from fastcollapse.cli.path_kinds import command_for


@click.command()
@click.argument("what", metavar="[RECIPE|FILE]", required=False)
def cite(what: str | None) -> None:
    """Print BibTeX of the package, and of the papers and data that a recipe or results draw upon.

    Lines that begin with % say what each entry is for: the source of the recipe, theory, data. FILE is a results file,
    the folder of a sweep, the file that `collect` made of it, or an experiment file. Theory is that of the panels of
    results; a recipe that has not run has its source and its data. Without an argument: the package alone.

    \b
    fastcollapse cite results/sur-gau.h5 > references.bib
    """
    from fastcollapse.api.cite import cite as cite_source

    with command_for(what or "", "results", "collected", "sweep folder", "experiment", "sweep file", "recipe"):
        text = cite_source(what)
    click.echo(text)
