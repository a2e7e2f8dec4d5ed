"""The number of threads of BLAS."""

import functools
import sys
from typing import Any

from threadpoolctl import ThreadpoolController


@functools.cache
def _libraries(_with_scipy: bool) -> ThreadpoolController:
    """Return the controller of the libraries that are loaded, which takes 4 ms to find.

    SciPy has a BLAS of its own, which may be loaded later: the argument makes a new search then.
    """
    return ThreadpoolController()


def one_blas_thread() -> Any:
    """Return a context manager that limits BLAS to one thread.

    Eigenvalues round by the number of threads, and small matrices are slower with more (50 times on a busy machine).
    """
    return _libraries("scipy.linalg" in sys.modules).limit(limits=1, user_api="blas")
