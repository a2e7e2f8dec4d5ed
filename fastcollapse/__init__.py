"""Fast simulation of model collapse (recursive training), with exact theory for comparison.

Public names are imported at their first use, so that the command line starts without Numba.
"""

from importlib import import_module

TYPE_CHECKING = False  # type checkers take it for that of typing, whose import takes time
if TYPE_CHECKING:
    from fastcollapse.api.cases import compare, plot
    from fastcollapse.api.results import Results, open_results
    from fastcollapse.api.simulate import simulate
    from fastcollapse.datasets.categorical import CategoricalDistribution
    from fastcollapse.datasets.count_spectrum import CountSpectrum, ZipfMandelbrotLaw
    from fastcollapse.datasets.load import load_truth
    from fastcollapse.errors import FastcollapseError, InputError, StoreError
    from fastcollapse.simulation.experiment import Experiment
    from fastcollapse.simulation.precompile import precompile
    from fastcollapse.sweeps.points import Sweep
    from fastcollapse.sweeps.run import run_sweep

__version__ = "0.2.0.dev0"

_MODULES = {
    "Experiment": "simulation.experiment",
    "FastcollapseError": "errors",
    "InputError": "errors",
    "Results": "api.results",
    "StoreError": "errors",
    "Sweep": "sweeps.points",
    "CategoricalDistribution": "datasets.categorical",
    "CountSpectrum": "datasets.count_spectrum",
    "ZipfMandelbrotLaw": "datasets.count_spectrum",
    "compare": "api.cases",
    "load_truth": "datasets.load",
    "open_results": "api.results",
    "plot": "api.cases",
    "precompile": "simulation.precompile",
    "run_sweep": "sweeps.run",
    "simulate": "api.simulate",
}

__all__ = [
    "CategoricalDistribution",
    "CountSpectrum",
    "Experiment",
    "FastcollapseError",
    "InputError",
    "Results",
    "StoreError",
    "Sweep",
    "ZipfMandelbrotLaw",
    "compare",
    "load_truth",
    "open_results",
    "plot",
    "precompile",
    "run_sweep",
    "simulate",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'fastcollapse' has no attribute {name!r}")
    return getattr(import_module(f"fastcollapse.{_MODULES[name]}"), name)
