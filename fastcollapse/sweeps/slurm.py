"""Slurm job array of a sweep: the batch script, in which each element computes one shard."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from fastcollapse.datasets.shipped import sweeps
from fastcollapse.errors import InputError
from fastcollapse.sweeps.folder import make_folder
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.precompile import precompile
from fastcollapse.sweeps.task_queue import PRECOMPILED_POINTS

_SCRIPT = """#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --array=1-{n}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --time=1-00:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --output="{folder}/slurm-%A_%a.log"
# If an element reaches its time limit, submit this script again: it computes only the missing points.
exec {command} --shard "$SLURM_ARRAY_TASK_ID/{n}" --jobs "$SLURM_CPUS_PER_TASK"
"""


def slurm_script(
    sweep: Sweep, path: str | Path, n_elements: int, *, source: str, options: Mapping[str, object] | None = None
) -> str:
    """Make the folder of a sweep, compile its kernels, and return the script of a job array that computes the points.

    Parameters
    ----------
    path : a new folder, or the folder of this sweep.
    n_elements : number of elements of the job array, at least 1.
    source : name of a shipped sweep, or path of the experiment file; see `load_sweep`.
    options : further options of `fastcollapse sweep`, without the dashes: a value, a list of values for an option that
        is given several times, True for a flag; None and False are left out.

    Raises
    ------
    InputError
        `n_elements` is below 1, or the folder holds something else; see `run_sweep`.
    StoreError
        The folder cannot be written.
    """
    if n_elements < 1:
        raise InputError(f"slurm must be at least 1, got {n_elements}")
    folder = make_folder(Path(path), sweep)
    precompile(folder.sweep[index].experiment for index in range(min(len(folder), PRECOMPILED_POINTS)))
    program = shutil.which("fastcollapse") or str(Path(sys.executable).with_name("fastcollapse"))
    full_source = source if source in sweeps() else str(Path(source).resolve())
    full_path = folder.path.resolve()
    command = [os.path.abspath(program), "sweep", full_source, "-o", str(full_path), *_words(options or {})]
    return _SCRIPT.format(
        name=shlex.quote(full_path.name),
        n=n_elements,
        folder=str(full_path).replace("%", "%%"),  # Slurm replaces a single % in file names
        command=shlex.join(command),
    )


def _words(options: Mapping[str, object]) -> list[str]:
    """Return options as words of a command line.

    Examples
    --------
    >>> _words({"set": ["a=1", "b=2"], "seed": None, "threads": 2, "retry": True, "yes": False})
    ['--set', 'a=1', '--set', 'b=2', '--threads', '2', '--retry']
    """
    words: list[str] = []
    for name, value in options.items():
        for item in value if isinstance(value, list | tuple) else [value]:
            if item is True:
                words.append(f"--{name}")
            elif item is not None and item is not False:
                words += [f"--{name}", str(item)]
    return words
