"""BibTeX entries of the papers, books and data sets that the project cites."""

import functools
import re
from collections.abc import Iterable, Iterator
from typing import Any

from fastcollapse.datasets.shipped import data_folder

_ENTRY = re.compile(r"^@\w+\{(\w+),\n.*?^\}", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"\d{4}\.\d{4,5}")
# Name of a shipped file, or of a data set of scikit-learn -> what it is, and the keys of its entries.
DATA = {
    "wikitext2_sample.txt.gz": ("WikiText-2, a sample", ("merity2016",)),
    "t10k-images-idx3-ubyte.gz": ("MNIST, test images", ("lecun1998",)),
    "breast_cancer": ("breast cancer data of UCI, from scikit-learn", ("street1993", "pedregosa2011")),
    "diabetes": ("diabetes data, from scikit-learn", ("efron2004", "pedregosa2011")),
}


@functools.cache
def entries() -> dict[str, str]:
    """Return the entries of data/references.bib by key, as they are written there.

    Examples
    --------
    >>> entries()["suresh2024"].splitlines()[0]
    '@misc{suresh2024,'
    """
    text = (data_folder() / "references.bib").read_text(encoding="utf-8")
    return {match[1]: match[0] for match in _ENTRY.finditer(text)}


@functools.cache
def _papers() -> dict[str, str]:
    """Return the key of each arXiv number."""
    numbers = {key: re.search(r"eprint = \{(.*)\}", entry) for key, entry in entries().items()}
    return {match[1]: key for key, match in numbers.items() if match}


def keys_in(text: str) -> list[str]:
    """Return the keys of the papers whose arXiv numbers are in a text, such as the source of a recipe.

    Examples
    --------
    >>> keys_in("arXiv:2412.17646, comparison with Seddik et al. (arXiv:2404.05090)")
    ['suresh2024', 'seddik2024']
    """
    return [_papers()[number] for number in dict.fromkeys(_NUMBER.findall(text)) if number in _papers()]


def strings_in(values: Any) -> Iterator[str]:
    """Yield all texts of nested tables and lists.

    Examples
    --------
    >>> list(strings_in({"truth": {"data": "diabetes"}, "sweep": [["a"], 1]}))
    ['diabetes', 'a']
    """
    if isinstance(values, str):
        yield values
    elif isinstance(values, Iterable):
        for value in values.values() if isinstance(values, dict) else values:
            yield from strings_in(value)
