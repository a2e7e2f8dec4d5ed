"""Closed forms, bounds and exact laws of recursive training, one package for each topic.

`density` : kernel density estimates.
`discrete` : categorical distributions and Poisson rates.
`gaussian` : Gaussians and symmetric Gaussian mixtures.
`language` : n-gram models, and many contexts that are refitted independently.
`mixing` : fits that weigh real and synthetic data, windows and discounts; all regular families.
`regression` : least squares, minimum-norm and ridge regression.
`counterexamples` : estimators whose error grows in another way, and accumulation that collapses.

Each topic exports its functions: `fastcollapse.theory.discrete.survival_bounds`. The command `fastcollapse theory`
lists, explains and evaluates them. A topic is imported at its first use.
"""

from importlib import import_module
from typing import Any

from fastcollapse.errors import no_attribute

__all__ = ["counterexamples", "density", "discrete", "gaussian", "language", "mixing", "regression"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise no_attribute(__name__, name, __all__)
    return import_module(f"fastcollapse.theory.{name}")


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]
