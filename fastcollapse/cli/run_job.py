"""What `fastcollapse run` does once it knows which files to write: run, draw, say what is kept if it stops."""

import shlex
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fastcollapse.cli.progress import Clock, progress_bar
from fastcollapse.errors import FastcollapseError, NonFiniteError, StoreError, UnreadableResults

if TYPE_CHECKING:
    from fastcollapse.simulation.results import Results
    from fastcollapse.simulation.run_plan import RunPlan


class Interrupted(Exception):
    """Ctrl-C or SIGTERM, with what is left of the work."""

    def __init__(self, message: str, stopped: BaseException) -> None:
        super().__init__(message)
        self.status = getattr(stopped, "status", 130)


class AfterRun(FastcollapseError):
    """The run is finished and kept, but what comes after it failed."""


@dataclass(frozen=True)
class Job:
    """Outputs and the path they are named after; what to do with files that exist; the command that goes on."""

    plans: "Sequence[RunPlan]"
    chosen: Path
    overwrite: bool
    threads: int | None
    again: Sequence[str]
    memory_limit: str | None = None

    @property
    def files(self) -> list[Path]:
        """The results files."""
        return [one.path for one in self.plans if one.path is not None]

    @property
    def hold(self) -> str:
        """The results files and their verb."""
        files = self.files
        return f"{files[0]} holds" if len(files) == 1 else f"{files[0]} to {files[-1]} hold"


def run_job(job: Job) -> None:
    """Run what is left of a job, and print its summary."""
    from fastcollapse.cli.output_files import kept_generations
    from fastcollapse.simulation.interrupts import Interrupts
    from fastcollapse.simulation.simulate import execute

    plans, clock = job.plans, Clock()
    done: list[Results] = []

    def left() -> str:
        if len(done) == len(plans):
            return f"interrupted, {job.hold} the finished run"
        return f"interrupted, {kept_generations(job.files[len(done)], job.again)}"

    signals = (signal.SIGINT, signal.SIGTERM)
    try:
        with Interrupts(signals, left, lambda: f"interrupted; to resume: {shlex.join(job.again)}") as interrupts:
            with progress_bar(sum(one.n_left for one in plans)) as clock.progress:
                for one in plans:
                    clock.message = _announced(one)
                    one_done = execute(
                        one,
                        threads=job.threads,
                        progress=clock,
                        interrupts=interrupts,
                        memory_limit=job.memory_limit,
                    )
                    clock.print_message()  # where there was nothing left to run
                    done.append(one_done)
            text = _figure_and_summary(job, done, clock)
            interrupts.check()  # what is raised within a callback of a library may be dropped there
    except KeyboardInterrupt as stopped:
        raise Interrupted(left(), stopped) from None
    except UnreadableResults:
        raise
    except NonFiniteError as error:
        raise NonFiniteError(f"{error}; {kept_generations(job.files[len(done)])}") from error
    except StoreError as error:
        raise StoreError(f"{error}; {kept_generations(job.files[len(done)], job.again)}") from error
    click.echo(text)


def _announced(one: "RunPlan") -> str:
    """Return what is there already of a case, and what the versions have become since, or ""."""
    from fastcollapse.simulation.provenance import changes, provenance

    if one.found is None:
        return ""
    if one.is_finished:
        return f"{one.path} already contains this run; nothing to do (use --overwrite to run again)"
    resumed = f"{one.path} resumes after generation {max(one.found.last, 0):,}"
    changed = "; ".join(changes(one.found.provenance, provenance()))
    return f"{resumed}; changed since it started: {changed}" if changed else resumed


def _figure_and_summary(job: Job, done: "Sequence[Results]", clock: Clock) -> str:
    """Draw the figure of finished runs and return their summary."""
    try:
        from fastcollapse.analysis.figures import save_figure
        from fastcollapse.analysis.report import summary
        from fastcollapse.cli.output_files import FIGURE_SUFFIX
        from fastcollapse.simulation.run_plan import free_path

        figure = job.chosen.with_suffix(FIGURE_SUFFIX)
        all_there = all(one.is_finished for one in job.plans)
        if job.overwrite:
            figure.unlink(missing_ok=True)
        elif not all_there:
            figure = free_path(figure)
        if not (all_there and figure.exists()):
            save_figure(done, figure)
        whole = all(one.found is None for one in job.plans)  # else the time is not that of these generations
        text = summary(done, clock.elapsed() if whole else None, [*job.files, figure])
        return text if all_there else f"{text}\n\n{clock.first_block()}"
    except Exception as error:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        message = f"{job.hold} the finished run, but its figure or summary failed: {reason}"
        raise AfterRun(message) from error
