"""How much memory a run takes, and what of it fits into a limit: smaller blocks and parts, never other numbers."""

import dataclasses
import math
import re
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.errors import InputError

# Compiling takes so much (measured: 330 MB, discrete distributions), a run of compiled kernels 70 MB.
RESERVE = 350_000_000
# The arrays of a block are there this often: as they come, reduced, waiting, and being written.
_COPIES = 5
_UNITS = {"": 1, "b": 1} | {
    f"{letter}{i}b": (1024 if i else 1000) ** power for power, letter in enumerate("kmgt", 1) for i in ("", "i")
}
_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)\s*", re.IGNORECASE)


class MemoryBudget(NamedTuple):
    """Bytes that a block and a part may have, None where nothing limits them."""

    block: int | None = None
    part: int | None = None


def parse_bytes(size: int | str) -> int:
    """Return a number of bytes, given as one or as text with a unit.

    Raises
    ------
    InputError
        It is neither, or not at least 1.

    Examples
    --------
    >>> parse_bytes("2GB"), parse_bytes("1.5 GiB"), parse_bytes(4096)
    (2000000000, 1610612736, 4096)
    """
    found = _SIZE.fullmatch(size) if isinstance(size, str) else None
    unit = found[2].lower() if found else ""
    if isinstance(size, str) and found and unit in _UNITS:
        number = float(found[1]) * _UNITS[unit]
    elif isinstance(size, int) and not isinstance(size, bool):
        number = float(size)
    else:
        raise InputError(f"memory_limit must be a size such as 2GB or 500MiB, got {size!r}")
    if not 1 <= number < 2**63:
        raise InputError(f"memory_limit must be at least 1 byte and below 2**63, got {size!r}")
    return int(number)


def bytes_of(value: Any) -> int:
    """Return the bytes of the arrays in a value: of each once, and of a view all that it keeps alive.

    Examples
    --------
    >>> one = np.zeros(10)
    >>> bytes_of({"all": one, "some": [one[:3], one[3:]], "name": "x"})
    80
    """
    seen: dict[int, int] = {}

    def visit(value: Any) -> None:
        if isinstance(value, np.ndarray):
            while isinstance(value.base, np.ndarray):
                value = value.base
            seen[id(value)] = value.nbytes
        elif isinstance(value, Mapping):
            visit(list(value.values()))
        elif isinstance(value, (list, tuple)):
            for one in value:
                visit(one)
        elif dataclasses.is_dataclass(value):
            visit([getattr(value, field.name) for field in dataclasses.fields(value)])

    visit(value)
    return sum(seen.values())


def resident() -> int:
    """Return the bytes of memory that the process has now, or at most had where the system tells no more."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * _page_size()
    except OSError:
        import resource  # not on every system

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _page_size() -> int:
    import resource

    return resource.getpagesize()


def fit_budget(limit: int, state: int, saved: int, generation: int) -> MemoryBudget:
    """Return what blocks and parts may have, so that a run stays below a limit.

    Parameters
    ----------
    limit: bytes of the whole process
    state: bytes of the state of all replicates, with its room to work in
    saved: bytes of what a commit copies of it
    generation: bytes of what one generation gives

    Raises
    ------
    InputError
        Not even blocks of one generation fit; saying what is needed.
    """
    fixed = resident() + RESERVE + state + saved
    needed = fixed + _COPIES * generation
    if needed > limit:
        raise InputError(
            f"memory_limit must be at least {megabytes(needed)} for this run, got {megabytes(limit, up=False)}: "
            f"{megabytes(state + saved)} for its state, {megabytes(_COPIES * generation)} for one generation, "
            f"{megabytes(fixed - state - saved)} for the program and its compiler"
        )
    rest = limit - fixed
    block = max(generation, rest // (2 * _COPIES))
    return MemoryBudget(block, max(1, (rest - _COPIES * block) // 2))


def megabytes(n_bytes: int, up: bool = True) -> str:
    """Return a size as people read it, rounded up or down to whole megabytes.

    Examples
    --------
    >>> megabytes(1_234_567_890), megabytes(999_999, up=False)
    ('1,235 MB', '0 MB')
    """
    return f"{math.ceil(n_bytes / 1e6) if up else n_bytes // 10**6:,} MB"
