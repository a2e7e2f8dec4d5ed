"""Standard output and error of a command, which may be closed, full, a broken pipe, or of another encoding."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from fastcollapse.errors import FastcollapseError


class OutputFailed(FastcollapseError):
    """Standard output cannot be written.

    Parameters
    ----------
    error : the error of the system.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output cannot be written: {error.strerror}")
        self.reader_has_ended = error.errno == errno.EPIPE


class _Stream:
    """A text stream that writes what its encoding does not have as escapes, and handles errors of the system.

    It has no attribute `buffer`, because click would write around it.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self._stream, name)

    def write(self, text: str) -> Any:
        if text == "":  # click tries the stream with it, and drops the error
            return 0
        try:
            return self._stream.write(text)
        except UnicodeEncodeError as error:
            return self.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
        except OSError as error:
            self._discard(error)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._discard(error)

    def _discard(self, error: OSError) -> None:
        """Send everything from now on, and what is in the buffer, to the null device."""
        with suppress(OSError, ValueError):  # a stream may have no descriptor
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)


class _Output(_Stream):
    """Standard output: an error of the system ends the command."""

    def _discard(self, error: OSError) -> None:
        super()._discard(error)
        raise OutputFailed(error)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Replace the standard streams while a command runs: a lost message does not end it, lost output does.

    A closed stream is replaced by the null device. Otherwise the next file would get its number, and messages of
    libraries would be written into a results file.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in before)
    sys.stdout, sys.stderr = _Output(sys.stdout), _Stream(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
