"""Commands of results files; modules that import NumPy or Numba are imported inside the commands, for a fast start."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from fastcollapse.cli.json_output import echo_json, json_option
from fastcollapse.cli.path_kinds import command_for
from fastcollapse.cli.progress import progress_bar
from fastcollapse.cli.sweep import SweepChoice, plot_sweep
from fastcollapse.config.thresholds import Thresholds
from fastcollapse.errors import InputError, printable

threads_option = click.option(
    "--threads", type=int, metavar="N", help="Number of threads; by default all cores. Never changes a number."
)
_file_argument = click.argument("file", type=click.Path(path_type=Path))


@click.command()
@_file_argument
@json_option
def info(file: Path, as_json: bool) -> None:
    """Show the content of a results FILE, finished or not."""
    from fastcollapse.analysis.records import run_record
    from fastcollapse.analysis.report import contents
    from fastcollapse.simulation.recorded_run import open_run

    with command_for(file, "results"):
        results = open_run(file)
    if as_json:
        echo_json(run_record(results))
    else:
        click.echo(printable(contents(results)))


@click.command()
@_file_argument
def check(file: Path) -> None:
    """Verify the checksums of a results FILE, finished or not, or of a sweep.

    FILE may also be an experiment file or the name of a recipe: its values and data are checked, and nothing runs. Exit
    status 2 if any data is not as it was written, or if FILE cannot be read or refuses a value.
    """
    from fastcollapse.api.check import check as check_source

    with command_for(file, "results", "collected", "sweep folder", "experiment", "recipe"):
        line = check_source(file)
    click.echo(printable(line))


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FIGURE",
    help="A new .png, .pdf or .svg; by default beside FILE, or the next free name. Its caption is beside it.",
)
@click.option(
    "--panel", "panels", multiple=True, metavar="NAME", help="Only these panels, or recorded metrics, of results FILEs."
)
@click.option(
    "--width",
    metavar="one|two|INCHES",
    help="Width: one column of a journal (3.3 inches), two (6.9 inches, the default), or a number of inches.",
)
@click.option(
    "--style", default="paper", metavar="paper|screen", help="Letters of 8 and 9 points, the default, or larger ones."
)
@click.option("--title", metavar="TEXT", help="Title of the figure; an empty TEXT for none.")
@click.option("--over", multiple=True, metavar="PARAMETER", help="Sweeps: parameter of an axis, one or two of them.")
@click.option("--fix", "fixed", multiple=True, metavar="PARAMETER=VALUE", help="Sweeps: value of another parameter.")
@click.option("--generation", type=int, metavar="T", help="Sweeps: generation that is drawn; by default the last.")
@click.option("--heat-map/--curves", default=None, help="Sweeps over two parameters: kind of the figure.")
def plot(
    files: Sequence[Path],
    output: Path | None,
    panels: Sequence[str],
    width: str | None,
    style: str,
    title: str | None,
    over: Sequence[str],
    fixed: Sequence[str],
    generation: int | None,
    heat_map: bool | None,
) -> None:
    """Draw the figure of results FILEs, with theory, and write its caption beside it.

    Several files are one figure: the cases of a recipe as the recipe says, other runs with a colour a file where their
    panels are the same. FILE may also be the folder of a sweep, or the file that `collect` made of it: the axes are its
    parameters.

    \b
    fastcollapse plot out.h5 --panel heterozygosity --width one -o figure.pdf
    fastcollapse plot small.h5 large.h5 --panel survival
    fastcollapse plot study.h5 --over n_samples --over dimension --fix workflow=replace --heat-map
    """
    from fastcollapse.analysis.figure_files import save_figure
    from fastcollapse.analysis.figures import Look
    from fastcollapse.cli.output_files import FIGURE_SUFFIX
    from fastcollapse.config.output_paths import CAPTION
    from fastcollapse.simulation.recorded_run import check_run
    from fastcollapse.simulation.result_paths import free_path
    from fastcollapse.sweeps.collected_results import open_sweep

    look, runs = Look(style, width, title), []
    for file in files:
        with command_for(file, "results", "collected", "sweep folder"):
            source = open_sweep(file)
            results = check_run(file, everything=False, checksums_required=False) if source is None else None
        if results is not None:
            runs.append(results)
        elif len(files) > 1:
            raise InputError(f"a figure of several files must be of results files, got {file}, which is a sweep")
        elif panels:
            raise InputError(f"--panel is for results files, got {file}")
        else:
            click.echo(plot_sweep(source, file, output, SweepChoice(over, fixed, generation, heat_map), look))
            return
    if over or fixed or generation is not None or heat_map is not None:
        raise InputError(f"--over, --fix, --generation and --heat-map are for sweeps, got {files[0]}")
    figure = output or free_path(files[0].with_suffix(FIGURE_SUFFIX), CAPTION)
    save_figure(runs, figure, look=look, panels=panels)
    click.echo(figure)


@click.command()
@_file_argument
@json_option
def compare(file: Path, as_json: bool) -> int:
    """Compare a results FILE, or every point of a sweep, with theory by z-scores.

    Every panel of the run with exact theory or sharp bounds is compared, at up to 10 generations or values of another
    axis. Asymptotic theory is shown without a score. FILE may also be the folder of a sweep, or the file that `collect`
    made of it: a line for each point, the worst first. Exit status 1 if any |z| is above 5.
    """
    from fastcollapse.analysis.comparison import compare as compare_run
    from fastcollapse.analysis.records import comparison_record
    from fastcollapse.analysis.report import comparison_text
    from fastcollapse.analysis.sweep_comparison import compare_sweep
    from fastcollapse.simulation.recorded_run import check_run
    from fastcollapse.sweeps.collected_results import open_sweep

    with command_for(file, "results", "collected", "sweep folder"):
        source = open_sweep(file)
        results = check_run(file, everything=False, checksums_required=False) if source is None else None
    if source is not None:
        compared = compare_sweep(source)
        if as_json:
            echo_json(compared.to_dict())
        else:
            click.echo(printable(str(compared)))
        return 1 if compared.disagrees else 0
    assert results is not None
    if results.n_replicates < 2:
        raise InputError(f"run.n_replicates must be at least 2 to compare, got {results.n_replicates} in {file}")
    comparison = compare_run(results)
    if as_json:
        echo_json(comparison_record(results, comparison))
    else:
        click.echo(printable(comparison_text(results, comparison)))
    return 1 if comparison.disagrees else 0


def _threshold_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each threshold of a profile."""
    for field in reversed(dataclasses.fields(Thresholds)):
        kind = {"int": int, "float": float}.get(str(getattr(field.type, "__name__", field.type)), str)
        default = f" [{field.default:g}]" if field.default is not None else ""
        name = "METRIC" if kind is str else "NUMBER"
        option = click.option(
            f"--{field.name}", type=kind, metavar=name, help=f"{field.metadata['help']}{default}".capitalize() + "."
        )
        command = option(command)
    return command


@click.command()
@_file_argument
@_threshold_options
def profile(file: Path, **thresholds: Any) -> None:
    """Evaluate every definition of model collapse in use on a results FILE, finished or not.

    The definitions are after arXiv:2503.03150: catastrophic, any and unbounded increase of risk, variance collapse, a
    change of the scaling law, lost tails, lost modes, invented data. Each has its value, the generation at which it
    holds, and its statement. All thresholds are choices of this project, and options.

    \b
    fastcollapse profile study.h5 --catastrophic 5 --risk total_variation
    """
    from fastcollapse.analysis.profile_text import profile_text
    from fastcollapse.config.section_base import build
    from fastcollapse.simulation.profile.evaluate import profile_of
    from fastcollapse.simulation.recorded_run import check_run

    with command_for(file, "results"):
        results = check_run(file, everything=False, checksums_required=False)
    given = {key: value for key, value in thresholds.items() if value is not None}
    findings = profile_of(results, build(Thresholds, given))
    click.echo(printable(profile_text(results, findings)))


@click.command()
@_file_argument
@click.option("--generation", type=int, metavar="K", help="Generation of the model; by default the last.")
@click.option("--replicate", type=int, default=0, metavar="R", help="Replicate, from 0; by default 0.")
@click.option("-n", "n", type=int, default=5, metavar="N", help="Number of sentences; by default 5.")
@click.option("--seed", type=int, metavar="N", help="Seed of the sentences; by default that of the run.")
def text(file: Path, generation: int | None, replicate: int, n: int, seed: int | None) -> None:
    """Print sentences that the model of a generation writes, one a line, from the results FILE of a text.

    Counts that the run has not recorded are computed again, for one replicate and up to this generation.

    \b
    fastcollapse text results/sur-ngr.h5 --generation 10
    """
    from fastcollapse.simulation.recorded_run import check_run
    from fastcollapse.simulation.sampled_text import sample_text

    with command_for(file, "results"):
        results = check_run(file, checksums_required=False)
    generation = max(results.last, 0) if generation is None else generation
    with progress_bar(0 if results.has_trajectory else generation) as progress:
        sentences = sample_text(
            results.experiment, results.reader, generation, replicate, n=n, seed=seed, progress=progress
        )
    for sentence in sentences:
        click.echo(printable(sentence))


@click.command()
@_file_argument
@threads_option
@click.option(
    "--factory",
    metavar="MODULE:CALLABLE",
    help="Estimators: what makes them, as in model.factory; results name it, but import no code.",
)
def replay(file: Path, threads: int | None, factory: str | None) -> int:
    """Run the experiment of FILE again, in memory, and compare every number bit for bit.

    Exit status 1 if any number differs.
    """
    from fastcollapse.simulation.recorded_run import check_run
    from fastcollapse.simulation.replay import replay as run_again

    with command_for(file, "results"):
        results = check_run(file, checksums_required=False)
    with progress_bar(results.experiment.run.n_generations) as progress:
        outcome = run_again(results, threads, progress, model=factory)
    click.echo("\n".join(outcome.lines()))
    return 1 if outcome.different else 0
