"""Reading of the layout (FORMAT.md): header and block from the data sets and attributes of a file."""

import hashlib
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from fastcollapse.config.sampling import MAX_REWARD
from fastcollapse.datasets.categorical import CategoricalDistribution
from fastcollapse.datasets.count_spectrum import CountSpectrum, StoredTruth, SymbolTruth, ZipfMandelbrotLaw
from fastcollapse.datasets.sentences import Sentences
from fastcollapse.errors import InputError
from fastcollapse.storage import attributes
from fastcollapse.storage.attributes import check_attributes
from fastcollapse.storage.blocks import Block, Header, fits
from fastcollapse.storage.json_text import parse_json
from fastcollapse.storage.layout import COLLECTED, FORMAT, PACK, RAGGED_VERSION, SIZE_SUFFIX
from fastcollapse.variables import Coordinate, CountRows, SampleRows, Variable

# Of the sum of a stored distribution.
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Content:
    """Content of a file.

    Parameters
    ----------
    arrays : path -> data set.
    attributes : path of a group or data set -> attributes; "/" is the root.
    offsets : path of a data set -> position of its data in the file.
    """

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    offsets: dict[str, int] = field(default_factory=dict)

    def group(self, name: str) -> dict[str, np.ndarray]:
        """Return the data sets of a group by their names within it."""
        return {k.removeprefix(name + "/"): v for k, v in self.arrays.items() if k.startswith(name + "/")}


def check_format(content: Content) -> None:
    """Refuse files that this version does not read.

    Raises
    ------
    ValueError
        The file is not of fastcollapse, or of a newer format.
    """
    root = content.attributes["/"]
    if not isinstance(root, Mapping) or not isinstance(root.get("format"), str) or root["format"] != FORMAT:
        raise ValueError("is not a fastcollapse file")
    version = check_attributes(root, attributes.FILE)["format_version"]
    if version > RAGGED_VERSION:
        raise ValueError(f"has format version {version}, this fastcollapse reads up to {RAGGED_VERSION}")


def read_header(content: Content) -> Header:
    """Return the header of a finished file or of part 0.

    Raises
    ------
    KeyError, ValueError
        Data are missing or malformed.
    """
    kind = content.attributes["/"].get("kind")
    if kind is not None:
        shown = kind if isinstance(kind, str) and kind in (PACK, COLLECTED) else reprlib.repr(kind)
        raise ValueError(f"is a {shown}, not the results of one run")
    root = check_attributes(content.attributes["/"], attributes.RUN, attributes.RUN_OPTIONAL)
    if hashlib.sha256(root["experiment"].encode()).hexdigest() != root["digest"]:
        raise ValueError("is damaged: its digest is not that of its experiment")
    n_replicates = len(array_of(content, "replicate", "i4", (None,)))
    if not n_replicates or not np.array_equal(content.arrays["replicate"], np.arange(n_replicates)):
        raise ValueError("is damaged: its replicates must be 0, 1, 2 and so on")
    stop = _check_run(root, n_replicates)
    metrics, states, samples = _variables(content)
    inputs = root.get("inputs", {})
    truth = _read_truth(content, inputs) if "truth" in content.attributes else None
    n_columns = 0
    if "trajectory" in content.attributes:
        n_columns = check_attributes(content.attributes["trajectory"], attributes.TRAJECTORY)["shape"][1]
        if isinstance(truth, SymbolTruth) and n_columns != truth.support_size:
            raise ValueError(f"is damaged: its trajectory has {n_columns} symbols, its truth {truth.support_size}")
    return Header(
        experiment_json=root["experiment"],
        experiment_text=root["experiment_text"],
        digest=root["digest"],
        provenance=root["provenance"],
        n_replicates=n_replicates,
        n_generations=root["n_generations"],
        first_replicate=root.get("first_replicate", 0),
        metrics=metrics,
        states=states,
        truth=truth,
        trajectory="trajectory/indptr" in content.arrays,
        coordinates={name: coordinate_of(content, name) for name in content.arrays if _is_coordinate(content, name)},
        samples=samples,
        n_columns=n_columns,
        inputs=inputs,
        engine=root.get("engine", ""),
        weighted="trajectory/data" in content.arrays and content.arrays["trajectory/data"].dtype.kind == "f",
        rewards=_read_rewards(content, truth),
        stop=stop,
    )


def _check_run(root: Mapping[str, Any], n_replicates: int) -> str:
    """Return the stop condition of a run; refuse a header whose experiment has another size than its data."""
    experiment = parse_json(root["experiment"])
    run = experiment.get("run") if isinstance(experiment, dict) else None
    for key, size in (("n_generations", root["n_generations"]), ("n_replicates", n_replicates)):
        if isinstance(run, dict) and run.get(key, size) != size:
            raise ValueError(f"is damaged: it has {key} = {size}, its experiment {reprlib.repr(run[key])}")
    stop = run.get("stop") if isinstance(run, dict) else None
    return stop if isinstance(stop, str) else ""


def _variables(content: Content) -> tuple[dict[str, Variable], dict[str, Variable], dict[str, Variable]]:
    """Return the metrics, the states of fixed shape, and the ragged states."""
    metrics, states, samples = {}, {}, {}
    for name, values in content.arrays.items():
        given = content.attributes[name]
        is_plane = "/" not in name and values.ndim >= 2 and name != "forgotten" and "sample_dimension" not in given
        if "/" in name or not (is_plane or "ragged" in given):
            continue
        found = check_attributes(given, attributes.VARIABLE, attributes.VARIABLE_OPTIONAL)
        kind = next((key for key in ("ragged", "state", "dims") if key in found), "")
        dims = tuple(found.get(kind, "").split())
        variable = Variable(
            found["long_name"], found["units"], dims, ragged=kind == "ragged", of_user="origin" in found
        )
        if kind == "ragged":
            samples[name] = variable
        else:
            if kind == "state":
                states[name] = variable
            if kind != "state" or "also" in found:
                metrics[name] = variable
    if not metrics:
        raise ValueError("is damaged: it has no metric")
    return metrics, states, samples


def _read_truth(content: Content, inputs: Mapping[str, str]) -> StoredTruth:
    known = {**attributes.TRUTH_LAW, **attributes.TRUTH_TEXT}
    found = check_attributes(content.attributes["truth"], attributes.TRUTH, known)
    if "truth/token" in content.arrays:
        return _read_sentences(content, found["source"], inputs, found.get("unit", "word"))
    if "size" in found:
        return ZipfMandelbrotLaw(found["a"], found["b"], found["size"])
    if "truth/spectrum_count" in content.arrays:
        classes = np.array(array_of(content, "truth/spectrum_count", "i8", (None,)))
        members = np.array(array_of(content, "truth/spectrum_symbols", "i8", (len(classes),)))
        try:
            return CountSpectrum(classes, members, found["source"], inputs)
        except InputError as error:
            raise ValueError(f"is damaged: truth: {error}") from None
    probabilities = np.array(array_of(content, "truth/probability", "f8", (None,)))
    n_symbols = len(probabilities)
    if not n_symbols or not (probabilities >= 0).all() or abs(probabilities.sum() - 1) > _SUM_TOLERANCE:
        raise ValueError("is damaged: truth/probability must be a distribution")
    counts = None
    if "truth/counts" in content.arrays:
        counts = np.array(array_of(content, "truth/counts", "i8", (n_symbols,)))
        if counts.min() < 0:
            raise ValueError("is damaged: truth/counts must be at least 0")
    labels = _read_labels(content, n_symbols) if "truth/label_bytes" in content.arrays else None
    return CategoricalDistribution(labels, counts, probabilities, found["source"], inputs)


def _read_labels(content: Content, n_labels: int | None) -> tuple[str, ...]:
    raw = array_of(content, "truth/label_bytes", "u1", (None,)).tobytes()
    bounds = array_of(content, "truth/label_bounds", "i8", (None if n_labels is None else n_labels + 1,))
    if not len(bounds):
        raise ValueError("is damaged: truth/label_bounds must have at least one entry")
    _check_bounds("truth/label_bounds", bounds, len(raw))
    return tuple(raw[low:high].decode() for low, high in pairwise(bounds.tolist()))


def _read_sentences(content: Content, source: str, inputs: Mapping[str, str], unit: str) -> Sentences:
    tokens = np.array(array_of(content, "truth/token", "i4", (None,)))
    lengths = array_of(content, "truth/sentence_length", "i4", (None,))
    labels = _read_labels(content, None)
    if not len(tokens) or tokens.min() < 0 or tokens.max() >= len(labels):
        raise ValueError(f"is damaged: truth/token must be from 0 to {len(labels) - 1}, with at least one entry")
    if len(set(labels)) < len(labels) or not np.bincount(tokens, minlength=len(labels)).all():
        raise ValueError("is damaged: truth/token must have each label, and each label must be there once")
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    if not len(lengths) or lengths.min() < 1 or offsets[-1] != len(tokens):
        raise ValueError(f"is damaged: truth/sentence_length must be at least 1 and sum to {len(tokens)}")
    return Sentences(labels, tokens, offsets, source, inputs, unit)


def _read_rewards(content: Content, truth: StoredTruth | None) -> np.ndarray | None:
    if "truth/reward" not in content.arrays or not isinstance(truth, CategoricalDistribution):
        return None
    rewards = np.array(array_of(content, "truth/reward", "f8", (truth.support_size,)))
    if not (np.abs(rewards) <= MAX_REWARD).all():
        raise ValueError(f"is damaged: truth/reward must be from {-MAX_REWARD:g} to {MAX_REWARD:g}")
    return rewards


def array_of(content: Content, name: str, kind: str, lengths: tuple[int | None, ...]) -> np.ndarray:
    """Return a data set after a check of its type ("f8", or "iu" for any whole numbers) and shape."""
    values = content.arrays[name]
    dtype = values.dtype
    if kind != f"{dtype.kind}{dtype.itemsize}" and not (kind == "iu" and dtype.kind in kind):
        raise ValueError(f"is damaged: {name} must have the type {kind}, got {dtype}")
    if not fits(values, lengths):
        wanted = ", ".join("any" if n is None else str(n) for n in lengths)
        raise ValueError(f"is damaged: {name} must have the shape ({wanted}), got {values.shape}")
    return values


def _check_bounds(name: str, bounds: np.ndarray, length: int) -> None:
    """Check that bounds divide `length` elements into rows."""
    if bounds[0] != 0 or bounds[-1] != length or (bounds[1:] < bounds[:-1]).any():
        raise ValueError(f"is damaged: {name} must rise from 0 to {length}")


def _is_coordinate(content: Content, name: str) -> bool:
    is_line = "/" not in name and content.arrays[name].ndim == 1
    return (
        is_line
        and name not in ("generation", "replicate", "first_passage")
        and "ragged" not in content.attributes[name]
    )


def coordinate_of(content: Content, name: str) -> Coordinate:
    """Return the coordinate of a dimension."""
    found = check_attributes(content.attributes[name], attributes.VARIABLE)
    kind = "i8" if content.arrays[name].dtype.kind == "i" else "f8"
    values = array_of(content, name, kind, (None,))
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(f"is damaged: {name} must have finite entries")
    # A copy instead of the memory map, because the numbers outlive the part that they are read from.
    return Coordinate(np.array(values), found["long_name"], found["units"])


def read_block(content: Content, header: Header) -> Block:
    """Return the generations of a finished file or of a part as one block.

    Raises
    ------
    KeyError, ValueError
        Data are missing or malformed.
    """
    generation = array_of(content, "generation", "i8", (None,))
    n_columns = len(generation)
    first = int(generation[0]) if n_columns else 0
    last = first + n_columns - 1
    if not n_columns or not 0 <= first <= last <= header.n_generations:
        raise ValueError(f"is damaged: its generations must be of 0 to {header.n_generations}, got {first} to {last}")
    if not np.array_equal(generation, np.arange(first, last + 1)):
        raise ValueError("is damaged: its generations do not follow each other")
    plane = (header.n_replicates, n_columns)
    metrics, states = (
        {name: array_of(content, name, "f8", (*plane, *header.lengths(name))) for name in names}
        for names in (header.metrics, header.states)
    )
    n_rows = header.n_replicates * (last - max(first, 1) + 1)
    rows = _read_rows(content, n_rows, "f8" if header.weighted else "iu") if header.trajectory else None
    samples = {name: _read_sample(content, header, name, plane) for name in header.samples}
    return Block(first, metrics, rows, states, samples)


def _read_rows(content: Content, n_rows: int, kind: str) -> CountRows:
    indptr = array_of(content, "trajectory/indptr", "i8", (n_rows + 1,))
    indices = array_of(content, "trajectory/indices", "iu", (None,))
    _check_bounds("trajectory/indptr", indptr, len(indices))
    return CountRows(indptr, indices, array_of(content, "trajectory/data", kind, (len(indices),)))


def _read_sample(content: Content, header: Header, name: str, plane: tuple[int, int]) -> SampleRows:
    values = array_of(content, name, "f8", (None, *header.lengths(name)))
    sizes = array_of(content, f"{name}{SIZE_SUFFIX}", "i8", plane[::-1])
    if sizes.size and not 0 <= sizes.min() <= sizes.max() <= len(values):
        raise ValueError(f"is damaged: {name}{SIZE_SUFFIX} must be from 0 to {len(values)}")
    indptr = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    if indptr[-1] != len(values):
        raise ValueError(f"is damaged: {name} must have {indptr[-1]} points, got {len(values)}")
    return SampleRows(indptr, values)


def read_run(content: Content) -> tuple[Header, Block, dict[str, np.ndarray]]:
    """Return the header, all generations, and what is known at the end, see `Store.finish`, of a finished run.

    Raises
    ------
    KeyError, ValueError
        Data are missing or malformed.
    """
    header = read_header(content)
    block = read_block(content, header)
    last, end, final = block.first + block.n_generations - 1, header.n_generations, {}
    if header.stop:
        times = array_of(content, "first_passage", "i4", (header.n_replicates,))
        if not -1 <= times.min() <= times.max() <= last:
            raise ValueError(f"is damaged: first_passage must be from -1 to {last}")
        end = int(times.max()) if times.min() >= 0 else end
        final["first_passage"] = times
    if block.first != 0 or last != end:
        raise ValueError(f"is damaged: it has generations {block.first} to {last} instead of 0 to {end}")
    if "forgotten" in content.arrays:
        final["forgotten"] = array_of(content, "forgotten", "i4", (header.n_replicates, header.n_columns))
    return header, block, final
