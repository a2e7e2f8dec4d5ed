"""Golden values of every conformance case: SHA-256 of integer arrays and selected floats of each metric and state.

`python -m tests.golden` writes them again. Do this only for an intended change of numbers, and describe it in
CHANGELOG.md.
"""

import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np

from fastcollapse import simulate

PATH = Path(__file__).with_suffix(".json")


def golden_values(results):
    """Return the hashes of integer arrays and selected floats of a run, by name."""
    integers, floats = {}, {}
    if results.forgotten is not None:
        integers["forgotten"] = _digest(results.forgotten)
    if results.has_trajectory:
        pairs = [
            results.counts(replicate, generation)
            for replicate in range(results.n_replicates)
            for generation in results.generation[1:].tolist()
        ]
        integers["counts"] = _digest(np.concatenate([array for pair in pairs for array in pair]))
    for kind, arrays in (("metric", results.metrics), ("state", results.states)):
        for name, values in arrays.items():
            # The last generation of two replicates; only first and last entry along further dimensions.
            flat = values[[0, -1], -1].reshape(2, -1)[:, [0, -1]]
            floats[f"{kind} {name}"] = [float(value) for value in flat.ravel()]
    return {"integers": integers, "floats": floats}


def _digest(array):
    return hashlib.sha256(np.ascontiguousarray(array, dtype="<i8").tobytes()).hexdigest()


def main():
    from tests.conftest import write_tables
    from tests.test_conformance import CASES, experiment_of

    with tempfile.TemporaryDirectory() as folder:
        write_tables(Path(folder))
        rows = {param.id: golden_values(simulate(experiment_of(*param.values, Path(folder)))) for param in CASES}
    lines = (f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
