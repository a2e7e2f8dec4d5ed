"""Byte-range locks: one owner each, until release or the end of the process."""

import itertools
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


def test_locks__of_one_process_need_one_descriptor(tmp_path):
    locks = RangeLocks(tmp_path / "locks")
    before = len(os.listdir("/proc/self/fd"))
    held = [locks.claim(number) for number in range(200)]
    assert len(os.listdir("/proc/self/fd")) == before + 1
    assert RangeLocks(tmp_path / "locks").claim(150) is None
    assert [number for number, _ in locks.held()] == list(range(200))
    for lock in held:
        lock.release()
    assert len(os.listdir("/proc/self/fd")) == before


def test_locks__of_several_processes_are_all_reported(tmp_path):
    """The system lists the locks of one process after those of another."""
    several = [RangeLocks(tmp_path / "locks") for _ in range(3)]
    numbers = [[7, 8, 2], [0, 9, 4], [3, 30]]
    held = [locks.claim(number) for locks, own in zip(several, numbers, strict=True) for number in own]
    assert [number for number, _ in several[0].held()] == sorted(itertools.chain(*numbers))
    for lock in held:
        lock.release()
    assert list(several[0].held()) == []


def test_locks__of_a_replaced_file_do_not_count(tmp_path):
    """The folder was removed and made again: the locks of the old file exclude nobody from the new one."""
    locks = RangeLocks(tmp_path / "locks")
    old = locks.claim(0)
    (tmp_path / "locks").unlink()
    other = RangeLocks(tmp_path / "locks").claim(1)
    assert locks.claim(1) is None
    new = locks.claim(0)
    assert dict(RangeLocks(tmp_path / "locks").held()).keys() == {0, 1}
    for lock in (old, new, other):
        lock.release()


def test_locks__of_a_forked_process_are_its_own(tmp_path):
    locks = RangeLocks(tmp_path / "locks")
    kept = locks.claim(0)
    child = os.fork()
    if not child:
        kept.release()  # has no effect on the parent
        os._exit(0 if locks.claim(0) is None and locks.claim(1) is not None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert dict(locks.held()).keys() == {0}
    kept.release()
