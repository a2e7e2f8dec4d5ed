"""Text corpora: the runs and line ends of a text, and the counts of its symbols."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TextIO

from fastcollapse.config.fields import show
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.datasets.text_file import open_text, refuse_binary
from fastcollapse.datasets.text_symbols import symbol_finder
from fastcollapse.errors import InputError

_KEY = "truth.text"
_CHUNK = 2**20
# The longest run without white space, in characters: it is held in memory as a whole.
_LONGEST = 2**24
# Stands for the end of a line: a text with this character is refused.
_LINE_END = "\0"
_SPACED_END = f" {_LINE_END} "
# A sentence ends at the end of a line, or at one of these runs.
SENTENCE_ENDS = frozenset((_LINE_END, ".", "!", "?"))


def count_words(
    files: DataFiles,
    given: Sequence[str],
    pattern: str | None = None,
    case: str | None = None,
    unit: str | None = None,
) -> dict[str, int]:
    """Return the counts of the words or characters of text files.

    The text is split at white space, and the symbols of each run are counted. Characters are those of the sentences of
    `fastcollapse.datasets.sentences.read_sentences`, with one space between two runs. Memory is proportional to the
    number of different symbols.

    Parameters
    ----------
    files : opens and hashes the files.
    given : their paths as written by the user.
    pattern, case, unit : see `fastcollapse.datasets.text_symbols.symbol_finder`.

    Raises
    ------
    InputError
        A file cannot be read, has too long a run without white space, or the pattern matches an empty text.
    """
    words: dict[str, int] = {}
    find = symbol_finder(pattern, case, unit)
    of_sentences = unit == "character"
    for path in given:
        with open_text(files, _KEY, path) as text:
            in_sentence = False
            for items in text_items(text, path, of_sentences):
                silent = set()  # runs without a symbol
                for run, n in Counter(items).items():
                    found = () if of_sentences and run in SENTENCE_ENDS else find(run)
                    for word in found:
                        words[word] = words.get(word, 0) + n
                    if not found:
                        silent.add(run)
                for item in items if of_sentences else ():
                    if item not in silent:
                        words[" "] = words.get(" ", 0) + in_sentence
                    in_sentence = item not in SENTENCE_ENDS and (in_sentence or item not in silent)
    return words


def text_items(text: TextIO, given: str, line_ends: bool = True) -> Iterator[list[str]]:
    """Yield the runs between white space, many at a time, and "\\0" for the end of a line, "\\n" or "\\r".

    White space never is inside a word. The lower case of a letter depends on its neighbours (the Greek final sigma),
    but not beyond white space.

    Parameters
    ----------
    text, given : the open file, and its path as written by the user.
    line_ends : whether the ends of lines are yielded.

    Raises
    ------
    InputError
        The file is binary, or has too long a run without white space.
    """
    rest = ""
    while chunk := text.read(_CHUNK):
        refuse_binary(chunk, _KEY, given)
        joined = rest + chunk
        spaced = joined.replace("\n", _SPACED_END).replace("\r", _SPACED_END) if line_ends else joined
        items = spaced.split()
        if len(joined) > _LONGEST and max(map(len, items), default=0) > _LONGEST:
            limit = f"white space after at most {_LONGEST:,} characters"
            raise InputError(f"{_KEY} must have {limit}, got a longer run in {show(given)}")
        # The last run may go on in the next chunk.
        rest = "" if chunk[-1].isspace() else items.pop()
        yield items
    yield [rest] if rest else []
