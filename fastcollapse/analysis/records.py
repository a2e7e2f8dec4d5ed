"""What `info`, `compare` and `status` say as tables of keys and values, for JSON.

docs/reference/command_line.md has the keys.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcollapse.analysis.agreement import Agreement
from fastcollapse.analysis.comparison import Comparison
from fastcollapse.analysis.panels.published import published, recipe_words
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.storage.parts_folder import writer_of
from fastcollapse.sweeps.status import SweepStatus


def run_record(results: RecordedRun) -> dict[str, Any]:
    """Return what a results file holds: its state, its experiment, its provenance, and the ends of its metrics."""
    path, experiment = results.path, results.experiment
    return {
        "path": path,
        "bytes": path.stat().st_size if path is not None and path.is_file() else None,
        "finished": results.finished and results.complete,
        "written_by": (None if results.finished or path is None else writer_of(path)) or None,
        "family": experiment.family,
        "workflow": experiment.workflow.name,
        "engine": results.engine or None,
        "last_generation": results.last if results.last >= 0 else None,
        "n_generations": experiment.run.n_generations,
        "n_replicates": results.n_replicates,
        "seed": experiment.run.seed,
        "digest": results.digest,
        "recipe": recipe_record(results),
        "experiment": experiment.to_mapping(),
        "inputs": results.inputs,
        "provenance": results.provenance,
        "metrics": [_metric_record(results, name) for name in results.metrics] if results.last >= 0 else [],
        "coordinates": {
            dim: {"long_name": coordinate.long_name, "units": coordinate.units, "values": coordinate.values}
            for dim, coordinate in results.coordinates.items()
        },
    }


def recipe_record(results: RecordedRun) -> dict[str, Any] | None:
    """Return the recipe of a run, and each key whose value is not that of the recipe; None without a recipe."""
    words = recipe_words([results])
    if words is None:
        return None
    changes = [
        {"key": one.key, "value": one.value, "recipe": one.recipe, "is_published": one.origin == "published"}
        for one in published(results).changes
    ]
    return {"title": words.title, "source": words.source or None, "note": words.note or None, "changes": changes}


def comparison_record(results: RecordedRun, comparison: Comparison) -> dict[str, Any]:
    """Return the comparison of a run with its theory: the verdict, each panel and each point."""
    record = {"path": results.path, "recipe": recipe_record(results), "disagrees": comparison.disagrees}
    return {**record, **comparison.to_dict(), "panels": _agreement_records(comparison.agreements)}


def _agreement_records(agreements: Sequence[Agreement]) -> list[dict[str, Any]]:
    return [
        {
            "panel": one.name,
            "n_scored": one.n_scores,
            "largest_z": one.largest[0] if one.n_scores else None,
            "largest_at": one.largest[1] or None,
            "disagrees_at": one.disagrees,
            "n_unscored": one.n_unscored,
            "reason": one.reason or None,
            "n_bounded": one.n_bounded,
            "n_within_bounds": one.n_within,
        }
        for one in agreements
    ]


def status_record(status: SweepStatus) -> dict[str, Any]:
    """Return the status of a sweep: its axes, and its points by state."""
    settled = status.done | status.running.keys() | status.failed.keys()
    return {
        "path": status.path,
        "n_points": status.n_points,
        "axes": [{"keys": axis.keys, "n_values": len(axis)} for axis in status.sweep.axes],
        "done": status.done,
        "running": status.running,
        "failed": status.failed,
        "begun": status.begun,
        "missing": [index for index in range(status.n_points) if index not in settled],
    }


def _metric_record(results: RecordedRun, name: str) -> dict[str, Any]:
    variable, values = results.variables[name], np.asarray(results.metrics[name])
    with np.errstate(invalid="ignore"):  # infinite replicates of both signs
        ends = {key: values[:, at].mean(axis=0) for key, at in (("start", 0), ("end", -1))}
    return {"name": name, "long_name": variable.long_name, "units": variable.units, "dims": variable.dims, **ends}
