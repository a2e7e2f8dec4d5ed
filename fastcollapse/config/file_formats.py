"""Formats of files that are given in place of a text, recognised by their first bytes."""

# Position and bytes -> name.
_FORMATS = {
    (0, b"\x89HDF\r\n\x1a\n"): "HDF5, such as a results file",
    (0, b"\x1f\x8b"): "gzip",
    (4, b"1AY&SY"): "bzip2",
    (0, b"\xfd7zXZ\0"): "xz",
    (0, b"\x28\xb5\x2f\xfd"): "zstd",
    (0, b"PK\3\4"): "a zip archive",
    (0, b"\x89PNG"): "a PNG image",
    (0, b"%PDF-"): "PDF",
    (0, b"\xff\xfe"): "UTF-16",
    (0, b"\xfe\xff"): "UTF-16",
}
# Number of first bytes that are enough.
N_BYTES = 16


def format_of(start: bytes) -> str | None:
    """Return the format of a file that begins with these bytes; None for text.

    Examples
    --------
    >>> format_of(b"PK\\3\\4 and more"), format_of(b"PK and more")
    ('a zip archive', None)
    """
    return next((name for (at, magic), name in _FORMATS.items() if start[at:].startswith(magic)), None)
