"""HDF5 store: parts, commits, the final file, and refused input."""

import json
import os
import tracemalloc
from hashlib import sha256

import h5py
import numpy as np
import pytest
import scipy.sparse
import xarray
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcollapse import Results
from fastcollapse.errors import InputError, StoreError
from fastcollapse.storage import hdf5_store
from fastcollapse.storage.blocks import Block, Header
from fastcollapse.storage.hdf5_store import Hdf5Store
from fastcollapse.storage.memory_store import MemoryStore
from fastcollapse.storage.part_files import parts_folder
from fastcollapse.storage.readers import open_file, open_parts
from fastcollapse.variables import Coordinate, Variable
from tests.storage._stored_runs import (
    DIGEST,
    EXPERIMENT,
    FORGOTTEN,
    METRICS,
    STATE,
    block_of,
    fill,
    make_header,
    make_run,
)


def assert_equal(got, header, run, forgotten):
    dense, metrics = run
    assert got.n_committed == header.n_generations
    assert list(got.metrics) == list(metrics)
    for name, expected in metrics.items():
        np.testing.assert_array_equal(got.metrics[name], expected)
    np.testing.assert_array_equal(got.forgotten, forgotten)
    if not header.trajectory:
        with pytest.raises(LookupError):
            got.counts(0, 1)
        return
    for t in range(1, header.n_generations + 1):
        for r in range(header.n_replicates):
            symbols, counts = got.counts(r, t)
            assert symbols.dtype == counts.dtype == np.int64
            np.testing.assert_array_equal(symbols, np.flatnonzero(dense[t - 1, r]))
            np.testing.assert_array_equal(counts, dense[t - 1, r][symbols])


@settings(deadline=None, max_examples=40)
@given(st.sets(st.integers(2, 7)), st.sets(st.integers(0, 7)), st.booleans(), st.booleans(), st.integers(0, 99))
def test_store__equals_memory_for_every_split(tmp_path_factory, cuts, commits, trajectory, labels, seed):
    path = tmp_path_factory.mktemp("run") / "out.h5"
    header = make_header(trajectory=trajectory, labels=labels)
    run = make_run(header, seed)
    forgotten = np.random.default_rng(seed).integers(-1, 5, (3, 5)).astype(np.int32)
    for store in (MemoryStore(header), Hdf5Store(header, path)):
        with store:
            got = fill(store, run, cuts, commits).finish({"forgotten": forgotten})
        assert_equal(got, header, run, forgotten)
    assert [p.name for p in path.parent.iterdir()] == ["out.h5"]
    got = open_file(path).header
    assert (got.metrics, got.truth.labels, got.provenance) == (
        header.metrics,
        header.truth.labels,
        header.provenance,
    )
    assert (got.experiment_json, got.experiment_text, got.digest) == (EXPERIMENT, "[run] # ü\n", DIGEST)
    np.testing.assert_array_equal(got.truth.probabilities, header.truth.probabilities)


def test_store__bytes_do_not_depend_on_split(tmp_path):
    header = make_header()
    run = make_run(header)
    with Hdf5Store(header, tmp_path / "a.h5") as a, Hdf5Store(header, tmp_path / "b.h5") as b:
        fill(a, run, [3]).finish({})
        fill(b, run, range(8), range(8)).finish({})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


@pytest.mark.parametrize(("largest", "dtype"), [(200, "u1"), (60_000, "u2"), (10**6, "u4"), (10**15, "u8")])
def test_store__counts_use_narrowest_type(tmp_path, largest, dtype):
    header = make_header()
    with Hdf5Store(header, tmp_path / "out.h5") as store:
        fill(store, make_run(header, 1, largest), [4], [1]).finish({})
    with h5py.File(tmp_path / "out.h5") as file:
        assert file["trajectory/data"].dtype == dtype
        group = file["trajectory"]
        csr = scipy.sparse.csr_matrix((group["data"], group["indices"], group["indptr"]), shape=group.attrs["shape"])
    np.testing.assert_array_equal(csr.toarray(), make_run(header, 1, largest)[0].reshape(21, 5))


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_file__opens_in_xarray_in_one_line(tmp_path, engine):
    pytest.importorskip({"netcdf4": "netCDF4"}.get(engine, engine))
    header = make_header(text="x" * 300_000)
    run = make_run(header)
    with Hdf5Store(header, tmp_path / "out.h5") as store:
        fill(store, run, [4]).finish({"forgotten": np.ones((3, 5), np.int32)})
    with xarray.open_dataset(tmp_path / "out.h5", engine=engine) as got:
        assert set(got.data_vars) == {"support_size", "entropy", "forgotten"}
        assert got.entropy.dims == ("replicate", "generation")
        assert got.entropy.attrs == METRICS["entropy"].attributes
        assert got.attrs["experiment_text"] == header.experiment_text
        assert json.loads(got.attrs["provenance"]) == header.provenance
        np.testing.assert_array_equal(got.entropy, run[1]["entropy"])
        np.testing.assert_array_equal(got.generation, np.arange(8))
        assert got.forgotten.dims == ("replicate", "symbol")
    with xarray.open_dataset(tmp_path / "out.h5", engine=engine, group="truth") as got:
        np.testing.assert_array_equal(got.probability, header.truth.probabilities)


def test_open__reads_the_complete_parts_of_a_killed_run(tmp_path):
    path = tmp_path / "out.h5"
    header = make_header()
    run = make_run(header)
    store = Hdf5Store(header, path)
    store.commit({}, force=True)
    assert open_file(path).n_committed == -1
    for first, stop in ((0, 1), (1, 4)):
        store.append(block_of(header, run, first, stop))
        store.commit(STATE, force=True)
    store.append(block_of(header, run, 4, 6))
    (store.parts / "part-00003.h5.tmp").write_bytes(b"half")
    got = open_file(path)
    assert got.n_committed == 3
    assert got.forgotten is None
    np.testing.assert_array_equal(got.metrics["entropy"], run[1]["entropy"][:, :4])
    np.testing.assert_array_equal(got.state["state"], STATE["state"])
    np.testing.assert_array_equal(got.counts(1, 3)[0], np.flatnonzero(run[0][2, 1]))
    store.close()
    assert open_file(path).n_committed == 3


@pytest.mark.parametrize(("part_bytes", "part_seconds", "n_parts"), [(1, 1e9, 3), (1 << 30, 0, 3), (1 << 30, 1e9, 1)])
def test_commit__writes_after_size_or_time_limit(tmp_path, part_bytes, part_seconds, n_parts):
    header = make_header()
    store = Hdf5Store(header, tmp_path / "out.h5", part_bytes, part_seconds)
    fill(store, make_run(header), [])
    store.commit(STATE)
    store.close()
    assert n_parts == (len(list(store.parts.iterdir())) if store.parts.exists() else 1)


def test_commit__writes_a_large_state_without_a_copy_before_the_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5_store, "STATE_BYTES", 1 << 20)
    header = make_header()
    pool = np.arange(64.0 * 100_000).reshape(64, -1)
    kept = pool[:, :90_000]
    expected = kept.copy()
    store = Hdf5Store(header, tmp_path / "out.h5", part_bytes=1)
    for first, stop in ((0, 1), (1, 8)):
        store.append(block_of(header, make_run(header), first, stop))
    tracemalloc.start()
    store.commit({"pool": kept})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    pool[:] = 0
    store.close()
    assert peak < kept.nbytes / 2
    np.testing.assert_array_equal(open_parts(tmp_path / "out.h5").state["pool"], expected)


def test_create__refuses_existing_file(tmp_path):
    header = make_header()
    path = tmp_path / "out.h5"
    path.write_text("mine")
    with pytest.raises(
        InputError, match=r"out\.h5 already exists and is not a results file: choose another name \(resume=True"
    ):
        Hdf5Store(header, path)
    assert path.read_text() == "mine"
    assert not parts_folder(path).exists()
    with pytest.raises(InputError, match=r"output must be in a folder .*, got .*below/out\.h5"):
        Hdf5Store(header, path / "below" / "out.h5")
    with Hdf5Store(header, tmp_path / "two.h5") as store:
        fill(store, make_run(header), [], [1])
    with pytest.raises(
        InputError, match=r"two\.h5\.parts holds an unfinished run; resume it \(resume=True, --resume\), overwrite it"
    ):
        Hdf5Store(header, tmp_path / "two.h5")


def test_close__leaves_no_file_without_commit(tmp_path):
    path = tmp_path / "new" / "deep" / "out.h5"
    Hdf5Store(make_header(), path).close()
    assert list(tmp_path.iterdir()) == []
    with Hdf5Store(make_header(), path):
        (tmp_path / "new" / "mine.txt").write_text("mine")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["mine.txt"]


def test_finish__never_replaces_file_and_keeps_parts(tmp_path):
    header = make_header()
    path = tmp_path / "out.h5"
    with Hdf5Store(header, path) as store:
        fill(store, make_run(header), [], [1])
        path.write_text("someone else's")
        with pytest.raises(StoreError, match="already exists"):
            store.finish({})
    assert path.read_text() == "someone else's"
    assert parts_folder(path).is_dir()


def test_commit__full_disk_is_one_line_and_keeps_parts(tmp_path, monkeypatch):
    header = make_header()
    run = make_run(header)
    store = Hdf5Store(header, tmp_path / "out.h5")
    store.append(block_of(header, run, 0, 1))
    store.commit(STATE, force=True)

    def full(*_):
        raise OSError(28, "No space left on device")

    store.append(block_of(header, run, 1, 3))
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(StoreError, match=r"part-00002.*No space left on device"):
            store.commit(STATE, force=True)
    assert open_file(store.path).n_committed == 0
    store.commit(STATE, force=True)
    assert open_file(store.path).n_committed == 2


def test_commit__raises_error_of_previous_part(tmp_path, monkeypatch):
    header = make_header()
    run = make_run(header)
    store = Hdf5Store(header, tmp_path / "out.h5", part_bytes=1)
    store.commit({}, force=True)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        store.append(block_of(header, run, 0, 1))
        store.commit(STATE)
        with pytest.raises(StoreError, match=r"part-00001.*No space left on device"):
            store.commit(STATE, force=True)
    for first, stop in ((1, 3), (3, 8)):
        store.append(block_of(header, run, first, stop))
        store.commit(STATE)
    with store:
        assert_equal(store.finish({"forgotten": FORGOTTEN}), header, run, FORGOTTEN)


def test_create__failed_first_part_leaves_no_file_and_raises(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    store = Hdf5Store(make_header(), tmp_path / "out.h5")
    for _ in range(2):
        with pytest.raises(StoreError, match=r"part-00000.*No space left on device"):
            store.commit(STATE, force=True)
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_open__refuses_with_path_and_reason(tmp_path):
    header = make_header()
    good = tmp_path / "good.h5"
    with Hdf5Store(header, good) as store:
        fill(store, make_run(header), []).finish({})
    raw = good.read_bytes()
    bad = tmp_path / "bad.h5"

    def reason(match):
        with pytest.raises(StoreError, match=match) as caught:
            open_file(bad)
        assert str(caught.value).startswith(str(bad))
        assert "\n" not in str(caught.value)
        bad.unlink(missing_ok=True)

    reason("no such file")
    bad.write_bytes(b"")
    reason("is empty")
    bad.write_bytes(b"plain text\n" * 99)
    reason("is not an HDF5 file")
    bad.write_bytes(raw[: len(raw) // 2])
    reason("is truncated or damaged")
    with h5py.File(bad, "w") as file:
        file["x"] = 1
    reason("is not a fastcollapse file")
    for attribute, value, match in (
        ("format_version", 3, "format version 3"),
        ("digest", None, "digest is missing"),
    ):
        bad.write_bytes(raw)
        with h5py.File(bad, "r+") as file:
            del file.attrs[attribute]
            if value is not None:
                file.attrs[attribute] = value
        reason(match)
    with pytest.raises(StoreError, match="is a folder"):
        open_file(tmp_path)


def test_append__refuses_block_of_wrong_shape():
    header = make_header()
    run = make_run(header)
    store = MemoryStore(header)
    with pytest.raises(ValueError, match="start at generation 0, got 1"):
        store.append(block_of(header, run, 1, 2))
    with pytest.raises(ValueError, match="0 to 1"):
        store.append(block_of(header, run, 0, 2))
    store.append(block_of(header, run, 0, 1))
    with pytest.raises(ValueError, match="if and only if"):
        store.append(Block(1, {k: v[:, 1:2] for k, v in run[1].items()}, None))


def make_grid(store_of, n_generations=3):
    """Return the reader of a run with a metric `error` over 2 sample sizes and 3 ridges, and its values."""
    variables = {"norm": Variable("norm"), "error": Variable("error", dims=("n", "ridge"))}
    coordinates = {
        "n": Coordinate(np.array([50, 100]), "samples"),
        "ridge": Coordinate(np.array([0.0, 0.1, 1.0]), "ridge"),
    }
    header = Header(
        "{}", "", sha256(b"{}").hexdigest(), {}, 2, n_generations, variables, None, False, coordinates=coordinates
    )  # fmt: skip
    rng = np.random.default_rng(3)
    shape = (2, n_generations + 1)
    metrics = {"norm": rng.normal(size=shape), "error": rng.normal(size=(*shape, 2, 3))}
    metrics["error"][:, 2] = np.nan
    store = store_of(header)
    for first, stop in ((0, 1), (1, 3), (3, n_generations + 1)):
        store.append(Block(first, {name: values[:, first:stop] for name, values in metrics.items()}, None))
    return store, metrics, coordinates


def test_coordinates__memory_file_parts_and_xarray_agree(tmp_path):
    path = tmp_path / "out.h5"
    memory, metrics, coordinates = make_grid(MemoryStore)
    store, _, _ = make_grid(lambda header: Hdf5Store(header, path))
    store.commit({}, force=True)
    for reader in (memory.finish({}), open_file(path), store.finish({}), open_file(path)):
        results = Results(reader)
        assert list(results.metrics) == ["norm", "error"]
        assert results.variables["error"].dims == ("n", "ridge")
        for name, values in metrics.items():
            np.testing.assert_array_equal(results.metrics[name], values)
        assert list(results.coordinates) == ["n", "ridge"]
        for name, coordinate in coordinates.items():
            got = results.coordinates[name]
            np.testing.assert_array_equal(got.values, coordinate.values)
            assert got.values.dtype == coordinate.values.dtype
            assert got.attributes == coordinate.attributes
            with pytest.raises(ValueError, match="read-only"):
                got.values[0] = 1
    with xarray.open_dataset(path) as got:
        xarray.testing.assert_identical(got, memory_dataset := Results(memory.finish({})).to_xarray())
        assert got.error.dims == memory_dataset.error.dims == ("replicate", "generation", "n", "ridge")
        assert got.error.attrs == {"long_name": "error", "units": "1", "dims": "n ridge"}
        assert got.error.sel(ridge=0.1, n=100, generation=1).values == pytest.approx(metrics["error"][:, 1, 1, 1])


def test_coordinates__exist_in_run_without_generations(tmp_path):
    path = tmp_path / "out.h5"
    store, _, _ = make_grid(lambda header: Hdf5Store(header, path))
    store._wait()
    results = Results(open_file(path))
    assert results.metrics["error"].shape == (2, 0, 2, 3)
    np.testing.assert_array_equal(results.coordinates["n"].values, [50, 100])
    store.close()


def test_append__refuses_metric_that_does_not_match_coordinates():
    store, _, _ = make_grid(MemoryStore)
    store._next = 0
    wrong = {"norm": np.zeros((2, 1)), "error": np.zeros((2, 1, 2, 4))}
    with pytest.raises(ValueError, match=r"error must have shape \(2, 1, 2, 3\), got \(2, 1, 2, 4\)"):
        store.append(Block(0, wrong, None))
