"""The front door: model, workflow, metrics and store of an experiment, put together and run."""

import math
import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from fastcollapse.config.sections import TruthSection
from fastcollapse.config.workflows import missing_capability
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InfiniteMomentWarning, InputError
from fastcollapse.kernels.jit import max_threads, set_threads
from fastcollapse.kernels.linalg.blas_threads import one_blas_thread
from fastcollapse.models.base import Model
from fastcollapse.models.registry import family
from fastcollapse.simulation.block_loop import ResumePoint, RunContext, run_blocks
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.interrupts import Interrupts
from fastcollapse.simulation.memory_budget import MemoryBudget, bytes_of, fit_budget, parse_bytes
from fastcollapse.simulation.provenance import provenance
from fastcollapse.simulation.results import Results, open_results
from fastcollapse.simulation.same_experiment import (
    check_coordinates,
    check_same_experiment,
    recorded_truth,
    with_seed_of,
)
from fastcollapse.storage.base import Header, Store
from fastcollapse.storage.hdf5_store import PART_BYTES, Hdf5Store, clear_leftovers
from fastcollapse.storage.memory_store import MemoryStore
from fastcollapse.storage.parts_folder import is_begun
from fastcollapse.variables import Variable

# Of a row: a symbol, and a count of at most eight bytes.
_BYTES_A_CELL = 12


def simulate(
    experiment: Experiment,
    path: str | Path | None = None,
    *,
    truth: CategoricalDistribution | TruthSection | None = None,
    threads: int | None = None,
    block: int | None = None,
    first_replicate: int = 0,
    progress: Callable[[int], None] | None = None,
    interrupts: Interrupts | None = None,
    overwrite: bool = False,
    resume: bool = False,
    memory_limit: int | str | None = None,
    store: Callable[[Header], Store] | None = None,
) -> Results:
    """Run an experiment and return its results.

    Parameters
    ----------
    experiment: what to simulate; a missing seed is drawn from the system and recorded
    path: the HDF5 file to write, which must not exist (but see the last two); None keeps the results in memory
    truth: the truth if it is loaded already (it must be the experiment's), see `load_truth`
    threads: 1..number of cores; never changes a number
    block: generations a block, at least 1; by default a block takes about 0.1 s; never changes a number
    first_replicate: the number of the first replicate, so that a split run draws what the whole one would
    progress: called with the number of generations done since the last call
    interrupts: who has taken over the signals; by default Ctrl-C is, if nobody else has
    overwrite: a results file at `path` makes room, finished or not
    resume: go on with what is at `path`, to the same bits as if it had never stopped: a run that was killed goes on
        after its last committed generation, a finished one is returned as it is, and where there is none it is started.
        The truth is the recorded one; an experiment without a seed has that of the file
    memory_limit: bytes, or text such as "2GB", that the process stays below, by smaller blocks and parts; it needs a
        path. By default parts of 256 MB wait and are written: 0.5 GB beside the state of the run
    store: makes what takes the results in place of `path`

    Raises
    ------
    InputError
        A value is not allowed, or `path` exists or cannot be written; to resume, the file is another experiment's.
    UnreadableResults
        To resume, the file or a part of it is damaged, or the state in it does not fit.
    StoreError
        The disk is full, say; the generations that are committed are kept.
    KeyboardInterrupt
        Ctrl-C, at the end of the block: the generations so far are kept and `open_results(path)` reads them.

    Examples
    --------
    >>> from fastcollapse import Experiment, simulate
    >>> results = simulate(Experiment.from_mapping({
    ...     "truth": {"probabilities": [0.25, 0.75]},
    ...     "workflow": {"name": "replace", "n_samples": 100},
    ...     "run": {"n_generations": 10, "n_replicates": 3, "seed": 1},
    ... }))
    >>> results.metrics["heterozygosity"].shape
    (3, 11)
    """
    if block is not None and block < 1:
        raise InputError(f"block must be at least 1, got {block}")
    found = _found(path) if resume else None
    if found is not None:
        experiment = with_seed_of(experiment, found)
        check_same_experiment(experiment, found, truth, first_replicate)
        if found.finished:
            clear_leftovers(Path(path), found.digest)  # type: ignore[arg-type]
            return found
        truth = recorded_truth(found) or truth
    experiment = experiment.resolve_seed()
    truth = load_truth(experiment.truth, experiment.base) if truth is None else truth
    run = experiment.run
    assert run.seed is not None  # resolve_seed gave one
    schedule = experiment.workflow.schedule(run.n_generations, truth.total)
    record = run.record
    model_class = family(experiment.family)
    missing = missing_capability(schedule.needs, model_class.CAPABILITIES, experiment.family)
    if missing:
        raise InputError(f"workflow.name must be another one than {experiment.workflow.name!r}: {missing}")
    model = model_class.create(truth, experiment.model, schedule, record)
    for line in model.warnings():
        warnings.warn(line, InfiniteMomentWarning, stacklevel=2)
    header = Header(
        experiment_json=experiment.json,
        experiment_text=experiment.text,
        digest=experiment.digest if found is None else found.digest,
        provenance=provenance(),
        n_replicates=run.n_replicates,
        n_generations=run.n_generations,
        metrics=_recorded(record, model_class, experiment.model),
        states=model.state_variables() if "trajectory" in record else {},
        truth=truth if isinstance(truth, CategoricalDistribution) else None,
        trajectory="trajectory" in record and model.n_columns is not None,
        coordinates=model.coordinates(),
        first_replicate=first_replicate,
    )
    if found is not None:
        check_coordinates(header.coordinates, found)
    use_threads(threads)
    room = _room(memory_limit, path, model, header, first_replicate)
    work = RunContext(model, truth, run.seed, first_replicate)
    with (
        one_blas_thread(),
        store(header) if store is not None else _store(header, path, overwrite, found is not None, room) as blocks,
        Interrupts() if interrupts is None else nullcontext(interrupts) as stopping,
        stopping.held(False),
    ):
        committed = None if blocks.state is None else ResumePoint(blocks.next_generation - 1, blocks.state, path)
        return Results(
            run_blocks(
                work, blocks, stopping, block=block, block_bytes=room.block, progress=progress, committed=committed
            )
        )


def _found(path: str | Path | None) -> Results | None:
    """Return what there is to resume at a path."""
    if path is None:
        raise InputError("resume must have the path of a results file, got None")
    return open_results(path) if os.path.lexists(path) or is_begun(Path(path)) else None


def _store(header: Header, path: str | Path | None, overwrite: bool, resume: bool, room: MemoryBudget) -> Store:
    if path is None:
        return MemoryStore(header)
    part_bytes = PART_BYTES if room.part is None else min(PART_BYTES, room.part)
    return Hdf5Store(header, path, part_bytes, overwrite=overwrite, resume=resume)


def _room(
    limit: int | str | None, path: str | Path | None, model: Model, header: Header, first_replicate: int
) -> MemoryBudget:
    """Return what blocks and parts may have, from the state of one replicate and the shapes of what is recorded.

    Raises
    ------
    InputError
        The run does not fit.
    """
    if limit is None:
        return MemoryBudget()
    if path is None:
        raise InputError("memory_limit must have a file to write to: in memory all results are kept")
    n_bytes = parse_bytes(limit)
    generation = 8 * sum(math.prod(n or 1 for n in header.lengths(name)) for name in header.metrics)
    generation += bytes_of(model.truth_states())
    if header.trajectory:
        generation += _BYTES_A_CELL * (model.n_columns or 0)
    state, saved, generation = (header.n_replicates * one for one in (*_sizes(model, first_replicate), generation))
    room = fit_budget(n_bytes, state + model.work_bytes(), saved, generation)
    model.limit_work(room.block)
    return room


def _sizes(model: Model, first_replicate: int) -> tuple[int, int]:
    """Return the bytes of the state of one replicate, and of what a commit copies of it."""
    state = model.initial(1, 0, first_replicate)
    return bytes_of(state), bytes_of(state.arrays())


def _recorded(record: Sequence[str], model: type[Model], parameters: Any) -> dict[str, Variable]:
    """Return the metrics to record, by default all, and what they are.

    Raises
    ------
    InputError
        A metric that the family has, but not with these parameters.
    """
    offered = model.available_metrics(parameters)
    missing = [name for name in model.METRICS if name in record and name not in offered]
    if missing:
        known = ", ".join(offered)
        raise InputError(f"run.record must be of {known} with these keys of the model, got {missing[0]!r}")
    variables = {name: metric.variable for name, metric in offered.items()}
    return {name: variable for name, variable in variables.items() if name in record} or variables


def use_threads(threads: int | None) -> None:
    """Set the threads of parallel kernels, by default all cores.

    Raises
    ------
    InputError
        `threads` is below 1 or above the number of cores.
    """
    most = max_threads()
    if threads is not None and not 1 <= threads <= most:
        raise InputError(f"threads must be between 1 and {most} (the cores of this machine), got {threads}")
    set_threads(most if threads is None else threads)
