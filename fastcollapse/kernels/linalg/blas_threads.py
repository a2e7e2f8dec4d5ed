"""BLAS held to one thread."""

import functools
import sys
from typing import Any

from threadpoolctl import ThreadpoolController


@functools.cache
def _libraries(_with_scipy: bool) -> ThreadpoolController:
    """Return what holds the libraries that are loaded, which takes 4 ms to find out; SciPy brings a BLAS of its own,
    which may come later.
    """
    return ThreadpoolController()


def one_blas_thread() -> Any:
    """Hold BLAS to one thread: eigenvalues round by the number of threads, and small matrices lose by them (50 times
    slower on a busy machine).
    """
    return _libraries("scipy.linalg" in sys.modules).limit(limits=1, user_api="blas")
