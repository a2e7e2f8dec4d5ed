"""Evidence for the definitions of collapse: quantities of a run that play a role, and theorems of its limit."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fastcollapse.config.thresholds import Thresholds
from fastcollapse.models.roles import Limit, Reading
from fastcollapse.simulation.profile.statistics import Estimate, median_of

ONE_REPLICATE = "one replicate has no standard error"


class Outcome(NamedTuple):
    """The part of a `Finding` that depends on the run."""

    holds: str
    generation: int | None = None
    estimate: Estimate | None = None
    quantity: str = ""
    note: str = ""


class CannotSay(Exception):
    """A run does not have what a definition needs; the message says what."""


class Evidence(NamedTuple):
    """What the evaluation of a definition reads.

    Parameters
    ----------
    run : the `Results`; their module imports this one.
    thresholds : the keys of the profile.
    role : what plays the role of the definition, see `fastcollapse.models.roles`.
    """

    run: Any
    thresholds: Thresholds
    role: Any


def measure(evidence: Evidence) -> tuple[Reading, np.ndarray]:
    """Return the first reading whose metrics are recorded, and its values, float64 (R, T+1, ...)."""
    return next(measured(evidence))


def measured(evidence: Evidence) -> Iterator[tuple[Reading, np.ndarray]]:
    """Yield the readings whose metrics are recorded, and their values; raise `CannotSay` at the end."""
    metrics, readings = evidence.run.metrics, evidence.role
    for reading in readings:
        if all(name in metrics for name in reading.metrics):
            yield reading, np.asarray(reading.function(*(metrics[name] for name in reading.metrics)))
    raise CannotSay(f"run.record must have {' or '.join(' and '.join(one.metrics) for one in readings)}")


def limit_of(run: Any, reading: Reading) -> Limit | None:
    """Return what a theorem says about the limit of a run; None without one.

    Only a workflow with a constant n_samples and no further stage is covered, so that a key that a theorem does not
    know never has its words.
    """
    sections = run.experiment.to_mapping()
    workflow = sections["workflow"]
    size = workflow["n_samples"]
    is_constant = isinstance(size, str) or (isinstance(size, int) and size >= 2)
    is_plain = set(workflow) <= {"name", "n_samples", "keep_real"} and workflow.get("keep_real", True)
    if not (is_constant and is_plain and set(sections) <= {"model", "truth", "workflow", "run"}):
        return None
    limits = reading.limits.get(workflow["name"], ())
    return next((limit for limit in limits if limit.applies(run.experiment)), None)


def known_generations(values: np.ndarray) -> np.ndarray:
    """Return the generations with values, float64 (R, T+1); others are not observed, and NaN in all replicates."""
    return np.flatnonzero(~np.isnan(values).all(axis=0))


def event(evidence: Evidence, values: np.ndarray, happened: np.ndarray, words: str) -> Outcome:
    """Return whether an event, bool (R, T+1), has happened in at least half of the replicates."""
    known = known_generations(values)
    if not {0, values.shape[1] - 1} <= set(known.tolist()) or np.isnan(values[:, known]).any():
        raise CannotSay(f"it is not known in every generation: {words}")
    share = happened.mean(axis=0)
    first = known[share[known] >= 0.5]
    n, p = len(values), float(share[-1])
    # A share of 0 or 1 has no standard error.
    error = f" ({100 * p:.3g} +- {100 * np.sqrt(p * (1 - p) / n):.2g} %)" if 0 < p < 1 else ""
    note = f"in {round(n * p):,} of {n:,} replicates{error} at the last generation" if n > 1 else ONE_REPLICATE
    if known.size < values.shape[1]:
        note += f"; known at {known.size:,} of {values.shape[1]:,} generations"
    quantity = f"{'median ' if n > 1 else ''}{words}"
    holds, generation = ("yes", int(first[0])) if first.size else ("no", None)
    return Outcome(holds, generation, median_of(values[:, -1]), quantity, note)
