"""The errors a user can meet, each one line that names the key, the value and what is allowed."""

import difflib
from collections.abc import Iterable


class FastcollapseError(Exception):
    """Base of every error that fastcollapse raises on purpose."""


class InputError(FastcollapseError, ValueError):
    """A value given by the user is not allowed; nothing was simulated or written."""


class NonFiniteError(FastcollapseError, ArithmeticError):
    """A run has made a NaN or an infinity that no true value is; what came before is kept."""


class StoreError(FastcollapseError, OSError):
    """A results file cannot be created, written or read."""


class UnreadableResults(StoreError, InputError):
    """What was given as a results file is missing, foreign, cut off or of a newer format."""


class InfiniteMomentWarning(UserWarning):
    """A mean or a variance that a run would estimate is infinite."""


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return a hint naming the choice closest to `name`, or an empty string.

    Examples
    --------
    >>> nearest("replac", ["replace", "mix"])
    " (did you mean 'replace'?)"
    """
    match = difflib.get_close_matches(str(name), list(choices), n=1)
    return f" (did you mean '{match[0]}'?)" if match else ""
