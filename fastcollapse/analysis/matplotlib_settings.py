"""Import of matplotlib for figures in files, whatever the settings of the user are."""

import functools
import os
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from fastcollapse.analysis.figure_style import FONTS
from fastcollapse.errors import InputError

P = ParamSpec("P")
T = TypeVar("T")


def drawing(function: Callable[P, T]) -> Callable[P, T]:
    """Import matplotlib before a function draws or writes a figure, and let it write plain text: labels are not TeX."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        with _import_matplotlib().rc_context(dict(FONTS)):
            return function(*args, **kwargs)

    return wrapped


def _import_matplotlib() -> Any:
    """Return matplotlib.

    A figure in a file needs no backend. Programs inherit MPLBACKEND from notebooks, and where the backend is not
    installed the import would fail. So it takes effect after the import, and only if it is valid.
    """
    is_first = "matplotlib" not in sys.modules
    backend = os.environ.pop("MPLBACKEND", None) if is_first else None
    try:
        import matplotlib  # start-up time
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"matplotlibrc must be a file that matplotlib can read: {reason}") from error
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend:
        try:
            matplotlib.rcParams["backend"] = backend
        except ValueError:
            pass
    return matplotlib
