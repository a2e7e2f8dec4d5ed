"""The one importer of Numba: fixed compile options and a cache that knows our sources.

Numba's own cache looks at the file of the compiled function only: after an edit of a callee in another file the caller
is served stale, old numbers and all. So the cache folder is named by a digest of every source that can be compiled.
"""

import hashlib
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent
_COMPILED = ("_jit.py", "rng.py", "kernels/*.py", "models/*.py")


def _digest() -> str:
    digest = hashlib.sha256(f"{sys.version} {platform.machine()}".encode())
    for pattern in _COMPILED:
        for path in sorted(_PACKAGE.glob(pattern)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _cache_folder() -> Path | None:
    """Return a writable folder for compiled code, or None (said once) where there is none."""
    try:
        # A process without a home directory gives a RuntimeError.
        root = Path(os.environ.get("FASTCOLLAPSE_CACHE") or Path.home() / ".cache" / "fastcollapse")
        folder = root / _digest()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError) as error:
        print(f"fastcollapse: compiled code is not kept ({error}); set FASTCOLLAPSE_CACHE", file=sys.stderr)
        return None


CACHE_FOLDER = _cache_folder()
if CACHE_FOLDER is not None:
    os.environ["NUMBA_CACHE_DIR"] = str(CACHE_FOLDER)

# How long a thread spins at the end of a loop before it sleeps. For ever: 10 times slower on a busy machine; not at
# all: 1.5 times slower on an idle one, because waking takes 50 us and more.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import numba  # noqa: E402  (reads NUMBA_CACHE_DIR at import)

prange = numba.prange
_config: Any = numba.config  # its names are set while it is imported, unseen by mypy

if CACHE_FOLDER is not None:
    _config.CACHE_DIR = str(CACHE_FOLDER)

_OPTIONS: dict[str, Any] = {"cache": CACHE_FOLDER is not None, "nogil": True, "error_model": "numpy"}


def kernel(function: Callable) -> Any:
    """Compile a serial kernel (callable from Python and from other kernels)."""
    return numba.njit(**_OPTIONS)(function)


def parallel_kernel(function: Callable) -> Any:
    """Compile a kernel whose `prange` loops run over independent work units."""
    return numba.njit(parallel=True, **_OPTIONS)(function)


def inlined(function: Callable) -> Any:
    """Compile a small helper that LLVM places into its callers."""
    return numba.njit(**{**_OPTIONS, "cache": False})(function)


def set_threads(n_threads: int) -> None:
    """Set how many threads parallel kernels use from now on."""
    numba.set_num_threads(n_threads)


def current_threads() -> int:
    """Return how many threads parallel kernels use now."""
    return int(numba.get_num_threads())


def max_threads() -> int:
    """Return the number of threads that parallel kernels can use at most."""
    return int(_config.NUMBA_NUM_THREADS)
