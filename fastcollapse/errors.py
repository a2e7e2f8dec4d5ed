"""Errors and warnings; a message is one line that names the key, the value and the allowed values."""

import difflib
from collections.abc import Iterable

# Names with this share of equal letters are similar. "entropy" has the letters of "top", and 0.6.
_SIMILAR = 0.61


class FastcollapseError(Exception):
    """Base of all errors of fastcollapse."""


class InputError(FastcollapseError, ValueError):
    """An input value is not allowed; nothing was simulated or written."""


class NonFiniteError(FastcollapseError, ArithmeticError):
    """The simulation produced an unexpected NaN or infinity; earlier generations are kept."""


class UserCodeError(FastcollapseError):
    """A function or an estimator of the user failed; earlier generations are kept.

    Parameters
    ----------
    message : what failed, for which replicate and generation, and the text of its exception.
    generation : the generation that could not be finished.
    """

    def __init__(self, message: str, generation: int = 0) -> None:
        super().__init__(message, generation)
        self.generation = generation

    def __str__(self) -> str:
        return str(self.args[0])


class StoreError(FastcollapseError, OSError):
    """A results file cannot be created, written or read."""


class LostRun(StoreError):
    """The files of a run in progress were removed, or another process has taken them."""


class UnreadableResults(StoreError, InputError):
    """A results file is missing, not of fastcollapse, truncated, damaged or of a newer format."""


class InfiniteMomentWarning(UserWarning):
    """A run estimates a mean or a variance that is infinite."""


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return a hint naming the choice closest to `name`, or an empty string.

    Examples
    --------
    >>> nearest("replac", ["replace", "mix"])
    " (did you mean 'replace'?)"
    >>> nearest("top", ["entropy"])
    ''
    """
    match = difflib.get_close_matches(str(name), list(choices), n=1, cutoff=_SIMILAR)
    return f" (did you mean '{match[0]}'?)" if match else ""


def no_attribute(module: str, name: str, names: Iterable[str]) -> AttributeError:
    """Return the error of a module that does not have an attribute; it names the closest one.

    Parameters
    ----------
    names : the public names of the module.

    Examples
    --------
    >>> print(no_attribute("fastcollapse", "simulat", ["simulate", "theory"]))
    module 'fastcollapse' has no attribute 'simulat' (did you mean 'simulate'?)
    """
    # Without the name as an attribute of the error: Python would add a hint of its own.
    return AttributeError(f"module {module!r} has no attribute {name!r}{nearest(name, names)}")


class InputWarning(UserWarning):
    """An input is legal, but a number that depends on it is probably not what was meant."""


def printable(text: str) -> str:
    r"""Return a text with its control characters escaped, except ends of lines: a terminal acts on them.

    Examples
    --------
    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
