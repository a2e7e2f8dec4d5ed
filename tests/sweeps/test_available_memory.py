"""Memory that is available, by the files of a made-up system."""

import pytest

from fastcollapse.sweeps import available_memory as module
from fastcollapse.sweeps.available_memory import available_memory

GIB = 1 << 30


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A machine with 8 GiB available and no control group."""
    monkeypatch.setattr(module, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(module, "_CGROUPS", tmp_path / "cgroup")
    write(tmp_path / "proc", meminfo=f"MemTotal: 99999999 kB\nMemAvailable:  {8 * GIB >> 10} kB\n")
    write(tmp_path / "proc" / "self", cgroup="0::/\n")
    return tmp_path


def test_memory__is_that_of_the_machine_without_groups(system):
    assert available_memory() == 8 * GIB
    (system / "proc" / "self" / "cgroup").unlink()
    assert available_memory() == 8 * GIB


def test_memory__is_all_of_the_machine_where_no_more_is_known(system, monkeypatch):
    (system / "proc" / "meminfo").write_text("MemAvailable: many\n")
    monkeypatch.setattr(module.os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 100}.__getitem__)
    assert available_memory() == 409_600

    def unknown(name):
        raise ValueError(name)

    monkeypatch.setattr(module.os, "sysconf", unknown)
    assert available_memory() is None


@pytest.mark.parametrize("inner", ["max\n", str(4 * GIB)])
def test_memory__has_the_smallest_limit_of_the_groups_above(system, inner):
    """Version 2: the job has 3 GiB, of which 2 are used, and half a GiB of these are pages of files."""
    write(system / "proc" / "self", cgroup="0::/jobs/job 1: a/step\n")
    jobs = system / "cgroup" / "jobs" / "job 1: a"
    write(jobs, memory__max=f"{3 * GIB}\n", memory__current=f"{2 * GIB}\n", memory__stat=f"inactive_file {GIB // 2}\n")
    write(jobs / "step", memory__max=inner, memory__current="0\n", memory__stat="anon 1\n")
    assert available_memory() == 1.5 * GIB


def test_memory__has_the_limit_of_version_1_in_a_container(system):
    """The path of the group is that of the host; more is used than allowed for a moment."""
    write(system / "proc" / "self", cgroup="garbage\n5:cpu,memory:/docker/0123\n0::/\n")
    files = {"memory__limit_in_bytes": f"{2 * GIB}\n", "memory__stat": f"total_inactive_file {GIB}\n"}
    write(system / "cgroup" / "memory", memory__usage_in_bytes=f"{GIB}\n", **files)
    assert available_memory() == 2 * GIB
    write(system / "cgroup" / "memory", memory__usage_in_bytes=f"{4 * GIB}\n")
    assert available_memory() == 0
