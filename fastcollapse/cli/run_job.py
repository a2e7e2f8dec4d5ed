"""Execution of `fastcollapse run`: run the plans, draw the figure, print the summary, report what is saved."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fastcollapse.cli.progress import Clock, progress_bar
from fastcollapse.cli.streams import OutputFailed
from fastcollapse.errors import FastcollapseError, LostRun, NonFiniteError, StoreError, UnreadableResults, UserCodeError

if TYPE_CHECKING:
    from fastcollapse.simulation.planned_run import RunPlan
    from fastcollapse.simulation.recorded_run import RecordedRun


class Interrupted(Exception):
    """A signal stopped the command; the message says what is saved."""

    def __init__(self, message: str, stopped: BaseException) -> None:
        super().__init__(message)
        self.status = getattr(stopped, "status", 130)


class ReportFailed(FastcollapseError):
    """The run is finished and saved, but its figure or its summary failed."""


@dataclass(frozen=True)
class RunJob:
    """The work of one `fastcollapse run`.

    Parameters
    ----------
    plans : one for each case of the recipe.
    path : the results file; with several cases, the path that their names derive from.
    overwrite : whether the figure at the path is replaced.
    threads : number of threads; None is all cores.
    resume_command : the command that resumes the job after a stop.
    memory_limit : see `simulate`.
    """

    plans: "Sequence[RunPlan]"
    path: Path
    overwrite: bool
    threads: int | None
    resume_command: Sequence[str]
    memory_limit: str | None = None

    @property
    def files(self) -> list[Path]:
        """The results files."""
        return [path for plan in self.plans if (path := plan.results_path) is not None]

    @property
    def files_hold(self) -> str:
        """The results files and the verb that follows them in a message."""
        files = self.files
        return f"{files[0]} holds" if len(files) == 1 else f"{files[0]} to {files[-1]} hold"


def run_job(job: RunJob) -> None:
    """Run all plans of a job and print its summary."""
    from fastcollapse.cli.output_files import saved_generations
    from fastcollapse.simulation.execute import execute
    from fastcollapse.simulation.interrupts import SIGNALS, Interrupts
    from fastcollapse.simulation.other_code import warn_of_other_code

    plans, clock = job.plans, Clock()
    done: list[RecordedRun] = []

    def stopped_message() -> str:
        if len(done) == len(plans):
            return f"interrupted, {job.files_hold} the finished run"
        return f"interrupted, {saved_generations(job.files[len(done)], job.resume_command)}"

    def short_message() -> str:
        return f"interrupted; to resume: {shlex.join(job.resume_command)}"

    try:
        with Interrupts(SIGNALS, stopped_message, short_message) as interrupts:
            with progress_bar(sum(plan.n_left for plan in plans)) as clock.progress:
                for plan in plans:
                    warn_of_other_code(plan)
                    clock.message = _found_run_message(plan)
                    results = execute(
                        plan,
                        threads=job.threads,
                        progress=clock,
                        interrupts=interrupts,
                        memory_limit=job.memory_limit,
                    )
                    clock.print_message()  # a finished run has no first block that prints the message
                    done.append(results)
            text = _figure_and_summary(job, done, clock)
            interrupts.check()  # a callback of a library may have dropped the exception
    except KeyboardInterrupt as stopped:
        raise Interrupted(stopped_message(), stopped) from None
    except (UnreadableResults, LostRun):  # what is saved now is not that of this run
        raise
    except NonFiniteError as error:
        raise NonFiniteError(f"{error}; {saved_generations(job.files[len(done)])}") from error
    except UserCodeError as error:
        saved = saved_generations(job.files[len(done)], job.resume_command)
        raise UserCodeError(f"{error}; {saved}", error.generation) from error
    except StoreError as error:
        raise StoreError(f"{error}; {saved_generations(job.files[len(done)], job.resume_command)}") from error
    try:
        click.echo(text)
    except OutputFailed as error:
        error.args = (f"{error}; {job.files_hold} the finished run",)
        raise


def _found_run_message(plan: "RunPlan") -> str:
    """Return a line about the run at the path of a plan and the versions that changed since; "" for a new run."""
    from fastcollapse.simulation.provenance import changes, provenance

    if plan.existing is None:
        return ""
    if plan.final_path is not None:
        return f"{plan.final_path} gets the replicates of {plan.path}, which has generation {plan.existing.last:,}"
    if plan.is_finished:
        return f"{plan.path} already contains this run; nothing to do (use --overwrite to run again)"
    verb = "resumes" if plan.action == "resume" else "continues"
    resumed = f"{plan.path} {verb} after generation {max(plan.existing.last, 0):,}"
    changed = "; ".join(changes(plan.existing.provenance, provenance()))
    return f"{resumed}; changed since it started: {changed}" if changed else resumed


def _figure_and_summary(job: RunJob, done: "Sequence[RecordedRun]", clock: Clock) -> str:
    """Draw the figure of finished runs and return their summary.

    Raises
    ------
    ReportFailed
        The figure or the summary failed.
    """
    try:
        from fastcollapse.analysis.figure_files import save_figure
        from fastcollapse.analysis.report import summary
        from fastcollapse.cli.output_files import FIGURE_SUFFIX
        from fastcollapse.config.output_paths import CAPTION, caption_path
        from fastcollapse.simulation.result_paths import free_path

        figure = job.path.with_suffix(FIGURE_SUFFIX)
        nothing_ran = all(plan.is_finished for plan in job.plans)
        if not job.overwrite and not nothing_ran:
            figure = free_path(figure, CAPTION)
        files, failure = [*job.files, figure, caption_path(figure)], None
        was_there = figure.exists()
        try:
            if not (nothing_ran and was_there):
                save_figure(done, figure, job.overwrite)
        except Exception as error:
            # A process that found this run finished may have drawn its figure meanwhile.
            if was_there or not figure.exists():
                files, failure = job.files, error
        all_new = all(plan.existing is None for plan in job.plans)  # a resumed run has no time of all its generations
        text = summary(done, clock.elapsed() if all_new else None, files)
        if failure is not None:
            click.echo(text)
            raise failure
        return text if nothing_ran else f"{text}\n\n{clock.first_block()}"
    except Exception as error:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        message = f"{job.files_hold} the finished run, but its figure or summary failed: {reason}"
        raise ReportFailed(message) from error
