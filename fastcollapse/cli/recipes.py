"""Commands of recipes; modules that import NumPy or Numba are imported inside the commands, for a fast start."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fastcollapse.cli.json_output import echo_json, json_option
from fastcollapse.cli.path_kinds import command_for
from fastcollapse.errors import InputError

if TYPE_CHECKING:
    from fastcollapse.datasets.recipe_files import Shipped

settings_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a value, for example run.n_generations=200."
)


@click.command()
@click.argument("names", nargs=-1, metavar="[RECIPE]...")
@click.option("--all", "everything", is_flag=True, help="Every recipe.")
@settings_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for the figures with captions, in a folder that exists. With --all it gets the page index.md too.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing figures, and the page.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for the results, in a folder that exists: NAME.h5, as `run` writes them. Finished ones are not run "
    "again.",
)
def reproduce(
    names: Sequence[str],
    everything: bool,
    settings: Sequence[str],
    output: Path | None,
    overwrite: bool,
    keep: Path | None,
) -> int:
    """Run recipes and print a line for each: title, parameters, agreement with exact theory, time without compiling.

    With --set a line and a figure say what is changed, and show nothing that was published for other values. With
    --all, --keep and --output the page has each sweep too that DIR has as sweep-NAME. Exit status 1 if any |z| is
    above 5.

    \b
    fastcollapse reproduce --all --keep results/gallery -o gallery
    fastcollapse reproduce sur-bern sur-gau -o figures
    fastcollapse reproduce sur-gau --set workflow.n_samples=20 -o figures
    """
    if names and everything:
        raise InputError("give names of recipes or --all, not both")
    if not names and not everything:
        raise InputError("give names of recipes, or --all")
    if overwrite and output is None:
        raise InputError("--overwrite needs --output")
    from fastcollapse.analysis.reproduction import reproduce as run_recipes
    from fastcollapse.datasets.recipe_files import find_shipped
    from fastcollapse.datasets.shipped import recipes as shipped_recipes
    from fastcollapse.simulation.experiment_file import parse_settings

    for name in names:
        with command_for(name, "recipe"):
            find_shipped(name, "recipe")
    chosen, gallery = list(dict.fromkeys(names)) or list(shipped_recipes()), None
    if output is not None:
        from fastcollapse.analysis.gallery import Gallery

        gallery = Gallery(output, chosen, everything and not settings, overwrite)
    all_agree, seconds, compile_seconds = True, 0.0, 0.0
    for reproduction in run_recipes(chosen, parse_settings(settings), keep):
        click.echo(reproduction.line())
        all_agree = all_agree and reproduction.agrees is not False
        seconds, compile_seconds = seconds + reproduction.seconds, compile_seconds + reproduction.compile_seconds
        if gallery is not None:
            gallery.add(reproduction)
    if gallery is not None:
        gallery.finish(keep)
    drawn = "" if output is None else f", figures in {output}"
    times = f"{seconds:.2f} s of simulation, {compile_seconds:.2f} s of compiling"
    click.echo(f"{len(chosen)} recipe{'s'[: len(chosen) != 1]}, {times}{drawn}")
    return 0 if all_agree else 1


@click.command()
@click.argument("name", required=False)
@click.option("--source", metavar="TEXT", help="Only those whose source has this text, such as 2402.07712.")
@click.option(
    "--sweep", is_flag=True, help="With NAME: the sweep of this name; by default the recipe, if there is one."
)
@click.option("--copy", type=click.Path(path_type=Path), metavar="FILE.toml", help="With NAME: write a copy to edit.")
@json_option
def recipes(name: str | None, source: str | None, sweep: bool, copy: Path | None, as_json: bool) -> None:
    """List the experiments and the sweeps that are shipped with fastcollapse, or print the file of one.

    \b
    fastcollapse recipes --source 2402.07712
    fastcollapse recipes sur-gau --copy my.toml
    fastcollapse run my.toml --set workflow.n_samples=20
    """
    from fastcollapse.datasets.recipe_files import find_shipped, shipped

    if name is None:
        if sweep or copy is not None:
            raise InputError(f"{'--copy' if copy is not None else '--sweep'} must be given with the NAME of a recipe")
        found = shipped(source or "")
        if as_json:
            echo_json([one._asdict() for one in found])
        else:
            _list(found)
        return
    if source is not None:
        raise InputError("--source must be without the NAME of a recipe")
    with command_for(name, "recipe", "shipped sweep"):
        one = find_shipped(name, *(["sweep"] if sweep else []))
    if copy is not None:
        _copy(one, copy)
        click.echo(f"{copy}: a copy of {name}; to run it: fastcollapse {_COMMANDS[one.kind]} {shlex.quote(str(copy))}")
    elif as_json:
        echo_json({**one._asdict(), "text": one.text})
    else:
        click.echo(one.text, nl=False)


_COMMANDS = {"recipe": "run", "sweep": "sweep"}
_HEADINGS = {"recipe": "", "sweep": "Sweeps, for fastcollapse sweep:"}


def _list(found: "Sequence[Shipped]") -> None:
    """Print a line for each recipe, and then for each sweep."""
    for kind, heading in _HEADINGS.items():
        some = [one for one in found if one.kind == kind]
        if heading and some:
            click.echo(f"\n{heading}" if len(some) < len(found) else heading)
        width = max((len(one.name) for one in some), default=0)
        for one in some:
            click.echo(f"{one.name.ljust(width)}  {one.description}")


def _copy(one: "Shipped", path: Path) -> None:
    from fastcollapse.config.output_paths import check_output_file
    from fastcollapse.storage.atomic_write import Rename, write_bytes

    check_output_file(path, (".toml",), "copy")
    if os.path.lexists(path):
        raise InputError(f"copy must be a new file, got {path}: it exists")
    write_bytes(path, one.text.encode(), Rename())
