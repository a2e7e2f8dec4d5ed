"""Log of long compilations, and the time that compiling has taken in this process."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event

from fastcollapse.kernels.jit import CACHE_ROOT

# Seconds of compiling, in all, after which a line is logged.
_PATIENCE = 2.0
_log = logging.getLogger("fastcollapse")


class CompileLog(event.Listener):
    """Counts what Numba compiles, and logs one line for each family whose kernels take long.

    Compilations of functions within that of a kernel belong to it. Numba compiles in one thread at a time.

    Attributes
    ----------
    n_compiled : number of kernels that were compiled.
    seconds : time that this took.
    family : the family that runs now, or "": then nothing is logged, because the code may be that of a user.
    """

    def __init__(self) -> None:
        self.n_compiled, self.seconds, self.family = 0, 0.0, ""
        self._seconds_of: defaultdict[str, float] = defaultdict(float)
        self._logged: set[str] = set()
        self._depth, self._start = 0, 0.0
        self._timer: threading.Timer | None = None

    def on_start(self, event: Any) -> None:
        """Start the clock of a kernel."""
        self._depth += 1
        if self._depth > 1:
            return
        self._start = time.monotonic()
        if not self.family or self.family in self._logged:
            return
        left = _PATIENCE - self._seconds_of[self.family]
        if left <= 0:
            self._tell(self.family)
            return
        self._timer = threading.Timer(left, self._tell, [self.family])
        self._timer.daemon = True
        self._timer.start()

    def on_end(self, event: Any) -> None:
        """Stop the clock of a kernel."""
        self._depth -= 1
        if self._depth:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        seconds = time.monotonic() - self._start
        self.n_compiled += 1
        self.seconds += seconds
        self._seconds_of[self.family] += seconds

    def _tell(self, family: str) -> None:
        self._logged.add(family)
        kept = "once; later runs load them" if CACHE_ROOT is not None else "their code is not kept"
        _log.info("compiling the kernels of %s (%s)", family, kept)


compile_log = CompileLog()
event.register("numba:compile", compile_log)


@contextmanager
def kernels_of(family: str) -> Iterator[None]:
    """Log a line, at level INFO of the logger "fastcollapse", if compiling takes long, and name the family in it."""
    before, compile_log.family = compile_log.family, family
    try:
        yield
    finally:
        compile_log.family = before
