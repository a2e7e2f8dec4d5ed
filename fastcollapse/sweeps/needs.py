"""Time and memory that the missing points of a sweep need, estimated before they are computed."""

import dataclasses
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np

from fastcollapse.errors import FastcollapseError, InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.memory_budget import RESERVE
from fastcollapse.simulation.memory_estimate import estimate_bytes
from fastcollapse.simulation.recorded_run import open_run
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.measured import read_measured
from fastcollapse.sweeps.task_queue import estimate_seconds
from fastcollapse.sweeps.truth_cache import cached_truth

# Values of each axis whose memory is estimated, points that are run for a trial, and finished points that are read.
_N_VALUES, _N_TRIALS, _N_FINISHED = 8, 8, 20
# Number of missing points up to which the memory of each is estimated.
_N_ALL = 16
# Bytes of the kernels of a worker.
_KERNEL_BYTES = 50_000_000
# A point of at least this share of the estimated size of the largest one needs about its memory.
_SIMILAR = 0.9
# A trial has fewer replicates if all of them need more than this: it may run on a login node.
_TRIAL_BYTES = 1 << 30
# A longer duration is that of a file that was copied, in seconds.
_LONGEST = 30 * 86_400.0


@dataclasses.dataclass(frozen=True)
class Needs:
    """What the points of a sweep need.

    Parameters
    ----------
    seconds : mean duration of a point on one core; None if no point could be timed.
    longest : longest duration of these points.
    n_finished, n_trials : number of finished points and of trials that these are from.
    memory : bytes of a process that computes the largest point of those that were looked at, measured or estimated.
    n_measured : number of finished points of about its size whose memory was measured; 0 for an estimate.
    """

    seconds: float | None
    longest: float
    n_finished: int
    n_trials: int
    memory: int
    n_measured: int = 0


def estimate_needs(folder: SweepFolder, missing: Sequence[int]) -> Needs:
    """Return what the missing points need: durations of finished points and of short trials, memory of the largest.

    Parameters
    ----------
    folder : the sweep.
    missing : numbers of the points that are not finished, at least one.
    """
    sizes = sizes_of(folder, missing)
    largest = max(sizes, key=sizes.__getitem__) if sizes else missing[0]
    measured = read_measured(folder.path)
    known = sorted(measured.keys() & folder.done())
    finished = [measured[index].seconds for index in _spread(known, _N_FINISHED)]
    if not finished:  # of an earlier version
        finished = [seconds for path in _finished_files(folder) if (seconds := _duration(path)) is not None]
    trials = []
    for index in dict.fromkeys([largest, *_spread(missing, _N_TRIALS)]):
        with suppress(FastcollapseError):
            trials.append(_trial(folder.sweep[index].experiment, sizes.get(index, 0)))
    trials = [seconds for seconds in trials if seconds]  # one that failed has no duration
    found = [*finished, *trials]
    mean = float(np.mean(found)) if found else None
    similar = _similar(folder, sizes, largest)
    memory = max(similar, default=sizes.get(largest, 0))
    return Needs(mean, max(found, default=0.0), len(finished), len(trials), memory, len(similar))


def worker_memory(folder: SweepFolder, missing: Sequence[int]) -> tuple[int, int]:
    """Return the largest of the points, and the bytes of a worker that computes it: measured, or estimated.

    Parameters
    ----------
    missing : see `estimate_needs`.
    """
    sizes = sizes_of(folder, missing)
    if not sizes:
        return missing[0], 0
    largest = max(sizes, key=sizes.__getitem__)
    # A worker reads the kernels that this process has compiled.
    return largest, max(_similar(folder, sizes, largest), default=sizes[largest] - RESERVE + _KERNEL_BYTES)


def sizes_of(folder: SweepFolder, missing: Sequence[int]) -> dict[int, int]:
    """Return the estimated memory by point: of all that are missing, or of many those that tell the largest."""
    sizes: dict[int, int] = {}
    some = [*_axis_points(folder, sizes), *_spread(missing, _N_TRIALS)] if len(missing) > _N_ALL else missing
    for index in some:
        _add_size(folder, index, sizes)
    return sizes


def _similar(folder: SweepFolder, sizes: dict[int, int], largest: int) -> list[int]:
    """Return the measured memory of finished points of about the estimated size of the largest one."""
    measured = read_measured(folder.path)
    known = _spread(sorted(measured.keys() & folder.done()), _N_FINISHED)
    sizes = dict(sizes)
    for index in known:
        _add_size(folder, index, sizes)
    n_bytes = sizes.get(largest, 0)
    return [measured[index].memory for index in known if sizes.get(index, 0) >= _SIMILAR * n_bytes > 0]


def _axis_points(folder: SweepFolder, sizes: dict[int, int]) -> Iterable[int]:
    """Yield the points along each axis, and then the one with the largest value of every axis; `sizes` is filled."""
    shape = folder.sweep.shape
    corner = []
    for axis, n in enumerate(shape):
        stride = int(np.prod(shape[axis + 1 :], dtype=np.int64))
        values = _spread(range(n), _N_VALUES)
        for i in values:
            _add_size(folder, i * stride, sizes)
            yield i * stride
        corner.append(stride * max(values, key=lambda i: sizes.get(i * stride, 0)))
    yield sum(corner)


def _add_size(folder: SweepFolder, index: int, sizes: dict[int, int]) -> None:
    if index not in sizes:
        with suppress(Exception):  # the worker reports the error when it computes the point
            experiment = folder.sweep[index].experiment
            sizes[index] = estimate_bytes(experiment, cached_truth(experiment, folder.inputs))


def _spread(given: Sequence[int], n: int) -> list[int]:
    """Return at most n entries at equal distances, with the first and the last.

    Examples
    --------
    >>> _spread(range(100), 4), _spread([5, 7], 4)
    ([0, 33, 66, 99], [5, 7])
    """
    if len(given) <= n:
        return list(given)
    return [given[i] for i in np.linspace(0, len(given) - 1, n).round().astype(int).tolist()]


def _trial(experiment: Experiment, n_bytes: int) -> float:
    """Return the estimated duration of an experiment, from a trial with one thread."""
    n = experiment.run.n_replicates
    n_trial = max(1, min(n, int(n * _TRIAL_BYTES / n_bytes) if n_bytes > _TRIAL_BYTES else n))
    smaller = dataclasses.replace(experiment, run=dataclasses.replace(experiment.run, n_replicates=n_trial))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimate_seconds(smaller, threads=1) * n / n_trial


def _finished_files(folder: SweepFolder) -> list[Path]:
    """Return files of finished points, which have no measured duration."""
    return [folder.point_path(index) for index in _spread(sorted(folder.with_file()), _N_FINISHED)]


def _duration(path: Path) -> float | None:
    """Return the seconds from the start of a finished run to the last change of its file; None for no duration."""
    try:
        provenance = open_run(path).provenance
        started = datetime.fromisoformat(str(provenance.get("created"))).timestamp()
        seconds = path.stat().st_mtime - started
    except (InputError, OSError, ValueError):
        return None
    # A run that was resumed has waited, and a copied file has another time.
    return seconds if "resumed" not in provenance and 0 <= seconds < _LONGEST else None
