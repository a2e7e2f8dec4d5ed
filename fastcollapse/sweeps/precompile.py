"""Compiling before workers do: each would compile the same kernels, at the same time."""

import dataclasses
import fcntl
import hashlib
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from fastcollapse.kernels.jit import CACHE_ROOT
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.provenance import provenance
from fastcollapse.simulation.simulate import simulate

# What differs in words takes other kernels; of more kinds than this the workers compile the rest.
_KINDS = 8
_GENERATIONS, _REPLICATES = 3, 2


def warm(experiments: Iterable[Experiment]) -> None:
    """Run the first generations of an experiment of each kind, so that its kernels are in the cache.

    Processes of one kind of machine wait for each other: the first compiles, the others read.
    """
    kinds: dict[str, Experiment] = {}
    for experiment in experiments:
        kinds.setdefault(_words(experiment.to_mapping()), experiment)
    for experiment in list(kinds.values())[:_KINDS]:
        run = experiment.run
        few = dataclasses.replace(
            run, n_generations=min(run.n_generations, _GENERATIONS), n_replicates=min(run.n_replicates, _REPLICATES)
        )
        with _alone(), suppress(Exception):  # what is wrong is told when the point is computed
            simulate(dataclasses.replace(experiment, run=few))


def _words(value: Any) -> str:
    """Return all that is not a number: names of families, workflows, estimators, what is recorded."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_words(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted({_words(one) for one in value})) + "]"
    return value if isinstance(value, str) else str(value) if isinstance(value, bool) else ""


def _processor() -> str:
    """Return what compiled code is for, short enough for a name."""
    return hashlib.sha256(f"{platform.machine()} {provenance()['processor']}".encode()).hexdigest()[:16]


@contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock that all processes of this kind of machine share."""
    if CACHE_ROOT is None:
        yield
        return
    with open(CACHE_ROOT / f"compiling-{_processor()}.lock", "w") as file:
        with suppress(OSError):  # file systems without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
