"""Formats of files, recognised by their first bytes."""

import bz2
import gzip
import lzma

import pytest

from fastcollapse.config.file_formats import N_BYTES, format_of

STARTS = {
    "gzip": gzip.compress(b"text"),
    "bzip2": bz2.compress(b"text"),
    "xz": lzma.compress(b"text"),
    "UTF-16": "text".encode("utf-16"),
    "PDF": b"%PDF-1.7\n",
    "HDF5, such as a results file": b"\x89HDF\r\n\x1a\n\x02\x08\x08\x00",
}


@pytest.mark.parametrize("name", STARTS)
def test_format_of__names_the_format_from_the_first_bytes(name):
    assert format_of(STARTS[name][:N_BYTES]) == name


@pytest.mark.parametrize("text", ["", "B", "BZh PK", "[run]", "\ufeffword", "%PDF", "1AY&SY"])
def test_format_of__text_is_no_other_format(text):
    assert format_of(text.encode()) is None
