"""Signals that stop a run: deferred to the end of a block, and the end of the process if a block takes too long."""

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

# Ctrl-C, the end of a job, and the end of the terminal.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Seconds after the first signal: after SAVE_AFTER an unfinished block is given up, the state before it is saved and the
# process ends; after EXIT_AFTER the process ends in any case.
SAVE_AFTER = 0.8
EXIT_AFTER = 1.5
# Maximum seconds to compose the message of the exit.
_MESSAGE_SECONDS = 0.25


def interrupt(_number: int, frame: FrameType | None) -> None:
    """Handle SIGINT: end the process if an import is in progress, and raise KeyboardInterrupt otherwise.

    Python runs code within imports whose exceptions it prints and drops. Ctrl-C would be a traceback there, or lost.
    """
    if _is_import(frame):
        try:
            os.write(2, b"error: interrupted\n")
        finally:
            os._exit(128 + signal.SIGINT)
    raise KeyboardInterrupt


def _is_import(frame: FrameType | None) -> bool:
    """Whether an import is in progress in a frame."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


class Stopped(KeyboardInterrupt):
    """A signal stops the work.

    Parameters
    ----------
    number : the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.status = 128 + number

    def __reduce__(self) -> tuple[type["Stopped"], tuple[int]]:
        return Stopped, (self.status - 128,)


class Interrupts:
    """Context manager that defers signals, by default SIGINT.

    It has no effect outside the main thread or if another handler is installed.

    While `deferring` is true, and within an import, the first signal is only stored in `received`, and `check` raises
    `Stopped` between two blocks. Otherwise, and at the second signal, `Stopped` is raised at once.

    A compiled kernel or a disk may block the main thread for longer than users wait. With `message`, a thread watches:
    at the second signal, or `EXIT_AFTER` seconds after the first, it writes the message and ends the process.

    Parameters
    ----------
    numbers : the signals.
    message : returns one line about the saved work; with None, no thread ends the process.
    fallback : returns a line without delay, for the case that `message` takes too long.
    """

    def __init__(
        self,
        numbers: Sequence[int] = (signal.SIGINT,),
        message: Callable[[], str] | None = None,
        fallback: Callable[[], str] = lambda: "interrupted",
    ) -> None:
        self.deferring = False
        self.received = 0
        self._numbers = numbers
        self._message = message
        self._fallback = fallback
        self._previous: dict[int, object] = {}
        self._save_lock = threading.Lock()
        self._save: Callable[[], None] | None = None

    @property
    def watched(self) -> bool:
        """Whether a thread may end the process."""
        return self._message is not None and bool(self._previous)

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            # A signal that nohup ignores stays ignored.
            default = (signal.SIG_DFL, signal.default_int_handler, interrupt)
            for number in self._numbers:
                if signal.getsignal(number) in default:
                    self._previous[number] = signal.signal(number, self._handle)
        if self.watched:
            self._read, self._write = os.pipe()
            os.set_blocking(self._write, False)
            self._previous_fd = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
            self._watcher = threading.Thread(target=self._watch, name="fastcollapse-interrupts", daemon=True)
            self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        if self.watched:
            signal.set_wakeup_fd(self._previous_fd)
            os.close(self._write)
            self._watcher.join()
            os.close(self._read)
        self._previous.clear()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        is_repeated, self.received = bool(self.received), self.received or number
        if is_repeated or not (self.deferring or _is_import(frame)):
            raise Stopped(self.received)

    def check(self) -> None:
        """Raise `Stopped` if a signal was received."""
        if self.received:
            raise Stopped(self.received)

    @contextmanager
    def deferred(self, deferring: bool = True) -> Iterator[None]:
        """Set `deferring` within the context."""
        before, self.deferring = self.deferring, deferring
        try:
            yield
        finally:
            self.deferring = before

    @contextmanager
    def saved_by(self, save: Callable[[], None] | None) -> Iterator[None]:
        """Set the function that the watching thread calls before it ends the process within the context.

        Nothing else may use the store within the context. An error after a signal, such as one that the compiler
        raises, is replaced by `Stopped`.
        """
        with self._save_lock:
            self._save = save
        try:
            yield
        except Exception:
            self.check()
            raise
        finally:
            with self._save_lock:  # the main thread waits here while the watching thread saves
                self._save = None

    def _watch(self) -> None:
        """Wait for a signal, then for the end of the work, then end the process."""
        number = self._next_signal(None)
        if number is None:
            return
        start = time.monotonic()
        second = self._next_signal(SAVE_AFTER)
        if second == 0:
            with self._save_lock:
                if self._save is not None:
                    _run_within(start + EXIT_AFTER - time.monotonic(), self._save)
                    self._exit(number)
            second = self._next_signal(start + EXIT_AFTER - time.monotonic())
        if second is not None:
            self._exit(number)

    def _next_signal(self, seconds: float | None) -> int | None:
        """Return the next deferred signal; 0 if none is received in this time; None at the end of the work."""
        while select.select([self._read], [], [], seconds)[0]:
            data = os.read(self._read, 1)
            if not data:
                return None
            if data[0] in self._previous:
                return data[0]
        return 0

    def _exit(self, number: int) -> None:
        lines: list[str] = []
        _run_within(_MESSAGE_SECONDS, lambda: lines.append(self._message()))  # type: ignore[misc]
        try:
            sys.stderr.write(f"\nerror: {lines[0] if lines else self._fallback()}\n")
            sys.stderr.flush()
        finally:
            os._exit(128 + number)


def _run_within(seconds: float, function: Callable[[], None]) -> None:
    """Call a function in a thread and wait for it, at most this time."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
