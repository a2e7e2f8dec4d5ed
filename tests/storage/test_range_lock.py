"""Byte-range locks: one owner each, until release or the end of the process."""

import os
import signal
import subprocess
import sys

from fastcollapse.storage.range_lock import RANGE_BYTES, RangeLocks

OWNER = """
import signal, sys
from pathlib import Path
from fastcollapse.storage.range_lock import RangeLocks
held = [RangeLocks(Path(sys.argv[1])).claim(n) for n in (3, 70)]
print("held", flush=True)
signal.pause()
"""


def test_locks__have_one_owner_each(tmp_path):
    locks = RangeLocks(tmp_path / "locks")
    first, second = locks.claim(0), locks.claim(5)
    assert RangeLocks(tmp_path / "locks").claim(5) is None
    assert locks.claim(0) is None
    assert dict(locks.held()).keys() == {0, 5}
    first.release()
    first.release()
    assert dict(locks.held()) == {5: f"process {os.getpid()} on {os.uname().nodename}"}
    again = locks.claim(0)
    assert again is not None
    again.release()
    second.release()
    assert list(locks.held()) == []
    assert (tmp_path / "locks").stat().st_size == 6 * RANGE_BYTES


def test_locks__end_with_their_process(tmp_path):
    command = [sys.executable, "-c", OWNER, str(tmp_path / "locks")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        locks = RangeLocks(tmp_path / "locks")
        assert [number for number, _ in locks.held()] == [3, 70]
        assert all(f"process {process.pid} on" in who for _, who in locks.held())
        assert locks.claim(3) is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert list(locks.held()) == []
    locks.claim(3).release()


def test_locks__create_no_file_before_claim(tmp_path):
    assert list(RangeLocks(tmp_path / "locks").held()) == []
    assert list(tmp_path.iterdir()) == []
