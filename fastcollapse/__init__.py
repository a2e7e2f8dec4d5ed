"""Fast simulation of model collapse (recursive training), with exact theory for comparison.

>>> import fastcollapse
>>> experiment = fastcollapse.Experiment.from_mapping({
...     "truth": {"zipf_mandelbrot": {"a": 1.0, "b": 2.7, "size": 100}},
...     "workflow": {"name": "replace", "n_samples": 1000},
...     "run": {"n_generations": 10, "n_replicates": 20, "seed": 1},
... })
>>> results = fastcollapse.simulate(experiment)  # or a mapping, a TOML file, the name of a recipe
>>> alive = results.metrics["support_size"].mean(axis=0)  # metrics are array[replicate, generation]
>>> print(f"{alive[0]:.0f} symbols at the start, {alive[-1]:.1f} after 10 generations")
100 symbols at the start, 66.3 after 10 generations

Runs: `simulate`, `open_results`, `Results`, `plot`, `compare`, `replay`, `check`, `cite`.
Experiments: `Experiment`, `recipes`, `reproduce`, `load_truth`, and the truths `CategoricalDistribution`,
`CountSpectrum` and `ZipfMandelbrotLaw`.
Sweeps: `Sweep`, `run_sweep`, `open_sweep`, `SweepResults`.
Errors: `FastcollapseError`, `InputError`, `StoreError`. Compiled code: `precompile`.
Packages: `theory` has closed forms and exact laws by topic, as in `fastcollapse.theory.discrete.survival_bounds`;
`models` has the families, and `models.register`; `config` has the workflows, and `config.register_workflow`; `datasets`
reads data; `sweeps` has executors, and a call for each command of sweeps.

The page docs/how_to/python.md explains each name. Names are imported at their first use, so that `import` is fast.
"""

from importlib import import_module

from fastcollapse.errors import no_attribute

TYPE_CHECKING = False  # type checkers take it for that of typing, whose import takes time
if TYPE_CHECKING:
    from fastcollapse import config as config
    from fastcollapse import datasets as datasets
    from fastcollapse import models as models
    from fastcollapse import sweeps as sweeps
    from fastcollapse import theory as theory
    from fastcollapse.api.cases import compare, plot
    from fastcollapse.api.check import check
    from fastcollapse.api.cite import cite
    from fastcollapse.api.recipes import recipes
    from fastcollapse.api.replay import replay
    from fastcollapse.api.reproduce import reproduce
    from fastcollapse.api.results import Results, open_results
    from fastcollapse.api.simulate import simulate
    from fastcollapse.api.sweep_results import SweepResults, open_sweep
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
    "CategoricalDistribution": "datasets.categorical",
    "CountSpectrum": "datasets.count_spectrum",
    "Experiment": "simulation.experiment",
    "FastcollapseError": "errors",
    "InputError": "errors",
    "Results": "api.results",
    "StoreError": "errors",
    "Sweep": "sweeps.points",
    "SweepResults": "api.sweep_results",
    "ZipfMandelbrotLaw": "datasets.count_spectrum",
    "compare": "api.cases",
    "check": "api.check",
    "cite": "api.cite",
    "load_truth": "datasets.load",
    "open_results": "api.results",
    "open_sweep": "api.sweep_results",
    "plot": "api.cases",
    "precompile": "simulation.precompile",
    "recipes": "api.recipes",
    "replay": "api.replay",
    "reproduce": "api.reproduce",
    "run_sweep": "sweeps.run",
    "simulate": "api.simulate",
}
_PACKAGES = ("config", "datasets", "models", "sweeps", "theory")

__all__ = [
    "CategoricalDistribution",
    "CountSpectrum",
    "Experiment",
    "FastcollapseError",
    "InputError",
    "Results",
    "StoreError",
    "Sweep",
    "SweepResults",
    "ZipfMandelbrotLaw",
    "check",
    "cite",
    "compare",
    "load_truth",
    "open_results",
    "open_sweep",
    "plot",
    "precompile",
    "recipes",
    "replay",
    "reproduce",
    "run_sweep",
    "simulate",
]


def __getattr__(name: str) -> object:
    if name in _PACKAGES:
        return import_module(f"fastcollapse.{name}")
    if name not in _MODULES:
        raise no_attribute("fastcollapse", name, __dir__())
    return getattr(import_module(f"fastcollapse.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, *_PACKAGES, *(name for name in globals() if name.startswith("__"))]
