"""Cache of loaded truths: a truth may be a corpus, and the points of a sweep often share one."""

import json
from collections.abc import Mapping
from typing import Any

from fastcollapse.datasets.data_files import changed_files
from fastcollapse.datasets.load import load_truth
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment

_MAX_TRUTHS = 4
_truths: dict[tuple[Any, ...], Any] = {}


def cached_truth(experiment: Experiment, inputs: Mapping[str, str] | None = None) -> Any:
    """Return the loaded truth of an experiment; this process keeps the last few.

    Parameters
    ----------
    inputs : SHA-256 of data files by path, as the sweep has recorded them. A kept truth of other bytes is loaded again.

    Raises
    ------
    InputError
        The data cannot be read, or a data file is not the recorded one.
    """
    recorded = inputs or {}
    key = (experiment.family, json.dumps(experiment.truth.to_mapping(), sort_keys=True), experiment.base)
    if key in _truths and changed_files(recorded, _truths[key].inputs):
        del _truths[key]
    if key not in _truths:
        while len(_truths) >= _MAX_TRUTHS:
            del _truths[next(iter(_truths))]
        _truths[key] = load_truth(experiment.truth, experiment.base)
    changed = changed_files(recorded, _truths[key].inputs)
    if changed:
        raise InputError("; ".join(changed))
    return _truths[key]
