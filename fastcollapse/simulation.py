"""The block loop: the one file that sees model, workflow, metric and store together."""

import functools
import importlib
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Self

import numpy as np
from threadpoolctl import ThreadpoolController

from fastcollapse._jit import max_threads, set_threads
from fastcollapse.datasets import Truth, load_truth
from fastcollapse.errors import InputError
from fastcollapse.experiment import Experiment
from fastcollapse.models.base import Model, StateBlock, family
from fastcollapse.provenance import provenance
from fastcollapse.results import Results
from fastcollapse.sections import TruthSection
from fastcollapse.storage.base import Block, Header, Reader, Rows, Store
from fastcollapse.storage.hdf5 import Hdf5Store
from fastcollapse.storage.memory import MemoryStore
from fastcollapse.variables import Variable

# A block should take about so long: Ctrl-C and progress wait for its end.
BLOCK_SECONDS = 0.1
_FIRST_BLOCK = 4
_LONGEST_BLOCK = 4096


def simulate(
    experiment: Experiment,
    path: str | Path | None = None,
    *,
    truth: Truth | TruthSection | None = None,
    threads: int | None = None,
    block: int | None = None,
    first_replicate: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Results:
    """Run an experiment and return its results.

    Parameters
    ----------
    experiment: what to simulate; a missing seed is drawn from the system and recorded
    path: the HDF5 file to write, which must not exist; None keeps the results in memory
    truth: the truth if it is loaded already (it must be the experiment's), see `load_truth`
    threads: 1..number of cores; never changes a number
    block: generations a block, at least 1; by default a block takes about 0.1 s; never changes a number
    first_replicate: the number of the first replicate, so that a split run draws what the whole one would
    progress: called with the number of generations done since the last call

    Raises
    ------
    InputError
        A value is not allowed, or `path` exists or cannot be written.
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
    experiment = experiment.resolve_seed()
    truth = load_truth(experiment.truth, experiment.base) if truth is None else truth
    run = experiment.run
    assert run.seed is not None  # resolve_seed gave one
    schedule = experiment.workflow.schedule(run.n_generations, truth.total)
    record = run.record
    model = family(experiment.family).MODEL(truth, experiment.model, schedule, record)
    metrics = _metrics_module(experiment.family)
    header = Header(
        experiment_json=experiment.json,
        experiment_text=experiment.text,
        digest=experiment.digest,
        provenance=provenance(),
        n_replicates=run.n_replicates,
        n_generations=run.n_generations,
        metrics={name: Variable(*metrics.METRICS[name][1:]) for name in _recorded(record, metrics.METRICS)},
        states=model.state_variables() if "trajectory" in record else {},
        truth=truth if isinstance(truth, Truth) else None,
        trajectory="trajectory" in record and not model.state_variables(),
        coordinates=getattr(model, "coordinates", dict)(),
    )
    use_threads(threads)
    with _one_blas_thread(), Hdf5Store(header, path) if path is not None else MemoryStore(header) as store:
        return Results(_run_blocks(model, metrics, truth, run.seed, store, block, first_replicate, progress))


@functools.cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def _one_blas_thread() -> Any:
    """Hold BLAS to one thread: eigenvalues round by the number of threads, and small matrices lose by them (50 times
    slower on a busy machine).
    """
    return _blas().limit(limits=1, user_api="blas")


def _metrics_module(family_name: str) -> Any:
    """Return the metrics of a family: the module of the same name."""
    return importlib.import_module(f"fastcollapse.metrics.{family_name}")


def _recorded(record: Sequence[str], metrics: Mapping[str, Any]) -> list[str]:
    """Return the names of the metrics to record: those that are named, or all of them."""
    return [name for name in metrics if name in record] or list(metrics)


def _generation_0(model: Model, metrics: Any, truth: Any, header: Header) -> tuple[dict, dict]:
    """Return the metrics and the states of the truth itself, float64 (R, 1, ...)."""
    plain, n_replicates = model.truth_states(), header.n_replicates
    if not plain:
        values = metrics.metrics_of_truth(truth.probabilities)
        return {name: np.full((n_replicates, 1), values[name]) for name in header.metrics}, {}
    states = {name: np.repeat(np.asarray(value)[None, None], n_replicates, axis=0) for name, value in plain.items()}
    return metrics.metrics_of(StateBlock(states), truth, tuple(header.metrics)), states


class _HeldInterrupt:
    """Ctrl-C held back until a block is whole, so that state and blocks belong together.

    The first block may compile for half a minute and has nothing to lose: there, and the second time, Ctrl-C
    acts at once.
    """

    def __init__(self) -> None:
        self.holding = False
        self.pressed = False

    def __enter__(self) -> Self:
        on_main = threading.current_thread() is threading.main_thread()
        self._ours = on_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._ours:
            signal.signal(signal.SIGINT, self._hold)
        return self

    def _hold(self, _number: int, _frame: FrameType | None) -> None:
        if self.pressed or not self.holding:
            raise KeyboardInterrupt
        self.pressed = True

    def __exit__(self, *_: object) -> None:
        if self._ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _run_blocks(
    model: Model,
    metrics: Any,
    truth: Any,
    seed: int,
    store: Store,
    block: int | None,
    first_replicate: int,
    progress: Callable[[int], None] | None,
) -> Reader:
    header = store.header
    n_replicates, n_generations, names = header.n_replicates, header.n_generations, tuple(header.metrics)
    values, states = _generation_0(model, metrics, truth, header)
    store.append(Block(0, values, None, _wanted(states, header.states)))
    state = model.initial(n_replicates, seed, first_replicate)
    length, first = block or _FIRST_BLOCK, 1
    with _HeldInterrupt() as interrupt:
        while first <= n_generations:
            length = model.block_length(state, min(length, n_generations - first + 1))
            start = time.perf_counter()
            done = model.advance(state, first, length, seed, first_replicate)
            elapsed = time.perf_counter() - start
            rows = getattr(done, "rows", None)
            states = _wanted(getattr(done, "states", {}), header.states)
            store.append(
                Block(first, metrics.metrics_of(done, truth, names), None if rows is None else Rows(*rows), states)
            )
            store.commit(state.arrays())
            first += length
            interrupt.holding = True
            if progress is not None:
                progress(length)
            if interrupt.pressed:
                store.commit(state.arrays(), force=True)
                raise KeyboardInterrupt
            # The first block may have compiled kernels, so it says nothing; later ones at most quadruple.
            pace = 4.0 if first <= 1 + _FIRST_BLOCK else min(4.0, BLOCK_SECONDS / max(elapsed, 1e-6))
            wanted = int(length * pace)
            length = block or max(1, min(wanted, _LONGEST_BLOCK))
    final = {"forgotten": state.forgotten()} if hasattr(state, "forgotten") else {}
    try:
        return store.finish(final)
    except KeyboardInterrupt:
        store.commit(state.arrays(), force=True)
        raise


def _wanted(states: Mapping[str, np.ndarray], wanted: Mapping[str, Variable]) -> dict[str, np.ndarray]:
    return {name: states[name] for name in wanted}


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
