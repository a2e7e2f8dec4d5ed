"""Names of factories, and their import."""

import importlib.util
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastcollapse.errors import InputError


def name_of(factory: Callable[..., Any]) -> str:
    """Return the name of a factory, as `import_factory` reads it; of an object without a name, that of its class.

    Examples
    --------
    >>> from fastcollapse.models.estimator.examples import Normal
    >>> name_of(Normal)
    'fastcollapse.models.estimator.examples:Normal'
    """
    named: Any = factory if isinstance(getattr(factory, "__qualname__", None), str) else type(factory)
    return f"{named.__module__}:{named.__qualname__}"


def import_factory(name: str, folder: Path | None) -> Callable[..., Any]:
    """Import a factory that the user has named.

    Parameters
    ----------
    name : "package.module:callable".
    folder : folder that is searched after the path of Python, for this and later imports; None for none.

    Raises
    ------
    InputError
        It cannot be imported, or is not callable.
    """
    if folder is not None and str(folder) not in sys.path:
        sys.path.append(str(folder))
        importlib.invalidate_caches()
    try:
        factory = pkgutil.resolve_name(name)
    except Exception as error:  # the module of the user may raise anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"model.factory {name!r} cannot be imported: {reason}") from error
    if not callable(factory):
        raise InputError(f"model.factory must be a callable, got {name!r}, a {type(factory).__name__}")
    return factory
