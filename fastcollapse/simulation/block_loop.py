"""The block loop: a block is computed, reduced to metrics, appended and committed, then the next one."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastcollapse.errors import NonFiniteError, UnreadableResults
from fastcollapse.models.base import Model, ModelBlock
from fastcollapse.simulation.finite_check import earliest, first_fault, first_sample_fault
from fastcollapse.simulation.interrupts import Interrupts
from fastcollapse.simulation.memory_budget import bytes_of
from fastcollapse.storage.base import Reader, Store
from fastcollapse.storage.blocks import Block, Header
from fastcollapse.variables import Variable

# A block should take about so long: Ctrl-C and progress wait for its end.
BLOCK_SECONDS = 0.1
# Only a measured block may be longer than one generation, which may take seconds: at most so many times the last.
_FASTER = 4
_LONGEST_BLOCK = 4096
# A generation that takes longer than this is begun with a copy of the state to go back to, if copying takes next to
# nothing beside it: so many bytes a second.
_SLOW_SECONDS = 0.3
_COPIED_A_SECOND = 50_000_000


@dataclass(frozen=True, eq=False)
class RunContext:
    """The model of a run, its truth, and the seed and first replicate that name its streams."""

    model: Model
    truth: Any
    seed: int
    first_replicate: int


@dataclass(frozen=True, eq=False)
class ResumePoint:
    """Where a run goes on: the last generation that the store holds, the `arrays()` of its state, and their file."""

    last: int
    arrays: Mapping[str, np.ndarray]
    path: str | Path | None = None


def run_blocks(
    work: RunContext,
    store: Store,
    interrupts: Interrupts,
    *,
    block: int | None = None,
    block_bytes: int | None = None,
    progress: Callable[[int], None] | None = None,
    committed: ResumePoint | None = None,
) -> Reader:
    """Run all generations into a store and return its reader.

    Parameters
    ----------
    block: generations a block, at least 1; None: as many as take 0.1 s
    block_bytes: what the arrays of a block may take, if it has more than one generation; None: no limit
    progress: called with the number of generations done since the last call
    committed: where to go on, if the store holds generations already

    Raises
    ------
    NonFiniteError
        A number is no number, or infinite: the generations before it are committed.
    UnreadableResults
        What is committed does not fit this run.
    Stopped
        A signal has come: at the end of the block, what is done being committed. The first block may compile for half
        a minute and has nothing to lose: there it is raised at once, or, as Numba may stumble over that, the watching
        thread ends the process.
    """
    header, model = store.header, work.model
    first = 1 if committed is None else committed.last + 1
    interrupts.holding = interrupts.watched
    with interrupts.retreat(store.close):
        state = _begin(work, store, committed)
    length, seconds = 1 if block_bytes else block or 1, 0.0
    back: Callable[[], None] | None = store.close
    while first <= header.n_generations:
        length = model.block_length(state, min(length, header.n_generations - first + 1))
        start = time.perf_counter()
        with interrupts.retreat(back):
            done = model.advance(state, first, length, work.seed, work.first_replicate)
        made = _block(first, done, work, header)
        _check(made, done, model, store)
        store.append(made)
        seconds = time.perf_counter() - start
        store.commit(state.arrays())
        interrupts.holding = True
        first += length
        if progress is not None:
            progress(length)
        if interrupts.asked:
            store.commit(state.arrays(), force=True)
            interrupts.check()
        # The first block may have compiled kernels: then the next one measures.
        wanted = int(length * min(_FASTER, BLOCK_SECONDS / max(seconds, 1e-6)))
        wanted = block or max(1, min(wanted, _LONGEST_BLOCK))
        if block_bytes is not None:
            wanted = max(1, min(wanted, int(block_bytes * length / bytes_of([done, made]))))
        length = wanted
        back = _recovery_commit(state, seconds, store) if interrupts.watched else None
    forgotten = state.forgotten()
    final = {} if forgotten is None else {"forgotten": forgotten}
    try:
        with interrupts.held(False):
            interrupts.check()
            return store.finish(final)
    except (KeyboardInterrupt, OSError, RuntimeError):
        # The disk may have no room for a copy of everything; of a signal within HDF5 another error may come.
        store.commit(state.arrays(), force=True)
        interrupts.check()
        raise


def _check(block: Block, done: ModelBlock, model: Model, store: Store) -> None:
    """Stop at the first value out of range, recorded or not; the generations before it are committed.

    They are committed without a state: a resumed run would come to the same value.

    Raises
    ------
    NonFiniteError
        With the name, the replicate and the generation.
    """
    arrays = [(name, block.metrics[name], variable) for name, variable in store.header.metrics.items()]
    known = model.state_variables()
    arrays += [(name, done.states[name], variable) for name, variable in known.items() if name in done.states]
    samples = [(name, done.samples[name], variable) for name, variable in known.items() if name in done.samples]
    fault = earliest(
        [first_fault(arrays, block.first), first_sample_fault(samples, block.first, store.header.n_replicates)]
    )
    if fault is None:
        return
    sound = fault.generation - block.first
    if sound:
        store.append(block.until(sound))
    if fault.generation:
        store.commit({}, force=True)
    raise NonFiniteError(f"{fault}: the run stops there")


def _begin(work: RunContext, store: Store, committed: ResumePoint | None) -> Any:
    """Return the state that the first block begins at; a new store is given generation 0.

    Raises
    ------
    UnreadableResults
        The state that is there does not fit this run.
    """
    run = (store.header.n_replicates, work.seed, work.first_replicate)
    if committed is not None:
        if not committed.arrays:
            raise NonFiniteError(f"a number out of range has stopped the run after generation {committed.last}")
        try:
            return work.model.restore(committed.arrays, *run)
        except (ValueError, IndexError) as error:
            raise UnreadableResults(
                f"{committed.path}: cannot be gone on with after generation {committed.last}: {error}"
            ) from error
    done = work.model.generation_0(store.header.n_replicates, work.seed, work.first_replicate)
    block = _block(0, done, work, store.header)
    _check(block, done, work.model, store)
    store.append(block)
    return work.model.initial(*run)


def _recovery_commit(state: Any, seconds: float, store: Store) -> Callable[[], None] | None:
    """Return what commits the state as it is now while the next block changes it, if its last one took `seconds`."""
    arrays = state.arrays()
    if seconds < _SLOW_SECONDS or sum(values.nbytes for values in arrays.values()) > _COPIED_A_SECOND * seconds:
        return None
    copies = {name: values.copy() for name, values in arrays.items()}
    return lambda: store.commit(copies, force=True)


def _block(first: int, done: ModelBlock, work: RunContext, header: Header) -> Block:
    """Return what the store takes of the result of a model."""
    metrics = work.model.measure(done, work.truth, tuple(header.metrics))
    counts = done.counts if header.trajectory else None
    samples = {name: done.samples[name] for name in header.samples}
    return Block(first, metrics, counts, _wanted(done.states, header.states), samples)


def _wanted(states: Mapping[str, np.ndarray], wanted: Mapping[str, Variable]) -> dict[str, np.ndarray]:
    return {name: states[name] for name in wanted}
