"""Execution of a run plan."""

import dataclasses
import os
import warnings
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np

from fastcollapse.datasets.count_spectrum import stored_truth
from fastcollapse.errors import InputError
from fastcollapse.kernels.compile_log import kernels_of
from fastcollapse.kernels.jit import max_threads, set_threads
from fastcollapse.kernels.linalg.blas_threads import one_blas_thread
from fastcollapse.models.base import Model
from fastcollapse.simulation.block_loop import ResumePoint, RunContext, run_blocks
from fastcollapse.simulation.extension import clear_added
from fastcollapse.simulation.first_passage import first_passage_of
from fastcollapse.simulation.interrupts import Interrupts
from fastcollapse.simulation.memory_budget import (
    MemoryBudget,
    bytes_of,
    copied_bytes,
    fit_budget,
    generation_bytes,
    keeps_state_before,
    parse_bytes,
)
from fastcollapse.simulation.metrics_so_far import OnBlock
from fastcollapse.simulation.planned_run import RunPlan
from fastcollapse.simulation.provenance import provenance
from fastcollapse.simulation.recorded_run import RecordedRun, open_run
from fastcollapse.simulation.run_model import recorded_metrics
from fastcollapse.simulation.same_experiment import check_coordinates
from fastcollapse.simulation.state_view import StateViews
from fastcollapse.simulation.user_metrics import UserMetrics, check_given, user_variables
from fastcollapse.storage.base import Store
from fastcollapse.storage.blocks import Header
from fastcollapse.storage.hdf5_store import PART_BYTES, Hdf5Store, clear_leftovers
from fastcollapse.storage.joined_replicates import add_replicates
from fastcollapse.storage.memory_store import MemoryStore
from fastcollapse.storage.readers import check_file, open_parts


def execute(
    plan: RunPlan,
    *,
    threads: int | None = None,
    block: int | None = None,
    progress: Callable[[int], None] | None = None,
    interrupts: Interrupts | None = None,
    memory_limit: int | str | None = None,
    on_block: OnBlock | None = None,
) -> RecordedRun:
    """Run the remaining generations of a plan, and its next steps, and return the results.

    Parameters
    ----------
    plan : see `plan_run`.
    threads : number of threads, 1 to the number of cores, by default all; never changes a number.
    block : number of generations in a block, at least 1; by default a block takes about 0.1 s; never changes a number.
    progress : called with the number of generations that were run since the last call. An exception in it ends the run
        as a kill does: generations since the last commit are lost. Ctrl-C saves them.
    interrupts : an active handler of signals; by default Ctrl-C is deferred, unless another handler is installed.
    memory_limit : maximum memory of the process, in bytes or as text such as "2GB": blocks and parts become smaller. It
        requires a path. By default parts of 256 MiB use 0.5 GB in addition to the state of the run.

    on_block : called after each block with the metrics so far, see `fastcollapse.simulate`.

    Raises
    ------
    InputError
        A value is not allowed, or the file cannot be written.
    UnreadableResults
        The state of the run to resume does not fit.
    StoreError
        The results cannot be written, for example on a full disk; the committed generations are saved.
    KeyboardInterrupt
        Ctrl-C stopped the run at the end of a block; `open_run(path)` reads the committed generations.

    Examples
    --------
    >>> from fastcollapse.simulation.experiment import Experiment
    >>> from fastcollapse.simulation.run_plan import plan_run
    >>> experiment = Experiment.from_mapping({
    ...     "model": {"family": "poisson"}, "truth": {"rate": 2.0},
    ...     "workflow": {"name": "replace", "n_samples": 10},
    ...     "run": {"n_generations": 3, "n_replicates": 2, "seed": 1}})
    >>> execute(plan_run(experiment)).metrics["rate"].shape
    (2, 4)
    """
    if block is not None and (isinstance(block, bool) or not isinstance(block, int) or block < 1):
        raise InputError(f"block must be a whole number of at least 1, got {block!r}")
    for run in (plan.existing, plan.extended):  # an extension may start a run, but never drops metrics
        if run is not None:
            check_given(run, plan.metrics, is_returned=plan.is_finished)
    step: RunPlan | None = plan
    while step is not None:
        if step.warning:
            warnings.warn(step.warning, stacklevel=2)
        results = _execute_step(
            step,
            interrupts,
            threads=threads,
            block=block,
            progress=progress,
            memory_limit=memory_limit,
            on_block=on_block,
        )
        following = None if step.then is None or not results.finished else step.then(results)
        step = None if following is None else dataclasses.replace(following, metrics=plan.metrics)
    return results


def _execute_step(
    plan: RunPlan,
    interrupts: Interrupts | None,
    *,
    threads: int | None,
    block: int | None,
    progress: Callable[[int], None] | None,
    memory_limit: int | str | None,
    on_block: OnBlock | None,
) -> RecordedRun:
    """Execute a plan without the steps after it; see `execute`."""
    if plan.action == "finished":
        assert plan.existing is not None
        if plan.path is not None:
            clear_leftovers(plan.path, plan.existing.digest)
            clear_added(plan.existing)
        return plan.existing
    if plan.action == "join":
        assert plan.path is not None
        assert plan.added is not None
        experiment = plan.experiment
        add_replicates(plan.path, plan.added, experiment.json, experiment.text, experiment.digest)
        return open_run(plan.path)
    with kernels_of(plan.experiment.family):
        model = plan.model()
        for warning in model.warnings():
            warnings.warn(warning, stacklevel=4)
        header = _header(plan, model)
        if plan.existing is not None:
            check_coordinates(header.coordinates, plan.existing)
        use_threads(threads)
        model.use_processes(threads or 1)
        budget = _budget(memory_limit, plan, model, header)
        passage = first_passage_of(plan.experiment.run.stop, header.metrics, header.n_replicates)
        seed = plan.experiment.run.seed
        assert seed is not None  # plan_run resolves the seed
        context = RunContext(model, plan.truth, seed, plan.first_replicate, _user_metrics(plan, model, header))
        with (
            one_blas_thread(),
            _store(header, plan, budget) as store,
            Interrupts() if interrupts is None else nullcontext(interrupts) as handler,
            handler.deferred(False),
        ):
            resume_point = (
                None if store.state is None else ResumePoint(store.next_generation - 1, store.state, plan.path)
            )
            recorded = None
            if resume_point is not None and plan.path is not None and (passage is not None or on_block is not None):
                recorded = open_parts(plan.path).metrics
                if passage is not None:
                    passage.observe(0, recorded)
            reader = run_blocks(
                context,
                store,
                handler,
                block=block,
                block_bytes=budget.block,
                progress=progress,
                resume_point=resume_point,
                keeps_state=plan.keeps_state,
                passage=passage,
                on_block=on_block,
                recorded=recorded,
            )
            return RecordedRun(reader)


def _header(plan: RunPlan, model: Model) -> Header:
    """Return the header of the store of a plan."""
    experiment, states = plan.experiment, model.state_variables()
    keeps_states = "trajectory" in experiment.run.record
    return Header(
        experiment_json=experiment.json,
        experiment_text=experiment.text,
        digest=plan.existing.digest if plan.action == "resume" and plan.existing is not None else experiment.digest,
        provenance=provenance(),
        n_replicates=experiment.run.n_replicates,
        n_generations=experiment.run.n_generations,
        metrics=recorded_metrics(experiment, type(model)) | user_variables(plan.metrics, model),
        states={name: state for name, state in states.items() if keeps_states and not state.ragged},
        samples={name: state for name, state in states.items() if keeps_states and state.ragged},
        truth=stored_truth(plan.truth, model.ENGINE),
        trajectory=keeps_states and model.n_columns is not None,
        coordinates=model.coordinates(),
        first_replicate=plan.first_replicate,
        n_columns=model.n_columns or 0,
        inputs=plan.inputs,
        engine=model.ENGINE,
        weighted=model.is_weighted,
        rewards=_rewards(plan),
        stop=experiment.run.stop or "",
    )


def _user_metrics(plan: RunPlan, model: Model, header: Header) -> UserMetrics | None:
    """Return what evaluates the metrics of the user; None without any."""
    if not plan.metrics:
        return None
    experiment, counts = plan.experiment, None
    if model.n_columns is not None:
        sampler = type(model).text_sampler(header.truth, experiment.model)
        counts = None if sampler is None else sampler.counts
    return UserMetrics(plan.metrics, StateViews(experiment.family, model, header.truth, counts))


def _rewards(plan: RunPlan) -> np.ndarray | None:
    """Return the rewards that were read from a file, float64 (K)."""
    sampling, given = plan.schedule.sampling if plan.schedule is not None else None, plan.experiment.sampling
    if given is None or not given.files or sampling is None or sampling.best_of is None:
        return None
    return np.asarray(sampling.best_of.reward, dtype=np.float64)


def _store(header: Header, plan: RunPlan, budget: MemoryBudget) -> Store:
    if plan.store is not None:
        return plan.store(header)
    if plan.path is None:
        return MemoryStore(header)
    part_bytes = PART_BYTES if budget.part is None else min(PART_BYTES, budget.part)
    continued = check_file(plan.path) if plan.action == "continue" else None
    resume = plan.action == "resume"
    return Hdf5Store(header, plan.path, part_bytes, overwrite=plan.overwrite, resume=resume, continued=continued)


def _budget(limit: int | str | None, plan: RunPlan, model: Model, header: Header) -> MemoryBudget:
    """Return the sizes of blocks and parts, from the state of one replicate and the shapes of the recorded data.

    Raises
    ------
    InputError
        The run does not fit into the limit.
    """
    if limit is None:
        return MemoryBudget()
    if plan.path is None:
        raise InputError("memory_limit must have a file to write to: in memory all results are kept")
    n_bytes = parse_bytes(limit)
    # Metrics of the user need the counts of each block.
    generation = generation_bytes(model, header.metrics, header.trajectory or bool(plan.metrics))
    state, saved, generation = (header.n_replicates * one for one in (*_sizes(model, plan.first_replicate), generation))
    copies = copied_bytes(saved, keeps_state_before(model, plan.experiment.run.stop, bool(plan.metrics)))
    budget = fit_budget(n_bytes, state + model.work_bytes(), copies, generation)
    model.limit_work(budget.block)
    return budget


def _sizes(model: Model, first_replicate: int) -> tuple[int, int]:
    """Return the bytes of the state of one replicate, and the bytes of it that a commit saves."""
    state = model.initial(1, 0, first_replicate)
    return bytes_of(state), bytes_of(state.arrays())


def use_threads(threads: int | None) -> None:
    """Set the number of threads of parallel kernels, by default all cores.

    Raises
    ------
    InputError
        `threads` is below 1 or above the number of cores that the process may use, or above NUMBA_NUM_THREADS.
    """
    most = max_threads()
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int)):
        raise InputError(f"threads must be a whole number, got {threads!r}")
    if threads is not None and not 1 <= threads <= most:
        allowed = "1" if most == 1 else f"between 1 and {most}"
        limit = "NUMBA_NUM_THREADS" if "NUMBA_NUM_THREADS" in os.environ else "the cores that this process may use"
        raise InputError(f"threads must be {allowed} ({limit}), got {threads}")
    set_threads(most if threads is None else threads)
