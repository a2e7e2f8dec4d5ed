"""Memory budget of a run: sizes of blocks and parts that keep the process below a limit."""

import dataclasses
import math
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.errors import InputError
from fastcollapse.models.base import Model
from fastcollapse.storage.hdf5_store import STATE_BYTES
from fastcollapse.variables import Variable

# Bytes reserved for the compiler and for compiled kernels.
RESERVE = 350_000_000
# Copies of a block that exist at once: computed, reduced, pending and being written.
_COPIES = 5
# Bytes of an entry of the counts: a symbol, and a count of at most eight bytes.
_ENTRY_BYTES = 12
_UNITS = {"": 1, "b": 1} | {
    f"{letter}{i}b": (1024 if i else 1000) ** power for power, letter in enumerate("kmgt", 1) for i in ("", "i")
}
_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)\s*", re.IGNORECASE)


class MemoryBudget(NamedTuple):
    """Maximum bytes of a block and of a part; None is no limit."""

    block: int | None = None
    part: int | None = None


def parse_bytes(size: int | str) -> int:
    """Return a number of bytes from a number or from text with a unit.

    Raises
    ------
    InputError
        The size has no such form, or is below 1 byte.

    Examples
    --------
    >>> parse_bytes("2GB"), parse_bytes("1.5 GiB"), parse_bytes(4096)
    (2000000000, 1610612736, 4096)
    """
    match = _SIZE.fullmatch(size) if isinstance(size, str) else None
    unit = match[2].lower() if match else ""
    if isinstance(size, str) and match and unit in _UNITS:
        number = float(match[1]) * _UNITS[unit]
    elif isinstance(size, int) and not isinstance(size, bool):
        number = float(size)
    else:
        raise InputError(f"memory_limit must be a size such as 2GB or 500MiB, got {size!r}")
    if not 1 <= number < 2**63:
        raise InputError(f"memory_limit must be at least 1 byte and below 2**63, got {size!r}")
    return int(number)


def bytes_of(value: Any) -> int:
    """Return the bytes of the arrays in a value. Each array counts once, and a view counts as its base.

    Examples
    --------
    >>> array = np.zeros(10)
    >>> bytes_of({"all": array, "some": [array[:3], array[3:]], "name": "x"})
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
            for item in value:
                visit(item)
        elif dataclasses.is_dataclass(value):
            visit([getattr(value, field.name) for field in dataclasses.fields(value)])

    visit(value)
    return sum(seen.values())


def resident() -> int:
    """Return the resident memory of the process in bytes; the peak on systems without /proc."""
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


def fit_budget(limit: int, state: int, copies: int, generation: int) -> MemoryBudget:
    """Return the sizes of blocks and parts that keep a run below a limit.

    Parameters
    ----------
    limit : maximum bytes of the process.
    state : bytes of the state of all replicates, with its workspace.
    copies : bytes of the copies of the state.
    generation : bytes of the results of one generation.

    Raises
    ------
    InputError
        Blocks of one generation do not fit; the message has the needed size.
    """
    fixed = resident() + RESERVE + state + copies
    needed = fixed + _COPIES * generation
    if needed > limit:
        raise InputError(
            f"memory_limit must be at least {megabytes(needed)} for this run, got {megabytes(limit, up=False)}: "
            f"{megabytes(state + copies)} for its state, {megabytes(_COPIES * generation)} for one generation, "
            f"{megabytes(fixed - state - copies)} for the program and its compiler"
        )
    rest = limit - fixed
    block = max(generation, rest // (2 * _COPIES))
    return MemoryBudget(block, max(1, (rest - _COPIES * block) // 2))


def generation_bytes(model: Model, metrics: Mapping[str, Variable], has_counts: bool) -> int:
    """Return the bytes of what a block has of one generation of one replicate: metrics, states, samples and counts.

    Parameters
    ----------
    metrics : variables of the recorded metrics.
    has_counts : whether the sparse counts of the states are recorded.
    """
    lengths = {name: len(coordinate.values) for name, coordinate in model.coordinates().items()}
    n_bytes = sum(8 * math.prod(lengths.get(dim, 1) for dim in variable.dims) for variable in metrics.values())
    n_bytes += bytes_of(model.truth_states()) + model.sample_bytes()
    return n_bytes + (_ENTRY_BYTES * (model.n_columns or 0) if has_counts else 0)


def copied_bytes(n_bytes: int, keeps_before: bool) -> int:
    """Return the bytes of the copies of a state of n_bytes: for a commit, for a signal, and that before the block."""
    return (2 * n_bytes if n_bytes <= STATE_BYTES else 0) + (n_bytes if keeps_before else 0)


def keeps_state_before(model: Model, stop: str | None, has_user_metrics: bool = False) -> bool:
    """Whether a run keeps a copy of the state before each block, because it may compute a part of the block again."""
    return stop is not None or has_user_metrics or type(model).PARAMETERS.names_code


def megabytes(n_bytes: int, up: bool = True) -> str:
    """Return a size as text, rounded up or down to whole megabytes.

    Examples
    --------
    >>> megabytes(1_234_567_890), megabytes(999_999, up=False)
    ('1,235 MB', '0 MB')
    """
    return f"{math.ceil(n_bytes / 1e6) if up else n_bytes // 10**6:,} MB"


@contextmanager
def memory_of_kernels() -> Iterator[None]:
    """Context manager that raises the MemoryError of an array that a parallel kernel could not allocate.

    Numba raises a SystemError with this cause instead.
    """
    try:
        yield
    except SystemError as error:
        if isinstance(error.__cause__, MemoryError):
            raise error.__cause__ from None
        raise
