"""Provenance of a results file: versions, machine and time."""

import functools
import importlib.metadata
import os
import platform
import sys
from datetime import UTC, datetime
from typing import Any

from fastcollapse.kernels.random.streams import STREAMS_VERSION

# Packages that some runs use: name -> module. They are recorded where the module is loaded.
_OPTIONAL = {"scikit-learn": "sklearn"}
_PACKAGES = ("fastcollapse", "numba", "llvmlite", "numpy", "scipy", "h5py")


def provenance() -> dict[str, Any]:
    """Return versions, processor, number of cores and the current time (UTC, ISO 8601) as JSON values.

    Examples
    --------
    >>> sorted(provenance())
    ['created', 'machine', 'n_cores', 'packages', 'processor', 'python', 'streams']
    """
    used = [name for name, module in _OPTIONAL.items() if module in sys.modules]
    return {
        "packages": {name: _version(name) for name in (*_PACKAGES, *used)},
        "streams": STREAMS_VERSION,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "n_cores": os.cpu_count(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def changes(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...]:
    """Return the packages, the version of streams and the parts of the machine that changed, as text."""
    packages = old.get("packages", {})
    before = {**packages, **{k: old.get(k) for k in ("python", "machine", "processor")}}
    after = {
        **{name: _version(name) for name in packages},
        **new["packages"],
        **{k: new[k] for k in ("python", "machine", "processor")},
    }
    before["version of streams"], after["version of streams"] = old.get("streams", 1), new["streams"]
    return tuple(f"{k} {before[k]} became {after.get(k)}" for k in before if before[k] != after.get(k))


@functools.cache
def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


@functools.cache
def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    # A virtual machine may give any name, and a reader refuses control characters.
                    return "".join(c for c in line.partition(":")[2].strip() if c.isprintable())
    except OSError:
        pass
    return platform.processor() or "unknown"
