"""Which command is meant where a command is given the path of something else."""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from fastcollapse.errors import InputError

# Kind -> what the path is, and the command for it; see `explained`.
_MEANT = {
    "results": "{path} is the results file of a run: use `fastcollapse info {path}`, or `fastcollapse run --resume "
    "{path}` if the run is not finished",
    "parts": "{path} is a part of an unfinished run: use `fastcollapse info {owner}`",
    "collected": "{path} is a collected sweep: use `fastcollapse plot {path}`, or `fastcollapse collect DIR --point N` "
    "with the folder of the sweep for the results file of one point",
    "sweep folder": "{path} is the folder of a sweep: use `fastcollapse status {path}`, or "
    "`fastcollapse collect {path} --point N` for the results file of one point",
    "in a sweep": "{path} is a part of a sweep: use `fastcollapse status {owner}`, or "
    "`fastcollapse collect {owner} --point N` for the results file of one point",
    "experiment": "{path} is an experiment file without a section [sweep]: use `fastcollapse run {path}`",
    "sweep file": "{path} is an experiment file with a section [sweep]: use `fastcollapse sweep {path}`",
    "recipe": "{path} is the name of a recipe: use `fastcollapse run {path}`",
    "recipe.toml": "{path} does not exist; {owner} is a recipe: use `fastcollapse run {owner}`",
    "shipped sweep": "{path} is the name of a sweep: use `fastcollapse sweep {path}`",
    "shipped sweep.toml": "{path} does not exist; {owner} is a sweep: use `fastcollapse sweep {owner}`",
    "figure": "{path} is a figure: use `fastcollapse info {owner}`",
}


@contextmanager
def command_for(path: str | os.PathLike[str], *expected: str) -> Iterator[None]:
    """Name the command that is meant if what is done with a path fails because the path is of another kind.

    Parameters
    ----------
    expected : kinds that the caller accepts; for these its own error is kept.

    Raises
    ------
    InputError
        With the command that is meant, or with a file of a similar name if there is none at the path.
    """
    try:
        yield
    except InputError as error:
        from fastcollapse.sweeps.path_kinds import explained  # start-up time

        raise explained(error, path, expected, _MEANT, shlex.quote) from error.__cause__
