"""Parameter sweeps: many experiments in one folder. Names are imported on first use, which keeps the import light."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastcollapse.errors import no_attribute

if TYPE_CHECKING:
    from fastcollapse.sweeps.collect import collect_sweep, extract_point
    from fastcollapse.sweeps.load import load_sweep
    from fastcollapse.sweeps.points import Sweep
    from fastcollapse.sweeps.run import run_sweep
    from fastcollapse.sweeps.slurm import slurm_script
    from fastcollapse.sweeps.status import sweep_status

_MODULES = {
    "Sweep": "points",
    "collect_sweep": "collect",
    "extract_point": "collect",
    "load_sweep": "load",
    "run_sweep": "run",
    "slurm_script": "slurm",
    "sweep_status": "status",
}

__all__ = [
    "Sweep",
    "collect_sweep",
    "extract_point",
    "load_sweep",
    "run_sweep",
    "slurm_script",
    "sweep_status",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise no_attribute(__name__, name, __all__)
    return getattr(import_module(f"fastcollapse.sweeps.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
