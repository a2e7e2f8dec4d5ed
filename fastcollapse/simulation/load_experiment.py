"""Loading of experiments by the name of a shipped recipe or by the path of an experiment file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastcollapse.config.dotted_keys import overlap
from fastcollapse.datasets.shipped import recipes
from fastcollapse.errors import InputError, nearest
from fastcollapse.simulation.experiment import Experiment


def load_experiment(source: str | Path, values: Mapping[str, Any] | None = None) -> Experiment:
    """Return an experiment.

    Parameters
    ----------
    source : name of a recipe that is shipped with fastcollapse, or path of an experiment file.
    values : new values of the experiment by dotted key; the cases of the recipe must not set these keys.

    Raises
    ------
    InputError
        The name is unknown, the file cannot be read, or a value is refused.

    Examples
    --------
    >>> load_experiment("sur-uni", {"run.seed": 5}).run.seed
    5
    """
    shipped, name = recipes(), str(source)
    if name not in shipped and not (name.endswith(".toml") or "/" in name or os.path.isfile(name)):
        raise InputError(
            f"recipe must be one of {', '.join(shipped)}, or a .toml file, got {name!r}{nearest(name, shipped)}"
        )
    path = shipped.get(name, Path(name))
    experiment = Experiment.from_toml(path)
    cases = () if experiment.recipe is None else experiment.recipe.cases or ()
    for key in values or {}:
        if key.partition(".")[0] == "recipe":
            raise InputError(f"{key} can only be changed in an experiment file: edit a copy of {path}")
        if any(overlap(key, case_key) for case in cases for case_key in case):
            raise InputError(f"{key} is set by the cases of the recipe: edit a copy of {path} to change it")
    return experiment.with_values(values) if values else experiment
