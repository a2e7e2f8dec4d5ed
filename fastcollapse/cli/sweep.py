"""The commands of sweeps; what needs NumPy or Numba is imported inside them, as in `cli.py`."""

import os
import re
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from fastcollapse.cli.run_job import Interrupted
from fastcollapse.config.fields import show
from fastcollapse.errors import FastcollapseError, InputError, nearest

if TYPE_CHECKING:
    from fastcollapse.sweeps.points import Sweep
    from fastcollapse.sweeps.run import Outcome

# Seconds between two lines of progress where there is no terminal.
_LINE_SECONDS = 10.0
# Failures that are told one by one.
_SHOWN = 5
_SLURM = """#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --array=1-{n}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --time=1-00:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --output="{folder}/slurm-%A_%a.log"
# What an element has not done when its time is up is done by submitting this again.
exec {command} --shard "$SLURM_ARRAY_TASK_ID/{n}" --jobs "$SLURM_CPUS_PER_TASK"
"""


@click.command()
@click.argument("what", metavar="SWEEP|FILE.toml")
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    help="A new folder, or that of this very sweep, of which what is missing is computed; by default results/NAME.",
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a value that is not varied.")
@click.option("--seed", metavar="N", help="Seed that those of the points are made from.")
@click.option("--jobs", type=int, metavar="N", help="Processes; by default one for each core.")
@click.option("--threads", type=int, metavar="N", help="Threads of each process; by default its share of the cores.")
@click.option("--shard", metavar="I/N", help="Do the I-th of N shares, from 1 on: one element of a job array.")
@click.option("--scheduler", metavar="ADDRESS", help="Compute on the Dask cluster of this scheduler.")
@click.option(
    "--slurm",
    type=int,
    metavar="N",
    help="Make the folder, compute nothing, and print a script for a job array of N elements.",
)
@click.option("--retry", is_flag=True, help="Try again what has failed.")
@click.option("--yes", is_flag=True, help="Begin more than a million points.")
def sweep(
    what: str,
    output: str | None,
    settings: Sequence[str],
    seed: str | None,
    jobs: int | None,
    threads: int | None,
    shard: str | None,
    scheduler: str | None,
    slurm: int | None,
    retry: bool,
    yes: bool,
) -> int:
    """Run every point of a sweep: an experiment file with [sweep.grid] or [sweep.zip].

    Points that are there are not run again; the same command goes on with what was stopped, and any number of them may
    work on one folder. Exit status 1 if a point has failed.

    \b
    fastcollapse sweep study.toml -o study --jobs 4
    fastcollapse sweep study.toml -o study --slurm 20 > study.sh; sbatch study.sh
    fastcollapse sweep study.toml -o study --scheduler tcp://10.0.0.1:8786
    fastcollapse status study
    fastcollapse collect study -o study.h5
    """
    if output == "":  # to Path it is the folder one is in
        raise InputError("output must be a folder, got ''")
    if threads is not None and threads < 1:
        raise InputError(f"threads must be at least 1, got {threads}")
    if slurm is not None:
        for name, value in (("--shard", shard), ("--scheduler", scheduler), ("--jobs", jobs)):
            if value is not None:
                raise InputError(f"--slurm must be without {name}: its script says what each element does, on how much")
    given = _load(what, settings, seed)
    _check_size(given, yes)
    folder = Path("results") / Path(what).stem if output is None else Path(output)
    share = None if shard is None else _shard(shard)
    if slurm is not None:
        options = [part for setting in settings for part in ("--set", setting)]
        options += [] if seed is None else ["--seed", seed]
        options += [] if threads is None else ["--threads", str(threads)]
        options += ["--retry"] * retry + ["--yes"] * yes
        return _print_script(given, what, folder, slurm, options)
    from fastcollapse.simulation.interrupts import Interrupts
    from fastcollapse.sweeps.executors import Dask, Here, Pool, available_cores
    from fastcollapse.sweeps.manifest import MANIFEST
    from fastcollapse.sweeps.run import check_shard, run_sweep

    check_shard(share)
    if scheduler is not None and (jobs is not None or threads is not None or share is not None):
        raise InputError("--scheduler must be without --jobs, --threads and --shard: the cluster has its own workers")
    n_workers = jobs if jobs is not None else min(available_cores(), len(given))
    executor: Any = Here(threads) if n_workers == 1 else Pool(n_workers, threads)
    _check_folder(folder, given)
    if scheduler is not None:
        executor = Dask(scheduler)
    again = shlex.join(["fastcollapse", *sys.argv[1:]])

    def left() -> str:
        if not os.path.lexists(folder / MANIFEST):
            return "interrupted, nothing was written"
        kept = _kept(folder)
        elsewhere = "; points in work on the cluster go on to their end" if scheduler is not None else ""
        return f"interrupted, {folder} keeps {kept}{elsewhere}: {again} goes on"

    try:
        with Interrupts((signal.SIGINT, signal.SIGTERM), left, lambda: f"interrupted: {again} goes on") as interrupts:
            with _progress(folder) as progress:
                outcome = run_sweep(
                    given,
                    folder,
                    executor,
                    shard=share,
                    retry=retry,
                    progress=progress,
                    interrupts=interrupts,
                )
    except KeyboardInterrupt as stopped:
        raise Interrupted(left(), stopped) from None
    return _tell(folder, outcome)


def _load(what: str, settings: Sequence[str], seed: str | None) -> "Sweep":
    from fastcollapse.datasets.shipped import sweeps
    from fastcollapse.simulation.experiment import parse_setting
    from fastcollapse.sweeps.points import Sweep

    known = sweeps()
    if what not in known and not (what.endswith(".toml") or "/" in what or Path(what).is_file()):
        raise InputError(
            f"sweep must be one of {', '.join(known)}, or a .toml file, got {what!r}{nearest(what, known)}"
        )
    values = dict(parse_setting(setting) for setting in settings)
    if seed is not None:
        values["run.seed"] = parse_setting(f"run.seed={seed}")[1] if seed else seed
    given = Sweep.from_toml(known.get(what, Path(what)))
    return given.with_values(values) if values else given


def _check_size(given: "Sweep", yes: bool) -> None:
    from fastcollapse.sweeps.points import MAX_POINTS

    if len(given) > MAX_POINTS and not yes:
        raise InputError(f"a sweep must have at most {MAX_POINTS:,} points without --yes, got {len(given):,}")


def _check_folder(folder: Path, given: "Sweep") -> None:
    """Refuse a folder that the sweep cannot have, and a new one for data that no point can load."""
    from fastcollapse.datasets.load import load_truth
    from fastcollapse.sweeps.manifest import MANIFEST, check_folder
    from fastcollapse.sweeps.points import overlap

    try:
        check_folder(folder, given)
    except FastcollapseError:
        raise
    except OSError as error:  # a name that is too long, say
        reason = error.strerror
        raise InputError(f"output must be a folder that can be made, got {show(str(folder))}: {reason}") from None
    varied = [key for axis in given.axes for key in axis.varies]
    if not (os.path.lexists(folder / MANIFEST) or "model.family" in varied or any(overlap(k, "truth") for k in varied)):
        first = given[0].experiment
        load_truth(first.truth, first.base)


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if match is None:
        raise InputError(f"shard must be i/n with i from 1 to n, got {text!r}")
    return int(match[1]), int(match[2])


def _print_script(given: "Sweep", what: str, folder: Path, n: int, options: Sequence[str]) -> int:
    """Print the script of a job array; the folder is made and the kernels are compiled, so that no element has to."""
    from fastcollapse.datasets.shipped import sweeps
    from fastcollapse.sweeps.folder import make_folder
    from fastcollapse.sweeps.precompile import warm

    if n < 1:
        raise InputError(f"slurm must be at least 1, got {n}")
    _check_folder(folder, given)
    made = make_folder(folder, given)
    warm([made.sweep[index].experiment for index in range(min(len(made), 200))])
    program = shutil.which("fastcollapse") or str(Path(sys.executable).with_name("fastcollapse"))
    source = what if what in sweeps() else str(Path(what).resolve())
    whole = folder.resolve()
    command = [os.path.abspath(program), "sweep", source, "-o", str(whole), *options]
    words = {
        "name": shlex.quote(whole.name),
        "n": n,
        "folder": str(whole).replace("%", "%%"),  # of Slurm's own names of files
        "command": shlex.join(command),
    }
    click.echo(_SLURM.format(**words), nl=False)
    return 0


def _kept(folder: Path) -> str:
    from fastcollapse.sweeps.folder import SweepFolder

    found = SweepFolder(folder)
    return f"{len(found.done()):,} of {len(found):,} points"


@contextmanager
def _progress(folder: Path) -> "Iterator[Callable[[Outcome], None]]":
    """Yield what shows how far a sweep is: a bar on a terminal, a line now and then in a log."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(unit=" points", leave=False, dynamic_ncols=True) as bar:
            bar.set_description("starting (a first run compiles for half a minute)")

            def show(outcome: "Outcome") -> None:
                bar.total = outcome.total
                bar.set_description(f"{folder}, {outcome.failed} failed" if outcome.failed else str(folder))
                bar.update(outcome.done + outcome.failed - bar.n)

            yield show
        return
    start, first, last = 0.0, 0, time.monotonic()

    def line(outcome: "Outcome") -> None:
        nonlocal start, first, last
        now, n = time.monotonic(), outcome.done + outcome.failed
        if not first:  # the first points may have compiled kernels: the time of the others tells
            start, first = now, n
        if n and now - last >= _LINE_SECONDS:
            last = now
            failed = f", {outcome.failed:,} failed" if outcome.failed else ""
            each = (now - start) / (n - first) if n > first else None
            left = "" if each is None else f", about {_duration(each * (outcome.total - n))} left"
            click.echo(f"{n:,} of {outcome.total:,} {_units(outcome)}{failed}{left}", err=True)

    yield line


def _units(outcome: "Outcome") -> str:
    return "points and pieces of points" if outcome.cut else "points"


def _duration(seconds: float) -> str:
    """Return a time in words.

    Examples
    --------
    >>> _duration(7.3), _duration(200), _duration(9000)
    ('8 s', '4 min', '2.5 h')
    """
    if seconds < 90:
        return f"{int(seconds) + 1} s"
    return f"{int(seconds / 60) + 1} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _tell(folder: Path, outcome: "Outcome") -> int:
    """Say what has come of a sweep; return the exit status."""
    from fastcollapse.sweeps.folder import SweepFolder

    found = SweepFolder(folder)
    for words in list(outcome.words)[:_SHOWN]:
        click.echo(f"warning: {words}", err=True)
    n_done = len(found.done())
    now = f"{outcome.done:,} {_units(outcome) if outcome.cut else 'of them'} now"
    click.echo(f"{folder}: {n_done:,} of {len(found):,} points done, {now}")
    if outcome.busy:
        click.echo(f"{len(outcome.busy):,} points are being computed by another process", err=True)
    n_failed = outcome.failed + outcome.known_failures
    if n_failed:
        _tell_failures(found)
        click.echo("error: points have failed; --retry tries them again", err=True)
    return 1 if n_failed else 0


def _tell_failures(found: Any) -> None:
    failures = sorted(found.failures().items())
    for index, told in failures[:_SHOWN]:
        click.echo(f"failed: point {index} ({found.sweep[index].words}): {told.get('error', 'unknown')}", err=True)
    if len(failures) > _SHOWN:
        click.echo(f"failed: and {len(failures) - _SHOWN:,} more, see {found.path / 'failed'}", err=True)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def status(folder: Path) -> int:
    """Show which points of a sweep are done, running, failed or missing.

    Exit status 1 if a point has failed.

    \b
    fastcollapse status study
    """
    from fastcollapse.sweeps.folder import SweepFolder

    found = SweepFolder(folder)
    done, failures, running = found.done(), found.failures(), found.running()
    failed = failures.keys() - done
    at_work = running.keys() - done
    begun = found.begun() - at_work - failed - done
    n_missing = len(found) - len(done | failed | at_work)
    shape = " x ".join(f"{len(axis)} {' and '.join(axis.keys)}" for axis in found.sweep.axes)
    click.echo(f"{folder}: {len(found):,} points, {shape}")
    click.echo(f"  done     {len(done):,}")
    click.echo(
        f"  running  {len(at_work):,}"
        + (f", by {', '.join(sorted(set(running.values()))[:_SHOWN])}" if at_work else "")
    )
    click.echo(f"  failed   {len(failed):,}")
    click.echo(f"  missing  {n_missing:,}" + (f", {len(begun):,} of them begun" if begun else ""))
    if failed:
        _tell_failures(found)
    return 1 if failed else 0


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A new file; by default DIR.h5, of point 3 alone DIR-000003.h5.",
)
@click.option("--point", type=int, metavar="N", help="Only point N, as the results file that a run of it gives.")
def collect(folder: Path, output: Path | None, point: int | None) -> int:
    """Collect what is done of a sweep into one file, which xarray reads.

    Its dimensions are what varies, replicates and generations. Trajectories stay where they are.

    \b
    fastcollapse collect study -o study.h5
    fastcollapse collect study --point 3
    """
    from fastcollapse.sweeps.collect import collect as collect_points
    from fastcollapse.sweeps.collect import extract
    from fastcollapse.sweeps.folder import SweepFolder

    found = SweepFolder(folder)
    path = output or _beside(folder, ".h5" if point is None else f"-{point:06d}.h5")
    if point is not None:
        extract(found, point, path)
        click.echo(f"{path}: point {point}, {found.sweep[point].words}")
        return 0
    n = collect_points(found, path)
    missing = len(found) - n
    click.echo(f"{path}: {n:,} of {len(found):,} points" + (f", {missing:,} are NaN" if missing else ""))
    return 0


def _beside(path: Path, ending: str) -> Path:
    """Return the path with an ending at its name; where it has none, as "." has not, at that of the folder it is."""
    named = path.resolve() if path.name in ("", "..") else path
    return named.with_name(f"{named.name}{ending}")


class SweepChoice(NamedTuple):
    """The options of `plot` that are for sweeps, as given."""

    over: Sequence[str]
    fixed: Sequence[str]
    generation: int | None
    heat_map: bool | None


def plot_sweep(source: Any, file: Path, output: Path | None, given: SweepChoice) -> Path:
    """Draw the figure of a sweep and return its path."""
    from fastcollapse.analysis.figures import check_figure, write_figure
    from fastcollapse.analysis.sweep_figures import draw_sweep
    from fastcollapse.analysis.sweep_panels import Choice
    from fastcollapse.cli.output_files import FIGURE_SUFFIX
    from fastcollapse.simulation.run_plan import free_path

    fixed = {}
    for one in given.fixed:
        name, _, value = one.partition("=")
        if not (name and value):
            raise InputError(f"--fix must be PARAMETER=VALUE, got {one!r}")
        fixed[name] = value
    figure = output or free_path(_beside(file.with_suffix("") if file.suffix == ".h5" else file, FIGURE_SUFFIX))
    check_figure(figure)
    write_figure(draw_sweep(source, Choice(given.over, fixed, given.generation, given.heat_map)), figure)
    return figure
