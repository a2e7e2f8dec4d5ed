"""Import of packages that are extras of the installation."""

import importlib
from typing import Any

from fastcollapse.errors import InputError


def optional_package(name: str, user: str) -> Any:
    """Return a package that is an extra of the same name.

    Parameters
    ----------
    name : of the package, "pandas" or "xarray".
    user : what needs it, for the error.

    Raises
    ------
    InputError
        The package is not installed.

    Examples
    --------
    >>> optional_package("math", "an example").sqrt(4.0)
    2.0
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"{user} must have {name}: pip install 'fastcollapse[{name}]'") from error
