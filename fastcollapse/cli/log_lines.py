"""Lines of the log of the package on standard error, above a progress bar if there is one."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Print a record; standard error is that of the command, which handles errors of the system."""
        if "tqdm" in sys.modules:
            from tqdm import tqdm

            tqdm.write(record.getMessage(), file=sys.stderr)
        else:
            print(record.getMessage(), file=sys.stderr)
        sys.stderr.flush()


@contextmanager
def log_lines() -> Iterator[None]:
    """Print what the package logs at level INFO or above."""
    log, handler = logging.getLogger("fastcollapse"), _Lines()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
