"""Commands of recipes; modules that import NumPy or Numba are imported inside the commands, for a fast start."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from fastcollapse.cli.path_kinds import command_for
from fastcollapse.errors import InputError


@click.command()
@click.argument("names", nargs=-1, metavar="[RECIPE]...")
@click.option("--all", "everything", is_flag=True, help="Every recipe that reproduces a published figure.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for the figures, in a folder that exists; no figure is replaced.",
)
def reproduce(names: Sequence[str], everything: bool, output: Path | None) -> int:
    """Run recipes and print a line for each: title, parameters, agreement with exact theory, time without compiling.

    Exit status 1 if any |z| is above 5.

    \b
    fastcollapse reproduce --all
    fastcollapse reproduce sur-bern sur-gau -o figures
    """
    if names and everything:
        raise InputError("give names of recipes or --all, not both")
    if not names and not everything:
        raise InputError("give names of recipes, or --all")
    from fastcollapse.analysis.reproduction import recipe_path, reproducible
    from fastcollapse.analysis.reproduction import reproduce as run_recipes
    from fastcollapse.cli.output_files import FIGURE_SUFFIX
    from fastcollapse.config.output_paths import check_output_folder, make_output_folder

    for name in names:
        with command_for(name, "recipe"):
            recipe_path(name)
    chosen = list(dict.fromkeys(names)) or list(reproducible())
    if output is not None:
        check_output_folder(output)
    figures = {} if output is None else {name: output / f"{name}{FIGURE_SUFFIX}" for name in chosen}
    for figure in figures.values():
        if os.path.lexists(figure):
            raise InputError(f"{figure} already exists")
    all_agree, seconds, compile_seconds = True, 0.0, 0.0
    for reproduction in run_recipes(chosen):
        click.echo(reproduction.line())
        all_agree = all_agree and reproduction.agrees is not False
        seconds, compile_seconds = seconds + reproduction.seconds, compile_seconds + reproduction.compile_seconds
        if output is not None:
            from fastcollapse.analysis.figures import save_figure

            make_output_folder(output)
            save_figure(reproduction.cases, figures[reproduction.name])
    drawn = "" if output is None else f", figures in {output}"
    times = f"{seconds:.2f} s of simulation, {compile_seconds:.2f} s of compiling"
    click.echo(f"{len(chosen)} recipe{'s'[: len(chosen) != 1]}, {times}{drawn}")
    return 0 if all_agree else 1


@click.command()
def recipes() -> None:
    """List the experiments and the sweeps that are shipped with fastcollapse."""
    from fastcollapse.datasets.shipped import describe_recipe, sweeps
    from fastcollapse.datasets.shipped import recipes as shipped_recipes

    for heading, paths in (("", shipped_recipes()), ("Sweeps, for fastcollapse sweep:", sweeps())):
        if heading:
            click.echo(f"\n{heading}")
        width = max(map(len, paths))
        for name, path in paths.items():
            click.echo(f"{name.ljust(width)}  {describe_recipe(path)}")
