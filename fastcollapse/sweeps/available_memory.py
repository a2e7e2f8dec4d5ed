"""Memory that new processes of this machine can use: what is free, within the limits of the control groups."""

import os
from collections.abc import Iterator
from pathlib import Path

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
# Files of a control group: its limit, its usage, and the pages of files in its statistics that the system can drop.
_VERSION_2 = ("memory.max", "memory.current", "inactive_file")
_VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def available_memory() -> int | None:
    """Return the bytes that new processes can use without swapping; None if the system does not tell it."""
    found = [n for n in (_free(), *_left_in_groups()) if n is not None]
    return min(found, default=None)


def _free() -> int | None:
    """Return the free memory of the machine with its caches; all of its memory where only this is known."""
    try:
        for line in (_PROC / "meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _left_in_groups() -> Iterator[int]:
    """Yield what is left of the limit of each control group that this process is in; groups without a limit are none.

    In a container the path of the group may be that of the host, which does not exist; its root then has the limit.
    """
    try:
        lines = (_PROC / "self" / "cgroup").read_text().splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        _, controllers, path = line.split(":", 2) if line.count(":") > 1 else ("", "none", "")
        if not controllers:
            root, names = _CGROUPS, _VERSION_2
        elif "memory" in controllers.split(","):
            root, names = _CGROUPS / "memory", _VERSION_1
        else:
            continue
        group = root / path.strip("/")
        for folder in (group, *group.parents):
            left = _left(folder, *names)
            if left is not None:
                yield left
            if folder == root:
                break


def _left(group: Path, limit: str, usage: str, dropped: str) -> int | None:
    """Return what is left of the limit of a control group; None if it has none."""
    try:
        most, used = int((group / limit).read_text()), int((group / usage).read_text())
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return max(0, most - used + int(statistics.get(dropped, 0)))
    except (OSError, ValueError):  # the limit "max" is none
        return None
