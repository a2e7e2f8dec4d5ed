"""Files of a family as attributes of its package, imported at their first use."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastcollapse.errors import no_attribute


def lazy_files(package: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of the package of a family: `fastcollapse.models.gaussian.metrics` is its file.

    Parameters
    ----------
    package : name of the package, `fastcollapse.models.<family>`.
    """
    family = package.rpartition(".")[2]

    def file_named(name: str) -> Any:
        names = [path.stem for path in (Path(__file__).parent / family).glob("[!_]*.py")]
        if name not in names:
            raise no_attribute(package, name, names)
        return importlib.import_module(f"fastcollapse.models.{family}.{name}")

    return file_named
