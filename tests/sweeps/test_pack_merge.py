"""Merge of packs by one process at a time."""

import pytest

from fastcollapse.errors import StoreError
from fastcollapse.sweeps import pack_merge
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.run import run_sweep
from tests.sweeps._example_sweeps import small_sweep


def test_merge__replaces_no_pack_if_its_lock_was_taken(tmp_path, monkeypatch):
    write_pack = pack_merge.write_pack

    def taken(*arguments):
        (tmp_path / "s" / "claims" / "merge").write_text("process 1 on another machine")
        write_pack(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(pack_merge, "write_pack", taken)
        with pytest.raises(StoreError, match="claims/merge: was removed, or another process has taken it"):
            run_sweep(small_sweep(), tmp_path / "s")
    packs = tmp_path / "s" / "packs"
    assert all(one.name.startswith("new-") for one in packs.iterdir())
    assert SweepFolder(tmp_path / "s").check() == 6
    run_sweep(small_sweep(), tmp_path / "s")
    assert [one.name for one in packs.iterdir()] == ["000000-000005.h5"]
