"""Signals that ask a run to stop: held back until a block is whole, and never for longer than two seconds."""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Self

# Seconds after the first signal: a block that is not whole by then goes back to where it began; the process ends.
RETREAT_AFTER = 0.8
EXIT_AFTER = 1.5
# Seconds that finding the last words may take.
_WORDS_WITHIN = 0.25


class Stopped(KeyboardInterrupt):
    """A signal has asked the work to stop.

    Parameters
    ----------
    number: the signal
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.status = 128 + number

    def __reduce__(self) -> tuple[type["Stopped"], tuple[int]]:
        return Stopped, (self.status - 128,)


class Interrupts:
    """Take over signals, as a context manager in the main thread; elsewhere, and where somebody else has, do nothing.

    While `holding`, a signal is only noted in `asked`, for `check` to raise `Stopped` where the work is whole;
    otherwise, and the second time, it is raised at once.

    A compiled kernel, or a disk, may keep the main thread for longer than people wait. So with `last_words` a thread
    watches: at the second signal, or `EXIT_AFTER` seconds after the first, it writes them and ends the process.

    Parameters
    ----------
    numbers: the signals
    last_words: returns what is left of the work, in one line; None: the process is never ended
    otherwise: returns the same when that took too long, at once
    """

    def __init__(
        self,
        numbers: Sequence[int] = (signal.SIGINT,),
        last_words: Callable[[], str] | None = None,
        otherwise: Callable[[], str] = lambda: "interrupted",
    ) -> None:
        self.holding = False
        self.asked = 0
        self._numbers = numbers
        self._last_words = last_words
        self._otherwise = otherwise
        self._taken: dict[int, object] = {}
        self._saving = threading.Lock()
        self._save: Callable[[], None] | None = None

    @property
    def watched(self) -> bool:
        """Does a thread end the process if need be?"""
        return self._last_words is not None and bool(self._taken)

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            free = (signal.SIG_DFL, signal.default_int_handler)  # neither ignored (nohup) nor somebody else's
            for number in self._numbers:
                if signal.getsignal(number) in free:
                    self._taken[number] = signal.signal(number, self._note)
        if self.watched:
            self._read, self._write = os.pipe()
            os.set_blocking(self._write, False)
            self._other = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
            self._watcher = threading.Thread(target=self._watch, name="fastcollapse-interrupts", daemon=True)
            self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._taken.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if self.watched:
            signal.set_wakeup_fd(self._other)
            os.close(self._write)
            self._watcher.join()
            os.close(self._read)
        self._taken.clear()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        again, self.asked = bool(self.asked), self.asked or number
        if again or not self.holding:
            raise Stopped(self.asked)

    def check(self) -> None:
        """Raise `Stopped` if a signal has come."""
        if self.asked:
            raise Stopped(self.asked)

    @contextmanager
    def held(self, holding: bool = True) -> Iterator[None]:
        """Hold signals back (or do not) for a while."""
        before, self.holding = self.holding, holding
        try:
            yield
        finally:
            self.holding = before

    @contextmanager
    def retreat(self, save: Callable[[], None] | None) -> Iterator[None]:
        """Name what the watching thread shall do if the process ends within: only while nothing else uses the store.

        An error that comes of a signal, from within a compiler say, is raised as `Stopped`.
        """
        with self._saving:
            self._save = save
        try:
            yield
        except Exception:
            self.check()
            raise
        finally:
            with self._saving:  # once it saves, the main thread goes no further
                self._save = None

    def _watch(self) -> None:
        """Wait for a signal, then for the end of the work, then end the process."""
        number = self._next_signal(None)
        if number is None:
            return
        start = time.monotonic()
        again = self._next_signal(RETREAT_AFTER)
        if again == 0:
            with self._saving:
                if self._save is not None:
                    _within(start + EXIT_AFTER - time.monotonic(), self._save)
                    self._exit(number)
            again = self._next_signal(start + EXIT_AFTER - time.monotonic())
        if again is not None:
            self._exit(number)

    def _next_signal(self, seconds: float | None) -> int | None:
        """Return the next of our signals, 0 if none comes in that time, None at the end of the work."""
        while select.select([self._read], [], [], seconds)[0]:
            got = os.read(self._read, 1)
            if not got:
                return None
            if got[0] in self._taken:
                return got[0]
        return 0

    def _exit(self, number: int) -> None:
        words: list[str] = []
        _within(_WORDS_WITHIN, lambda: words.append(self._last_words()))  # type: ignore[misc]
        try:
            sys.stderr.write(f"\nerror: {words[0] if words else self._otherwise()}\n")
            sys.stderr.flush()
        finally:
            os._exit(128 + number)


def _within(seconds: float, work: Callable[[], None]) -> None:
    """Do something in a thread, and wait for it no longer than so many seconds."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
