"""Example sweeps, and the content of their folders for comparison."""

import json

import numpy as np

from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.measured import MEASURED
from fastcollapse.sweeps.points import Sweep


def mapping(**changes):
    """Return the mapping of a sweep of six points with counts, metrics and extinction times of a few symbols."""
    made = {
        "truth": {"uniform": 10},
        "workflow": {"name": "replace"},
        "run": {"n_generations": 6, "n_replicates": 5, "seed": 7},
        "sweep": {"grid": {"workflow.n_samples": [5, 6, 7], "truth.uniform": [10, 20]}},
    }
    for key, value in changes.items():
        made[key] = {**made[key], **value} if key != "sweep" else value
    return made


def small_sweep(**changes):
    return Sweep(mapping(**changes))


def contents(results):
    """Return all results except the provenance; arrays as bytes."""
    reader = results.reader
    arrays = {f"metrics/{name}": values for name, values in results.metrics.items()}
    arrays |= {f"states/{name}": values for name, values in results.states.items()}
    if results.forgotten is not None:
        arrays["forgotten"] = results.forgotten
    if results.has_trajectory:
        for t in range(1, results.last + 1):
            for r in range(results.n_replicates):
                arrays |= {f"counts/{r}/{t}/{i}": one for i, one in enumerate(results.counts(r, t))}
    header = reader.header
    fields = (
        header.experiment_json,
        header.experiment_text,
        header.digest,
        header.first_replicate,
        results.n_replicates,
    )
    return fields, {k: (v.dtype.str, v.shape, np.ascontiguousarray(v).tobytes()) for k, v in arrays.items()}


def folder_contents(path):
    """Return the names of files, but not that of measured times, and the results of every point without provenance."""
    folder = SweepFolder(path)
    names = sorted(str(one.relative_to(path)) for one in path.rglob("*") if one.is_file() and one.name != MEASURED)
    manifest = json.loads((path / "sweep.json").read_text())
    return names, manifest["digest"], {index: contents(folder.results(index)) for index in sorted(folder.done())}
