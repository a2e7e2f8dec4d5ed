"""Slots: one owner each, until it lets go or dies."""

import os
import signal
import subprocess
import sys

from fastcollapse.storage.range_lock import SLOT, Slots

OWNER = """
import sys, time
from pathlib import Path
from fastcollapse.storage.range_lock import Slots
held = [Slots(Path(sys.argv[1])).claim(n) for n in (3, 70)]
print("held", flush=True)
time.sleep(60)
"""


def test_slots__have_one_owner_each(tmp_path):
    slots = Slots(tmp_path / "slots")
    first, second = slots.claim(0), slots.claim(5)
    assert Slots(tmp_path / "slots").claim(5) is None
    assert slots.claim(0) is None
    assert dict(slots.taken()).keys() == {0, 5}
    first.release()
    first.release()
    assert dict(slots.taken()) == {5: f"process {os.getpid()} on {os.uname().nodename}"}
    again = slots.claim(0)
    assert again is not None
    again.release()
    second.release()
    assert list(slots.taken()) == []
    assert (tmp_path / "slots").stat().st_size == 6 * SLOT


def test_slots__die_with_their_owner(tmp_path):
    command = [sys.executable, "-c", OWNER, str(tmp_path / "slots")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        slots = Slots(tmp_path / "slots")
        assert [number for number, _ in slots.taken()] == [3, 70]
        assert all(f"process {process.pid} on" in who for _, who in slots.taken())
        assert slots.claim(3) is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert list(slots.taken()) == []
    slots.claim(3).release()


def test_slots__that_nobody_has_claimed_leave_no_file(tmp_path):
    assert list(Slots(tmp_path / "slots").taken()) == []
    assert list(tmp_path.iterdir()) == []
