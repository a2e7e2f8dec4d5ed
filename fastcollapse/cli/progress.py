"""Progress bar and clock of a run on the command line."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """The progress callback of a run that also times it, and times its first block, which may compile kernels.

    Attributes
    ----------
    message : a line to print to standard error before the first progress, or "". A run that is refused does not print
        it.
    progress : the callback that progress is passed on to, or None.
    """

    def __init__(self) -> None:
        self.message = ""
        self.progress: Callable[[int], None] | None = None
        self._start, self._compiled_before = time.perf_counter(), _compile_seconds()
        self._first = self._n_first = self._n_done = 0.0

    def print_message(self) -> None:
        """Print the message, once."""
        if self.message:
            print(self.message, file=sys.stderr)
        self.message = ""

    def __call__(self, n: int) -> None:
        """Count n more generations."""
        self.print_message()
        if not self._n_done:
            self._first, self._n_first = self.elapsed(), n
        self._n_done += n
        if self.progress is not None:
            self.progress(n)

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self._start

    def first_block(self) -> str:
        """Return the durations of compiling and of the first block as a sentence."""
        first = "generation" if self._n_first == 1 else f"{self._n_first:,.0f} generations"
        compiling = _compile_seconds() - self._compiled_before
        included = f"{compiling:.2f} s of compiling" if compiling else "loading compiled code"
        return f"Time includes {included}; the first {first} took {self._first:.2f} s"


def _compile_seconds() -> float:
    """Return the time that compiling has taken in this process."""
    from fastcollapse.kernels.compile_log import compile_log  # start-up time

    return compile_log.seconds


@contextmanager
def progress_bar(n_generations: int) -> Iterator[Callable[[int], None] | None]:
    """Yield a callback that counts generations on a terminal, or None in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=n_generations, unit=" generations", leave=False, dynamic_ncols=True) as bar:
        bar.set_description("starting")

        def advance(n: int) -> None:
            bar.set_description("simulating")
            bar.update(n)

        yield advance
