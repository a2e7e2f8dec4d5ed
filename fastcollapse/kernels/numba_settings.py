"""Import of Numba and start of its threads; settings that it cannot use are refused in one line with their name."""

import os
import re
import subprocess
import sys
import warnings
from typing import Any

from fastcollapse.errors import FastcollapseError, InputError

# More threads than cores are of use in tests only; with a hundred thousand the process crashes.
_MAX_THREADS = 1024
_UNREADABLE = re.compile(
    r"Environment variable '(\w+)' is defined but its associated value '(.*?)' could not", re.DOTALL
)
_MAKE_TARGET = """
import sys, llvmlite.binding as llvm
llvm.initialize_native_target()
llvm.Target.from_default_triple().create_target_machine(cpu=sys.argv[1], features=sys.argv[2])
"""


def import_numba() -> None:
    """Import Numba and check its settings.

    Raises
    ------
    InputError
        A variable NUMBA_* has a value that Numba or the kernels cannot use.
    """
    _check_n_threads()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "Environment variable 'NUMBA_", RuntimeWarning)
            import numba
    except RuntimeWarning as warning:
        found = _UNREADABLE.match(str(warning))
        name, value = found.groups() if found else ("a variable NUMBA_*", "")
        raise InputError(f"{name} must have a value that Numba can read, got {value!r}") from None
    except (ValueError, RuntimeError) as error:
        raise InputError(f"variables NUMBA_* must have values that Numba can use: {error}") from error
    config: Any = numba.config  # its names are set while it is imported, unseen by mypy
    if config.DISABLE_JIT:
        raise InputError("NUMBA_DISABLE_JIT must be 0, got 1: kernels run only when they are compiled")
    for variable, name, features in (
        ("NUMBA_CPU_NAME", config.CPU_NAME, None),
        ("NUMBA_CPU_FEATURES", None, config.CPU_FEATURES),
    ):
        if (name or features) and variable in os.environ:
            _check_target(variable, name or "", features or "")
    os.register_at_fork(after_in_child=_note_threads_of_parent)


def _check_n_threads() -> None:
    text = os.environ.get("NUMBA_NUM_THREADS", "1")
    most = max(_MAX_THREADS, os.cpu_count() or 1)
    try:
        if 1 <= int(text) <= most:
            return
    except ValueError:
        pass
    raise InputError(f"NUMBA_NUM_THREADS must be a whole number between 1 and {most}, got {text!r}")


def _check_target(variable: str, name: str, features: str) -> None:
    """Refuse a processor that LLVM does not know; LLVM prints a line, or ends the process."""
    command = [sys.executable, "-c", _MAKE_TARGET, name, features]
    got = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if got.returncode or got.stderr:
        what = "the name of a processor" if name else "processor features such as +avx2,-fma"
        raise InputError(f"{variable} must be {what} that LLVM knows, got {name or features!r}")


# The threading layer that the parent of this process had started when it forked.
_layer_of_parent: str | None = None


def _note_threads_of_parent() -> None:
    global _layer_of_parent
    from numba.np.ufunc.parallel import threading_layer

    try:
        _layer_of_parent = threading_layer()
    except ValueError:  # it had started none
        _layer_of_parent = None


def start_threads() -> None:
    """Start the threads of parallel kernels, if they are not started yet.

    Raises
    ------
    InputError
        The threading layer is unknown or not installed.
    FastcollapseError
        The process was forked after its parent had started threads: OpenMP would end it.
    """
    import numba

    if _layer_of_parent == "omp":
        raise FastcollapseError(
            "parallel kernels cannot run in a process that was forked after its parent had run them: "
            "use processes of multiprocessing.get_context('spawn')"
        )
    try:
        numba.get_num_threads()
    except ValueError as error:
        what = "THREADING_LAYER_PRIORITY" if "PRIORITY" in str(error) else "THREADING_LAYER"
        value = getattr(numba.config, what)
        reason = " ".join(str(error).split())
        raise InputError(f"NUMBA_{what} must be a layer that is installed, got {value!r}: {reason}") from None
