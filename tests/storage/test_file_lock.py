"""File lock: one writer at a time, released when its process ends."""

import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from fastcollapse.storage.file_lock import AlreadyLocked, Lock, owner

HOLDER = """
import signal, sys
from pathlib import Path
from fastcollapse.storage.file_lock import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
signal.pause()
"""


def test_lock__is_exclusive_and_names_its_owner(tmp_path):
    path = tmp_path / "lock"
    assert owner(path) is None
    lock = Lock(path)
    with pytest.raises(AlreadyLocked, match=f"process {os.getpid()} on "):
        Lock(path)
    assert owner(path).startswith(f"process {os.getpid()} on ")
    lock.release()
    assert list(tmp_path.iterdir()) == []
    Lock(path).release()


def test_lock__ends_with_its_process(tmp_path):
    path = tmp_path / "lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyLocked, match=f"process {holder.pid} on "):
            Lock(path)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    assert path.exists()
    assert owner(path) is None
    Lock(path).release()


def test_lock__is_retried_if_file_was_removed(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    flock, removed = fcntl.flock, []

    def removes_first(fd, how):
        if not removed:
            removed.append(path.unlink())
        flock(fd, how)

    monkeypatch.setattr(fcntl, "flock", removes_first)
    lock = Lock(path)
    assert path.exists()
    assert owner(path) is not None
    lock.release()


def test_lock__file_system_without_locks_is_supported(tmp_path, monkeypatch):
    def unknown(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", unknown)
    lock = Lock(tmp_path / "lock")
    assert owner(tmp_path / "lock") is None
    lock.release()
