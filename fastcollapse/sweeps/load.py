"""Loading of sweeps by the name of a shipped sweep or by the path of an experiment file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastcollapse.datasets.shipped import sweeps
from fastcollapse.errors import InputError, nearest
from fastcollapse.sweeps.points import Sweep


def load_sweep(source: str | Path, values: Mapping[str, Any] | None = None) -> Sweep:
    """Return a sweep.

    Parameters
    ----------
    source : name of a sweep that is shipped with fastcollapse, or path of an experiment file.
    values : new values of the experiment by dotted key; the sweep must not vary these keys.

    Raises
    ------
    InputError
        The name is unknown, the file cannot be read, or a value is refused.

    Examples
    --------
    >>> load_sweep("cot-gau", {"run.seed": 5}).seed
    5
    """
    shipped, name = sweeps(), str(source)
    if name not in shipped and not (name.endswith(".toml") or "/" in name or os.path.isfile(name)):
        raise InputError(
            f"sweep must be one of {', '.join(shipped)}, or a .toml file, got {name!r}{nearest(name, shipped)}"
        )
    sweep = Sweep.from_toml(shipped.get(name, Path(name)))
    return sweep.with_values(values) if values else sweep
