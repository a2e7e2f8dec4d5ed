"""Loading of sweeps by the name of a shipped sweep or by the path of an experiment file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastcollapse.config.fields import show
from fastcollapse.datasets.recipe_files import unlisted
from fastcollapse.datasets.shipped import sweeps
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.sweeps.path_kinds import call_for
from fastcollapse.sweeps.points import Sweep

SweepSource = Sweep | Mapping[str, Any] | str | os.PathLike[str]


def as_sweep(source: SweepSource) -> Sweep:
    """Return the sweep of a source: a sweep, its mapping, the path of its TOML file, or the name of a shipped sweep.

    Raises
    ------
    InputError
        The source is something else, or a value is refused.

    Examples
    --------
    >>> as_sweep("cot-gau").shape
    (3, 5, 5)
    """
    if isinstance(source, Sweep):
        return source
    if isinstance(source, Mapping):
        return Sweep(source)
    if isinstance(source, str | os.PathLike):
        with call_for(source, "sweep file", "shipped sweep"):
            return load_sweep(os.fspath(source))
    if isinstance(source, Experiment):
        raise InputError("a sweep must have a section [sweep], got an Experiment: use simulate(experiment)")
    raise InputError(
        "sweep must be a Sweep, a mapping with a section [sweep], the path of a TOML file or the name of a shipped "
        f"sweep, got {show(source)}"
    )


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
