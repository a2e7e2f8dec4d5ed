"""Hostile files, each made from a small run, and the limits within which commands must refuse them."""

import dataclasses
import hashlib
import json
import os
import resource
import shutil
import signal
import socket
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from fastcollapse import simulate
from fastcollapse.simulation.execute import execute
from fastcollapse.simulation.experiment import Experiment
from fastcollapse.simulation.run_plan import plan_run
from fastcollapse.storage.checksums import Checksums, read_checksums
from fastcollapse.storage.hdf5_store import Hdf5Store
from tests.cli._commands import call

# More than any refusal needs; a hang or an unpacked bomb ends the test instead of the machine.
_SECONDS, _MEMORY_BYTES = 200, 1 << 30
DEEP = "[" * 30_000 + "]" * 30_000
SPARSE_BYTES = 5 << 30
R, T = 3, 4


def make_run(folder):
    """Write a run with labels, counts and extinction times, and the parts of the same run in progress."""
    (folder / "counts.csv").write_text("word,count\nthe,5\ncat,3\nsat,2\n")
    made = Experiment.from_mapping(
        {
            "truth": {"counts": "counts.csv"},
            "workflow": {"name": "replace", "n_samples": 10},
            "run": {"n_generations": T, "n_replicates": R, "seed": 1, "record": ["metrics", "trajectory"]},
        },
        base=folder,
        text="[recipe]\ntitle = 'a test'\n",
    )
    simulate(made, folder / "good.h5")

    def store(header):
        return Hdf5Store(header, folder / "begun.h5", part_bytes=1, part_seconds=0)

    n_calls = iter(range(T - 2))
    with pytest.raises(StopIteration):  # before the last generation
        execute(plan_run(made, store=store), block=1, progress=lambda _: next(n_calls))
    assert len(list((folder / "begun.h5.parts").glob("part-*"))) > 2


@contextmanager
def bounded(memory=True):
    """End what waits for ever or needs much memory by an error."""

    def late(*_):
        raise AssertionError("a command has not ended")

    before, handler = resource.getrlimit(resource.RLIMIT_AS), signal.signal(signal.SIGALRM, late)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    signal.alarm(_SECONDS)
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)


def refused(*arguments, memory=True):
    """Run a command that must fail in one line, and return the line."""
    with bounded(memory):
        answer = call(*arguments)
    assert answer.exit_code == 2, (arguments, answer.output, answer.exception)
    assert answer.stdout == "", (arguments, answer.output)
    line = answer.stderr.removesuffix("\n")
    assert line.startswith("error: "), (arguments, line)
    assert line.isprintable(), (arguments, line)
    return line


def seal(path):
    """Give a file checksums that match, as its author would."""
    raw = path.read_bytes()
    path.write_bytes(raw + Checksums(len(raw), zlib.crc32(raw), ()).encoded())


def edited(source, path, edit):
    """Write a copy of a file that `edit` has changed, with checksums that match."""
    path.write_bytes(source.read_bytes()[: read_checksums(source).end])
    with h5py.File(path, "r+") as file:
        edit(file)
    seal(path)


@dataclasses.dataclass(frozen=True)
class Edit:
    """A change of the HDF5 file of a run, and words of the refusal."""

    change: Callable[[h5py.File], object]
    words: str
    # Commands that do not use what is wrong.
    passes: tuple[str, ...] = ()


def attribute(key, value, words, at="/", passes=()):
    def change(file):
        file[at].attrs.pop(key, None)
        if value is not None:
            file[at].attrs[key] = value

    return Edit(change, words, passes)


def experiment(value, words, passes=()):
    """The experiment replaced, with its digest."""
    text = value if isinstance(value, str) else json.dumps(value)

    def change(file):
        file.attrs["experiment"], file.attrs["digest"] = text, hashlib.sha256(text.encode()).hexdigest()

    return Edit(change, words, passes)


def array(name, values, words):
    def change(file):
        replaced(file, name, lambda group, leaf: group.create_dataset(leaf, data=values))

    return Edit(change, words)


def replaced(file, name, create):
    """Replace a data set, and keep its attributes of text."""
    texts = {}
    if name in file:
        texts = {key: file[name].attrs[key] for key in file[name].attrs if key in ("long_name", "units", "dims")}
        del file[name]
    path = Path(name)
    made = create(file.require_group(str(path.parent)) if path.parent.name else file, path.name)
    for key, value in texts.items():
        made.attrs[key] = value


def created(words, name="extra", **settings):
    return Edit(lambda file: file.create_dataset(name, **settings), words)


def linked(link, words):
    def change(file):
        file["extra"] = link

    return Edit(change, words)


def external(path):
    def change(file):
        def create(group, leaf):
            return group.create_dataset(leaf, (R, T + 1), "f8", external=[(path, 0, h5py.h5f.UNLIMITED)])

        replaced(file, "entropy", create)

    return Edit(change, "the data of entropy are in another file")


def virtual(source):
    def change(file):
        layout = h5py.VirtualLayout((R, T + 1), "f8")
        layout[:] = h5py.VirtualSource(source, "support_size", (R, T + 1))
        replaced(file, "entropy", lambda group, leaf: group.create_virtual_dataset(leaf, layout))

    return Edit(change, "entropy must be contiguous or chunked")


def compact(file):
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((4,))
    h5py.h5d.create(file.id, b"extra", h5py.h5t.NATIVE_DOUBLE, space, dcpl=creation)


def plugin(file):
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk((4,))
    creation.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
    h5py.h5d.create(file.id, b"extra", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple((4,)), dcpl=creation)


def deflated_twice(file):
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_chunk((4,))
    for _ in range(2):
        creation.set_filter(h5py.h5z.FILTER_DEFLATE, h5py.h5z.FLAG_MANDATORY, (1,))
    h5py.h5d.create(file.id, b"extra", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple((4,)), dcpl=creation)


def bomb(file):
    made = file.create_dataset("extra", (300, 1 << 17), "f8", chunks=(300, 1 << 17), compression=9, fillvalue=1.0)
    made.id.write_direct_chunk((0, 0), zlib.compress(bytes(8 * 300 << 17), 9))


def large_chunk(file):
    made = file.create_dataset("extra", (4,), "f8", chunks=(400 << 17,), maxshape=(None,), compression=9)
    made.id.write_direct_chunk((0,), b"\0" * 1000)


def group_in_itself(file):
    file.create_group("extra")["extra"] = file


def doubling_groups(file):
    group = file.create_group("extra")
    for _ in range(40):
        inner = group.create_group("a")
        group["b"] = inner
        group = inner


def deep_groups(file):
    group = file
    for _ in range(1000):
        group = group.create_group("g")


def many_attributes(file):
    for number in range(10_001):
        file.attrs[f"a{number}"] = 1


def without_replicates(file):
    for name in list(file):
        if isinstance(file[name], h5py.Dataset) and file[name].shape[:1] == (R,):
            shape = (0, *file[name].shape[1:])
            replaced(file, name, lambda group, leaf, shape=shape: group.create_dataset(leaf, shape, "f8"))
    replaced(file, "replicate", lambda group, leaf: group.create_dataset(leaf, (0,), "i4"))


def without_metrics(file):
    for name in list(file):
        if isinstance(file[name], h5py.Dataset) and file[name].ndim == 2 and name != "forgotten":
            del file[name]


_RUN = {"n_generations": T, "n_replicates": R}
_PROVENANCE = {"packages": {}, "created": "now"}
_PRINTABLE = "must be one line of printable text"
_LATER = ("check",)
_NO_TEXT = ("check", "replay")
EDITS = {
    "external storage": external("/etc/passwd"),
    "external storage on a pipe": external("pipe"),
    "virtual": virtual("other.h5"),
    "virtual, itself": virtual("."),
    "soft link": linked(h5py.SoftLink("/entropy"), "extra is a link"),
    "dangling link": linked(h5py.SoftLink("/nothing"), "extra is a link"),
    "link in a circle": linked(h5py.SoftLink("/extra"), "extra is a link"),
    "link to a file": linked(h5py.ExternalLink("/etc/passwd", "/"), "extra is a link"),
    "link to a pipe": linked(h5py.ExternalLink("pipe", "/"), "extra is a link"),
    "second link": Edit(lambda file: file.__setitem__("extra", file["entropy"]), "second link to an object"),
    "group in itself": Edit(group_in_itself, "second link to an object"),
    "doubling groups": Edit(doubling_groups, "second link to an object|nested too deeply"),
    "deep groups": Edit(deep_groups, "nested too deeply"),
    "named type": Edit(lambda file: file.__setitem__("extra", np.dtype("f8")), "neither a group nor a data set"),
    "compact": Edit(compact, "extra must be contiguous or chunked"),
    "plugin": Edit(plugin, "extra is stored with other filters"),
    "lzf": created("extra is stored with other filters", data=np.zeros(9), compression="lzf", chunks=(9,)),
    "scale-offset": created("extra is stored with other filters", data=np.zeros(9, int), scaleoffset=2, chunks=(9,)),
    "deflated twice": Edit(deflated_twice, "extra is stored with other filters"),
    "bomb": Edit(bomb, "extra needs 314,572,800 bytes of memory"),
    "large chunk": Edit(large_chunk, "cannot be read: extra needs"),
    "larger than the disk": created("extra should have", shape=(10**9, 10**6), dtype="f8"),
    "larger than the disk, chunked": created("extra should have", shape=(10**9, 10**6), dtype="f8", chunks=(9, 9)),
    "overflow": created("extra should have", shape=(2**32, 2**32), dtype="f8"),
    "many chunks": created("extra should have", shape=(10**4,), dtype="i1", chunks=(1,)),
    "text of any length": created("extra must have numbers", data=["a"], dtype=h5py.string_dtype()),
    "references": created("extra must have numbers", shape=(2,), dtype=h5py.ref_dtype),
    "region references": created("extra must have numbers", shape=(2,), dtype=h5py.regionref_dtype),
    "compound": created("extra must have numbers", data=np.zeros(2, [("a", "f8")])),
    "booleans": created("extra must have numbers", data=np.zeros(2, bool)),
    "no space": Edit(lambda file: file.__setitem__("extra", h5py.Empty("f8")), "extra has no shape"),
    "many attributes": Edit(many_attributes, "more than 10,000 objects"),
    "control characters in a name": created(r"names must be printable, got 'x\\x1b", name="x\x1b[2J", data=[1.0]),
    "number as long name": attribute("long_name", 3, f"long_name {_PRINTABLE}, got 3", "entropy"),
    "control characters in a unit": attribute("units", "a\x1b[2J", f"units {_PRINTABLE}", "entropy"),
    "no unit": attribute("units", None, "units is missing", "entropy"),
    "other dimensions": attribute("dims", "a b", "entropy must have the shape", "entropy"),
    "texts as text": attribute("experiment_text", ["a", "b"], "must be text, got a value of another type"),
    "huge array of text": attribute("experiment_text", np.full(1000, b"x"), "must be text, got a value of another"),
    "empty attribute": attribute("experiment", h5py.Empty("f8"), "must be text, got a value of another type"),
    "half of a letter": attribute("experiment_text", np.bytes_(b"\xff"), "utf-8"),
    "text as version": attribute("format_version", "1", "must be a whole number"),
    "version 0": attribute("format_version", 0, "must be a whole number of at least 1"),
    "fraction as version": attribute("format_version", 1.5, "must be a whole number of at least 1"),
    "versions": attribute("format_version", [1, 1], "must be a whole number of at least 1"),
    "numbers as format": attribute("format", [1, 2], "is not a fastcollapse file"),
    "other kind": attribute("kind", "x\x1b[2J", "not the results of one run"),
    "short digest": attribute("digest", "abc", "digest must be a SHA-256"),
    "negative generations": attribute("n_generations", -5, "n_generations must be a whole number of at least 1"),
    "text as generations": attribute("n_generations", "x", "n_generations must be a whole number"),
    "other generations": attribute("n_generations", 10**9, "its experiment 4"),
    "negative replicate": attribute("first_replicate", -1, "first_replicate must be a whole number of at least 0"),
    "huge replicate": attribute("first_replicate", np.uint64(2**63), "first_replicate must be a whole number"),
    "provenance, a list": attribute("provenance", "[]", "provenance must be a table"),
    "provenance, no JSON": attribute("provenance", "{", "provenance is not JSON"),
    "provenance, deep": attribute("provenance", DEEP, "provenance is nested too deeply"),
    "provenance, 900 deep": attribute("provenance", '{"a":' * 900 + "1" + "}" * 900, "is nested too deeply"),
    "provenance, a number": attribute("provenance", 3, "provenance must be text"),
    "provenance, half a letter": attribute("provenance", r'{"created": "\ud800"}', "provenance"),
    "packages": attribute("provenance", json.dumps({"packages": ["a"]}), "packages must be a table"),
    "versions of packages": attribute("provenance", json.dumps({"packages": {"a": [1]}}), f"packages {_PRINTABLE}"),
    "resumed": attribute("provenance", json.dumps({"resumed": [1]}), "resumed must be a table"),
    "resumed after text": attribute("provenance", json.dumps({"resumed": [{"after": "x"}]}), "resumed: .*after"),
    "inputs": attribute("inputs", '{"a": "b"}', "inputs must be a SHA-256"),
    "experiment, deep": experiment(DEEP, "nested too deeply"),
    "experiment, a list": experiment([], "its experiment is refused", _LATER),
    "experiment, empty": experiment({}, "its experiment is refused", _LATER),
    "experiment, other families": experiment({"run": _RUN, "model": {"family": 3}}, "is refused", _LATER),
    "experiment, other size": experiment({"run": {"n_generations": 10**9}}, "its experiment 1000000000"),
    "experiment, other replicates": experiment({"run": {"n_replicates": None}}, "its experiment None"),
    "text, no TOML": attribute("experiment_text", "= =", "experiment_text is not TOML", passes=_NO_TEXT),
    "text, deep": attribute("experiment_text", "a = " + DEEP, "experiment_text is not TOML", passes=_NO_TEXT),
    "text, other recipe": attribute("experiment_text", "recipe = 3", "experiment_text is refused", passes=_NO_TEXT),
    "generations of floats": array("generation", np.arange(T + 1.0), "generation must have the type i8"),
    "generations from -1": array("generation", np.arange(-1, T), "its generations must be of 0 to 4"),
    "generations, too many": array("generation", np.arange(T + 2), "its generations must be of 0 to 4"),
    "generations, none": array("generation", np.arange(0), "its generations must be of 0 to 4"),
    "generations twice": array("generation", np.array([0, 1, 1, 2, 3]), "do not follow each other"),
    "replicates": array("replicate", np.zeros(R, "i4"), "its replicates must be"),
    "no replicates": Edit(without_replicates, "its replicates must be"),
    "no metrics": Edit(without_metrics, "it has no metric"),
    "metric of whole numbers": array("entropy", np.zeros((R, T + 1), int), "entropy must have the type f8"),
    "metric, big-endian": array("entropy", np.zeros((R, T + 1), ">c8"), "entropy must have numbers"),
    "metric, half precision": array("entropy", np.zeros((R, T + 1), "f2"), "entropy must have the type f8"),
    "metric, short": array("entropy", np.zeros((R, T)), "entropy must have the shape"),
    "law, not finite": array("truth/probability", np.full(3, np.nan), "must be a distribution"),
    "law, negative": array("truth/probability", np.array([2.0, -1.0, 0.0]), "must be a distribution"),
    "law, empty": array("truth/probability", np.zeros(0), "must be a distribution"),
    "counts below 0": array("truth/counts", np.full(3, -1), "truth/counts must be at least 0"),
    "rewards, large": array("truth/reward", np.array([0.0, 701.0, 0.0]), "truth/reward must be from -700 to 700"),
    "rewards, not finite": array("truth/reward", np.full(3, np.nan), "truth/reward must be from -700 to 700"),
    "rewards, short": array("truth/reward", np.zeros(2), "truth/reward must have the shape"),
    "labels, overlapping": array("truth/label_bounds", np.array([0, 9, 0, 9]), "label_bounds must rise"),
    "labels, too few": array("truth/label_bounds", np.array([0, 9]), "label_bounds must have the shape"),
    "labels, negative": array("truth/label_bounds", np.array([0, -3, 5, 9]), "label_bounds must rise"),
    "labels, no text": array("truth/label_bytes", np.full(9, 255, "u1"), "utf-8"),
    "source": attribute("source", 3, "source must be text", "truth"),
    "counts, decreasing": array("trajectory/indptr", np.r_[np.arange(7), 3:9], "indptr must"),
    "counts, of floats": array("trajectory/indices", np.zeros(30), "trajectory/indices must have the type"),
    "counts, other symbols": attribute("shape", [12, 9], "its trajectory has 9 symbols", "trajectory"),
    "counts, no shape": attribute("shape", 3, "shape must be two whole numbers", "trajectory"),
    "extinction times": array("forgotten", np.zeros((R, 9), "i4"), "forgotten must have the shape"),
}


def state(name, values, words):
    """An array of the state of the last part replaced; only a resume reads it."""

    def change(file):
        given = np.array(file[f"state/{name}"])
        del file[f"state/{name}"]
        file[f"state/{name}"] = values(given)

    return Edit(change, words)


STATES = {
    "symbols beyond the last": state("symbols", lambda given: given + 10**6, "symbols of a state must"),
    "symbols below the first": state("symbols", lambda given: given - 1, "symbols of a state must"),
    "symbols of floats": state("symbols", lambda given: given.astype(float), "symbols of a state must"),
    "long lists": state("lengths", lambda given: given + 10**9, "lengths of a state must"),
    "negative lists": state("lengths", lambda given: given - 9, "lengths of a state must"),
    "late lists": state("starts", lambda given: given + 2, "starts of a state must"),
    "early lists": state("starts", lambda given: given - 2, "starts of a state must"),
    "more alive than listed": state("alive", lambda given: given + 2, "alive of a state must"),
    "packed for other memory": state("packed", lambda given: given + 7, "packed of a state must"),
    "counts, not finite": state("counts", lambda given: given * np.nan, "counts of a state must"),
    "counts, negative": state("counts", lambda given: -given, "counts of a state must"),
    "counts of another size": state("counts", lambda given: given + 1, "counts of a state must"),
    "counts of one replicate": state("counts", lambda given: given[:1], "counts of a state must"),
    "counts of text": state("counts", lambda given: given.astype("S8"), "counts of a state must be numbers"),
    "totals": state("totals", lambda given: -given, "totals of a state must|counts of a state must"),
}
# Changes of a part after the first.
PARTS = {
    "external storage": Edit(external("/etc/passwd").change, "entropy are in another file"),
    "other digest": attribute("digest", "0" * 64, "belongs to another experiment"),
    "digest, a number": attribute("digest", 3, "digest must be a SHA-256"),
    "provenance, a list": attribute("provenance", "[]", "provenance must be a table"),
    "provenance, deep": attribute("provenance", DEEP, "nested too deeply"),
    "no format": attribute("format", None, "is not a fastcollapse file"),
    "no generations": array("generation", np.arange(0), "its generations must be"),
    "later generations": array("generation", np.arange(2, 2 + T), "its generations must be"),
    "metric, other type": array("entropy", np.zeros((R, T), int), "entropy must have the type f8"),
    "more replicates": array("entropy", np.zeros((R + 1, T)), "entropy must have the shape"),
}


def _sealed(table):
    """Return the end of a file: a table of checksums and its footer, whose own checksum matches."""
    return lambda raw: (
        raw + table + (len(raw)).to_bytes(8, "little") + zlib.crc32(table).to_bytes(4, "little") + b"fc-sums\n"
    )


# Bytes after those of an HDF5 file.
TABLES = {
    "deep": _sealed(DEEP.encode()),
    "a list": _sealed(b"[]"),
    "numbers": _sealed(b'{"metadata": 1.5, "data": []}'),
    "booleans": _sealed(b'{"metadata": true, "data": []}'),
    "text": _sealed(b'{"metadata": 1, "data": "abc"}'),
    "rows of text": _sealed(b'{"metadata": 1, "data": ["abc"]}'),
    "short rows": _sealed(b'{"metadata": 1, "data": [[1, 2]]}'),
    "negative": _sealed(b'{"metadata": 1, "data": [[5, -2, 1]]}'),
    "huge": _sealed(b'{"metadata": 1, "data": [[1, 1%s, 1]]}' % (b"0" * 400)),
}


def pipe(path):
    os.mkfifo(path)


def loop(path):
    path.symlink_to(path.name)


def sparse(start=b""):
    def make(path):
        path.write_bytes(start)
        os.truncate(path, SPARSE_BYTES)

    return make


def a_socket(path):
    one = socket.socket(socket.AF_UNIX)
    one.bind(os.path.relpath(path))
    one.close()


# Things that have the name of a file.
THINGS = {
    "pipe": pipe,
    "folder": Path.mkdir,
    "circle of links": loop,
    "dangling link": lambda path: path.symlink_to("nothing"),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "socket": a_socket,
    "link to a pipe": lambda path: (pipe(path.with_name("the_pipe")), path.symlink_to("the_pipe")),
}


def remove(path):
    """Remove a file or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
