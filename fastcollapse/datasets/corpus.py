"""Text corpora and tables of word counts."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator

from fastcollapse.config.fields import MAX_COUNT, power_text, show
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.errors import InputError

_WORD = re.compile(r"\w+")
_CHUNK = 2**22


def _read_chunks(files: DataFiles, key: str, given: str) -> Iterator[str]:
    """Yield the text of a file, decompressed if it is gzip, in chunks of whole lines.

    A line is never split, because lower-casing depends on the neighbours of a letter (the Greek final sigma).
    """
    try:
        with files.open(given, key) as raw:
            start = raw.peek(2)
            if not start:
                raise InputError(f"{key} must be a text file with words, got the empty file {show(given)}")
            packed = start[:2] == b"\x1f\x8b" or given.endswith(".gz")
            # Left open, because its end would close `raw`, whose last bytes are not hashed yet.
            text = io.TextIOWrapper(gzip.GzipFile(fileobj=raw) if packed else raw, "utf-8-sig", newline="")
            while chunk := text.read(_CHUNK) + text.readline():
                if "\0" in chunk:
                    raise InputError(f"{key} must be a text file, got the binary file {show(given)}")
                yield chunk
    except UnicodeDecodeError:
        raise InputError(f"{key} must be UTF-8 text, got {show(given)}: binary, or not UTF-8") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{key} must be a complete gzip file, got {show(given)}: {error}") from None
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{key} must be a readable file, got {show(given)}: {error.strerror}") from None


def count_words(files: DataFiles, given: str) -> dict[str, int]:
    """Return the counts of the words of a text in lower case; a word is a run of `\\w` characters."""
    words: Counter[str] = Counter()
    for chunk in _read_chunks(files, "truth.text", given):
        words.update(_WORD.findall(chunk.lower()))
    return words


def read_counts(files: DataFiles, given: str) -> dict[str, int]:
    """Return the counts of a table of word and count, by tab or comma, with or without the header `word,count`."""
    key = "truth.counts"
    lines = "".join(_read_chunks(files, key, given))
    first = next((line for line in lines.splitlines() if line.strip()), "")
    tabs = "\t" in first  # tab-separated tables have no quoting: a word may be a quotation mark
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
                raise InputError(f"{key} must have one word and one count in each line, got {show(cells)} {where}")
            word, count = cells
            # the length is checked first, because int() raises its own error above 4300 digits
            is_whole = count.isascii() and count.isdigit() and len(count.lstrip("0")) <= 16
            if not is_whole or int(count) > MAX_COUNT:
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
