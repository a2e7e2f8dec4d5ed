"""Seconds and memory of finished points, measured by the workers that computed them.

They are in a file of the folder of claims, and not in the results: results are the same for all executors.
"""

import json
import math
import os
import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from fastcollapse.storage.regular_file import read_regular
from fastcollapse.sweeps.manifest import CLAIMS

MEASURED = "measured.jsonl"
# A file of a million points has 50 MB; of a larger one nothing is read.
_MAX_BYTES = 1 << 28


class Measured(NamedTuple):
    """What a finished point has needed.

    Parameters
    ----------
    seconds : duration of the point.
    memory : largest resident memory of its process until then, in bytes. A process computes several points, so it is an
        upper bound of the memory of this one.
    """

    seconds: float
    memory: int


def peak_memory() -> int:
    """Return the largest resident memory of this process so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024  # Linux counts in KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def note_measured(folder: Path, measured: Sequence[tuple[int, Measured]]) -> None:
    """Append finished points to the file, one line each; a line that cannot be written is left out."""
    text = "".join(json.dumps([point, round(one.seconds, 6), one.memory]) + "\n" for point, one in measured)
    with suppress(OSError):
        descriptor = os.open(folder / CLAIMS / MEASURED, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def read_measured(folder: Path) -> dict[int, Measured]:
    """Return what was measured by point.

    Lines that are damaged are left out: hosts that append over NFS at the same time may lose or tear some.
    """
    found = {}
    try:
        lines = read_regular(folder / CLAIMS / MEASURED, _MAX_BYTES).splitlines()
    except (OSError, ValueError):
        return {}
    for line in lines:
        with suppress(ValueError, TypeError, RecursionError):
            point, seconds, memory = json.loads(line)
            if type(point) is int and point >= 0 and 0 <= seconds < math.inf and 0 < memory < 1 << 60:
                found[point] = Measured(float(seconds), int(memory))
    return found
