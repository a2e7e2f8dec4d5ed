"""Loading of experiments by the name of a shipped recipe or by the path of an experiment file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastcollapse.config.dotted_keys import overlap
from fastcollapse.datasets.recipe_files import unlisted
from fastcollapse.datasets.shipped import recipes
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.experiment_file import apply_overrides, read_toml


def load_experiment(source: str | Path, values: Mapping[str, Any] | None = None) -> Experiment:
    """Return an experiment.

    Parameters
    ----------
    source : name of a recipe that is shipped with fastcollapse, or path of an experiment file.
    values : values of the experiment by dotted key, in place of those of the file, or of keys that the file lacks; the
        cases of the recipe must not set these keys.

    Raises
    ------
    InputError
        The name is unknown, the file cannot be read, or a value is refused.

    Examples
    --------
    >>> load_experiment("sur-uni", {"run.seed": 5}).run.seed
    5
    """
    known, name = recipes(), str(source)
    if name not in known and not (name.endswith(".toml") or "/" in name or os.path.isfile(name)):
        raise InputError(f"recipe must be {unlisted(name, known, ', or a .toml file')}")
    path = known.get(name, Path(name))
    mapping, text = read_toml(path)
    recipe = mapping.get("recipe")
    cases = recipe.get("cases") if isinstance(recipe, dict) else None
    set_by_cases = [key for case in cases if isinstance(case, dict) for key in case] if isinstance(cases, list) else []
    for key in values or {}:
        if key.partition(".")[0] == "recipe":
            raise InputError(f"{key} can only be changed in an experiment file: edit a copy of {path}")
        if any(overlap(key, case_key) for case_key in set_by_cases):
            raise InputError(f"{key} is set by the cases of the recipe: edit a copy of {path} to change it")
    given = apply_overrides(mapping, values) if values else mapping
    return Experiment.from_mapping(given, base=path.resolve().parent, text=text)
