"""Text files of other formats are refused by name."""

import bz2
import gzip
import io
import lzma
import zipfile

import pytest

from fastcollapse.datasets.data_files import DataFiles
from fastcollapse.datasets.text_file import open_text
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
