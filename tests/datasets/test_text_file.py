"""Text files of other formats are refused by name."""

import bz2
import gzip
import io
import lzma
import zipfile

import pytest

from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.datasets.text_file import open_text, text_paths
from fastcollapse.errors import InputError

TEXT = "one two two\n"


def zipped():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("x.txt", TEXT)
    return stream.getvalue()


OTHERS = {
    "bzip2": bz2.compress(TEXT.encode()),
    "xz": lzma.compress(TEXT.encode()),
    "zstd": b"\x28\xb5\x2f\xfd" + TEXT.encode(),
    "a zip archive": zipped(),
    "UTF-16": TEXT.encode("utf-16"),
}


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_open_text__names_another_format(tmp_path, name, pack):
    (tmp_path / "x").write_bytes(pack(OTHERS[name]))
    with pytest.raises(InputError) as caught, open_text(DataFiles(tmp_path), "truth.text", "x"):
        pass
    assert str(caught.value) == f"truth.text must be UTF-8 text, plain or gzip, got 'x': {name}"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_open_text__reads_plain_and_gzip(tmp_path, pack):
    (tmp_path / "x").write_bytes(pack(b"\xef\xbb\xbfBZh PK\r\n"))
    with open_text(DataFiles(tmp_path), "truth.text", "x") as text:
        assert text.read() == "BZh PK\r\n"


def test_paths__are_those_of_the_list_in_order_with_patterns_expanded(tmp_path):
    for name in ("b.txt", "a.txt", "z.txt"):
        (tmp_path / name).write_text(name)
    assert text_paths(DataFiles(tmp_path), "truth.text", ["z.txt", "[ab].txt"]) == ["z.txt", "a.txt", "b.txt"]


def test_paths__of_one_file_twice_are_refused(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "link.txt").symlink_to("a.txt")
    for given, expected in (
        (["a.txt", "a.txt"], "'a.txt' twice"),
        (["a.txt", "a*"], "'a.txt' twice"),
        (["a.txt", "./a.txt"], "'a.txt' twice, which is './a.txt'"),
        (["*.txt"], "'a.txt' twice, which is 'link.txt'"),
    ):
        with pytest.raises(InputError) as caught:
            text_paths(DataFiles(tmp_path), "truth.text", given)
        assert str(caught.value) == f"truth.text must have each file once, got {expected}"


def test_paths__of_a_missing_file_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"^truth\.text must be a file, got 'b\.txt': no such file$"):
        text_paths(DataFiles(tmp_path), "truth.text", ["b.txt"])
