"""Change of the scaling law: exponents of the test error over sample sizes, in the first and in later generations."""

import numpy as np

from fastcollapse.simulation.profile.evidence import ONE_REPLICATE, CannotSay, Evidence, Outcome, measure
from fastcollapse.simulation.profile.statistics import Estimate, jackknife, slope

_FEWEST_SIZES = 3
# The most generations that are compared with the first.
_MOST_GENERATIONS = 50


def scaling(evidence: Evidence) -> Outcome:
    """Return whether the exponent of the test error over sample sizes differs from that of the first generation."""
    run, thresholds, readings = evidence
    if not any(reading.metrics[0] in run.metrics for reading in readings):
        need = f"model.downstream with {_FEWEST_SIZES} or more n_samples"
        raise CannotSay(f"it needs {need}, and {readings[0].metrics[0]} in run.record")
    reading, values = measure(evidence)
    sizes = np.asarray(run.coordinates["downstream_samples"].values, np.float64)
    if sizes.size < _FEWEST_SIZES:
        raise CannotSay(f"model.downstream.n_samples must have at least {_FEWEST_SIZES} sizes, got {sizes.size}")
    _, *share_name, axis = run.variables[reading.metrics[0]].dims
    # Of a run with shares of synthetic samples, the last share.
    values = values[:, :, :, -1] if share_name else values
    evaluated = np.flatnonzero(~np.isnan(values).any(axis=(0, 2, 3)))
    if evaluated.size < 2:
        raise CannotSay(f"a predictor must be trained on at least two generations, got {evaluated.size}")
    if evaluated.size > _MOST_GENERATIONS:
        evaluated = evaluated[np.unique(np.linspace(0, evaluated.size - 1, _MOST_GENERATIONS).astype(int))]
    start, end = int(evaluated[0]), int(evaluated[-1])
    # The ridge that is best before any training on synthetic labels.
    column = int(np.argmin(values[:, start, np.argmax(sizes)].mean(axis=0)))
    errors = values[..., column][:, evaluated]
    if not (np.isfinite(errors).all() and (errors.mean(axis=0) > 0).all()):
        raise CannotSay(f"its mean must be finite and above 0: {reading.words}")
    changes = [_change(errors[:, [0, i]], sizes) for i in range(1, len(evaluated))]
    first, last = (slope(errors[:, i].mean(axis=0), sizes) for i in (0, -1))
    quantity = f"change of x of mean {reading.words} ~ n^x from generation {start} to {end}"
    note = (
        f"x = {first:.3g} at generation {start} and {last:.3g} at {end}, fitted over n = {sizes.min():g} to "
        f"{sizes.max():g}, at {axis} = {run.coordinates[axis].values[column]:.3g}"
        + "".join(f" and {name} = {run.coordinates[name].values[-1]:.3g}" for name in share_name)
    )
    if run.n_replicates < 2:
        return Outcome("unknown", None, changes[-1], quantity, f"{ONE_REPLICATE}; {note}")
    held = [abs(change.value) >= thresholds.scaling and abs(change.z) >= thresholds.z for change in changes]
    generation = int(evaluated[1 + held.index(True)]) if any(held) else None
    return Outcome("yes" if any(held) else "no", generation, changes[-1], quantity, note)


def _change(pair: np.ndarray, sizes: np.ndarray) -> Estimate:
    """Return the change of an exponent between two generations, float64 (R, 2, M)."""
    return jackknife(pair, lambda mean: slope(mean[1], sizes) - slope(mean[0], sizes))
