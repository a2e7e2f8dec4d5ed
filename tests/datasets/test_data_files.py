"""Hashes of data files while they are read."""

import gzip
import hashlib
import io

import pytest

from fastcollapse.datasets.corpus import count_words
from fastcollapse.datasets.data_files import DataFiles, changed_files, hash_files
from fastcollapse.errors import InputError


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def test_hash__is_that_of_all_bytes_whatever_is_read(tmp_path):
    content = bytes(range(256)) * 9000
    (tmp_path / "a").write_bytes(content)
    for size in (0, 1, 3_000, 2**21, -1):
        files = DataFiles(tmp_path)
        with files.open("a", "key") as stream:
            assert stream.read(size) == (content if size < 0 else content[:size])
        assert files.hashes == {"a": sha256(content)}
    files = DataFiles(tmp_path)
    assert files.read("a", "key") == content
    assert files.hashes == hash_files(["a", "missing", "."], tmp_path) == {"a": sha256(content)}


def test_hash__of_a_gzip_corpus_is_that_of_the_packed_file(tmp_path):
    packed = gzip.compress(b"one two two " * 1000) + bytes(3_000_000)  # zeros may follow a gzip stream
    (tmp_path / "a.txt.gz").write_bytes(packed)
    files = DataFiles(tmp_path)
    assert count_words(files, ["a.txt.gz"]) == {"one": 1000, "two": 2000}
    assert files.hashes == {"a.txt.gz": sha256(packed)}


def test_hash__is_of_the_bytes_in_use_if_the_file_changes_during_reading(tmp_path):
    """A hash before or after the reading would be that of other bytes than those that were counted."""
    path = tmp_path / "a"
    path.write_bytes(b"old " * 2**20)
    files = DataFiles(tmp_path)
    with files.open("a", "key") as stream:
        read = io.BytesIO(stream.read(2**20))
        path.write_bytes(b"new " * 2**20)
        read = read.getvalue() + stream.read()
    assert b"old" in read
    assert b"new" in read
    assert files.hashes == {"a": sha256(read)}


def test_file__that_is_read_twice_must_have_the_same_bytes(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"first")
    files = DataFiles(tmp_path)
    files.read("a.npz", "truth.images")
    files.read("a.npz", "truth.labels")
    (tmp_path / "a.npz").write_bytes(b"second")
    with pytest.raises(InputError, match=r"truth\.labels must not change while it is read, got 'a\.npz'"):
        files.read("a.npz", "truth.labels")


def test_file__whose_reading_fails_has_no_hash(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    files = DataFiles(tmp_path)
    with pytest.raises(KeyError), files.open("a", "key"):
        raise KeyError
    assert files.hashes == {}


def test_changed_files__names_files_of_both_tables_alone():
    old, new = {"a": "0" * 64, "b": "1" * 64, "c": "2" * 64}, {"b": "1" * 64, "c": "3" * 64, "d": "4" * 64}
    (line,) = changed_files(old, new)
    assert line.startswith("data file 'c' has changed (SHA-256 222222222222 recorded, 333333333333 now): restore it")
    assert changed_files({}, new) == changed_files(old, {}) == changed_files(old, old) == []


def test_match__of_a_pattern_is_sorted_and_hashes_the_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.txt", "a.txt", "c.csv", "sub/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "folder.txt").mkdir()
    files = DataFiles(tmp_path)
    assert files.match("*.txt", "key") == ["a.txt", "b.txt"]
    assert files.match("**/*.txt", "key") == ["a.txt", "b.txt", "sub/d.txt"]
    assert files.match(str(tmp_path / "s*/?.txt"), "key") == [str(tmp_path / "sub/d.txt")]
    assert files.hashes["*.txt"] == sha256(b"a.txt\nb.txt\n")
    assert hash_files(["*.txt", "none*"], tmp_path) == {
        "*.txt": sha256(b"a.txt\nb.txt\n"), "a.txt": sha256(b"a.txt"), "b.txt": sha256(b"b.txt"),
    }  # fmt: skip


def test_match__of_a_file_is_the_file_whatever_its_name(tmp_path):
    for name in ("a[1].txt", "a1.txt"):
        (tmp_path / name).write_text(name)
    files = DataFiles(tmp_path)
    assert files.match("a[1].txt", "key") == ["a[1].txt"]
    assert files.match("missing.txt", "key") == ["missing.txt"]
    assert files.hashes == {}
    (tmp_path / "a[1].txt").unlink()
    assert files.match("a[1].txt", "key") == ["a1.txt"]


def test_match__searches_the_folders_of_a_path(tmp_path, monkeypatch):
    """The current folder comes first, then that of the experiment, then the shipped data."""
    here, base = tmp_path / "here", tmp_path / "base"
    for folder in (here, base):
        folder.mkdir()
    monkeypatch.chdir(here)
    (base / "wikitext2_x.txt").touch()
    assert DataFiles(base).match("wikitext2*", "key") == ["wikitext2_x.txt"]
    (here / "wikitext2_y.txt").touch()
    assert DataFiles(base).match("wikitext2*", "key") == ["wikitext2_y.txt"]
    for pattern in ("data/wikitext2*.gz", "wikitext2_s*"):
        (found,) = DataFiles().match(pattern, "key")
        assert DataFiles().read(found, "key")[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("pattern", ["*.none", "none/*", "[", "a\0*/b", "x" * 300 + "*/a", "/dev/null*"])
def test_match__without_a_file_is_refused(tmp_path, pattern):
    with pytest.raises(InputError, match=r"^truth\.text must match at least one file, got '") as caught:
        DataFiles(tmp_path).match(pattern, "truth.text")
    assert len(str(caught.value).splitlines()) == 1


def test_changed_files__has_a_pattern_that_matches_other_files(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    before = hash_files(["*.txt"], tmp_path)
    (tmp_path / "b.txt").write_text("x")
    (line,) = changed_files(before, hash_files(["*.txt"], tmp_path))
    assert line.startswith("data file '*.txt' has changed (SHA-256 ")
