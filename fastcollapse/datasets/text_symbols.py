"""Symbols of a text: words by the rule of Unicode or by a regular expression, and characters."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable

from fastcollapse.config.fields import show
from fastcollapse.errors import InputError

_ASCII_WORD = re.compile(r"\w+")
# The combining marks of a script are in a few rows of 256 characters.
_ROW_BITS = 8
# The joiners and the Mongolian vowel separator are part of the spelling of a word. The soft hyphen, the directional
# marks, the word joiner and the byte order mark are not.
_JOINERS = "\u180e\u200c\u200d"
_INVISIBLE = dict.fromkeys(map(ord, "\xad\u061c\u200e\u200f\u2060\ufeff"))


def symbol_finder(
    pattern: str | None = None, case: str | None = None, unit: str | None = None
) -> Callable[[str], list[str]]:
    r"""Return the function from a run without white space to its symbols.

    A word is a run of letters, digits, underscores and the combining marks that follow them, in the Unicode normal form
    NFC. A joiner inside a run belongs to the word; soft hyphens and other invisible characters are removed. A character
    has the combining marks and joiners that follow it, in the same form.

    Parameters
    ----------
    pattern : a regular expression; the words are its matches in the text, which is not normalised.
    case : "lower", the default, or "keep".
    unit : "word", the default, or "character".

    Examples
    --------
    >>> find = symbol_finder()
    >>> find("Na\u00efve"), find("nai\u0308ve"), find("co\xadoperate,don't")
    (['naïve'], ['naïve'], ['cooperate', 'don', 't'])
    >>> symbol_finder(case="keep", unit="character")("e\u0301A!")
    ['é', 'A', '!']
    """
    find = _characters if unit == "character" else _words if pattern is None else _matches(pattern)
    return find if case == "keep" else lambda run: find(run.lower())


def _words(run: str) -> list[str]:
    if run.isascii():
        return _ASCII_WORD.findall(run)
    normal = _normal(run)
    rows = {ord(letter) >> _ROW_BITS for letter in normal if unicodedata.category(letter)[0] == "M"}
    return _word(*sorted(rows)).findall(normal)


@functools.lru_cache(256)
def _word(*rows: int) -> re.Pattern[str]:
    """Return the expression of a word whose combining marks are in these rows of characters.

    `re` has no class of combining marks, and an expression with all of them takes 0.05 s to make.
    """
    letters = (chr((row << _ROW_BITS) + i) for row in rows for i in range(1 << _ROW_BITS))
    marks = "".join(letter for letter in letters if unicodedata.category(letter)[0] == "M")
    return re.compile(rf"\w[\w{marks}]*(?:[{_JOINERS}]+[\w{marks}]+)*")


def _characters(run: str) -> list[str]:
    if run.isascii():
        return list(run)
    found: list[str] = []
    for letter in _normal(run):
        if found and (letter in _JOINERS or unicodedata.category(letter)[0] == "M"):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def _normal(run: str) -> str:
    return unicodedata.normalize("NFC", run.translate(_INVISIBLE))


def _matches(pattern: str) -> Callable[[str], list[str]]:
    expression = re.compile(pattern)

    def find(run: str) -> list[str]:
        found: list[str] = expression.findall(run)  # of an expression without groups: the matches
        if "" in found:
            allowed = "truth.token_pattern must match at least one character"
            raise InputError(f"{allowed}, got {show(pattern)}, which matches an empty text in {show(run)}")
        return found

    return find
