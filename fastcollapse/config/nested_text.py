"""Reading of text that may be nested too deeply."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Run no garbage collection in the block.

    A parser that reaches the limit of recursion raises RecursionError, which its caller expects. A finaliser of garbage
    that is collected there cannot be called, and Python prints this to standard error.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
