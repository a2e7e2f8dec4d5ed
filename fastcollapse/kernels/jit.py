"""The one importer of Numba: fixed compile options, and a cache that depends on our sources.

The cache of Numba looks at the file of the compiled function only. After an edit of a callee in another file the caller
would be served stale. So the cache folder of a file is named by a digest of it and of all files of ours that it
imports, directly or not: an edit recompiles exactly the kernels that can reach it.
"""

import functools
import hashlib
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_IMPORT = re.compile(rb"^(?:from|import) (fastcollapse(?:\.\w+)*)", re.MULTILINE)


@functools.cache
def _sources(path: Path) -> frozenset[Path]:
    """Return a source file and all files of ours that it imports at its top, directly or not."""
    found, new = {path}, [path]
    while new:
        for name in _IMPORT.findall(new.pop().read_bytes()):
            imported = _ROOT.joinpath(*name.decode().split(".")).with_suffix(".py")
            if imported.is_file() and imported not in found:
                found.add(imported)
                new.append(imported)
    return frozenset(found)


@functools.cache
def source_digest(path: Path) -> str:
    """Return the name of the cache folder of the kernels in a source file."""
    digest = hashlib.sha256(f"{sys.version} {platform.machine()}".encode())
    for source in sorted(_sources(path)):
        digest.update(source.relative_to(_ROOT).as_posix().encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


def _cache_root() -> Path | None:
    """Return a writable folder for compiled code, or None, with one message, where there is none."""
    try:
        # A process without a home directory gives a RuntimeError.
        root = Path(os.environ.get("FASTCOLLAPSE_CACHE") or Path.home() / ".cache" / "fastcollapse")
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            return root
    except (OSError, RuntimeError) as error:
        print(f"fastcollapse: compiled code is not kept ({error}); set FASTCOLLAPSE_CACHE", file=sys.stderr)
        return None


CACHE_ROOT = _cache_root()

# How long a thread spins at the end of a loop before it sleeps. Endless spinning is 10 times slower on a busy machine,
# none is 1.5 times slower on an idle one, because waking takes 50 us and more.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import numba  # noqa: E402  (its threads read these at their start)

prange = numba.prange
_config: Any = numba.config  # its names are set while it is imported, unseen by mypy

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def _cached(function: Callable) -> bool:
    """Set the cache folder that Numba reads when it decorates a function; return whether there is one."""
    if CACHE_ROOT is not None:
        source = Path(function.__code__.co_filename)
        # A kernel from elsewhere, such as a notebook, has Numba's own check of its file.
        name = source_digest(source) if source.is_relative_to(_ROOT / "fastcollapse") else "others"
        _config.CACHE_DIR = str(CACHE_ROOT / name)
    return CACHE_ROOT is not None


def kernel(function: Callable) -> Any:
    """Compile a serial kernel, callable from Python and from other kernels."""
    return numba.njit(cache=_cached(function), **_OPTIONS)(function)


def parallel_kernel(function: Callable) -> Any:
    """Compile a kernel whose `prange` loops run over independent work units."""
    return numba.njit(parallel=True, cache=_cached(function), **_OPTIONS)(function)


def inlined(function: Callable) -> Any:
    """Compile a small helper that LLVM inlines into its callers."""
    return numba.njit(**_OPTIONS)(function)


def expanded(function: Callable) -> Any:
    """Expand a small helper in its callers before they are compiled: there is no call and nothing more to compile."""
    return numba.njit(inline="always", **_OPTIONS)(function)


def set_threads(n_threads: int) -> None:
    """Set the number of threads that parallel kernels use from now on."""
    numba.set_num_threads(n_threads)


def current_threads() -> int:
    """Return the number of threads that parallel kernels use now."""
    return int(numba.get_num_threads())


def max_threads() -> int:
    """Return the largest number of threads that parallel kernels can use."""
    return int(_config.NUMBA_NUM_THREADS)
