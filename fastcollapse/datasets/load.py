"""The truth that a run starts from: words of a text, a table of counts, or a law; and the shipped files."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, overload

import numpy as np

from fastcollapse.config.fields import MAX_COUNT, power_text, show
from fastcollapse.config.sections import DiscreteTruth, TruthSection
from fastcollapse.datasets.arrays import read_array, read_table, split_name
from fastcollapse.errors import InputError

_WORD = re.compile(r"\w+")
_CHUNK = 2**22


@dataclasses.dataclass(frozen=True, eq=False)
class CategoricalDistribution:
    """The distribution of generation 0 over K symbols.

    Parameters
    ----------
    labels
        K names; None for a law, whose symbols are numbers.
    counts
        int64, shape (K,), at least 1: the real data, where there is any.
    probabilities
        float64, shape (K,), non-negative, sum 1.
    source
        Where it comes from, for people.
    """

    labels: tuple[str, ...] | None
    counts: np.ndarray | None
    probabilities: np.ndarray
    source: str

    @property
    def support_size(self) -> int:
        """K, the number of symbols; those given with probability zero are counted."""
        return len(self.probabilities)

    @property
    def total(self) -> int | None:
        """Number of tokens of the real data; None for a law."""
        return None if self.counts is None else int(self.counts.sum())


@overload
def load_truth(spec: DiscreteTruth, base: Path | None = None) -> CategoricalDistribution: ...


@overload
def load_truth(spec: TruthSection, base: Path | None = None) -> CategoricalDistribution | TruthSection: ...


def load_truth(spec: TruthSection, base: Path | None = None) -> CategoricalDistribution | TruthSection:
    """Return the truth that the `[truth]` section of a discrete model describes; that of another model is its section.

    Symbols of a text or a table stand in descending order of count, then by label; those of a law in its own
    order.

    Parameters
    ----------
    spec
        Section of an experiment, already checked.
    base
        Folder of the experiment file, where data files are looked for too.

    Raises
    ------
    InputError
        A file that is missing, empty, binary, damaged or has fewer than two words.

    Examples
    --------
    >>> from fastcollapse.config.sections import DiscreteTruth, ZipfMandelbrot
    >>> load_truth(DiscreteTruth(zipf_mandelbrot=ZipfMandelbrot(a=1, b=1, size=2))).probabilities
    array([0.6, 0.4])
    """
    if not isinstance(spec, DiscreteTruth):

        def read(path: str, key: str, any_shape: bool = False) -> np.ndarray:
            return (read_any if any_shape else read_matrix)(path, base, key)

        return spec.load(read)
    if spec.text is not None:
        words = _count_words(find_data(spec.text, base, key="truth.text"), spec.text)
        return _from_counts(words, f"words of {spec.text}", "truth.text", spec.text)
    if spec.counts is not None:
        words = _read_table(find_data(spec.counts, base, key="truth.counts"), spec.counts)
        return _from_counts(words, f"counts of {spec.counts}", "truth.counts", spec.counts)
    if spec.zipf_mandelbrot is not None:
        law = spec.zipf_mandelbrot
        weights = np.arange(1.0, law.size + 1)
        weights += law.b
        np.log(weights, out=weights)
        weights *= -law.a
        weights -= weights[0]  # the largest: (1 + b)**-a itself can overflow
        np.exp(weights, out=weights)
        weights /= weights.sum()
        return CategoricalDistribution(
            None, None, weights, f"Zipf-Mandelbrot a={law.a:g} b={law.b:g} over {law.size} symbols"
        )
    if spec.uniform is not None:
        return CategoricalDistribution(
            None, None, np.full(spec.uniform, 1 / spec.uniform), f"uniform over {spec.uniform} symbols"
        )
    assert spec.probabilities is not None
    given = np.array(spec.probabilities)
    return CategoricalDistribution(None, None, given / math.fsum(given), f"given probabilities of {len(given)} symbols")


def _from_counts(words: dict[str, int], source: str, key: str, given: str) -> CategoricalDistribution:
    present = {word: count for word, count in words.items() if count}
    if len(present) < 2:
        raise InputError(f"{key} must have at least two different words, got {len(present)} in {show(given)}")
    order = sorted(present.items(), key=lambda item: (-item[1], item[0]))
    counts = np.array([count for _, count in order], dtype=np.int64)
    return CategoricalDistribution(tuple(word for word, _ in order), counts, counts / counts.sum(), source)


def _read_chunks(path: Path, key: str, given: str) -> Iterator[str]:
    """Yield the text of a file, decompressed if it is gzip, in chunks that end at a line's end.

    A line is never cut, because lower-casing looks at the neighbours of a letter (the Greek final sigma).
    """
    try:
        with open(path, "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b" or path.suffix == ".gz"
            raw.seek(0)
            if not raw.read(1):
                raise InputError(f"{key} must be a text file with words, got the empty file {show(given)}")
            raw.seek(0)
            stream: BinaryIO = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
            with io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
                while chunk := text.read(_CHUNK) + text.readline():
                    if "\0" in chunk:
                        raise InputError(f"{key} must be a text file, got the binary file {show(given)}")
                    yield chunk
    except UnicodeDecodeError:
        raise InputError(f"{key} must be UTF-8 text, got {show(given)}: binary, or not UTF-8") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{key} must be a whole gzip file, got {show(given)}: {error}") from None
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{key} must be a readable file, got {show(given)}: {error.strerror}") from None


def _count_words(path: Path, given: str) -> dict[str, int]:
    """Count words: lower case, runs of non-word characters to spaces, split; so a word is a run of `\\w`."""
    words: Counter[str] = Counter()
    for chunk in _read_chunks(path, "truth.text", given):
        words.update(_WORD.findall(chunk.lower()))
    return words


def _read_table(path: Path, given: str) -> dict[str, int]:
    """Read a table of word and count, by tab or comma, with or without the header `word,count`."""
    key = "truth.counts"
    lines = "".join(_read_chunks(path, key, given))
    first = next((line for line in lines.splitlines() if line.strip()), "")
    tabs = "\t" in first  # a table by tabs quotes nothing: a word may be a quotation mark
    rows = csv.reader(
        io.StringIO(lines, newline=""),
        delimiter="\t" if tabs else ",",
        strict=True,
        quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
    )
    words: dict[str, int] = {}
    header_possible = True
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            where = f"in line {rows.line_num} of {show(given)}"
            if not any(cells):
                continue
            if header_possible and [cell.lower() for cell in cells] == ["word", "count"]:
                header_possible = False
                continue
            header_possible = False
            if len(cells) != 2 or not cells[0]:
                raise InputError(f"{key} must have a word and a count a line, got {show(cells)} {where}")
            word, count = cells
            # the length first: int() refuses more than 4300 digits with an error of its own
            whole = count.isascii() and count.isdigit() and len(count.lstrip("0")) <= 16
            if not whole or int(count) > MAX_COUNT:
                raise InputError(
                    f"{key} must have whole counts from 0 to {power_text(MAX_COUNT)}, got {show(count)} {where}"
                )
            if word in words:
                raise InputError(f"{key} must name each word once, got {show(word)} again {where}")
            words[word] = int(count)
    except csv.Error as error:
        raise InputError(
            f"{key} must be a table of word and count, got {show(given)}: {error} in line {rows.line_num}"
        ) from None
    if sum(words.values()) > MAX_COUNT:
        raise InputError(
            f"{key} must sum to at most {power_text(MAX_COUNT)}, got {sum(words.values())} in {show(given)}"
        )
    return words


def read_matrix(path: str, base: Path | None, key: str) -> np.ndarray:
    """Return the matrix that a file holds as float64 (n, d).

    Parameters
    ----------
    path
        A .npy file of two dimensions, or a .csv file of numbers with or without a line of names, none a number.
    base, key
        As in `find_data`.

    Raises
    ------
    InputError
        No such file, of another kind, or with entries that are no finite numbers.
    """
    file = find_data(path, base, key)
    if file.suffix not in (".npy", ".csv"):
        raise InputError(f"{key} must end in .npy or .csv, got {show(path)}")
    try:
        matrix = (
            np.load(file, allow_pickle=False)
            if file.suffix == ".npy"
            else read_table(file.read_text(encoding="utf-8-sig"))
        )
        if not isinstance(matrix, np.ndarray) or matrix.dtype.kind not in "iuf":
            raise TypeError(f"entries are {getattr(matrix, 'dtype', 'several arrays')}")
    except (OSError, ValueError, TypeError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{key} must be a matrix of numbers, got {show(path)}: {reason}") from None
    matrix = matrix.astype(np.float64)
    if matrix.ndim != 2 or not matrix.size or not np.isfinite(matrix).all():
        found = "entries that are not finite" if matrix.ndim == 2 and matrix.size else f"shape {matrix.shape}"
        raise InputError(f"{key} must be a matrix of finite numbers, got {found} in {show(path)}")
    return matrix


def read_any(path: str, base: Path | None, key: str) -> np.ndarray:
    """Return the array that a file holds as float64 of any number of dimensions.

    Parameters
    ----------
    path
        An idx, .npy, .npz or .csv file, gzipped or not; "FILE.npz:NAME" is one of several arrays.
    base, key
        As in `find_data`.

    Raises
    ------
    InputError
        No such file, of another kind or damaged, or with entries that are no finite numbers.
    """
    file, name = split_name(path)
    return read_array(find_data(file, base, key), name, path, key)


def find_data(path: str, base: Path | None = None, key: str = "path") -> Path:
    """Return the file that a path names.

    It is looked for as given, then in the folder of the experiment file, then among the files shipped with
    the project, where a leading "data/" may be left out.

    Parameters
    ----------
    path
        As the user wrote it.
    base
        Folder of the experiment file.
    key
        The key the path came from, for errors.

    Raises
    ------
    InputError
        No such file, or not a regular file.

    Examples
    --------
    >>> find_data("data/wikitext2_sample.txt.gz").name
    'wikitext2_sample.txt.gz'
    """
    given = Path(path)
    candidates = [given, *([base / given] if base else []), data_folder() / given]
    if given.parts[:1] == ("data",):
        candidates.append(data_folder().joinpath(*given.parts[1:]))
    try:
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        found = (
            "a directory"
            if any(c.is_dir() for c in candidates)
            else ("a device or pipe" if any(c.exists() for c in candidates) else "no such file")
        )
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or str(error)
    raise InputError(f"{key} must be a file, got {show(path)}: {found}")


def data_folder() -> Path:
    """Return the folder of the shipped data: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).parents[1]
    return package / "data" if (package / "data").is_dir() else package.parent / "data"


def recipes() -> dict[str, Path]:
    """Return the experiments shipped with the project, by name.

    Examples
    --------
    >>> "wikitext2-unigram" in recipes()
    True
    """
    return {path.stem: path for path in sorted((data_folder() / "recipes").glob("*.toml"))}


def sweeps() -> dict[str, Path]:
    """Return the sweeps shipped with the project, by name.

    Examples
    --------
    >>> "cot-gau" in sweeps()
    True
    """
    return {path.stem: path for path in sorted((data_folder() / "sweeps").glob("*.toml"))}


def describe_recipe(path: Path) -> str:
    """Return what an experiment file says about itself: its first line, if that is a comment, otherwise "".

    Examples
    --------
    >>> describe_recipe(recipes()["wikitext2-unigram"])
    'Unigram model retrained on its own text: 1000 generations of the WikiText-2 sample'
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        first = file.readline(1000)
    return first.lstrip("# ").strip() if first.startswith("#") else ""
