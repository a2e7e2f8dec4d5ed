"""Merge of packs: a finished folder has full packs in the order of the points, whichever process computed them."""

import itertools
import time

from fastcollapse.errors import StoreError
from fastcollapse.storage.atomic_write import Rename
from fastcollapse.storage.base import Reader
from fastcollapse.storage.file_lock import AlreadyLocked, Lock
from fastcollapse.storage.pack import is_small, write_pack
from fastcollapse.storage.readers import open_file
from fastcollapse.sweeps.folder import TIME_STAMP_SECONDS, SweepFolder
from fastcollapse.sweeps.manifest import CLAIMS, PACKS

POINTS_PER_PACK = 1000
_WAIT_SECONDS = 60.0


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
        folder.remove_abandoned()
        for path in (folder.path / PACKS).glob("*.merged"):  # a killed merge of version 0.1
            path.unlink()
        # All new packs, even if other packs have all of their points: a kill may have left both.
        new = {pack.path: pack for pack in packs if pack.path.name.startswith("new-")}
        files = {index for index in folder.with_file() if is_small(open_file(folder.point_path(index)))}
        present = packed.keys() | files
        changed = {index // POINTS_PER_PACK for index in (*files, *itertools.chain(*new.values())) if index in present}
        ranges = [_points_of_pack(folder, k) for k in sorted(changed)]
        folder.check_before_copying(index for points in ranges for index in points if index in present)
        for points in ranges:
            target = folder.path / PACKS / f"{points.start:06d}-{points.stop - 1:06d}.h5"
            runs = ((index, _small_reader(folder, index)) for index in points if index in present)
            write_pack(target, runs, Rename(replace=True, check=lambda: _check_held(lock, folder)))
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


def _check_held(lock: Lock, folder: SweepFolder) -> None:
    """Check before a pack is replaced that no other process merges packs, and that the folder is that of the sweep.

    Raises
    ------
    StoreError
        It is not.
    """
    folder.check_unchanged()
    if not lock.is_held():
        raise StoreError(f"{lock.path}: was removed, or another process has taken it")


def _acquire(folder: SweepFolder) -> Lock:
    end = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            return Lock(folder.path / CLAIMS / "merge")
        except AlreadyLocked as error:
            if time.monotonic() > end:
                raise StoreError(f"{folder.path}: {error} has been merging it for {_WAIT_SECONDS:g} s") from error
            time.sleep(TIME_STAMP_SECONDS)
