"""Readers of corpora, tables and arrays, and the data shipped with the project. Names are lazy."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastcollapse.errors import no_attribute

if TYPE_CHECKING:
    from fastcollapse.datasets.categorical import CategoricalDistribution
    from fastcollapse.datasets.count_spectrum import CountSpectrum, ZipfMandelbrotLaw
    from fastcollapse.datasets.load import load_truth
    from fastcollapse.datasets.sentences import Sentences
    from fastcollapse.datasets.shipped import data_folder

_MODULES = {
    "CategoricalDistribution": "categorical",
    "CountSpectrum": "count_spectrum",
    "Sentences": "sentences",
    "ZipfMandelbrotLaw": "count_spectrum",
    "data_folder": "shipped",
    "load_truth": "load",
}

__all__ = [
    "CategoricalDistribution",
    "CountSpectrum",
    "Sentences",
    "ZipfMandelbrotLaw",
    "data_folder",
    "load_truth",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise no_attribute(__name__, name, __all__)
    return getattr(import_module(f"fastcollapse.datasets.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
