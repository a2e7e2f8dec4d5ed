"""Status of a sweep from Python, as printed by the command."""

import pytest

from fastcollapse.errors import InputError
from fastcollapse.sweeps.folder import SweepFolder
from fastcollapse.sweeps.replicate_ranges import WorkUnit
from fastcollapse.sweeps.run import run_sweep
from fastcollapse.sweeps.status import sweep_status
from tests.sweeps._example_sweeps import small_sweep


def test_status__counts_every_point_once(tmp_path):
    run_sweep(small_sweep(), tmp_path / "s", shard=(1, 3))
    folder = SweepFolder(tmp_path / "s")
    folder.note_failure(0, {"error": "old"})
    folder.note_failure(5, {})
    folder.note_failure(1, {"error": "disk"})
    (folder.path / "points" / "000004.h5.parts").mkdir()
    claim = folder.claim(WorkUnit(2))
    status = sweep_status(tmp_path / "s")
    claim.release()
    assert (status.n_points, status.n_missing) == (6, 1)
    assert (status.done, set(status.running), status.begun) == ({0, 3}, {2}, {4})
    assert status.failed == {1: "disk", 5: "unknown"}
    assert status.axes == "workflow.n_samples (3 values) x truth.uniform (2 values)"


def test_status__refuses_other_folders(tmp_path):
    with pytest.raises(InputError, match="must be the folder of a sweep"):
        sweep_status(tmp_path)
