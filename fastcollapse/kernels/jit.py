"""Fixed compile options of Numba, and a cache that depends on our sources.

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
        name = source.relative_to(_ROOT) if source.is_relative_to(_ROOT) else source
        digest.update(name.as_posix().encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


# How long a thread spins at the end of a loop before it sleeps. Endless spinning is 10 times slower on a busy machine,
# none is 1.5 times slower on an idle one, because waking takes 50 us and more.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import numba  # noqa: E402  (its threads read these at their start)
from numba.extending import register_jitable  # noqa: E402

from fastcollapse.kernels import single_link  # noqa: E402  (imports Numba)
from fastcollapse.kernels.code_cache import CodeCache, private_folder  # noqa: E402
from fastcollapse.kernels.numba_settings import start_threads  # noqa: E402
from fastcollapse.kernels.single_link import SingleLinkCompiler  # noqa: E402

prange = numba.prange
CACHE_ROOT = private_folder()

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}


def _cached(dispatcher: Any) -> Any:
    """Give a compiled function the cache folder of its sources, if there is one."""
    source = Path(dispatcher.py_func.__code__.co_filename)
    # A function of a notebook has no file. Code that is loaded imports the module of its function.
    has_module = dispatcher.py_func.__module__ in sys.modules
    if CACHE_ROOT is not None and has_module and source.is_file():
        dispatcher._cache = CodeCache(dispatcher.py_func, CACHE_ROOT / source_digest(source))
    return dispatcher


def _compiled(function: Callable, **options: Any) -> Any:
    """Return a compiled function: with all that it calls where Python calls it, else as a part of its callers.

    Most kernels are called by other kernels only. These need no interface for Python, no machine code and no file in
    the cache, which take more than half of the time of a compilation.
    """
    njit: Any = numba.njit  # its types do not list all options
    compiler = {"pipeline_class": SingleLinkCompiler} if single_link.ENABLED else {}
    entry = _cached(njit(**compiler, **_OPTIONS, **options)(function))
    part = njit(no_cpython_wrapper=True, **_OPTIONS, **options)(function)
    part._insert = lambda *_: None  # the code of a part cannot be called from Python:
    part._compile_for_args = lambda *_, **__: entry  # Numba calls what this returns
    part.entry = entry
    return part


def kernel(function: Callable) -> Any:
    """Compile a serial kernel, callable from Python and from other kernels."""
    return _compiled(function)


def parallel_kernel(function: Callable) -> Any:
    """Compile a kernel whose `prange` loops run over independent work units."""
    return _compiled(function, parallel=True)


def expanded(function: Callable) -> Any:
    """Expand a small helper in its callers before they are compiled: there is no call and nothing more to compile."""
    return _compiled(function, inline="always")


def plain(function: Callable) -> Any:
    """Return a function that Python runs uncompiled and that kernels may call: for work shorter than a compilation."""
    return register_jitable(error_model="numpy")(function)


def set_threads(n_threads: int) -> None:
    """Set the number of threads that parallel kernels use from now on."""
    start_threads()
    numba.set_num_threads(n_threads)


def current_threads() -> int:
    """Return the number of threads that parallel kernels use now."""
    start_threads()
    return int(numba.get_num_threads())


def max_threads() -> int:
    """Return the largest number of threads that parallel kernels can use."""
    config: Any = numba.config  # its names are set while it is imported, unseen by mypy
    return int(config.NUMBA_NUM_THREADS)
