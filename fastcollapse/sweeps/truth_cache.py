"""Cache of loaded truths: a truth may be a corpus, and the points of a sweep often share one."""

import json
from typing import Any

from fastcollapse.datasets.load import load_truth
from fastcollapse.simulation.experiment import Experiment

_MAX_TRUTHS = 4
_truths: dict[tuple[Any, ...], Any] = {}


def cached_truth(experiment: Experiment) -> Any:
    """Return the loaded truth of an experiment; this process keeps the last few.

    Raises
    ------
    InputError
        The data cannot be read.
    """
    key = (experiment.family, json.dumps(experiment.truth.to_mapping(), sort_keys=True), experiment.base)
    if key not in _truths:
        while len(_truths) >= _MAX_TRUTHS:
            del _truths[next(iter(_truths))]
        _truths[key] = load_truth(experiment.truth, experiment.base)
    return _truths[key]
