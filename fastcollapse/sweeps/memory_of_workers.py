"""Number of processes whose points fit into the memory at the same time."""

import warnings
from collections.abc import Sequence

from fastcollapse.simulation.memory_budget import megabytes
from fastcollapse.sweeps.available_memory import available_memory
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.needs import worker_memory


def workers_that_fit(folder: SweepFolder, missing: Sequence[int], n_workers: int, limit: int | None = None) -> int:
    """Return how many processes, from 1 to n_workers, can compute the largest of the points at the same time.

    A warning says so if they are fewer than `n_workers`, or if one process alone may need more than there is.

    Parameters
    ----------
    missing : numbers of the points to compute, at least one.
    limit : maximum memory of all processes together, in bytes; by default what the machine and the control groups of
        this process have available.
    """
    most = available_memory() if limit is None else limit
    if most is None:
        return n_workers
    point, needed = worker_memory(folder, missing)
    n = max(1, min(n_workers, most // max(needed, 1)))
    text = f"point {point} may need {megabytes(needed)} of memory"
    source = "are available" if limit is None else "are the limit"
    if needed > most:
        advice = "" if limit is not None else ", so that the system may end the process"
        warnings.warn(f"{text}, and {megabytes(most, up=False)} {source}{advice}: one process runs", stacklevel=3)
    elif n < n_workers:
        processes = f"{n} process{'es run' if n > 1 else ' runs'} instead of {n_workers}"
        warnings.warn(f"{text}, and {megabytes(most, up=False)} {source}: {processes}", stacklevel=3)
    return int(n)
