"""Estimate of the memory of a run from the sizes of its model, without running it."""

import math

from fastcollapse.models.registry import family
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.memory_budget import RESERVE, bytes_of, keeps_state_before
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.storage.hdf5_store import PART_BYTES, STATE_BYTES

# Bytes of an entry of the counts: a symbol and its count.
_ENTRY_BYTES = 12
# Bytes of a new process after its imports (120 MB measured on Linux): the process that estimates may hold other data.
_PROGRAM_BYTES = 130_000_000


def estimate_bytes(experiment: Experiment) -> int:
    """Return about how many bytes a new process needs that runs an experiment, with the program and its compiler.

    The model with its truth and the states of all replicates are in memory, a copy of the states for a commit if they
    are not large, another copy where the end of a block may be computed again, and at most three parts of results.

    Raises
    ------
    InputError
        The experiment is refused, see `plan_run`.
    """
    plan = plan_run(experiment)
    model, run = plan.model(), experiment.run
    state = model.initial(1, 0, 0)
    lengths = {name: len(coordinate.values) for name, coordinate in model.coordinates().items()}
    metrics = family(experiment.family).available_metrics(experiment.model, experiment.sampling).values()
    generation = sum(8 * math.prod(lengths.get(dim, 1) for dim in metric.variable.dims) for metric in metrics)
    if "trajectory" in run.record:
        generation += bytes_of(model.truth_states()) + _ENTRY_BYTES * (model.n_columns or 0)
    results = generation * run.n_replicates * (run.n_generations + 1)
    states, saved = (run.n_replicates * bytes_of(one) for one in (state, state.arrays()))
    copies = min(saved, STATE_BYTES) + (saved if keeps_state_before(model, run.stop) else 0)
    fixed = _PROGRAM_BYTES + RESERVE + bytes_of(vars(model)) + model.work_bytes()
    return fixed + states + copies + min(results, 3 * PART_BYTES)
