"""The commands; what needs NumPy or Numba is imported inside them, so that `--help` answers at once."""

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fastcollapse import __version__
from fastcollapse.cli.progress import progress_bar
from fastcollapse.cli.run_job import Interrupted, Job, run_job
from fastcollapse.cli.sweep import SweepChoice, collect, plot_sweep, status, sweep
from fastcollapse.errors import FastcollapseError, InputError, nearest

if TYPE_CHECKING:
    from fastcollapse.simulation.experiment import Experiment

MAIN_RECIPE = "wikitext2-unigram"


class _Commands(click.Group):
    """Report every expected failure in one line: 2 bad input, 1 anything else, 130 Ctrl-C, 143 SIGTERM."""

    def main(self, *args: Any, **extra: Any) -> Any:
        extra["standalone_mode"] = False
        warnings.showwarning = _warn
        try:
            status: Any = super().main(*args, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message())
            status = 0
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "fastcollapse"
            status = _fail(f"{error.format_message()} ({path} --help explains)", 2)
        except InputError as error:
            status = _fail(str(error), 2)
        except (FastcollapseError, click.ClickException) as error:
            status = _fail(str(error), 1)
        except MemoryError as error:
            status = _fail(f"not enough memory: {error}", 1)
        except Interrupted as error:
            status = _fail(str(error), error.status)
        except (click.Abort, KeyboardInterrupt):
            status = _fail("interrupted", 130)
        sys.exit(status if isinstance(status, int) else 0)


class _WithParameters(click.Command):
    """Print the keys of an experiment at the end of the help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from fastcollapse.simulation.parameter_table import parameters  # start-up time

        with formatter.section("Keys of FILE.toml and --set"):
            formatter.write_dl([(p.key, f"{p.help}; {p.kind} [{p.default}]") for p in parameters()], col_max=28)


def _warn(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    click.echo(f"warning: {message}", err=True)


def _fail(message: str, status: int) -> int:
    click.echo(f"error: {' '.join(message.split())}", err=True)
    return status


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 done, 1 failed or not as theory says, 2 bad input, 130 Ctrl-C, 143 SIGTERM.",
)
@click.version_option(__version__, prog_name="fastcollapse")
def main() -> None:
    """Simulate recursive training: a model is fitted, writes the next data set, and is fitted again."""


main.add_command(sweep)
main.add_command(status)
main.add_command(collect)

_memory_limit = click.option(
    "--memory-limit",
    metavar="SIZE",
    help="Stay below so much memory, as 2GB, by smaller blocks and parts. Never changes a number.",
)
_threads = click.option(
    "--threads", type=int, metavar="N", help="Threads; all cores by default. Never changes a number."
)


@main.command(cls=_WithParameters)
@click.argument("what", metavar="[RECIPE|FILE.toml]", required=False)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a value, as run.n_generations=200.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A new file, or one that holds this very run; by default results/NAME.h5, or the next free name.",
)
@click.option("--overwrite", is_flag=True, help="Replace results and figure that exist, finished or not.")
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Go on with a run that has stopped. FILE is all it takes; an experiment given too must be the same, and is "
    "started if FILE is not there.",
)
@_threads
@_memory_limit
@click.option("--seed", metavar="N", help="Seed, 0 to 2^64-1; the same as --set run.seed=N.")
def run(
    what: str | None,
    settings: Sequence[str],
    output: Path | None,
    overwrite: bool,
    resume: Path | None,
    threads: int | None,
    memory_limit: str | None,
    seed: str | None,
) -> None:
    """Run an experiment, print a summary and write results and a figure.

    Without an argument this is the main job: the recipe wikitext2-unigram.

    \b
    fastcollapse run
    fastcollapse run my.toml --set run.n_replicates=10 -o results/mine.h5
    fastcollapse run --resume results/mine.h5
    """
    from fastcollapse.cli.output_files import plan_output

    if resume is not None and (output is not None or overwrite):
        raise InputError("--resume FILE must be without --output and --overwrite: FILE is what is written")
    if resume is not None:
        experiment = None if what is None else _load(what, settings, seed)
        chosen, plans = plan_output(experiment, resume, resume=True, values=_values(settings, seed))
    else:
        wanted = output or Path("results") / f"{Path(what or MAIN_RECIPE).stem}.h5"
        by_default = output is None and not overwrite
        experiment = _load(what or MAIN_RECIPE, settings, seed)
        chosen, plans = plan_output(experiment, wanted, numbered=by_default, overwrite=overwrite)
        if chosen != wanted and not all(one.is_finished for one in plans):
            click.echo(f"{wanted} exists already; writing {chosen}", err=True)
    from fastcollapse.simulation.simulate import use_threads

    use_threads(threads)
    options = [part for setting in settings for part in ("--set", setting)] + (["--seed", seed] if seed else [])
    again = [*([what or MAIN_RECIPE, *options] if len(plans) > 1 else []), "--resume", str(chosen)]
    run_job(Job(plans, chosen, overwrite, threads, ["fastcollapse", "run", *again], memory_limit))


def _load(what: str, settings: Sequence[str], seed: str | None) -> "Experiment":
    from fastcollapse.datasets.shipped import recipes
    from fastcollapse.simulation.experiment import Experiment

    known = recipes()
    if what in known:
        path = known[what]
    elif what.endswith(".toml") or "/" in what or Path(what).is_file():
        path = Path(what)
    else:
        raise InputError(
            f"recipe must be one of {', '.join(known)}, or a .toml file, got {what!r}{nearest(what, known)}"
        )
    values = _values(settings, seed)
    experiment = Experiment.from_toml(path)
    recipe = experiment.recipe
    for key in values:
        if key.partition(".")[0] == "recipe":
            raise InputError(f"{key} must be changed in the file: a copy of {path} is an experiment file too")
        for case in recipe.cases or () if recipe is not None else ():
            if any(key == named or key.startswith(f"{named}.") or named.startswith(f"{key}.") for named in case):
                raise InputError(f"{key} must be left to the cases of the recipe; copy {path} to change them")
    experiment = experiment.with_values(values) if values else experiment
    _check_panels(experiment)
    return experiment


def _values(settings: Sequence[str], seed: str | None) -> dict[str, Any]:
    """Return the values of --set and --seed by key."""
    from fastcollapse.simulation.experiment_file import parse_setting

    values = dict(parse_setting(setting) for setting in settings)
    if seed is not None:
        values["run.seed"] = parse_setting(f"run.seed={seed}")[1] if seed else seed
    return values


def _check_panels(experiment: "Experiment") -> None:
    """Refuse panels that the family does not have before anything runs."""
    if experiment.recipe is None or experiment.recipe.panels is None:
        return
    from fastcollapse.analysis.panels.base import check_panels, view_named

    view = view_named(experiment.family)
    if view is not None:
        check_panels(view, experiment.recipe.panels)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def info(file: Path) -> None:
    """Show what a results FILE holds, finished or not."""
    from fastcollapse.analysis.report import contents
    from fastcollapse.simulation.results import open_results

    click.echo(contents(open_results(file)))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Read all of a results FILE, finished or not, or of a sweep, and compare it with its checksums.

    Exit status 2 if anything is not what was written, as for every FILE that cannot be read.
    """
    from fastcollapse.analysis.report import whole
    from fastcollapse.simulation.results import check_results
    from fastcollapse.sweeps.collected_results import open_sweep

    source = open_sweep(file)
    if source is not None:
        click.echo(f"{file}: OK: checksums of {source.check():,} of {len(source.sweep):,} points match")
        return
    click.echo(whole(check_results(file)))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FIGURE",
    help="A new .png, .pdf or .svg; by default beside FILE, or the next free name.",
)
@click.option("--over", multiple=True, metavar="PARAMETER", help="Of a sweep: what the figure is over, one or two.")
@click.option("--fix", "fixed", multiple=True, metavar="PARAMETER=VALUE", help="Of a sweep: the value of another one.")
@click.option("--generation", type=int, metavar="T", help="Of a sweep: the generation; the last by default.")
@click.option("--heat-map/--curves", default=None, help="Of a sweep over two parameters: which kind of figure.")
def plot(
    file: Path,
    output: Path | None,
    over: Sequence[str],
    fixed: Sequence[str],
    generation: int | None,
    heat_map: bool | None,
) -> None:
    """Draw the figure of a results FILE: survival, and forgetting times or heterozygosity, with theory.

    FILE may be a sweep too, its folder or what `collect` made of it: then the figure is over what varies.

    \b
    fastcollapse plot study.h5 --over n_samples --over dimension --fix workflow=replace --heat-map
    """
    from fastcollapse.analysis.figures import save_figure
    from fastcollapse.simulation.results import check_results
    from fastcollapse.sweeps.collected_results import open_sweep

    source = open_sweep(file)
    if source is not None:
        choice = SweepChoice(over, fixed, generation, heat_map)
        click.echo(plot_sweep(source, file, output, choice))
        return
    results = check_results(file, everything=False)
    if over or fixed or generation is not None or heat_map is not None:
        raise InputError(f"--over, --fix, --generation and --heat-map are for sweeps, got {file}")
    if results.last < 1:
        raise InputError(f"a figure must have at least one finished generation, got none in {file}")
    from fastcollapse.cli.output_files import FIGURE_SUFFIX
    from fastcollapse.simulation.run_plan import free_path

    figure = output or free_path(file.with_suffix(FIGURE_SUFFIX))
    save_figure(results, figure)
    click.echo(figure)


@main.command()
@click.argument("name", required=False)
@click.argument("arguments", nargs=-1, metavar="[ARGUMENT=VALUE]...")
def theory(name: str | None, arguments: Sequence[str]) -> None:
    """Evaluate a closed form, a bound or an exact law.

    Without NAME all functions are listed, without arguments NAME is explained. A value is a number, a list
    (1,10,100) or a range of whole numbers (1..10).

    \b
    fastcollapse theory survival_bounds p0=0.01 n=100 k=1..5
    fastcollapse theory forgetting_quantile c=1,10,100 q=0.5
    """
    from fastcollapse.cli.theory import evaluate, explain, list_functions

    click.echo(evaluate(name, arguments) if name and arguments else explain(name) if name else list_functions())


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def compare(file: Path) -> int:
    """Compare a results FILE with its theory as z-scores.

    Every panel of the run that has exact theory or sharp bounds is compared, at up to 10 generations or values of
    another axis; what is asymptotic stands beside it without a score. Exit status 1 if any |z| is above 5.
    """
    from fastcollapse.analysis.report import comparison
    from fastcollapse.simulation.results import check_results

    results = check_results(file, everything=False)
    if results.n_replicates < 2:
        raise InputError(f"run.n_replicates must be at least 2 to compare, got {results.n_replicates} in {file}")
    if results.last < 1:
        raise InputError(f"a comparison must have at least one finished generation, got none in {file}")
    text, agree = comparison(results)
    click.echo(text)
    return 0 if agree else 1


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@_threads
def replay(file: Path, threads: int | None) -> int:
    """Run the experiment recorded in FILE again, in memory, and check every number bit for bit.

    Exit status 1 if any number differs.
    """
    from fastcollapse.simulation.results import check_results

    results = check_results(file)
    from fastcollapse.simulation.replay import replay as run_again

    with progress_bar(results.experiment.run.n_generations) as progress:
        found = run_again(results, threads, progress)
    if found.same:
        click.echo(f"identical, bit for bit: {', '.join(found.same)}")
    for line in found.different:
        click.echo(f"different: {line}")
    for line in found.versions:
        click.echo(f"not as recorded: {line}")
    return 1 if found.different else 0


@main.command()
@click.argument("names", nargs=-1, metavar="[RECIPE]...")
@click.option("--all", "everything", is_flag=True, help="Every recipe that redoes a published figure.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Draw the figures into this folder, new ones only.",
)
def reproduce(names: Sequence[str], everything: bool, output: Path | None) -> int:
    """Run recipes and say in one line each: what, parameters, agreement with exact theory, time.

    Exit status 1 if any |z| is above 5.

    \b
    fastcollapse reproduce --all
    fastcollapse reproduce sur-bern sur-gau -o figures
    """
    if bool(names) == everything:
        raise InputError("reproduce must be given names of recipes or --all, and not both")
    from fastcollapse.analysis.reproduction import reproduce as run_all
    from fastcollapse.analysis.reproduction import reproducible
    from fastcollapse.cli.output_files import FIGURE_SUFFIX

    wanted = list(names) or list(reproducible())
    for name in wanted if output is not None else []:
        if os.path.lexists(output / f"{name}{FIGURE_SUFFIX}"):  # type: ignore[operator]
            raise InputError(f"output must be a folder without {name}{FIGURE_SUFFIX}, got {output}")
    all_agree, seconds = True, 0.0
    for one in run_all(wanted):
        click.echo(one.line())
        all_agree, seconds = all_agree and one.agrees, seconds + one.seconds
        if output is not None:
            from fastcollapse.analysis.figures import save_figure

            save_figure(one.cases, output / f"{one.name}{FIGURE_SUFFIX}")
    click.echo(
        f"{len(wanted)} recipes, {seconds:.2f} s of simulation" + ("" if output is None else f", figures in {output}")
    )
    return 0 if all_agree else 1


@main.command()
def recipes() -> None:
    """List the experiments that come with the project, then its sweeps."""
    from fastcollapse.datasets.shipped import describe_recipe, sweeps
    from fastcollapse.datasets.shipped import recipes as known

    for heading, names in (("", known()), ("Sweeps, for fastcollapse sweep:", sweeps())):
        if heading:
            click.echo(f"\n{heading}")
        width = max(map(len, names))
        for name, path in names.items():
            click.echo(f"{name.ljust(width)}  {describe_recipe(path)}")
