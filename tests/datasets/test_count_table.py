"""Tables of words and counts: words as they are, separators, headers, and refused tables."""

import gzip
import re
import tracemalloc

import pytest

from fastcollapse.datasets import data_files
from fastcollapse.datasets.count_table import read_counts, read_counts_of_counts
from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.errors import InputError


def read(folder, content):
    path = folder / "x.csv"
    path.write_bytes(content.encode())
    return read_counts(DataFiles(folder), "x.csv")


TABLES = {
    "spaces": (" the\t300\nthe\t20\nthe \t3\n \t1\n", {" the": 300, "the": 20, "the ": 3, " ": 1}),
    "spaces by comma": (" the,300\nthe, 20 \n", {" the": 300, "the": 20}),
    "no-break space": ("\xa0a\t3\na\t2\n", {"\xa0a": 3, "a": 2}),
    "tab in a quoted first word": ('"a\tb",3\nc,2\n', {"a\tb": 3, "c": 2}),
    "tab in a later word": ('c,2\n"a\tb",3\n"\t",1\n', {"c": 2, "a\tb": 3, "\t": 1}),
    "tab and comma in quoted words": ('"\t,;",3\n"a""b",2\n', {"\t,;": 3, 'a"b': 2}),
    "line end in a word": ('"\n",3\n"a\r\nb",2\n', {"\n": 3, "a\r\nb": 2}),
    "quotation marks by tab": ('"\t3\n"a"\t2\n,\t1\n', {'"': 3, '"a"': 2, ",": 1}),
    "semicolon": ("word;count\nb;2\na,c;3\n", {"b": 2, "a,c": 3}),
    "semicolon without header": ('b;2\n"a;c";3\n', {"b": 2, "a;c": 3}),
    "comma as a word by semicolon": (",;300\nb;2\n", {",": 300, "b": 2}),
    "semicolon as a word by comma": (";,300\nb,2\n", {";": 300, "b": 2}),
    "comma and semicolon by tab": ("a;b,c\t3\nd\t1\n", {"a;b,c": 3, "d": 1}),
    "other header": ("token,freq\nb,2\na,3\n", {"b": 2, "a": 3}),
    "header with a year": ("token\tcount_2020\nb\t2\na\t3\n", {"b": 2, "a": 3}),
    "header without a name": (",count\nb,2\na,3\n", {"b": 2, "a": 3}),
    "index of pandas": (",word,count\n0,the,300\n1, the,20\n", {"the": 300, " the": 20}),
    "index of pandas by tab": ("\tword\tcount\n0\tthe\t300\n1\ta\t20\n", {"the": 300, "a": 20}),
    "whole floats": ("a,3.0\nb,2.\nc,1e+05\nd,1.5E2\ne,007\n", {"a": 3, "b": 2, "c": 100_000, "d": 150, "e": 7}),
    "blank lines": ("\n  \na\t3\n\t\nb\t2\n\n", {"a": 3, "b": 2}),
    "old line ends": ("a,3\rb,2\r", {"a": 3, "b": 2}),
    "numbers as words": ("17,300\n18,2\n", {"17": 300, "18": 2}),
    "long word": (f"{'a' * 100_000}\t3\nb\t1\n", {"a" * 100_000: 3, "b": 1}),
}


@pytest.mark.parametrize("name", TABLES)
def test_read_counts__reads_tables_of_many_programs(tmp_path, name):
    content, expected = TABLES[name]
    assert read(tmp_path, content) == expected


EACH_LINE = "must have one word and one count in each line, separated by a tab, comma or semicolon, got"
WHOLE = "must have whole counts from 0 to 10**15, got"
REFUSED = {
    "by spaces": ("the 300\na 20\n", f"{EACH_LINE} ['the 300'] in line 1 of 'x.csv'"),
    "three columns": ("word,count,rank\na,3,1\n", f"{EACH_LINE} ['word', 'count', 'rank'] in line 1 of 'x.csv'"),
    "index without header": ("0,the,300\n", f"{EACH_LINE} ['0', 'the', '300'] in line 1"),
    "a column missing": (",word,count\n0,the,300\na,20\n", f"{EACH_LINE} ['a', '20'] in line 3"),
    "no word": ("a\t2\n\t300\n", f"{EACH_LINE} ['', '300'] in line 2"),
    "count first": ("count,word\n300,the\n", f"{WHOLE} 'the' in line 2"),
    "frequencies": ("a,0.25\nb,0.75\n", f"{WHOLE} '0.25' in line 1 of 'x.csv'; frequencies are given as truth.prob"),
    "missing count": ("a,NaN\nb,3\n", f"{WHOLE} 'NaN' in line 1"),
    "slip in the first line": ("a,3OO\nb,3\n", f"{WHOLE} '3OO' in line 1"),
    "thousands": ("the\t1,234\nof\t999\n", f"{WHOLE} '1,234' in line 1"),
    "decimal comma": ("the;1,5\nof;2,5\n", "must have tabs between its columns, or words in quotes, if commas and"),
    "large exponent": ("a,1e99\nb,1\n", f"{WHOLE} '1e99'"),
    "larger exponent": ("a,1e999999\nb,1\n", f"{WHOLE} '1e999999'"),
    "blank lines before": ("\n\n\na,b\nc,d\n", f"{WHOLE} 'd' in line 5"),
    "twice": ("a,1\n a,1\na,2\n", "must name each word once, got 'a' again in line 3"),
    "long line": (
        "a" * 2**20 + "bc,3\n",
        "must have lines of at most 1,048,576 characters, got a longer one in 'x.csv'",
    ),
    "long word": (
        "a" * 200_000 + ",3\n",
        "must be a table of word and count, got 'x.csv': field larger than field lim",
    ),
    "long word by both": (";" + "a" * 200_000 + ",3\n", "must be a table of word and count, got 'x.csv': field larger"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_read_counts__says_what_is_expected(tmp_path, name):
    content, expected = REFUSED[name]
    with pytest.raises(InputError) as caught:
        read(tmp_path, content)
    assert f"truth.counts {expected}" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_read_counts__holds_one_line_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(data_files, "_BUFFER", 2**12)
    path = tmp_path / "x.tsv"
    path.write_bytes(b"a\t1\nb\t2\n" + (b" " * 10_000 + b"\n") * 300)
    tracemalloc.start()
    try:
        assert read_counts(DataFiles(tmp_path), "x.tsv") == {"a": 1, "b": 2}
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_read_counts__stops_at_the_limit_of_a_line(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"a,1\n" + b"b" * 5_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=re.escape("must have lines of at most")):
            read_counts(DataFiles(tmp_path), "x.csv")
        assert tracemalloc.get_traced_memory()[1] < 4_500_000
    finally:
        tracemalloc.stop()


def read_spectrum(folder, content, name="x.csv"):
    (folder / name).write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
    files = DataFiles(folder)
    spectrum = read_counts_of_counts(files, name)
    assert spectrum.inputs == files.hashes
    assert len(files.hashes) == 1
    return dict(zip(spectrum.counts.tolist(), spectrum.n_symbols.tolist(), strict=True))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("1,500\n2,30\n1000,1\n", {1: 500, 2: 30, 1000: 1}),
        ("count\tsymbols\n7\t2\n1\t500\n", {1: 500, 7: 2}),
        ("count;number of symbols\n3;2\n", {3: 2}),
        (",count,symbols\n0,3,2\n1,5,1\n", {3: 2, 5: 1}),
        ("0,100\n3,2\n4,0\n", {3: 2}),
        ("1e3,2.0\n 5, 1 \n", {5: 1, 1000: 2}),
    ],
)
def test_read_counts_of_counts__reads_tables_in_any_order(tmp_path, content, expected):
    assert read_spectrum(tmp_path, content) == expected
    assert read_spectrum(tmp_path, content, "y.tsv.gz") == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("1,500\n1,2\n", "truth.counts_of_counts must have each count once, got 1 again in line 2 of 'x.csv'"),
        ("the,500\n1,2\n", "truth.counts_of_counts must have whole counts from 0 to 10**15, got 'the' in line 1"),
        ("1,0.5\n", "truth.counts_of_counts must have whole counts from 0 to 10**15, got '0.5' in line 1"),
        ("5,1\n", "truth.counts_of_counts must have at least two symbols, got 1 in 'x.csv'"),
        ("1000000000,1000001\n", "truth.counts_of_counts must have at most 10**15 tokens, got 1000001000000000 in"),
        ("1000000000000000,1000000000000000\n", "must have at most 10**15 tokens"),
        (
            "1,2\n3\n",
            "must have one count and one number of symbols in each line, separated by a tab, comma or semicolon",
        ),
        ("", "truth.counts_of_counts must be a text file with words, got the empty file 'x.csv'"),
    ],
)
def test_read_counts_of_counts__says_what_is_expected(tmp_path, content, expected):
    with pytest.raises(InputError, match=re.escape(expected)):
        read_spectrum(tmp_path, content)
