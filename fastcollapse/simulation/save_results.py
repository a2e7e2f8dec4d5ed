"""Saving of results, in memory or in a file, to a new results file."""

from pathlib import Path

from fastcollapse.config.output_paths import RESULTS, check_output_file, make_output_parent
from fastcollapse.errors import InputError
from fastcollapse.simulation.recorded_run import RecordedRun
from fastcollapse.storage.atomic_write import Rename
from fastcollapse.storage.pack import write_run
from fastcollapse.storage.part_files import is_begun
from fastcollapse.storage.parts_folder import check_free, unfinished


def save_run(run: RecordedRun, path: str | Path, overwrite: bool = False) -> None:
    """Write the data of a finished run to a new results file, see `Results.save`."""
    path = Path(path)
    check_output_file(path, RESULTS)
    if not run.finished:
        where = run.path or "a run in memory"
        raise InputError(f"results must be finished to be saved, got generations 0 to {run.last:,} of {where}")
    check_free(path, overwrite)
    if is_begun(path):
        raise unfinished(path)
    make_output_parent(path)
    write_run(path, run.reader, Rename(replace=overwrite))
