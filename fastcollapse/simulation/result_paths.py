"""Names of results files and figures: the cases of a recipe, and numbered names beside files that exist."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from fastcollapse.storage.part_files import is_begun


def case_paths(path: Path, n_cases: int) -> list[Path]:
    """Return the results file of each case: the path itself, or with -case1, -case2, ... before its suffix.

    All numbers have the same number of digits, so that names sort in the order of the cases. A recipe that version 0.1
    has begun keeps its names, in which numbers have no zeros.

    Examples
    --------
    >>> [path.name for path in case_paths(Path("a.h5"), 10)][::9]
    ['a-case01.h5', 'a-case10.h5']
    """
    if n_cases == 1:
        return [path]

    def named(digits: int) -> list[Path]:
        return [path.with_name(f"{path.stem}-case{k:0{digits}}{path.suffix}") for k in range(1, n_cases + 1)]

    of_0_1 = named(1)
    return of_0_1 if os.path.lexists(of_0_1[0]) or is_begun(of_0_1[0]) else named(len(str(n_cases)))


def numbered_paths(path: Path) -> Iterator[Path]:
    """Yield the path, then with -2, -3, ... before its suffix."""
    yield path
    for number in itertools.count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def free_path(path: Path, *companions: str) -> Path:
    """Return the path, or the first with -2, -3, ... before its suffix that does not exist.

    Parameters
    ----------
    companions : suffixes of other files that must not exist beside it.
    """
    return next(
        candidate
        for candidate in numbered_paths(path)
        if not any(map(os.path.lexists, (candidate, *map(candidate.with_suffix, companions))))
    )
