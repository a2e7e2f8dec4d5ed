"""Loading of sweeps by the name of a shipped sweep or by the path of an experiment file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastcollapse.datasets.recipe_files import unlisted
from fastcollapse.datasets.shipped import sweeps
from fastcollapse.errors import InputError
from fastcollapse.sweeps.points import Sweep


def load_sweep(source: str | Path, values: Mapping[str, Any] | None = None) -> Sweep:
    """Return a sweep.

    Parameters
    ----------
    source : name of a sweep that is shipped with fastcollapse, or path of an experiment file.
    values : values of the experiment by dotted key, in place of those of the file, or of keys that the file lacks; the
        sweep must not vary these keys.

    Raises
    ------
    InputError
        The name is unknown, the file cannot be read, or a value is refused.

    Examples
    --------
    >>> load_sweep("cot-gau", {"run.seed": 5}).seed
    5
    """
    known, name = sweeps(), str(source)
    if name not in known and not (name.endswith(".toml") or "/" in name or os.path.isfile(name)):
        raise InputError(f"sweep must be {unlisted(name, known, ', or a .toml file')}")
    return Sweep.from_toml(known.get(name, Path(name)), values)
