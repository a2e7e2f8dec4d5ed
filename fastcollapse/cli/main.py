"""The program `fastcollapse`: its group of commands, its exit status, and the commands `run` and `theory`.

Modules that import NumPy or Numba are imported inside the commands, for a fast start.
"""

import errno
import functools
import os
import resource
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from fastcollapse import __version__
from fastcollapse.cli.cite import cite
from fastcollapse.cli.export import export
from fastcollapse.cli.json_output import echo_json, json_option
from fastcollapse.cli.keys import keys, new
from fastcollapse.cli.log_lines import log_lines
from fastcollapse.cli.path_kinds import command_for
from fastcollapse.cli.precompile import precompile
from fastcollapse.cli.recipes import recipes, reproduce, settings_option
from fastcollapse.cli.report import report
from fastcollapse.cli.results import check, compare, info, plot, profile, replay, text, threads_option
from fastcollapse.cli.run_job import Interrupted, RunJob, run_job
from fastcollapse.cli.streams import OutputFailed, standard_streams
from fastcollapse.cli.sweep import collect, status, sweep
from fastcollapse.config.output_paths import DEFAULT_FOLDER, RESULTS
from fastcollapse.errors import FastcollapseError, InputError, printable

MAIN_RECIPE = "wikitext2-unigram"

# Errors of the system for too many files, processes or pages, and what it has too few of.
_RESOURCES = {
    errno.EMFILE: "file descriptors (ulimit -n)",
    errno.ENFILE: "file descriptors of the machine",
    errno.EAGAIN: "processes (ulimit -u)",
    errno.ENOMEM: "memory",
}


class _Commands(click.Group):
    """A group that reports every expected failure in one line: status 2 for bad input, 1 for others, 130 for Ctrl-C."""

    def main(self, *args: Any, **extra: Any) -> Any:
        extra["standalone_mode"] = False
        _raise_soft_limit()
        with standard_streams(), log_lines(), warnings.catch_warnings():
            warnings.showwarning = functools.partial(_warn, set())
            warnings.simplefilter("ignore")  # whatever PYTHONWARNINGS is
            for category in (RuntimeWarning, UserWarning):
                warnings.simplefilter("always", category)
            status = self._run(*args, **extra)
        sys.exit(status)

    def _command_or_help(self, *args: Any, **extra: Any) -> Any:
        """Run a command; without arguments, print the help."""
        try:
            return super().main(*args, **extra)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message())

    def _run(self, *args: Any, **extra: Any) -> int:
        """Run a command and return its exit status."""
        try:
            status = self._command_or_help(*args, **extra)
            return status if isinstance(status, int) else 0
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "fastcollapse"
            return _fail(f"{error.format_message()} (see {path} --help)", 2)
        except InputError as error:
            return _fail(str(error), 2)
        except OutputFailed as error:
            return 1 if error.reader_has_ended else _fail(str(error), 1)
        except (FastcollapseError, click.ClickException) as error:
            return _fail(str(error), 1)
        except MemoryError as error:
            return _fail(f"not enough memory: {error}", 1)
        except OSError as error:
            if error.errno in _RESOURCES:
                return _fail(f"not enough {_RESOURCES[error.errno]}: {error.strerror}", 1)
            if error.filename is None:  # not of a file, so not of the environment
                raise
            return _fail(f"{os.fsdecode(error.filename)}: {error.strerror}", 1)
        except Interrupted as error:
            return _fail(str(error), error.status)
        except (click.Abort, KeyboardInterrupt) as error:
            if isinstance(error.__cause__, EOFError):  # click takes it for Ctrl-C
                raise error.__cause__ from None
            return _fail("interrupted", 130)


def _raise_soft_limit() -> None:
    """Raise the soft limit of open files to the hard limit: every worker of a sweep opens several."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):  # not every system takes its own hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _warn(shown: set[str], message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning, each text once: the filters of Python forget what they have shown whenever they change."""
    text = str(message)
    if text not in shown:
        shown.add(text)
        click.echo(f"warning: {printable(text)}", err=True)


def _fail(message: str, status: int) -> int:
    click.echo(f"error: {printable(' '.join(message.split()))}", err=True)
    return status


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 success, 1 failure or disagreement with theory, 2 bad input, 129 SIGHUP, "
    "130 Ctrl-C, 143 SIGTERM.",
)
@click.version_option(__version__, prog_name="fastcollapse")
def main() -> None:
    """Simulate recursive training: each generation of a model is fitted to samples of the generation before."""
    try:
        os.getcwd()
    except OSError as error:  # neither the compiler nor new processes work there
        raise InputError(f"the current folder must exist: {error.strerror}") from None


@main.command(
    epilog="Keys of FILE.toml and --set: fastcollapse keys FAMILY. A file to start from: fastcollapse new FAMILY."
)
@click.argument("what", metavar="[RECIPE|FILE.toml]", required=False)
@settings_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A new .h5 or .hdf5 in a folder that exists, or the file of this run; by default results/NAME.h5, or the "
    "next free name.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing results, finished or not, and their figure.")
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Resume a stopped run. No other argument is needed; an experiment that is given must be that of FILE, and "
    "starts if FILE does not exist.",
)
@click.option(
    "--extend",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add generations or replicates to the run in FILE, finished or not: --set run.n_generations=200 or "
    "--set run.n_replicates=50. Otherwise as --resume.",
)
@threads_option
@click.option(
    "--memory-limit",
    metavar="SIZE",
    help="Maximum memory of the process, as 2GB: blocks and parts become smaller. Never changes a number.",
)
@click.option("--seed", metavar="N", help="Seed, 0 to 2^64-1; the same as --set run.seed=N.")
def run(
    what: str | None,
    settings: Sequence[str],
    output: Path | None,
    overwrite: bool,
    resume: Path | None,
    extend: Path | None,
    threads: int | None,
    memory_limit: str | None,
    seed: str | None,
) -> None:
    """Run an experiment, print a summary and write results and a figure.

    Without an argument it runs the main example, the recipe wikitext2-unigram.

    \b
    fastcollapse run
    fastcollapse run my.toml --set run.n_replicates=10 -o results/mine.h5
    fastcollapse run --resume results/mine.h5
    fastcollapse run --extend results/mine.h5 --set run.n_generations=200
    """
    from fastcollapse.cli.output_files import plan_output
    from fastcollapse.simulation.execute import use_threads
    from fastcollapse.simulation.experiment_file import parse_settings
    from fastcollapse.simulation.load_experiment import load_experiment

    values = parse_settings(settings, seed)
    if resume is not None and extend is not None:
        raise InputError("--resume and --extend exclude each other: --extend also finishes a run")
    existing, verb = (resume, "resume") if extend is None else (extend, "extend")
    if existing is not None:
        if output is not None or overwrite:
            raise InputError(f"--{verb} FILE excludes --output and --overwrite: the run is written to FILE")
        with command_for(existing, "results") if what is None else command_for(what, "experiment", "recipe"):
            given = None if what is None else load_experiment(what, values)
            path, plans = plan_output(given, existing, "resume" if extend is None else "extend", values)
    else:
        wanted = output or DEFAULT_FOLDER / f"{Path(what or MAIN_RECIPE).stem}{RESULTS[0]}"
        with command_for(what or MAIN_RECIPE, "experiment", "recipe"):
            experiment = load_experiment(what or MAIN_RECIPE, values)
        path, plans = plan_output(
            experiment, wanted, "overwrite" if overwrite else "reuse", numbered=output is None and not overwrite
        )
        if path != wanted and not all(plan.is_finished for plan in plans):
            click.echo(f"{wanted} already exists; writing {path}", err=True)
    use_threads(threads)
    options = [part for setting in settings for part in ("--set", setting)] + (["--seed", seed] if seed else [])
    # A single results file contains its experiment, but no code, and no other case.
    is_needed = len(plans) > 1 or plans[0].experiment.model.names_code
    recipe = [what or MAIN_RECIPE, *options] if is_needed else []
    if existing is not None and (what is None or extend is not None):  # a results file does not contain the new size
        recipe = ([] if what is None else [what]) + options
    command = ["fastcollapse", "run", *recipe, "--resume" if extend is None else "--extend", str(path)]
    run_job(RunJob(plans, path, overwrite or extend is not None, threads, command, memory_limit))


@main.command()
@click.argument("name", required=False)
@click.argument("arguments", nargs=-1, metavar="[ARGUMENT=VALUE]...")
@json_option
def theory(name: str | None, arguments: Sequence[str], as_json: bool) -> None:
    """Evaluate a closed form, a bound or an exact law.

    Without NAME all functions are listed. Without arguments NAME is explained. A value is a number, a list
    (1,10,100) or a range of whole numbers (1..10).

    \b
    fastcollapse theory survival_bounds p0=0.01 n=100 k=1..5
    fastcollapse theory forgetting_quantile c=1,10,100 q=0.5
    """
    from fastcollapse.cli import theory as functions

    if as_json and name is None:
        echo_json([functions.function_record(one) for one in functions.theory_functions()])
    elif as_json and name is not None:
        echo_json(functions.evaluation_record(name, arguments) if arguments else functions.function_record(name))
    elif name is None:
        click.echo(functions.list_functions())
    else:
        click.echo(functions.evaluate(name, arguments) if arguments else functions.explain(name))


for command in (
    info,
    check,
    plot,
    compare,
    profile,
    report,
    export,
    replay,
    text,
    reproduce,
    recipes,
    cite,
    new,
    keys,
    sweep,
    status,
    collect,
    precompile,
):
    main.add_command(command)
