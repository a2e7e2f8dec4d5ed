"""Frequencies of symbols in data files: probabilities of any sum, with or without words."""

import math

from fastcollapse.config.fields import show
from fastcollapse.datasets.arrays import read_labelled
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.errors import InputError

_KEY = "truth.probabilities"


def read_frequencies(files: DataFiles, given: str) -> CategoricalDistribution:
    """Return the distribution with probabilities proportional to the frequencies in a file, in its order.

    Frequencies are numbers from 0: shares, percentages, or counts that are not data of this run. A table may have words
    in its first column.

    Parameters
    ----------
    files : opens and hashes the file.
    given : its path as written by the user, see `read_array`.

    Raises
    ------
    InputError
        The file cannot be read, is not one list of numbers, has a number below 0, fewer than two above 0, or a word
        twice.
    """
    table = read_labelled(given, files, _KEY)
    values = table.values
    if values.size != max(values.shape) or (table.labels is not None and len(table.labels) != values.size):
        shape = " x ".join(map(str, values.shape))
        raise InputError(f"{_KEY} must have one number for each symbol, got {shape} in {show(given)}")
    frequencies = values.ravel()
    if frequencies.min() < 0:
        where = f"entry {int(frequencies.argmin()) + 1} of {show(given)}"
        raise InputError(f"{_KEY} must have numbers from 0, got {frequencies.min():g} in {where}")
    n_positive = int((frequencies > 0).sum())
    if n_positive < 2:
        raise InputError(f"{_KEY} must have at least two entries above 0, got {n_positive} in {show(given)}")
    if table.labels is not None and len(set(table.labels)) < len(table.labels):
        seen: set[str] = set()
        again = next(word for word in table.labels if word in seen or seen.add(word))  # type: ignore[func-returns-value]
        raise InputError(f"{_KEY} must name each word once, got {show(again)} again in {show(given)}")
    scaled = frequencies / frequencies.max()  # no overflow of the sum
    total = math.fsum(frequencies / len(frequencies)) * len(frequencies)
    source = f"frequencies of {given}, {len(frequencies)} symbols with the sum {total:.9g}"
    return CategoricalDistribution(table.labels, None, scaled / math.fsum(scaled), source, files.hashes)
