"""Array files: every format, and a one-line error for every invalid file."""

import gzip
import io
import re
import struct
import zipfile

import numpy as np
import pytest

from fastcollapse.datasets.arrays import read_array, read_matrix
from fastcollapse.datasets.data_files import DataFiles, split_name
from fastcollapse.errors import InputError

VALUES = np.arange(12).reshape(3, 2, 2)


def idx(values, code=8, kind=">u1"):
    header = struct.pack(f">4B{values.ndim}I", 0, 0, code, values.ndim, *values.shape)
    return header + values.astype(kind).tobytes()


def read(folder, name, content):
    (folder / name).write_bytes(content)
    return read_array(name, DataFiles(folder), "truth.images")


@pytest.mark.parametrize(("code", "kind"), [(8, ">u1"), (9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")])
def test_idx__of_every_type(tmp_path, code, kind):
    content = idx(VALUES, code, kind)
    for name, packed in (("a", content), ("a.gz", gzip.compress(content))):
        got = read(tmp_path, name, packed)
        assert got.dtype == np.float64
        np.testing.assert_array_equal(got, VALUES)


def test_npy_npz_and_csv__are_read(tmp_path):
    np.save(tmp_path / "a.npy", VALUES.astype(np.int16))
    np.savez(tmp_path / "one.npz", VALUES)
    np.savez(tmp_path / "two.npz", x_train=VALUES, y_train=VALUES[:, 0, 0])
    np.savetxt(tmp_path / "a.csv", VALUES[0], delimiter=",", header="p,q", comments="")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    for path, expected in (
        ("a.npy", VALUES),
        ("one.npz", VALUES),
        ("two.npz:y_train", [0, 4, 8]),
        ("a.csv", VALUES[0]),
        ("a.csv.gz", VALUES[0]),
    ):
        np.testing.assert_array_equal(read_array(path, DataFiles(tmp_path), "truth.images"), expected)


def test_shipped_digits__are_whole():
    images = read_array("data/t10k-images-idx3-ubyte.gz", DataFiles(), "truth.images")
    labels = read_array("data/t10k-labels-idx1-ubyte.gz", DataFiles(), "truth.labels")
    assert images.shape == (10_000, 28, 28)
    assert (images.min(), images.max()) == (0, 255)
    assert np.bincount(labels.astype(int)).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


NPZ = "must name one of its arrays (x_train, y_train), as in FILE.npz:x_train, got"
WRONG = {
    "cut off": (
        "a",
        idx(VALUES)[:-1],
        "must be a complete idx file, got 'a', which has 11 bytes of the 12 that 3 x 2 x 2",
    ),
    "too long": ("a", idx(VALUES) + b"\0", "must be a complete idx file, got 'a', which has 13 bytes of the 12"),
    "header": ("a", idx(VALUES)[:9], "must be a complete idx file, got 'a', which ends within its header"),
    "type": ("a", idx(VALUES, 7), r"must be a sound idx file, got 'a', whose header is b'\x00\x00\x07\x03'"),
    "no dimension": ("a", b"\0\0\x08\0", "must be a sound idx file, got 'a'"),
    "two bytes": ("a", b"\0\0", "must be a sound idx file, got 'a'"),
    "gzip cut off": ("a.gz", gzip.compress(idx(VALUES), mtime=0)[:-9], "must be a complete gzip file, got 'a.gz': "),
    "gzip damaged": (
        "a.gz",
        gzip.compress(idx(VALUES), mtime=0)[:-8] + b"damaged!",
        "must be a complete gzip file, got 'a.gz': CRC",
    ),
    "empty": ("a", b"", "must be an idx, .npy, .npz or .csv file, gzipped or not, got 'a', which begins with b''"),
    "picture": ("a.png", b"\x89PNG\r\n", r"gzipped or not, got 'a.png', which begins with b'\x89PNG'"),
    "csv of words": ("a.csv", b"p,q\n1,x\n", "must be numbers in an idx, .npy, .npz or .csv file"),
    "csv of nothing": ("a.csv", b"p,q\n", "must be an array of finite numbers, got shape"),
    "csv not finite": ("a.csv", b"1,nan\n", "must be an array of finite numbers, got entries that are not finite"),
    "npy cut off": ("a.npy", b"\x93NUMPY\x01\0", "must be numbers in an idx"),
    "npz damaged": ("a.npz", b"PK\3\4....", "must be numbers in an idx"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_files__are_refused_in_one_line(tmp_path, case):
    name, content, message = WRONG[case]
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read(tmp_path, name, content)
    assert str(caught.value).startswith("truth.images must ")
    assert "\n" not in str(caught.value)


def test_npz__must_name_its_array(tmp_path):
    np.savez(tmp_path / "two.npz", x_train=VALUES, y_train=VALUES)
    for path in ("two.npz", "two.npz:x_trian"):
        with pytest.raises(InputError, match=re.escape(f"truth.images {NPZ} '{path}'")):
            read_array(path, DataFiles(tmp_path), "truth.images")
    assert split_name("two.npz:x") == ("two.npz", "x")


def test_pickles__are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"truth\.images must be numbers in an idx"):
        read_array("a.npy", DataFiles(tmp_path), "truth.images")


def _npy(header):
    """Return a .npy file that has only a header."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def _npz(name, content):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return made.getvalue()


HOSTILE = {
    "header.npy": _npy(b"{'descr':'<f8'"),
    "huge.npy": _npy(b"{'descr':'<f8','fortran_order':False,'shape':(1000000000000,10)}\n"),
    "deep.npy": _npy(b"{'descr':'<f8','fortran_order':False,'shape':" + b"(" * 3000 + b")" * 3000 + b"}\n"),
    "objects.npy": _npy(b"{'descr':'|O','fortran_order':False,'shape':(1,)}\n"),
    "text.npz": _npz("a.txt", b"hello"),
    "no_array.npz": _npz("a.npy", b"hello"),
    "bomb.npz": _npz("a.npy", bytes(300 << 20)),
    "bomb.gz": gzip.compress(bytes(300 << 20), 1),
    "cut.npz": _npz("a.npy", b"hello")[:30],
    "results.h5": b"\x89HDF\r\n\x1a\n" + bytes(500),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file__is_refused_in_one_line(tmp_path, name):
    (tmp_path / name).write_bytes(HOSTILE[name])
    functions = (read_array, read_matrix) if name.endswith(".npy") else (read_array,)
    for function in functions:
        with pytest.raises(InputError, match=f"^truth.x must .*{name}") as caught:
            function(name, DataFiles(tmp_path), "truth.x")
        assert "\n" not in str(caught.value)
