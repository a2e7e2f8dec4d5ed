"""Progress of a sweep: a bar on a terminal, lines in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fastcollapse.sweeps.task_queue import Outcome

# Seconds between two lines of progress if there is no terminal.
_LINE_SECONDS = 10.0


@contextmanager
def sweep_progress(folder: Path, first_line: str = "") -> "Iterator[Callable[[Outcome], None]]":
    """Yield a function that shows the progress of a sweep: a bar on a terminal, lines in a log.

    Parameters
    ----------
    first_line : a line that is printed at the first progress; a sweep that is refused does not print it.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(unit=" tasks", leave=False, dynamic_ncols=True) as bar:
            bar.set_description("starting")

            def update_bar(outcome: "Outcome") -> None:
                if bar.total is None:
                    if first_line:
                        bar.write(first_line, file=sys.stderr)
                    bar.initial = bar.n = outcome.settled - outcome.done - outcome.failed
                bar.total = outcome.total
                bar.set_description(f"{folder}, {outcome.failed} failed" if outcome.failed else str(folder))
                bar.update(outcome.settled - bar.n)

            yield update_bar
        return
    start, first, last = 0.0, 0, time.monotonic()

    def print_line(outcome: "Outcome") -> None:
        nonlocal first_line, start, first, last
        if first_line:
            click.echo(first_line, err=True)
            first_line = ""
        now, n = time.monotonic(), outcome.done + outcome.failed
        if not first:  # the first tasks may compile kernels, so the estimate uses the others
            start, first = now, n
        if n and now - last >= _LINE_SECONDS:
            last = now
            failed = f", {outcome.failed:,} failed" if outcome.failed else ""
            each = (now - start) / (n - first) if n > first else None
            left = "" if each is None else f", about {duration(each * (outcome.total - outcome.settled))} left"
            click.echo(f"{outcome.settled:,} of {outcome.total:,} tasks{failed}{left}", err=True)

    yield print_line


def duration(seconds: float) -> str:
    """Return a duration as text.

    Examples
    --------
    >>> duration(7.3), duration(200), duration(9000)
    ('8 s', '4 min', '2.5 h')
    """
    if seconds < 90:
        return f"{int(seconds) + 1} s"
    return f"{int(seconds / 60) + 1} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
