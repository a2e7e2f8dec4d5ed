"""Lists of numbers of an experiment in files: a path in place of a list is replaced by the numbers.

NumPy is imported when a file is read, for a fast start.
"""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastcollapse.config.fields import list_depth, show
from fastcollapse.config.section_base import Section, TableField
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.errors import InputError

_FILE = re.compile(r".+\.(?:np[yz]|csv|tsv|txt)(?:\.gz)?|.+\.npz:.+", re.IGNORECASE | re.DOTALL)
# A results file records the numbers as JSON text, of about 20 bytes each.
MAX_NUMBERS = 4 * 10**6
# Whole numbers up to this are exact in float64.
_LARGEST_WHOLE = 2**53


class NumberFiles:
    """Reads lists of numbers from files, each once.

    Parameters
    ----------
    base : folder of the experiment file, which is also searched, see `find_data`.

    Attributes
    ----------
    values : path as written by the user -> its numbers, as nested lists.
    hashes : path of the file, without the name of an array -> SHA-256 of its bytes, in hexadecimal.
    """

    def __init__(self, base: Path | None = None) -> None:
        self._files: DataFiles | None = DataFiles(base)
        self.values: dict[str, Any] = {}
        self.hashes: dict[str, str] = self._files.hashes

    @classmethod
    def recorded(cls, values: Mapping[str, Any], hashes: Mapping[str, str]) -> "NumberFiles":
        """Return the numbers that a results file or a sweep has recorded; no file is read."""
        made = cls()
        made._files, made.values, made.hashes = None, dict(values), dict(hashes)
        return made

    def read(self, path: str, key: str) -> Any:
        """Return the numbers of a file as nested lists; whole numbers are integers.

        Parameters
        ----------
        path, key : the path as written by the user, also "FILE.npz:NAME", and its key.

        Raises
        ------
        InputError
            The file cannot be read, is not of numbers, or has too many.
        """
        if path not in self.values:
            if self._files is None:
                raise InputError(f"{key} must have its numbers recorded, got the path {show(path)} without them")
            from fastcollapse.datasets.arrays import read_array  # imports NumPy

            array = read_array(path, self._files, key)
            if array.size > MAX_NUMBERS:
                limit = f"at most {MAX_NUMBERS:,} numbers in a file"
                raise InputError(f"{key} must have {limit}, got {array.size:,} in {show(path)}")
            is_whole = (abs(array) <= _LARGEST_WHOLE) & (array == array.round())
            numbers = array.astype("int64") if is_whole.all() else array.astype(object)
            if not is_whole.all():
                numbers[is_whole] = array[is_whole].astype("int64")
            self.values[path] = numbers.tolist()
        return self.values[path]


def with_numbers(
    cls: type[Section], values: Mapping[str, Any], numbers: NumberFiles, key: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values of a section with the numbers of files in place of their paths, and the paths by dotted key.

    Parameters
    ----------
    cls, values : the section, and its values as given.
    numbers : reads the files.
    key : dotted key of the section.

    Raises
    ------
    InputError
        A file cannot be read, or its numbers have too many dimensions.
    """
    filled = dict(values)
    paths: dict[str, str] = {}
    for field in dataclasses.fields(cls):
        given, check, name = values.get(field.name), field.metadata.get("check"), f"{key}.{field.name}"
        if isinstance(check, TableField) and isinstance(given, Mapping):
            filled[field.name], inner = with_numbers(check.cls, given, numbers, name)
            paths |= inner
        elif isinstance(given, str) and list_depth(check) > 0 and _FILE.fullmatch(given):
            filled[field.name] = _nested(numbers.read(given, name), list_depth(check), name, given)
            paths[name] = given
    return filled, paths


def _nested(numbers: Any, depth: int, key: str, path: str) -> Any:
    """Return numbers with at most `depth` dimensions: a column or a row is a list."""
    shape, inner = [], numbers
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    while len(shape) > depth and 1 in shape:
        axis = shape.index(1)
        numbers = _without(numbers, axis)
        del shape[axis]
    if len(shape) > depth:
        wanted = {1: "one list of numbers", 2: "a matrix of numbers"}.get(depth, f"numbers in {depth} dimensions")
        raise InputError(f"{key} must be {wanted}, got {' x '.join(map(str, shape))} in {show(path)}")
    return numbers


def _without(numbers: Any, axis: int) -> Any:
    """Return nested lists without an axis of length 1."""
    return numbers[0] if axis == 0 else [_without(one, axis - 1) for one in numbers]


def named_files(items: list[tuple[str, str]], paths: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return pairs of a key and its problem; the problem of numbers in a file names the file."""
    return [
        (key, next((f"{problem} (in {show(path)})" for of, path in paths.items() if _is_part(key, of)), problem))
        for key, problem in items
    ]


def _is_part(key: str, of: str) -> bool:
    return key == of or key.startswith(f"{of}[")
