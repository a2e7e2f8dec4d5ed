"""Slurm job array of a sweep: the batch script, in which each element computes one shard, and a job that collects."""

import math
import os
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from fastcollapse.datasets.shipped import sweeps
from fastcollapse.errors import InputError
from fastcollapse.sweeps.folder import make_folder
from fastcollapse.sweeps.needs import Needs, estimate_needs
from fastcollapse.sweeps.points import Sweep
from fastcollapse.sweeps.precompile import precompile
from fastcollapse.sweeps.task_queue import PRECOMPILED_POINTS

# Elements that run at the same time, so that one sweep does not take a whole queue.
_THROTTLE = 100
# The time limit is this multiple of the estimate, and the start, in seconds. Without an estimate it is a day.
_MARGIN, _START, _NO_ESTIMATE = 2.0, 300.0, 86_400.0
# The memory is this multiple of what was measured or estimated, in whole units of bytes.
_MEMORY_MARGIN, _MEMORY_UNIT = 1.3, 256 << 20
# An element of this duration, in seconds, starts quickly, and its start takes a small part of it.
_GOOD_SECONDS = 1800.0

_SCRIPT = """#!/bin/bash
# Submit with:  bash THIS_FILE      (the job array, and a job that collects the points after it)
#          or:  sbatch THIS_FILE    (the job array alone)
# Submit it again to compute what is missing: points that are done are not computed again.
#SBATCH --job-name={name}
#SBATCH --array=1-{n}%{throttle}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
{needs}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@120
#SBATCH --output="{folder}/slurm-%A_%a.log"
# For a partition or an account, remove one # and write its name:
##SBATCH --partition=NAME
##SBATCH --account=NAME
{advice}

if [ -z "${{SLURM_ARRAY_TASK_ID:-}}" ]; then
    set -e
    array=$(sbatch --parsable "$0")
    array=${{array%%;*}}
    mapfile -t chosen < <(sed -n -E 's/^#SBATCH (--(partition|account|qos)=.*)$/\\1/p' "$0")
    # afterany, not afterok: a point that failed, or an element out of time, must not keep the others from being
    # collected. The log says what is missing; a later collection replaces the file.
    sbatch "${{chosen[@]}}" --dependency=afterany:"$array" --job-name={collect_name} --time=01:00:00 --mem=4G \\
        --output={collect_log} --wrap={collect}
    echo "submitted the array $array of {n} elements"
    exit
fi

exec {command} --shard "$SLURM_ARRAY_TASK_ID/{n}" --jobs "$SLURM_CPUS_PER_TASK"
"""


def slurm_script(
    sweep: Sweep, path: str | Path, n_elements: int, *, source: str, options: Mapping[str, object] | None = None
) -> str:
    """Make the folder of a sweep, compile its kernels, and return the script of a job array that computes the points.

    Memory and time in the script are estimates, which its comments explain. A script that is run by bash submits itself
    and a job that collects the points.

    Parameters
    ----------
    path : a new folder, or the folder of this sweep.
    n_elements : number of elements of the job array, at least 1.
    source : name of a shipped sweep, or path of the experiment file; see `load_sweep`.
    options : further options of `fastcollapse sweep`, without the dashes: a value, a list of values for an option that
        is given several times, True for a flag; None and False are left out.

    Returns
    -------
    The script, or "" if no point is left to compute.

    Raises
    ------
    InputError
        `n_elements` is below 1, or the folder holds something else; see `run_sweep`.
    StoreError
        The folder cannot be written.
    """
    if n_elements < 1:
        raise InputError(f"slurm must be at least 1, got {n_elements}")
    given = options or {}
    folder = make_folder(Path(path), sweep)
    n_ranges = math.ceil(n_elements / len(folder))
    skipped = folder.done() | (set() if given.get("retry") else set(folder.failures()))
    missing = [index for index in range(len(folder)) if index not in skipped]
    if not missing:
        return ""
    precompile(folder.sweep[index].experiment for index in missing[:PRECOMPILED_POINTS])
    needs = estimate_needs(folder, missing)
    if n_ranges == 1:  # point i is in the element i modulo their number, see `run_sweep`
        most = max(Counter(index % n_elements for index in missing).values())
    else:
        most = math.ceil(len(missing) * n_ranges / n_elements)
    program = shutil.which("fastcollapse") or str(Path(sys.executable).with_name("fastcollapse"))
    program = os.path.abspath(program)
    full_source = source if source in sweeps() else str(Path(source).resolve())
    full_path = folder.path.resolve()
    logs = str(full_path).replace("%", "%%")  # Slurm replaces a single % in file names
    memory = _memory(needs)
    return _SCRIPT.format(
        name=shlex.quote(full_path.name),
        n=n_elements,
        throttle=min(n_elements, _THROTTLE),
        needs="\n".join(_needs_lines(needs, most, n_ranges, memory)),
        advice=_advice(needs, len(missing), n_elements),
        folder=logs,
        collect_log=shlex.quote(f"{logs}/slurm-%j-collect.log"),
        collect_name=shlex.quote(f"{full_path.name}-collect"),
        collect=shlex.quote(_collect_command(program, full_path)),
        command=shlex.join([program, "sweep", full_source, "-o", str(full_path), *_words(given)]),
    )


def _collect_command(program: str, folder: Path) -> str:
    """Return the command line that says what is missing and collects the points; the new file replaces an older one."""
    file, new = (str(folder.with_name(f"{folder.name}{ending}")) for ending in (".h5", "-new.h5"))
    words = [shlex.join(command) for command in (
        [program, "status", str(folder)], ["rm", "-f", new],
        [program, "collect", str(folder), "-o", new], ["mv", "-f", new, file],
    )]  # fmt: skip
    return f"{words[0]}; {words[1]} && {words[2]} && {words[3]}"


def _memory(needs: Needs) -> str:
    """Return the memory of a process for Slurm, such as 1024M."""
    return f"{math.ceil(_MEMORY_MARGIN * needs.memory / _MEMORY_UNIT) * _MEMORY_UNIT >> 20}M"


def _needs_lines(needs: Needs, n_units: int, n_ranges: int, memory: str) -> list[str]:
    """Return the lines of memory and time, each with a comment about the estimate.

    Parameters
    ----------
    n_units : largest number of missing units of an element.
    n_ranges : number of units that a point is split into.
    """
    n = needs.n_measured
    points = f"{n:,} finished point{'s' if n > 1 else ''} of about the size of the largest"
    source = f"measured at {points}" if n else "estimated for the largest point"
    lines = [
        f"# Memory: {needs.memory / 2**20:,.0f} MB {source}, times {_MEMORY_MARGIN:g}. "
        "With more CPUs an element has as many processes: multiply.",
        f"#SBATCH --mem={memory}",
    ]
    if needs.seconds is None:
        return [*lines, "# Time: no point could be timed; change it.", f"#SBATCH --time={_duration(_NO_ESTIMATE)}"]
    estimate = max(needs.longest, n_units * needs.seconds) / (n_ranges if n_ranges > 1 else 1)
    sources = ((needs.n_finished, "finished point"), (needs.n_trials, "trial"))
    source = " and ".join(f"{n} {name}{'s' if n > 1 else ''}" for n, name in sources if n)
    share = f"{n_units:,} point{'s' if n_units > 1 else ''}" if n_ranges == 1 else f"1/{n_ranges} of a point"
    return [
        *lines,
        f"# Time: {_text(estimate)} estimated for an element ({share}) from {source}, on one core of this machine, "
        f"times {_MARGIN:g}, and {_text(_START)} for its start.",
        f"#SBATCH --time={_duration(_MARGIN * estimate + _START)}",
    ]


def _advice(needs: Needs, n_missing: int, n_elements: int) -> str:
    """Return a comment about the number of elements."""
    if needs.seconds is None:
        return f"# {n_missing:,} points in {n_elements:,} elements."
    total = needs.seconds * n_missing
    good = max(1, min(n_missing, math.ceil(total / _GOOD_SECONDS)))
    return (
        f"# {n_missing:,} points, {_text(total)} of one core in all, in {n_elements:,} elements. "
        f"Advice: --slurm {good}, elements of {_text(total / good)} each.\n"
        "# Shorter elements mostly wait and start; more elements than points split the replicates of a point."
    )


def _duration(seconds: float) -> str:
    """Return a time limit of Slurm in whole minutes, rounded up.

    Examples
    --------
    >>> _duration(30), _duration(3600), _duration(90_000)
    ('00:01:00', '01:00:00', '1-01:00:00')
    """
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    days, hours = divmod(hours, 24)
    return f"{f'{days}-' if days else ''}{hours:02d}:{minutes:02d}:00"


def _text(seconds: float) -> str:
    """Return a duration for people, with two digits.

    Examples
    --------
    >>> _text(0.5), _text(90), _text(7000)
    ('0.5 s', '90 s', '1.9 h')
    """
    for size, unit, limit in ((1.0, "s", 120.0), (60.0, "min", 5400.0)):
        if seconds < limit:
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    return f"{float(f'{seconds / 3600:.2g}'):g} h"


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
