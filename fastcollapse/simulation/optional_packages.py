"""Import of packages that are extras of the installation."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastcollapse.errors import InputError


@contextmanager
def extra(name: str, user: str) -> Iterator[None]:
    """Turn a failed import in the block into one line.

    Parameters
    ----------
    name : of the package, "pandas" or "xarray".
    user : what needs it.

    Raises
    ------
    InputError
        The package is not installed.

    Examples
    --------
    >>> with extra("pandas", "to_dataframe"):
    ...     raise ImportError
    Traceback (most recent call last):
    fastcollapse.errors.InputError: to_dataframe must have pandas: pip install pandas
    """
    try:
        yield
    except ImportError as error:
        raise InputError(f"{user} must have {name}: pip install {name}") from error
