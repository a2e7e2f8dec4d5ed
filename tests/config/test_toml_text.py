"""Errors of TOML text show the line and the place in it."""

import re

import pytest

from fastcollapse.config.toml_text import parse_toml, position
from fastcollapse.errors import InputError
from fastcollapse.simulation.experiment import Experiment

GOOD = (
    '[truth]\nuniform = 50\n[workflow]\nname = "replace"\nn_samples = 100\n[run]\nn_generations = 5\nn_replicates = 2\n'
)
BAD = {
    "value": (
        GOOD.replace("= 100", "= = 100"),
        "must be valid TOML: line 5, at '= 100' in 'n_samples = = 100': Invalid value",
    ),
    "quotes": (
        GOOD.replace('"replace"', "replace"),
        "line 4, at 'replace' in 'name = replace': text must be in quotes",
    ),
    "bool": (GOOD + "x = True", "line 9, at 'True' in 'x = True': true and false must be in lower case"),
    "open string": (
        GOOD.replace('"replace"', '"replace'),
        "line 4, at the end of 'name = \"replace': a string must end in the line where it begins",
    ),
    "key twice": (GOOD + "n_replicates = 3", "at the end of 'n_replicates = 3': a key or a table is given twice"),
    "table twice": (GOOD + "[run]\nseed = 1", "line 9, at ']' in '[run]': a key or a table is given twice"),
    "open array": ("[truth]\nuniform = [1, 2\n\n", "line 2, at the end of 'uniform = [1, 2': Unclosed array"),
    "CRLF": (GOOD.replace("= 100", "= = 100").replace("\n", "\r\n"), "line 5, at '= 100' in 'n_samples = = 100'"),
    "CR": (GOOD.replace("\n", "\r"), "lines must end in a line feed, got carriage returns alone"),
    "YAML": ("truth:\n  uniform: 50\n", "line 1, at ':' in 'truth:': Expected '=' after a key in a key/value pair"),
    "long line": ('x = "' + "a" * 10_000, "line 1, at the end of '..." + "a" * 30 + "': Unterminated string"),
    "NUL": (GOOD + "\x00", r"line 9, at '\x00' in '\x00': Invalid statement"),
    "Latin-1": (GOOD.encode() + b"# caf\xe9", "must be UTF-8 text, got byte 0xe9 in line 9, at 'é' in '# café'"),
    "UTF-16": (GOOD.encode("utf-16"), "must be TOML text in UTF-8, got UTF-16"),
    "HDF5": (b"\x89HDF\r\n\x1a\n and more", "must be TOML text in UTF-8, got HDF5, such as a results file"),
    "gzip": (b"\x1f\x8b and more", "must be TOML text in UTF-8, got gzip"),
    "deep": ("a = " + "[" * 20_000, "must be valid TOML: nested too deeply"),
}


@pytest.mark.parametrize("case", BAD)
def test_parse_toml__error_shows_the_place_in_one_line(case, tmp_path):
    given, words = BAD[case]
    raw = given if isinstance(given, bytes) else given.encode()
    with pytest.raises(InputError, match=re.escape(words)) as caught:
        parse_toml(raw)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250
    (tmp_path / "s.toml").write_bytes(raw)
    with pytest.raises(InputError, match=re.escape(f"s.toml' {caught.value}")):
        Experiment.from_toml(tmp_path / "s.toml")


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbf" + GOOD.encode(), GOOD.replace("\n", "\r\n").encode()])
def test_parse_toml__byte_order_mark_and_line_ends_of_windows_are_read(raw):
    mapping, text = parse_toml(raw)
    assert mapping == parse_toml(GOOD.encode())[0]
    assert text == raw.decode("utf-8-sig")
    assert Experiment.from_mapping(mapping, text=text).text == text


def test_position__of_a_long_line_shows_what_is_near():
    got = position("x" * 500 + "=" + "y" * 500, 1, 501)
    assert got == "line 1, at '=" + "y" * 54 + "... in '..." + "x" * 30 + "=" + "y" * 21 + "..."
