"""Tables of words and their counts, and of counts and their numbers of symbols."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import chain
from typing import TextIO

import numpy as np

from fastcollapse.config.fields import MAX_COUNT, power_text, show
from fastcollapse.datasets.count_spectrum import CountSpectrum
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.datasets.text_file import open_text, refuse_binary
from fastcollapse.errors import InputError

_KEY = "truth.counts"
_SPECTRUM_KEY = "truth.counts_of_counts"
_LONGEST_LINE = 2**20
_QUOTED_CELL = re.compile(r'(?:(?<=[\t,;])|^)"(?:[^"]|"")*"(?=[\t,;\r\n]|$)')
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE]\+?\d{1,2})?", re.ASCII)
_COLUMN_NAME = re.compile(r"(?!(?:nan?|null|none|inf|infinity|n/a)$)[^\W\d]", re.IGNORECASE)


def read_counts(files: DataFiles, given: str) -> dict[str, int]:
    """Return the counts of a table of word and count. A word is taken as it is, with its white space.

    The columns are separated by tabs, commas or semicolons. Words may be in quotes if the separator is not a tab. The
    first line may have names of columns; an index column is skipped if its name is empty. Memory is proportional to
    the number of different words.

    Parameters
    ----------
    files : opens and hashes the file.
    given : its path as written by the user.

    Raises
    ------
    InputError
        The file cannot be read, a line is not a word and a whole count, a word is there twice, or the tokens
        are more than 10**15.
    """
    words: dict[str, int] = {}
    for word, count, where in _rows(files, _KEY, given, ("word", "count")):
        if word in words:
            raise InputError(f"{_KEY} must name each word once, got {show(word)} again {where}")
        words[word] = _whole(_KEY, count, where)
    _check_tokens(_KEY, sum(words.values()), given)
    return words


def read_counts_of_counts(files: DataFiles, given: str) -> CountSpectrum:
    """Return the spectrum of a table of count and number of symbols, in any order of the counts.

    The format is that of `read_counts`. Lines with a count or a number of 0 are left out.

    Parameters
    ----------
    files, given : see `read_counts`.

    Raises
    ------
    InputError
        The file cannot be read, a line is not two whole numbers, a count is there twice, there are fewer than two
        symbols, or the tokens are more than 10**15.
    """
    classes: dict[int, int] = {}
    for cell, number, where in _rows(files, _SPECTRUM_KEY, given, ("count", "number of symbols")):
        count = _whole(_SPECTRUM_KEY, cell.strip(), where)
        if count in classes:
            raise InputError(f"{_SPECTRUM_KEY} must have each count once, got {count} again {where}")
        classes[count] = _whole(_SPECTRUM_KEY, number, where)
    present = sorted((count, number) for count, number in classes.items() if count and number)
    n_symbols, n_tokens = sum(number for _, number in present), sum(count * number for count, number in present)
    if n_symbols < 2:
        raise InputError(f"{_SPECTRUM_KEY} must have at least two symbols, got {n_symbols} in {show(given)}")
    _check_tokens(_SPECTRUM_KEY, n_tokens, given)
    counts, numbers = np.array(present, np.int64).T
    return CountSpectrum(counts, numbers, f"counts of counts of {given}", files.hashes)


def _check_tokens(key: str, n_tokens: int, given: str) -> None:
    if n_tokens > MAX_COUNT:
        raise InputError(f"{key} must have at most {power_text(MAX_COUNT)} tokens, got {n_tokens} in {show(given)}")


def _rows(files: DataFiles, key: str, given: str, names: tuple[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield the last two cells of each line, the second without white space, and the place of the line."""
    shown = show(given)
    with open_text(files, key, given) as text:
        lines, n_blank = _lines(text, key, given), 0
        first = next(lines, "")
        while first and not first.strip():
            first, n_blank = next(lines, ""), n_blank + 1
        separator = _separator(first, key, f"in line {n_blank + 1} of {shown}")
        rows = csv.reader(
            chain([first], lines),
            delimiter=separator,
            strict=True,
            # Tables separated by tabs have no quoting: a word may be a quotation mark.
            quoting=csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL,
        )
        n_columns = None
        try:
            for row in rows:
                where = f"in line {n_blank + rows.line_num} of {shown}"
                if not any(cell.strip() for cell in row):
                    continue
                if n_columns is None:
                    is_header = _is_header(row)
                    n_columns = len(row) if is_header else 2
                    if is_header:
                        continue
                if len(row) != n_columns or not row[-2]:
                    expected = f"one {names[0]} and one {names[1]} in each line, separated by a tab, comma or semicolon"
                    raise InputError(f"{key} must have {expected}, got {show(row)} {where}")
                yield row[-2], row[-1].strip(), where
        except csv.Error as error:
            where = f"in line {n_blank + rows.line_num}"
            raise InputError(f"{key} must be a table of {' and '.join(names)}, got {shown}: {error} {where}") from None


def _lines(text: TextIO, key: str, given: str) -> Iterator[str]:
    while line := text.readline(_LONGEST_LINE):
        refuse_binary(line, key, given)
        if len(line) == _LONGEST_LINE and line[-1] not in "\r\n":
            limit = f"lines of at most {_LONGEST_LINE:,} characters"
            raise InputError(f"{key} must have {limit}, got a longer one in {show(given)}")
        yield line


def _separator(line: str, key: str, where: str) -> str:
    """Return the separator of a table from its first line, outside words in quotes."""
    plain = _QUOTED_CELL.sub('""', line)
    if "\t" in plain:
        return "\t"
    found = [separator for separator in ",;" if separator in plain]
    if len(found) == 2:
        found = [separator for separator in found if _is_count(plain.split(separator))]
        if len(found) != 1:
            expected = "tabs between its columns, or words in quotes, if commas and semicolons are in one line"
            raise InputError(f"{key} must have {expected}, got {show(line)} {where}")
    return found[0] if found else ","


def _is_count(row: Sequence[str]) -> bool:
    """Whether a row is a word and a number, which may have a decimal comma."""
    return len(row) == 2 and bool(row[0]) and bool(re.fullmatch(r"\s*\d[\d.,]*\s*", row[1]))


def _is_header(row: Sequence[str]) -> bool:
    """Whether the first row has names of columns: two, or three of which the first is empty, as pandas writes it."""
    return len(row) in (2, 3) and not any(row[:-2]) and bool(_COLUMN_NAME.match(row[-1].strip()))


def _whole(key: str, cell: str, where: str) -> int:
    """Return a count, which may be written as 3.0 or 1e+05."""
    if cell.isascii() and cell.isdigit() and len(cell) <= 15:
        return int(cell)
    number = Decimal(cell) if _NUMBER.fullmatch(cell) else None
    if number is None or number > MAX_COUNT or number != number.to_integral_value():
        hint = (
            "; frequencies are given as truth.probabilities = 'FILE'"
            if number is not None and number < MAX_COUNT
            else ""
        )
        raise InputError(
            f"{key} must have whole counts from 0 to {power_text(MAX_COUNT)}, got {show(cell)} {where}{hint}"
        )
    return int(number)
