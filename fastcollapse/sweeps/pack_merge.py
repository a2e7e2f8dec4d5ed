"""Merge of packs: a finished folder has full packs in the order of the points, whichever process computed them."""

import itertools
import os
import re
import time
from contextlib import suppress
from pathlib import Path

from fastcollapse.errors import StoreError
from fastcollapse.storage.atomic_write import sync_folder
from fastcollapse.storage.base import Reader
from fastcollapse.storage.file_lock import AlreadyLocked, Lock
from fastcollapse.storage.pack import write_pack
from fastcollapse.storage.readers import open_file
from fastcollapse.sweeps.folder import TIME_STAMP_SECONDS, SweepFolder, is_small
from fastcollapse.sweeps.manifest import CLAIMS, PACKS

POINTS_PER_PACK = 1000
_WAIT_SECONDS = 60.0
# Age in seconds of a temporary pack that no process writes any more: writing one takes less than a second.
_ABANDONED_SECONDS = 3600.0
_MERGED = re.compile(r".*\.merged(?:\.tmp)?")


def merge_packs(folder: SweepFolder) -> None:
    """Merge the small points of a folder into full packs, and remove the files that killed processes have left.

    Pack k has the small points from 1,000 k on. Only packs that change are written.

    Raises
    ------
    StoreError
        The packs cannot be written, or the data do not match their checksums; the points stay in their old files.
    """
    lock = _acquire(folder)
    try:
        packs = folder.packs()
        packed = folder.packed()
        _remove_temporaries(folder.path / PACKS)
        # All new packs, even if other packs have all of their points: a kill may have left both.
        new = {pack.path: pack for pack in packs if pack.path.name.startswith("new-")}
        files = {index for index in folder.with_file() if is_small(open_file(folder.point_path(index)))}
        present = packed.keys() | files
        changed = {index // POINTS_PER_PACK for index in (*files, *itertools.chain(*new.values())) if index in present}
        ranges = [_points_of_pack(folder, k) for k in sorted(changed)]
        folder.check_before_copying(index for points in ranges for index in points if index in present)
        for points in ranges:
            target = folder.path / PACKS / f"{points.start:06d}-{points.stop - 1:06d}.h5"
            merged = target.with_name(f"{target.stem}.merged")
            write_pack(merged, ((index, _small_reader(folder, index)) for index in points if index in present))
            os.replace(merged, target)
        if changed:
            sync_folder(folder.path / PACKS)
        for path in (*new, *map(folder.point_path, files)):
            path.unlink(missing_ok=True)
        folder.clear_claims()
    finally:
        lock.release()


def _points_of_pack(folder: SweepFolder, k: int) -> range:
    return range(k * POINTS_PER_PACK, min((k + 1) * POINTS_PER_PACK, len(folder)))


def _small_reader(folder: SweepFolder, index: int) -> Reader:
    pack = folder.packed().get(index)
    return open_file(folder.point_path(index)) if pack is None else pack.reader(index)


def _remove_temporaries(packs: Path) -> None:
    """Remove temporary files of killed processes: all of merges, because the lock is held, and old ones of workers."""
    for path in packs.iterdir():
        with suppress(FileNotFoundError):
            if _MERGED.fullmatch(path.name) or (
                path.suffix == ".tmp" and time.time() - path.stat().st_mtime > _ABANDONED_SECONDS
            ):
                path.unlink()


def _acquire(folder: SweepFolder) -> Lock:
    end = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            return Lock(folder.path / CLAIMS / "merge")
        except AlreadyLocked as error:
            if time.monotonic() > end:
                raise StoreError(f"{folder.path}: {error} has been merging it for {_WAIT_SECONDS:g} s") from error
            time.sleep(TIME_STAMP_SECONDS)
