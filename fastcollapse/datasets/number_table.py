"""Tables of numbers in text files: separators, a header with names of columns, and labels in the first column."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

# A cell that begins as a number does, or that stands for a missing one, is no name.
_NO_NAME = re.compile(
    r"\s*(?:[-+.]?\d.*|(?:[-+]?(?:nan|inf|infinity|na|null|none|n/a))?\s*)", re.IGNORECASE | re.DOTALL
)
_COMMENT = re.compile(r"\s*(?:#\s|$)")
# Lines that are read to find the separator.
_N_FIRST = 100


class NumberTable(NamedTuple):
    """The content of a table: numbers, float64 (n, d), and the label of each row, or None."""

    values: np.ndarray
    labels: tuple[str, ...] | None


def parse_table(text: str) -> NumberTable:
    r"""Return the numbers of a table, and the labels beside them.

    Columns are separated by semicolons, tabs, commas or spaces, whichever of these is found first in this order. The
    first line is a header if it has a name in every cell, or in every cell but the first of several. Names may be the
    numbers 0, 1, ... after an empty cell, as pandas writes them beside an index. The labels are a first column of
    names, or the index. Empty lines and lines that begin with # and a space are skipped.

    Raises
    ------
    ValueError
        A cell is no number, or rows have different lengths.

    Examples
    --------
    >>> parse_table(",x,y\n0,1.5,2\n1,3,4\n")
    NumberTable(values=array([[1.5, 2. ],
           [3. , 4. ]]), labels=('0', '1'))
    """
    first_lines = list(islice(_lines(text), _N_FIRST))
    separator = next((mark for mark in ";\t," if any(mark in line for line in first_lines)), None)
    rows = [_cells(line, separator) for line in first_lines[:2]]
    has_index = bool(rows) and _is_index_header(rows[0])
    has_header = has_index or (bool(rows) and all(map(_is_name, rows[0][1:] or rows[0])))
    n_cells = len(rows[has_header]) if len(rows) > has_header else 0
    has_labels = n_cells > 1 and (has_index or _is_name(rows[has_header][0]))
    body = list(islice(_lines(text), int(has_header), None))
    labels = None
    if has_labels:
        body_rows = [_cells(line, separator) for line in body]
        if any(len(row) != n_cells for row in body_rows):
            raise ValueError(f"its rows must all have {n_cells} cells")
        labels = tuple(row[0] for row in body_rows)
        if not has_index and not all(map(_is_name, labels)):
            raise ValueError("its first column has names and numbers")
    with warnings.catch_warnings():
        # NumPy warns about a file without numbers, which is refused later.
        warnings.simplefilter("ignore", UserWarning)
        columns = range(1, n_cells) if has_labels else None
        values = np.loadtxt(body, delimiter=separator, ndmin=2, comments=None, quotechar='"', usecols=columns)
    return NumberTable(values, labels)


def _lines(text: str) -> Iterator[str]:
    return (line for line in io.StringIO(text) if not _COMMENT.match(line))


def _cells(line: str, separator: str | None) -> list[str]:
    return line.split() if separator is None else next(csv.reader([line.rstrip("\r\n")], delimiter=separator), [])


def _is_index_header(row: list[str]) -> bool:
    """Whether a row is the header of pandas above an index: an empty cell, then names or the numbers 0, 1, ..."""
    if len(row) < 2 or row[0].strip():
        return False
    return all(map(_is_name, row[1:])) or row[1:] == [str(i) for i in range(len(row) - 1)]


def _is_name(cell: str) -> bool:
    """Whether a cell is neither a number nor a missing value."""
    return not _NO_NAME.fullmatch(cell)
