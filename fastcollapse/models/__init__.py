"""Model families, one folder for each, such as `fastcollapse.models.gaussian`; it is imported at its first use."""

from typing import Any

from fastcollapse.errors import InputError, no_attribute
from fastcollapse.models.registry import families, family, family_package, register

__all__ = ["families", "family", "register"]


def __getattr__(name: str) -> Any:
    if name.startswith("__") or name not in families():
        raise no_attribute(__name__, name, [*__all__, *families()])
    try:
        return family_package(name)
    except InputError as error:  # an installed package that cannot be imported
        raise AttributeError(str(error)) from error


def __dir__() -> list[str]:
    return [*__all__, *families(), *(name for name in globals() if name.startswith("__"))]
