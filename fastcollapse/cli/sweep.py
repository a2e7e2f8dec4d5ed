"""Commands of sweeps; modules that import NumPy or Numba are imported inside the commands, for a fast start."""

import os
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from fastcollapse.cli.json_output import echo_json, json_option
from fastcollapse.cli.path_kinds import command_for
from fastcollapse.cli.run_job import Interrupted
from fastcollapse.cli.sweep_progress import sweep_progress
from fastcollapse.config.output_paths import DEFAULT_FOLDER, beside
from fastcollapse.errors import InputError, printable

if TYPE_CHECKING:
    from fastcollapse.analysis.figures import Look
    from fastcollapse.sweeps.points import Sweep
    from fastcollapse.sweeps.status import SweepStatus
    from fastcollapse.sweeps.task_queue import Outcome

# Maximum number of warnings that are printed.
_MAX_SHOWN = 5


@click.command()
@click.argument("what", metavar="SWEEP|FILE.toml")
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    help="A new folder in a folder that exists, or the folder of this sweep, whose missing points are computed; by "
    "default results/NAME.",
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a value that is not varied.")
@click.option("--seed", metavar="N", help="Seed from which the seeds of the points are derived.")
@click.option("--jobs", type=int, metavar="N", help="Number of processes; by default one for each core.")
@click.option("--threads", type=int, metavar="N", help="Threads of each process; by default its share of the cores.")
@click.option(
    "--memory-limit",
    metavar="SIZE",
    help="Maximum memory of all processes together, such as 16GB; by default what is available. Fewer processes run if "
    "their points may need more.",
)
@click.option("--shard", metavar="I/N", help="Compute the I-th of N shares, from 1: one element of a job array.")
@click.option("--scheduler", metavar="ADDRESS", help="Use the Dask scheduler at ADDRESS.")
@click.option(
    "--slurm",
    type=int,
    metavar="N",
    help="Make the folder and print the script of a Slurm job array of N elements; compute nothing.",
)
@click.option("--retry", is_flag=True, help="Retry points that have failed.")
@click.option("--yes", is_flag=True, help="Allow more than one million points.")
def sweep(
    what: str,
    output: str | None,
    settings: Sequence[str],
    seed: str | None,
    jobs: int | None,
    threads: int | None,
    memory_limit: str | None,
    shard: str | None,
    scheduler: str | None,
    slurm: int | None,
    retry: bool,
    yes: bool,
) -> int:
    """Run every point of a sweep: an experiment file with [sweep.grid] or [sweep.zip].

    Finished points are not run again: the same command resumes a sweep that was stopped, and several commands may work
    on one folder. Exit status 1 if a point has failed.

    \b
    fastcollapse sweep study.toml -o study --jobs 4
    fastcollapse sweep study.toml -o study --slurm 20 > study.sh; bash study.sh
    fastcollapse sweep study.toml -o study --scheduler tcp://10.0.0.1:8786
    fastcollapse status study
    fastcollapse collect study -o study.h5
    """
    _check_options(output, jobs, threads, shard, scheduler, slurm)
    if memory_limit is not None and (scheduler is not None or slurm is not None):
        raise InputError("--memory-limit must be without --scheduler and --slurm: it is that of this machine")
    from fastcollapse.simulation.experiment_file import parse_setting
    from fastcollapse.sweeps import load_sweep, slurm_script
    from fastcollapse.sweeps.points import MAX_POINTS

    values = dict(parse_setting(setting) for setting in settings)
    if seed is not None:
        values["run.seed"] = parse_setting(f"run.seed={seed}")[1] if seed else seed
    with command_for(what, "sweep file", "shipped sweep"):
        given = load_sweep(what, values)
    if len(given) > MAX_POINTS and not yes:
        raise InputError(f"a sweep must have at most {MAX_POINTS:,} points without --yes, got {len(given):,}")
    folder = DEFAULT_FOLDER / Path(what).stem if output is None else Path(output)
    if slurm is not None:
        options = {"set": settings, "seed": seed, "threads": threads, "retry": retry, "yes": yes}
        script = slurm_script(given, folder, slurm, source=what, options=options)
        if not script:
            click.echo(_nothing_left(folder), err=True)
        click.echo(script, nl=False)
        return 0
    if scheduler is not None:
        return _run(given, folder, scheduler, None, retry, None, on_cluster=True)
    from fastcollapse.sweeps.executors import ProcessPool, SerialExecutor, available_cores

    n_workers = jobs if jobs is not None else min(available_cores(), len(given))
    executor = SerialExecutor(threads) if n_workers == 1 else ProcessPool(n_workers, threads)
    return _run(given, folder, executor, None if shard is None else _parse_shard(shard), retry, memory_limit)


def _run(
    given: "Sweep",
    folder: Path,
    executor: Any,
    shard: tuple[int, int] | None,
    retry: bool,
    memory_limit: str | None,
    on_cluster: bool = False,
) -> int:
    """Run a sweep with progress and signal handling, print the result and return the exit status."""
    from fastcollapse.simulation.interrupts import SIGNALS, Interrupts
    from fastcollapse.sweeps import run_sweep
    from fastcollapse.sweeps.manifest import MANIFEST

    # A mistyped folder starts the sweep anew.
    first_line = "" if os.path.lexists(folder / MANIFEST) else f"{folder}: a new sweep of {len(given):,} points"
    command = shlex.join(["fastcollapse", *sys.argv[1:]])
    message = _stopped_message(folder, command, on_cluster)
    try:
        with (
            Interrupts(SIGNALS, message, lambda: f"interrupted; to resume: {command}") as interrupts,
            sweep_progress(folder, first_line) as progress,
        ):
            outcome = run_sweep(
                given,
                folder,
                executor,
                shard=shard,
                retry=retry,
                memory_limit=memory_limit,
                progress=progress,
                interrupts=interrupts,
            )
    except KeyboardInterrupt as stopped:
        raise Interrupted(message(), stopped) from None
    return _print_outcome(folder, outcome)


def _check_options(
    output: str | None,
    jobs: int | None,
    threads: int | None,
    shard: str | None,
    scheduler: str | None,
    slurm: int | None,
) -> None:
    """Refuse options that exclude each other."""
    if output == "":  # Path("") is the current folder
        raise InputError("output must be a folder, got ''")
    if threads is not None and threads < 1:
        raise InputError(f"threads must be at least 1, got {threads}")
    if slurm is not None:
        for name, value in (("--shard", shard), ("--scheduler", scheduler), ("--jobs", jobs)):
            if value is not None:
                raise InputError(f"--slurm must be without {name}: its script sets the shard and jobs of each element")
    if shard is not None:
        _parse_shard(shard)
    if scheduler is not None and (jobs is not None or threads is not None or shard is not None):
        raise InputError("--scheduler must be without --jobs, --threads and --shard: the cluster has its own workers")


def _parse_shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if match is None:
        raise InputError(f"shard must be i/n with i from 1 to n, got {text!r}")
    return int(match[1]), int(match[2])


def _stopped_message(folder: Path, command: str, on_cluster: bool) -> Callable[[], str]:
    """Return a function that describes an interrupted sweep and how to resume it."""

    def message() -> str:
        from fastcollapse.sweeps import sweep_status
        from fastcollapse.sweeps.manifest import MANIFEST

        if not os.path.lexists(folder / MANIFEST):
            return "interrupted, nothing was written"
        status = sweep_status(folder)
        cluster = "; the cluster finishes the points that are running" if on_cluster else ""
        done = f"{len(status.done):,} of {status.n_points:,} points done"
        return f"interrupted; {folder}: {done}{cluster}; to resume: {command}"

    return message


def _print_outcome(folder: Path, outcome: "Outcome") -> int:
    """Print the result of a sweep and return the exit status."""
    from fastcollapse.sweeps import sweep_status

    found = sweep_status(folder)
    for line in list(outcome.warnings)[:_MAX_SHOWN]:
        click.echo(f"warning: {printable(line)}", err=True)
    tasks = f"{outcome.done:,} task{'' if outcome.done == 1 else 's'} in this call"
    click.echo(f"{folder}: {len(found.done):,} of {found.n_points:,} points done ({tasks})")
    if outcome.busy:
        click.echo(f"{len(outcome.busy):,} points are being computed by another process", err=True)
    if outcome.succeeded:
        return 0
    _print_failures(found)
    click.echo("error: points have failed; use --retry to retry them", err=True)
    return 1


def _nothing_left(folder: Path) -> str:
    """Return the line that says that a sweep has no point to compute."""
    from fastcollapse.sweeps import sweep_status

    found = sweep_status(folder)
    failed = f"; {len(found.failed):,} failed, --retry retries them" if found.failed else ""
    done = f"{len(found.done):,} of {found.n_points:,} points are done{failed}"
    return f"{folder}: nothing to do, {done}; to collect them: fastcollapse collect {shlex.quote(str(folder))}"


def _print_failures(found: "SweepStatus") -> None:
    for line in found.failure_lines():
        click.echo(printable(line), err=True)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
def status(folder: Path, as_json: bool) -> int:
    """Show which points of a sweep are done, running, failed or missing.

    Exit status 1 if a point has failed.

    \b
    fastcollapse status study
    """
    from fastcollapse.sweeps import sweep_status

    with command_for(folder, "sweep folder"):
        found = sweep_status(folder)
    if as_json:
        from fastcollapse.analysis.records import status_record

        echo_json(status_record(found))
        return 1 if found.failed else 0
    for line in found.lines():
        click.echo(line)
    _print_failures(found)
    return 1 if found.failed else 0


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A new file; by default DIR.h5, or DIR-000003.h5 for point 3 alone.",
)
@click.option("--point", type=int, metavar="N", help="Only point N, as the results file of a single run.")
@click.option("--no-scores", is_flag=True, help="Without the scores against theory, which take some 10 ms a point.")
def collect(folder: Path, output: Path | None, point: int | None, no_scores: bool) -> int:
    """Collect the finished points of a sweep into one file that xarray can open.

    Its dimensions are the varied keys, replicates and generations. Trajectories are not copied. The file has the scores
    of each point against theory, for `compare`.

    \b
    fastcollapse collect study -o study.h5
    fastcollapse collect study --point 3
    """
    from fastcollapse.analysis.sweep_comparison import collect_compared
    from fastcollapse.sweeps import collect_sweep, extract_point, sweep_status

    with command_for(folder, "sweep folder"):
        n_points = sweep_status(folder).n_points
    path = output or beside(folder, ".h5" if point is None else f"-{point:06d}.h5")
    if point is not None:
        click.echo(f"{path}: point {point}, {extract_point(folder, point, path).label}")
        return 0
    n_done = collect_sweep(folder, path) if no_scores else collect_compared(folder, path)
    missing = n_points - n_done
    click.echo(f"{path}: {n_done:,} of {n_points:,} points" + (f", {missing:,} are NaN" if missing else ""))
    return 0


class SweepChoice(NamedTuple):
    """Options of `plot` for sweeps, as given."""

    over: Sequence[str]
    fixed: Sequence[str]
    generation: int | None
    heat_map: bool | None


def plot_sweep(source: Any, file: Path, output: Path | None, given: SweepChoice, look: "Look") -> Path:
    """Draw the figure of a sweep and return its path."""
    from fastcollapse.analysis.figure_files import write_figure
    from fastcollapse.analysis.sweep_choice import Choice, fixed_values
    from fastcollapse.analysis.sweep_figures import draw_with_caption
    from fastcollapse.cli.output_files import FIGURE_SUFFIX
    from fastcollapse.config.output_paths import CAPTION, FIGURES, check_output_file
    from fastcollapse.simulation.result_paths import free_path

    figure = output or free_path(beside(file, FIGURE_SUFFIX), CAPTION)
    check_output_file(figure, FIGURES, "figure")
    choice = Choice(given.over, fixed_values(given.fixed), given.generation, given.heat_map)
    write_figure(*draw_with_caption(source, choice, look), figure)
    return figure
