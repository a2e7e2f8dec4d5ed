"""Checksums of every byte of a file: header checksum on opening, data set checksums in `check`."""

import zlib
from contextlib import nullcontext, suppress

import numpy as np
import pytest

from fastcollapse.errors import UnreadableResults
from fastcollapse.storage.checksums import Extent, checksums_of, damaged, gaps, joined_crc, read_checksums
from fastcollapse.storage.hdf5_store import Hdf5Store
from fastcollapse.storage.readers import check_data, open_file
from tests.storage._stored_runs import fill, make_header, make_run

RAW = b"\x89HDF\r\n\x1a\n" + bytes(range(92))


def written(path, end=100, data=((40, 10), (60, 0), (80, 20))):
    extents = [Extent(low, n, zlib.crc32(RAW[low : low + n])) for low, n in data]
    checksums = checksums_of(end, extents, lambda offset, n: RAW[offset : offset + n])
    path.write_bytes(RAW + checksums.encoded())
    return checksums


def test_checksums__round_trip(tmp_path):
    expected = written(tmp_path / "f")
    assert read_checksums(tmp_path / "f") == expected
    assert expected.metadata == zlib.crc32(RAW[:40] + RAW[50:80])
    assert damaged(tmp_path / "f", expected) == []


def test_checksums__detect_flipped_bits_and_truncation(tmp_path):
    path = tmp_path / "f"
    checksums = written(path)
    raw = path.read_bytes()
    for bit in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        if any(low <= bit // 8 < low + n for low, n, _ in checksums.data):
            assert len(damaged(path, read_checksums(path))) == 1
        else:
            # Without the magic number of the footer the end of the HDF5 data would decide; these bytes have no such
            # end.
            with pytest.raises(ValueError, match="is ") if bit // 8 < len(raw) - 8 else nullcontext():
                assert read_checksums(path) is None
    for size in range(len(raw)):
        path.write_bytes(raw[:size])
        with suppress(ValueError):
            assert read_checksums(path) is None


def test_joined_crc__is_that_of_the_joined_bytes():
    rng = np.random.default_rng(5)
    for n_first, n_second in [
        (0, 0),
        (0, 9),
        (9, 0),
        (1, 1),
        (4096, 4097),
        *rng.integers(0, 100_000, (20, 2)).tolist(),
    ]:
        first, second = rng.bytes(n_first), rng.bytes(n_second)
        joined = joined_crc(zlib.crc32(first), zlib.crc32(second), n_second)
        assert joined == zlib.crc32(first + second)
        assert joined != joined_crc(zlib.crc32(first), zlib.crc32(second), n_second + 1) or not n_first


@pytest.mark.parametrize("data", [((10, 20), (25, 5)), ((90, 20),), ((10, -5),)])
def test_gaps__refuse_inconsistent_table(data):
    with pytest.raises(ValueError, match="is inconsistent"):
        list(gaps(100, [Extent(*one, 0) for one in data]))


@pytest.mark.parametrize("finished", [True, False])
def test_file__flipped_bits_are_detected(tmp_path, finished):
    """200 bits of a file and of a part: opening or `check` refuses, and no other error occurs."""
    header = make_header(labels=True)
    with Hdf5Store(header, tmp_path / "out.h5") as store:
        fill(store, make_run(header), [4], [2])
        if finished:
            store.finish({})
    path = tmp_path / "out.h5" if finished else store.parts / "part-00001.h5"
    raw = path.read_bytes()
    check_data(path)
    bits = np.random.default_rng(3).choice(8 * len(raw), 200, replace=False)
    messages = []
    for bit in [*bits.tolist(), *range(8 * len(raw) - 160, 8 * len(raw))]:  # and all bits of the footer
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(UnreadableResults) as caught:
            check_data(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)
        messages.append(str(caught.value).removeprefix(f"{path}: "))
        with suppress(UnreadableResults):
            open_file(tmp_path / "out.h5")
    assert {"is damaged: the checksum of its metadata does not match", "is truncated or damaged"} <= set(messages)
    assert any("checksum mismatch in entropy" in one for one in messages)


def test_check__reports_file_without_checksums(tmp_path):
    header = make_header()
    path = tmp_path / "out.h5"
    with Hdf5Store(header, path) as store:
        fill(store, make_run(header), [4]).finish({})
    end = read_checksums(path).end
    path.write_bytes(path.read_bytes()[:end])
    assert open_file(path).n_committed == header.n_generations
    with pytest.raises(UnreadableResults, match="has no checksums"):
        check_data(path)
