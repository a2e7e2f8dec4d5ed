"""The block loop: compute a block of generations, reduce it to metrics, append it to the store, commit."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.errors import InputError, NonFiniteError, UnreadableResults, UserCodeError
from fastcollapse.models.base import Model, ModelBlock
from fastcollapse.simulation.finite_check import earliest, first_fault, first_sample_fault
from fastcollapse.simulation.first_passage import FirstPassage
from fastcollapse.simulation.interrupts import Interrupts
from fastcollapse.simulation.memory_budget import bytes_of, keeps_state_before, memory_of_kernels
from fastcollapse.simulation.metrics_so_far import MetricsSoFar, OnBlock
from fastcollapse.simulation.user_metrics import UserMetrics
from fastcollapse.storage.base import Reader, Store
from fastcollapse.storage.blocks import Block, Header
from fastcollapse.storage.hdf5_store import STATE_BYTES
from fastcollapse.variables import DerivedArray

# Target block duration in seconds: Ctrl-C and progress wait for the end of a block.
BLOCK_SECONDS = 0.1
# Maximum growth factor of the block length from one block to the next.
_MAX_GROWTH = 4
_MAX_BLOCK = 4096
# Where a generation takes longer than _SLOW_SECONDS, the state is copied before the next block, so that a signal can
# commit it. The copy is made only if it takes little time beside the block.
_SLOW_SECONDS = 0.3
_COPY_BYTES_PER_SECOND = 50_000_000


@dataclass(frozen=True, eq=False)
class RunContext:
    """What every block of a run needs.

    Parameters
    ----------
    model : the model of the run.
    truth : the loaded truth.
    seed, first_replicate : the seed, and the number of the first replicate, that determine the random streams.
    user_metrics : evaluates the metrics of the user, or None.
    """

    model: Model
    truth: Any
    seed: int
    first_replicate: int
    user_metrics: UserMetrics | None = None


@dataclass(frozen=True, eq=False)
class ResumePoint:
    """The point from which a run is resumed.

    Parameters
    ----------
    last : last generation in the store.
    arrays : the `arrays()` of its state.
    path : the results file.
    """

    last: int
    arrays: Mapping[str, np.ndarray]
    path: str | Path | None = None


def run_blocks(
    context: RunContext,
    store: Store,
    interrupts: Interrupts,
    *,
    block: int | None = None,
    block_bytes: int | None = None,
    progress: Callable[[int], None] | None = None,
    resume_point: ResumePoint | None = None,
    keeps_state: bool = True,
    passage: FirstPassage | None = None,
    on_block: OnBlock | None = None,
    recorded: Mapping[str, np.ndarray] | None = None,
) -> Reader:
    """Run all generations into a store and return its reader.

    Parameters
    ----------
    context : model, truth and random streams.
    store : a new store, or the store of the run that is resumed.
    interrupts : the handler that defers signals to the end of a block.
    block : number of generations in a block, at least 1; by default as many as take 0.1 s.
    block_bytes : maximum size of the arrays of a block with more than one generation; None is no limit.
    progress : called with the number of generations that were run since the last call.
    resume_point : where to resume, if the store already holds generations.
    on_block : called after each block with the metrics so far, see `simulate`; a true value ends the run there.
    recorded : metrics of the generations in the store of a run that is resumed, for `on_block`.
    passage : first-passage times of the generations in the store; the run ends when every replicate has one.
    keeps_state : whether the finished file keeps the state, from which a longer run continues.

    Raises
    ------
    NonFiniteError
        A value is NaN or infinite; the generations before it are committed.
    UnreadableResults
        The state at the resume point does not fit this run.
    Stopped
        A signal was received; the generations before it are committed. The first block may compile for some ten seconds
        and has nothing to save: a signal stops it at once. Numba may fail on the exception; then the watching thread
        ends the process.
    """
    header, model = store.header, context.model
    first = 1 if resume_point is None else resume_point.last + 1
    interrupts.deferring = interrupts.watched
    with interrupts.saved_by(store.close):
        state, first_metrics = _start(context, store, resume_point, passage)
    so_far = None if on_block is None else MetricsSoFar(first_metrics if recorded is None else recorded)
    # The state that an earlier version has left at the end of the run may lack its pool.
    keeps_state = keeps_state and first <= header.n_generations
    keeps_before = keeps_state_before(model, header.stop or None, context.user_metrics is not None)
    length = 1 if block_bytes else block or 1
    save: Callable[[], None] | None = store.close
    while first <= header.n_generations and not (passage is not None and passage.all_met):
        length = model.block_length(state, min(length, header.n_generations - first + 1))
        start = time.perf_counter()
        before = _copies(state) if keeps_before else {}
        try:
            with interrupts.saved_by(save):
                with memory_of_kernels():
                    result = model.advance(state, first, length, context.seed, context.first_replicate)
            new_block = _block(first, result, context, header)
            n_needed = None if passage is None else passage.observe(first, new_block.metrics)
            if n_needed is not None and n_needed < length:  # the run ends within the block
                state = model.restore(before, header.n_replicates, context.seed, context.first_replicate)
                length = n_needed
                with memory_of_kernels():
                    result = model.advance(state, first, length, context.seed, context.first_replicate)
                new_block = _block(first, result, context, header, of_user=new_block.metrics)
        except UserCodeError as error:
            if first < error.generation < first + length:  # those before are run again; run.stop may end the run there
                if passage is not None:
                    passage.forget(first)
                state = model.restore(before, header.n_replicates, context.seed, context.first_replicate)
                length = error.generation - first
                continue
            store.commit(before, force=True)
            raise
        _check_finite(new_block, result, model, store)
        store.append(new_block)
        seconds = time.perf_counter() - start
        store.commit(state.arrays())
        interrupts.deferring = True
        first += length
        if progress is not None:
            progress(length)
        if so_far is not None and on_block is not None:
            so_far.add(new_block.metrics)
            if on_block(so_far) and first <= header.n_generations and not (passage is not None and passage.all_met):
                return store.partial(state.arrays())
        if interrupts.received:
            store.commit(state.arrays(), force=True)
            interrupts.check()
        n_bytes = 0 if block_bytes is None else bytes_of([result, new_block])
        length = _next_length(length, seconds, n_bytes, block, block_bytes)
        save = _recovery_commit(state, seconds, store) if interrupts.watched else None
    forgotten = state.forgotten()
    final = {} if forgotten is None else {"forgotten": forgotten}
    if passage is not None:
        final["first_passage"] = passage.times
    try:
        with interrupts.deferred(False):
            interrupts.check()
            return store.finish(final, state.arrays() if keeps_state else None)
    except (KeyboardInterrupt, OSError, RuntimeError):
        # The disk may be too full for the final file; a signal within HDF5 may raise another error.
        store.commit(state.arrays(), force=True)
        interrupts.check()
        raise


def _check_finite(block: Block, result: ModelBlock, model: Model, store: Store) -> None:
    """Commit the generations before the first non-finite value of a block, recorded or not, and raise.

    They are committed without a state: a resumed run would compute the same value.

    Raises
    ------
    NonFiniteError
        Naming the value, the replicate and the generation.
    """
    variables = model.state_variables().items()
    derived = {name for name, values in block.metrics.items() if isinstance(values, DerivedArray)}
    is_legal = bool(derived) and model.surely_legal(result.states)
    arrays = [
        (name, np.asarray(block.metrics[name]), variable)
        for name, variable in store.header.metrics.items()
        if not (is_legal and name in derived)
    ]
    if not is_legal:
        arrays += [(name, result.states[name], variable) for name, variable in variables if name in result.states]
    samples = [(name, result.samples[name], variable) for name, variable in variables if name in result.samples]
    fault = earliest(
        [first_fault(arrays, block.first), first_sample_fault(samples, block.first, store.header.n_replicates)]
    )
    if fault is None:
        return
    n_finite = fault.generation - block.first
    if n_finite:
        store.append(block.until(n_finite))
    if fault.generation:
        store.commit({}, force=True)
    raise NonFiniteError(f"{fault}: the run stops there")


def _start(
    context: RunContext, store: Store, resume_point: ResumePoint | None, passage: FirstPassage | None
) -> tuple[Any, Mapping[str, Any]]:
    """Return the state before the first block, and the metrics of generation 0, which is appended to a new store.

    Raises
    ------
    NonFiniteError
        A non-finite value stopped the run that is resumed.
    UnreadableResults
        The state at the resume point does not fit this run.
    """
    run = (store.header.n_replicates, context.seed, context.first_replicate)
    if resume_point is not None:
        last = resume_point.last
        if not resume_point.arrays:
            raise NonFiniteError(f"a non-finite value stopped the run after generation {last}")
        try:
            return context.model.restore(resume_point.arrays, *run), {}
        except (ValueError, IndexError) as error:
            raise UnreadableResults(
                f"{resume_point.path}: cannot be resumed after generation {last}: {error}"
            ) from error
    state = context.model.initial(*run)
    if not state.arrays():  # no arrays mark a run that a non-finite value has stopped
        raise InputError(f"arrays() of {type(state).__name__} must return at least one array, got none")
    result = context.model.generation_0(*run)
    block = _block(0, result, context, store.header)
    _check_finite(block, result, context.model, store)
    if passage is not None and passage.observe(0, block.metrics) is not None:
        raise InputError("run.stop must not be met by every replicate at generation 0: the run would have no fit")
    store.append(block)
    return state, block.metrics


def _next_length(length: int, seconds: float, n_bytes: int, block: int | None, block_bytes: int | None) -> int:
    """Return the length of the next block from the length, duration and size of the last one.

    A duration may include compilation; then the block is short, and the next one measures again.
    """
    growth = min(_MAX_GROWTH, BLOCK_SECONDS / max(seconds, 1e-6))
    next_length = block or max(1, min(int(length * growth), _MAX_BLOCK))
    if block_bytes is not None:
        next_length = max(1, min(next_length, int(block_bytes * length / n_bytes)))
    return next_length


def _recovery_commit(state: Any, seconds: float, store: Store) -> Callable[[], None] | None:
    """Return a function that commits a copy of the state while the next block changes it.

    None after a short block, and for a large state, which is not copied.

    Parameters
    ----------
    seconds : duration of the last block.
    """
    n_bytes = sum(values.nbytes for values in state.arrays().values())
    if seconds < _SLOW_SECONDS or n_bytes > min(_COPY_BYTES_PER_SECOND * seconds, STATE_BYTES):
        return None
    copies = _copies(state)
    return lambda: store.commit(copies, force=True)


def _copies(state: Any) -> dict[str, np.ndarray]:
    return {name: values.copy() for name, values in state.arrays().items()}


def _block(
    first: int,
    result: ModelBlock,
    context: RunContext,
    header: Header,
    of_user: Mapping[str, np.ndarray | DerivedArray] | None = None,
) -> Block:
    """Return the recorded part of the result of a model.

    Parameters
    ----------
    of_user : values of the metrics of the user for this block or a longer one, if their functions were called before.

    Raises
    ------
    InputError
        The model does not keep its contract: the message names the metric or state.
    """
    family = type(context.model).__name__
    for kind, wanted, given in (("state", header.states, result.states), ("sample", header.samples, result.samples)):
        for name in wanted:
            if name not in given:
                raise InputError(f"a block of {family} must have the {kind} {name}, got {', '.join(given) or 'none'}")
    own = tuple(name for name, variable in header.metrics.items() if not variable.of_user)
    metrics = context.model.measure(result, context.truth, own)
    for name, values in metrics.items():
        if values.ndim < 2 or values.shape[0] != header.n_replicates:
            shape = f"({header.n_replicates}, generations, ...)"
            raise InputError(f"metric {name} of {family} must have shape {shape}, got {values.shape}")
        if first == 0 and name in header.states and not np.array_equal(result.states[name], values, equal_nan=True):
            raise InputError(f"metric {name} and state {name} of {family} must be equal, or have different names")
    if context.user_metrics is not None:
        n_generations = next(iter(metrics.values())).shape[1]
        size = (n_generations, header.n_replicates, context.first_replicate)
        values_of = of_user or context.user_metrics.evaluate(result, first, *size)
        metrics = {
            name: values_of[name][:, :n_generations] if variable.of_user else metrics[name]
            for name, variable in header.metrics.items()
        }
    counts = result.counts if header.trajectory else None
    samples = {name: result.samples[name] for name in header.samples}
    states = {name: result.states[name] for name in header.states}
    return Block(first, metrics, counts, states, samples)
