"""What a person sees of a run while it runs, and the time that it took."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """Time a run, and its first block apart: that one may have compiled the kernels.

    It takes the place of the progress, which it passes on. `words` are said once there is any: what is refused before
    is told in its own line alone.
    """

    def __init__(self) -> None:
        self.words = ""
        self.progress: Callable[[int], None] | None = None
        self._start = time.perf_counter()
        self._first = self._n_first = self._n_done = 0.0

    def say(self) -> None:
        """Say the words, once."""
        if self.words:
            print(self.words, file=sys.stderr)
        self.words = ""

    def __call__(self, n: int) -> None:
        self.say()
        if not self._n_done:
            self._first, self._n_first = self.elapsed(), n
        self._n_done += n
        if self.progress is not None:
            self.progress(n)

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self._start

    def first_block(self) -> str:
        """Return what the first block took, as a sentence."""
        return (
            f"The time includes compiling, where it was needed: the first {self._n_first:.0f} of "
            f"{self._n_done:,.0f} generations took {self._first:.2f} s"
        )


@contextmanager
def progress_bar(n_generations: int) -> Iterator[Callable[[int], None] | None]:
    """Yield what counts generations on a terminal, and nothing in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=n_generations, unit=" generations", leave=False, dynamic_ncols=True) as bar:
        bar.set_description("starting (a first run compiles for half a minute)")

        def advance(n: int) -> None:
            bar.set_description("simulating")
            bar.update(n)

        yield advance
