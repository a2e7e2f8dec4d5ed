"""Text corpora: counts of the words of a text."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

from fastcollapse.config.fields import show
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.datasets.text_file import open_text, refuse_binary
from fastcollapse.errors import InputError

_KEY = "truth.text"
_CHUNK = 2**20
# The longest run without white space, in characters: it is held in memory as a whole.
_LONGEST = 2**24
_ITEM = re.compile(r"[\r\n]|\S+")
_LINE_ENDS = ("\r", "\n")
_ASCII_WORD = re.compile(r"\w+")
# The combining marks of a script are in a few rows of 256 characters.
_ROW_BITS = 8
# The joiners and the Mongolian vowel separator are part of the spelling of a word. The soft hyphen, the directional
# marks, the word joiner and the byte order mark are not.
_JOINERS = "\u180e\u200c\u200d"
_INVISIBLE = dict.fromkeys(map(ord, "\xad\u061c\u200e\u200f\u2060\ufeff"))


def count_words(files: DataFiles, given: str, pattern: str | None = None) -> dict[str, int]:
    """Return the counts of the words of a text in lower case.

    The text is split at white space. A word is a run of letters, digits, underscores and the combining marks that
    follow them, in the Unicode normal form NFC. A joiner inside a run belongs to the word; soft hyphens and other
    invisible characters are removed. Memory is proportional to the number of different words.

    Parameters
    ----------
    files : opens and hashes the file.
    given : its path as written by the user.
    pattern : a regular expression; the words are its matches in the lower-cased text, which is not normalised.

    Raises
    ------
    InputError
        The file cannot be read, has too long a run without white space, or the pattern matches an empty text.
    """
    words: dict[str, int] = {}
    find = symbol_finder(pattern)
    with open_text(files, _KEY, given) as text:
        for items in text_items(text, given):
            for run, n in Counter(items).items():
                if run in _LINE_ENDS:
                    continue
                for word in find(run):
                    words[word] = words.get(word, 0) + n
    if "" in words:
        raise InputError(
            f"truth.token_pattern must match at least one character, got {show(pattern)}, "
            f"which matches an empty text in {show(given)}"
        )
    return words


def text_items(text: TextIO, given: str) -> Iterator[list[str]]:
    r"""Yield the runs between white space and the ends of lines, "\n" or "\r", many at a time.

    White space never is inside a word. The lower case of a letter depends on its neighbours (the Greek final sigma),
    but not beyond white space.

    Parameters
    ----------
    text, given : the open file, and its path as written by the user.

    Raises
    ------
    InputError
        The file is binary, or has too long a run without white space.
    """
    rest = ""
    while chunk := text.read(_CHUNK):
        refuse_binary(chunk, _KEY, given)
        items = _ITEM.findall(rest + chunk)
        if items and max(map(len, items)) > _LONGEST:
            limit = f"white space after at most {_LONGEST:,} characters"
            raise InputError(f"{_KEY} must have {limit}, got a longer run in {show(given)}")
        # The last run may go on in the next chunk.
        rest = "" if chunk[-1].isspace() else items.pop()
        yield items
    yield [rest] if rest else []


def symbol_finder(
    pattern: str | None = None, case: str = "lower", unit: str = "word"
) -> Callable[[str], Iterable[str]]:
    """Return the function from a run without white space to its symbols.

    Parameters
    ----------
    pattern : a regular expression of a word, searched in the text as it is; None for the rule of `unicode_words`.
    case : "lower" or "keep".
    unit : "word", or "character" for the characters with their combining marks, in the normal form NFC.
    """
    find = _characters if unit == "character" else _words if pattern is None else _matches(pattern)
    return (lambda run: find(run.lower())) if case == "lower" else find


def unicode_words(run: str) -> Iterable[str]:
    """Return the words of a text in lower case, see `count_words`.

    Examples
    --------
    >>> unicode_words("Na\\u00efve nai\\u0308ve"), unicode_words("co\\xadoperate, don't")
    (['naïve', 'naïve'], ['cooperate', 'don', 't'])
    """
    return _words(run.lower())


def _words(run: str) -> list[str]:
    if run.isascii():
        return _ASCII_WORD.findall(run)
    normal = _normal(run)
    rows = {ord(letter) >> _ROW_BITS for letter in normal if unicodedata.category(letter)[0] == "M"}
    return _word(*sorted(rows)).findall(normal)


def _characters(run: str) -> list[str]:
    """Return the characters, each with the combining marks and joiners that follow it."""
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


@functools.lru_cache(256)
def _word(*rows: int) -> re.Pattern[str]:
    """Return the expression of a word whose combining marks are in these rows of characters.

    `re` has no class of combining marks, and an expression with all of them takes 0.05 s to make.
    """
    letters = (chr((row << _ROW_BITS) + i) for row in rows for i in range(1 << _ROW_BITS))
    marks = "".join(letter for letter in letters if unicodedata.category(letter)[0] == "M")
    return re.compile(rf"\w[\w{marks}]*(?:[{_JOINERS}]+[\w{marks}]+)*")


def _matches(pattern: str) -> Callable[[str], Iterable[str]]:
    expression = re.compile(pattern)
    return lambda run: (match.group() for match in expression.finditer(run))
